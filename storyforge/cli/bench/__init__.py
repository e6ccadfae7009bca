"""`storyforge bench`: measures this machine's card, and shows what it can do."""
