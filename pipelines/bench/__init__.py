"""Measures the film path, from a prompt to HLS parts, beside what one would do without it."""
