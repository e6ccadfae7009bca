"""Models and devices: language, video and narration behind protocols; knows no database."""
