"""Fetch a filmed scene from a node, as its viewers do, and join it into one MP4."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from urllib.parse import urljoin

from storyforge.cli.node_client import NodeClient
from storyforge.errors import Broken

_STREAM = "#EXT-X-STREAM-INF:"
_JOIN = "#EXT-X-DISCONTINUITY"
_HEIGHT = re.compile(r"[:,]RESOLUTION=\d+x(\d+)")
_FRAME_RATE = re.compile(r"[:,]FRAME-RATE=([\d.]+)")


@dataclass(frozen=True)
class RungAddress:
    """A rung as a master playlist names it; fps is a whole number in our scenes."""

    uri: str
    height: int
    fps: int


def save_mp4(client: NodeClient, scene_id: str, into: Path) -> int:
    """Write the scene's film, all segments at the top rung, without encoding it again.

    Gives the number of frames. The file appears whole or not at all.
    """
    from pipelines.encoding.mp4 import concat_mp4

    into.parent.mkdir(parents=True, exist_ok=True)
    master_uri = f"/v1/scenes/{scene_id}/master.m3u8"
    rung = top_rung(client.read(master_uri).decode())
    rung_uri = urljoin(master_uri, rung.uri)
    segments = split_segments(client.read(rung_uri).decode())
    fetched = (_fetch(client, rung_uri, uris) for uris in segments)
    return concat_mp4(fetched, into, fps=rung.fps)


def top_rung(master: str) -> RungAddress:
    """The tallest rung of a master playlist. Raises Broken when there is none."""
    found = [
        RungAddress(after, int(height[1]), round(float(rate[1])))
        for line, after in pairwise(master.splitlines())
        if line.startswith(_STREAM)
        and (height := _HEIGHT.search(line))
        and (rate := _FRAME_RATE.search(line))
    ]
    if not found:
        raise Broken("The scene's master playlist names no rung; is a segment finished?")
    return max(found, key=lambda rung: rung.height)


def split_segments(playlist: str) -> list[list[str]]:
    """The addresses of a rung playlist's parts, one list for each segment of the scene."""
    segments: list[list[str]] = [[]]
    for line in playlist.splitlines():
        if line == _JOIN and segments[-1]:
            segments.append([])
        elif line and not line.startswith("#"):
            segments[-1].append(line)
    return segments


def _fetch(client: NodeClient, base_uri: str, uris: list[str]) -> Iterator[bytes]:
    for uri in uris:
        yield client.read(urljoin(base_uri, uri))
