"""`python -m storyforge.cli` is the `storyforge` command."""

from __future__ import annotations

from storyforge.cli import main

if __name__ == "__main__":
    main()
