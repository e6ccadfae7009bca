"""Voices that speak the narration."""
