"""Fetch a filmed scene from a node, as its viewers do, and join it into one MP4."""

from __future__ import annotations

import re
import tempfile
from itertools import pairwise
from pathlib import Path
from urllib.parse import urljoin

from storyforge.cli.node_client import NodeClient
from storyforge.errors import Broken

_STREAM = "#EXT-X-STREAM-INF:"
_RESOLUTION = re.compile(r"RESOLUTION=\d+x(\d+)")


def save_mp4(client: NodeClient, scene_id: str, into: Path) -> None:
    """Write the scene's film, all segments at the top rung, without encoding it again."""
    from pipelines.encoding.mp4 import concat_mp4

    into.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=into.parent, prefix=".storyforge-film-") as folder:
        parts = [
            _save_part(client, uri, Path(folder) / f"{number:06d}.ts")
            for number, uri in enumerate(part_uris(client, scene_id))
        ]
        whole = Path(folder) / "film.mp4"
        concat_mp4(parts, whole)
        whole.replace(into)


def part_uris(client: NodeClient, scene_id: str) -> list[str]:
    """The addresses of all media parts of the top rung, in playing order."""
    master_uri = f"/v1/scenes/{scene_id}/master.m3u8"
    rung_uri = urljoin(master_uri, top_rung(client.read(master_uri).decode()))
    playlist = client.read(rung_uri).decode()
    return [urljoin(rung_uri, line) for line in _uri_lines(playlist)]


def top_rung(master: str) -> str:
    """The address of the tallest rung in a master playlist. Raises Broken when there is none."""
    lines = master.splitlines()
    found = [
        (int(size[1]), after)
        for line, after in pairwise(lines)
        if line.startswith(_STREAM) and (size := _RESOLUTION.search(line))
    ]
    if not found:
        raise Broken("The scene's master playlist names no rung; is a segment finished?")
    return max(found)[1]


def _uri_lines(playlist: str) -> list[str]:
    return [line for line in playlist.splitlines() if line and not line.startswith("#")]


def _save_part(client: NodeClient, uri: str, path: Path) -> Path:
    path.write_bytes(client.read(uri))
    return path
