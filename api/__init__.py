"""The control plane: the HTTP API, live updates and the pages, for one local owner."""
