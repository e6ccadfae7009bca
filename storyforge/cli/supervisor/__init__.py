"""The supervisor: starts the node's processes, keeps them running and ends them in order."""
