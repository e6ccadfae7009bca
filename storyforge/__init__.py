"""The shared kernel: the words and records that every part of StoryForge speaks in."""

__version__ = "0.1.0"
