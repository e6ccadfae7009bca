"""Continuity rules: contradictions between a script and the bible that fixed rules can see."""
