"""The local model store: the catalogue, pulling, checking, opening and evicting models."""
