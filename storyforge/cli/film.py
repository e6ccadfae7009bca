"""`storyforge film`: from one text to a film file that any player opens."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from storyforge.cli.borrowed_node import borrow_node
from storyforge.cli.data_lock import running_node
from storyforge.cli.film_files import save_mp4
from storyforge.cli.film_progress import film_progress
from storyforge.cli.filming import Continuation, Story, film_story
from storyforge.errors import InvalidInput
from storyforge.settings import LimitSettings, Settings

# Captions are read at about 2.4 words or 5 ideographs a second (subtitling guidelines give
# 140-180 words and up to 9 ideographs a second as the ceiling; a film needs room to be looked at).
_WORDS_PER_S = 2.4
_IDEOGRAPHS_PER_S = 5.0
_SHORTEST_S = 4.0
_IDEOGRAPH = re.compile(r"[぀-ヿ㐀-鿿가-힯]")


@dataclass(frozen=True)
class FilmWish:
    """What was asked for; `seconds` None: as long as the text takes to read."""

    text: str
    into: Path
    seconds: float | None
    style: str
    title: str
    force: bool


def make_film(settings: Settings, wish: FilmWish, console: Console) -> None:
    """Film the text and write the MP4. Raises InvalidInput before any work when it cannot."""
    _check(wish, settings.limits)
    seconds = wish.seconds or reading_seconds(wish.text, settings.limits)
    story = Story(wish.title, wish.style, (Continuation(wish.text, seconds),))
    console.print("Starting the node ...", style="dim")
    with _home(settings) as data_dir, borrow_node(data_dir, 0) as client:
        with film_progress(console) as progress:
            scene_id = film_story(client, story, progress.show)
        save_mp4(client, scene_id, wish.into)
    console.print(f"{wish.into}  ({wish.into.stat().st_size / 1e6:.1f} MB)", highlight=False)


def reading_seconds(text: str, limits: LimitSettings) -> float:
    """How long the film of a text should be so that its captions can be read."""
    ideographs = len(_IDEOGRAPH.findall(text))
    words = len(_IDEOGRAPH.sub(" ", text).split())
    seconds = words / _WORDS_PER_S + ideographs / _IDEOGRAPHS_PER_S
    shortest_s = max(_SHORTEST_S, limits.min_segment_s)
    return round(min(max(seconds, shortest_s), limits.max_segment_s), 1)


def _check(wish: FilmWish, limits: LimitSettings) -> None:
    if not wish.text.strip():
        raise InvalidInput("The text is empty; give a sentence or two.")
    if len(wish.text) > limits.text_chars:
        raise InvalidInput(
            f"The text has {len(wish.text)} characters; at most {limits.text_chars} fit into one "
            "continuation. Film it in pieces, or raise STORYFORGE_LIMITS_TEXT_CHARS."
        )
    if wish.into.suffix.lower() != ".mp4":
        raise InvalidInput(f"{wish.into} is no .mp4 file; the film is written as MP4.")
    if wish.into.is_dir():
        raise InvalidInput(f"{wish.into} is a folder; name a file.")
    if wish.into.exists() and not wish.force:
        raise InvalidInput(f"{wish.into} exists; choose another name, or --force to replace it.")


@contextmanager
def _home(settings: Settings) -> Iterator[Path]:
    """The data directory that was named, the running node's, or one for this film only."""
    data_dir = settings.node.data_dir.resolve()
    if "data_dir" in settings.node.model_fields_set or running_node(data_dir) is not None:
        yield data_dir
        return
    folder = Path(tempfile.mkdtemp(prefix="storyforge-film-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
