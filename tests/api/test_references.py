"""Reference images: taken in safely, kept plain; bombs and impostors are refused (S10, F68)."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from PIL import Image, ImageCms

from storyforge.images import intake
from storyforge.images.intake import SIDE_MAX
from storyforge.settings import LimitSettings
from storyforge.storage import paths
from storyforge.storage.store import Bucket
from tests.api.nodes import Node, make_node
from tests.api.test_scenes import BIBLE

Answer = Any


def picture(
    size: tuple[int, int] = (96, 64), kind: str = "PNG", mode: str = "RGB", **save: Any
) -> bytes:
    rows = np.linspace(0, 255, size[0] * size[1] * 3, dtype=np.uint8).reshape(size[1], size[0], 3)
    file = io.BytesIO()
    made = Image.fromarray(rows).convert("L" if mode == "I;16" else mode)
    if mode == "I;16":
        made = Image.fromarray(np.asarray(made, np.uint16) * 257)
    made.save(file, kind, **save)
    return file.getvalue()


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width: int, height: int, *more: bytes, rows: bytes = b"") -> bytes:
    """A PNG by hand, which may lie."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", head), *more, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def gif(frames: int) -> bytes:
    head = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + bytes(6)
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return head + frame * frames + b";"


def moving_webp() -> bytes:
    file = io.BytesIO()
    frames = [Image.new("RGB", (32, 32), (number, 0, 0)) for number in (0, 250)]
    frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:])
    return file.getvalue()


def archived() -> bytes:
    """A ZIP inside a text chunk, with nothing behind the picture's end."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.txt", "hello")
        archive.comment = b""
    return png(32, 32, chunk(b"tEXt", b"note\0" + file.getvalue()), rows=bytes(97 * 32))


def send(
    node: Node, scene_id: str, data: bytes, kind: str = "image/png", to: str = "style_frame"
) -> Answer:
    url = f"/v1/scenes/{scene_id}/reference/{to}"
    return node.client.put(url, content=data, headers={"content-type": kind})


def stored(node: Node) -> list[str]:
    return [one.key for one in node.store.list(Bucket.ASSETS)]


@pytest.mark.parametrize(
    ("kind", "media_type", "mode"),
    [
        ("PNG", "image/png", "RGB"),
        ("PNG", "image/png", "RGBA"),
        ("PNG", "image/png", "P"),
        ("PNG", "image/png", "L"),
        ("PNG", "image/png", "1"),
        ("PNG", "image/png", "I;16"),
        ("JPEG", "image/jpeg", "RGB"),
        ("JPEG", "image/jpeg", "CMYK"),
        ("WEBP", "image/webp", "RGB"),
    ],
)
def test_a_picture_is_kept_as_a_plain_png(
    node: Node, kind: str, media_type: str, mode: str
) -> None:
    scene_id = node.scene(bible=BIBLE)
    answer = send(node, scene_id, picture(kind=kind, mode=mode), media_type)
    assert answer.status_code == 200, answer.text
    taken = answer.json()
    assert (taken["width"], taken["height"], taken["characterId"]) == (96, 64, None)
    read = node.client.get(taken["url"])
    assert read.headers["content-type"] == "image/png"
    assert len(read.content) == taken["bytes"]
    with Image.open(io.BytesIO(read.content)) as kept:
        assert (kept.format, kept.mode, kept.size) == ("PNG", "RGB", (96, 64))
        assert max(kept.getpixel((95, 63))) > 200 > max(kept.getpixel((0, 0))), "it is not clipped"
    key = paths.style_frame_key(UUID(scene_id))
    assert node.store.get_bytes(Bucket.ASSETS, key, 10**6) == read.content


def test_a_character_has_its_own_image_that_can_be_replaced_and_taken_away(node: Node) -> None:
    scene_id = node.scene(bible=BIBLE)
    url = f"/v1/scenes/{scene_id}/reference"
    before = node.client.get(f"/v1/scenes/{scene_id}").json()["revision"]
    first = send(node, scene_id, picture(), to="characters/mara").json()
    again = send(node, scene_id, picture((64, 96)), to="characters/mara").json()
    assert (first["characterId"], again["height"]) == ("mara", 96)
    assert stored(node) == [paths.reference_key(UUID(scene_id), "mara")]
    assert node.client.get(f"/v1/scenes/{scene_id}").json()["revision"] == before + 2
    listed = node.client.get(url).json()
    assert listed["styleFrame"] is None
    assert [one["characterId"] for one in listed["characters"]] == ["mara"]
    tag = node.client.get(again["url"]).headers["etag"]
    assert node.client.get(again["url"], headers={"if-none-match": tag}).status_code == 304
    assert node.client.delete(again["url"]).status_code == 204
    assert node.client.delete(again["url"]).status_code == 404
    assert node.client.get(again["url"]).status_code == 404
    assert node.client.get(url).json()["characters"] == []


@pytest.mark.parametrize("to", ["characters/zoe", "characters/x%2e", "characters/a%00b"])
def test_whom_the_bible_does_not_know_has_no_image(node: Node, to: str) -> None:
    scene_id = node.scene(bible=BIBLE)
    assert send(node, scene_id, picture(), to=to).status_code == 404
    assert node.client.get(f"/v1/scenes/{scene_id}/reference/{to}").status_code == 404
    assert node.client.delete(f"/v1/scenes/{scene_id}/reference/{to}").status_code == 404
    assert stored(node) == []


def test_what_comes_along_with_the_pixels_is_left_behind(node: Node) -> None:
    notes = Image.Exif()
    notes[0x010E] = "a secret place"  # ImageDescription
    notes[0x0112] = 6  # turn by 90 degrees
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = picture(kind="JPEG", exif=notes, icc_profile=profile, comment=b"a secret place")
    assert b"a secret place" in data
    taken = send(node, node.scene(), data, "image/jpeg").json()
    assert (taken["width"], taken["height"]) == (64, 96), "it stands upright"
    kept = node.client.get(taken["url"]).content
    assert b"secret" not in kept
    with Image.open(io.BytesIO(kept)) as opened:
        assert dict(opened.info) == {}


def test_a_large_picture_is_kept_smaller(node: Node) -> None:
    taken = send(node, node.scene(), picture((3000, 1500), "JPEG"), "image/jpeg").json()
    assert (taken["width"], taken["height"]) == (SIDE_MAX, SIDE_MAX // 2)


HOSTILE: dict[str, tuple[Callable[[], bytes], str, int]] = {
    "50,000 x 50,000 pixels": (lambda: png(50_000, 50_000), "image/png", 413),
    "a bomb of zeros": (lambda: png(30_000, 30_000, rows=bytes(10**7)), "image/png", 413),
    "a size that lies": (lambda: png(64, 64, rows=bytes(10**6)[:100]), "image/png", 422),
    "no size at all": (lambda: png(0, 64), "image/png", 422),
    "a bomb in a note": (
        lambda: png(
            32, 32, chunk(b"zTXt", b"n\0\0" + zlib.compress(bytes(10**8))), rows=bytes(97 * 32)
        ),
        "image/png",
        422,
    ),
    "too thin": (lambda: png(64_000, 16), "image/png", 422),
    "too small": (lambda: picture((8, 8)), "image/png", 422),
    "a GIF of 10,000 frames": (lambda: gif(10_000), "image/png", 415),
    "a GIF by its name": (lambda: gif(2), "image/gif", 415),
    "a moving WebP": (moving_webp, "image/webp", 422),
    "a moving PNG": (lambda: png(32, 32, chunk(b"acTL", bytes(8))), "image/png", 422),
    "an SVG": (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml", 415),
    "an SVG as PNG": (lambda: b"<?xml version='1.0'?><svg/>", "image/png", 415),
    "a FITS": (lambda: b"SIMPLE  =                    T", "image/png", 415),
    "a script": (lambda: b"#!/bin/sh\nexit", "image/png", 415),
    "JSON": (lambda: b"{}", "application/json", 415),
    "a JPEG as PNG": (lambda: picture(kind="JPEG"), "image/png", 415),
    "a ZIP behind a PNG": (lambda: picture() + b"PK\x03\x04" + bytes(30), "image/png", 422),
    "HTML behind a JPEG": (lambda: picture(kind="JPEG") + b"<html>", "image/jpeg", 422),
    "a ZIP inside a PNG": (archived, "image/png", 422),
    "a PDF inside a JPEG": (
        lambda: picture(kind="JPEG", comment=b"%PDF-1.7 1 0 obj"),
        "image/jpeg",
        422,
    ),
    "something behind a WebP": (lambda: picture(kind="WEBP") + b"x" * 9, "image/webp", 422),
    "half a PNG": (lambda: picture()[:-40], "image/png", 422),
    "half a JPEG": (lambda: picture(kind="JPEG")[:-40], "image/jpeg", 422),
    "half a WebP": (lambda: picture(kind="WEBP")[:-40], "image/webp", 422),
    "a PNG of a few bytes": (lambda: picture()[:12], "image/png", 422),
    "a JPEG of a few bytes": (lambda: b"\xff\xd8\xff", "image/jpeg", 422),
    "broken pixels": (lambda: png(64, 64, rows=b"").replace(b"IDAT", b"IDAX"), "image/png", 422),
    "nothing": (lambda: b"", "image/png", 422),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_is_no_plain_picture_is_refused_and_kept_nowhere(node: Node, what: str) -> None:
    make, kind, status = HOSTILE[what]
    scene_id = node.scene(bible=BIBLE)
    answer = send(node, scene_id, make(), kind)
    assert answer.status_code == status, answer.text
    assert answer.json()["detail"]
    assert stored(node) == [], "no worker will ever see it"


def test_too_many_bytes_are_refused_before_they_are_read(tmp_path: Path) -> None:
    node = make_node(tmp_path, limits=LimitSettings(picture_bytes=1000))
    with node.client:
        scene_id = node.scene()
        said = send(node, scene_id, bytes(1001))
        unsaid = node.client.put(
            f"/v1/scenes/{scene_id}/reference/style_frame",
            content=iter([bytes(600), bytes(600)]),
            headers={"content-type": "image/png"},
        )
    assert [said.status_code, unsaid.status_code] == [413, 413]
    assert "1000 bytes" in said.json()["detail"]
    node.database.dispose()


def test_a_decode_beyond_its_memory_or_time_ends_with_the_child_alone(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = picture((4000, 3000), "PNG")
    monkeypatch.setattr(intake, "_MEMORY_BYTES", 60 * 1024**2)
    small = send(node, node.scene(), data)
    monkeypatch.undo()
    monkeypatch.setattr(intake, "_TIMEOUT_S", 0.01)
    slow = send(node, node.scene(), data)
    for answer in (small, slow):
        assert answer.status_code == 422
        assert "more time or memory" in answer.json()["detail"]
    assert stored(node) == []


def test_only_picture_routes_take_pictures(node: Node) -> None:
    url = f"/v1/scenes/{node.scene()}/continue"
    answer = node.client.post(url, content=picture(), headers={"content-type": "image/png"})
    assert answer.status_code == 415
