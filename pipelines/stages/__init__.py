"""The stages of a continuation; each one verb, independent of the others."""
