"""The `storyforge` command; nothing of ours imports it."""

from __future__ import annotations

import sys


def main() -> None:
    """Run one command: exit 0 when it did its work, 1 with one clear line, 2 for wrong usage."""
    from storyforge.cli.commands import app
    from storyforge.errors import StoryForgeError

    try:
        app()
    except StoryForgeError as exc:
        print(f"storyforge: {exc.detail}", file=sys.stderr)
        raise SystemExit(1) from exc
