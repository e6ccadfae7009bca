"""The models that a self-hoster would choose, as TOML data beside the code that reads it."""
