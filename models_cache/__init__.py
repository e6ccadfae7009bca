"""The local model store: catalogue, pull, verify, evict. Empty until diffusers models come."""
