"""Measures video models on this host's device alone: no node, no database, no broker."""
