"""The ordered stages of a continuation, and the encoding they share."""
