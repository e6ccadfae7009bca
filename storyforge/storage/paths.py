"""The path conventions: where each kind of object lies in its bucket.

Identifiers are UUIDs in canonical text form. Every key is write-once.
"""

from __future__ import annotations

from uuid import UUID

LAST_FRAME = "last_frame.png"

# videos bucket


def scene_prefix(scene_id: UUID) -> str:
    """Everything filmed for one scene; what a scene-scoped token opens."""
    return f"videos/{scene_id}/"


def segment_prefix(scene_id: UUID, segment_id: UUID) -> str:
    """All media of one segment."""
    return f"videos/{scene_id}/{segment_id}/"


def master_key(scene_id: UUID, segment_id: UUID) -> str:
    """The segment's own master playlist."""
    return f"{segment_prefix(scene_id, segment_id)}master.m3u8"


def rung_playlist_key(scene_id: UUID, segment_id: UUID, rung: str) -> str:
    """The media playlist of one rung; its name is its real height, e.g. `720p`."""
    return f"{segment_prefix(scene_id, segment_id)}{rung}.m3u8"


def part_key(scene_id: UUID, segment_id: UUID, rung: str, number: int) -> str:
    """One media part of one rung; numbers count from 1."""
    return f"{segment_prefix(scene_id, segment_id)}{rung}_{number:04d}.ts"


def thumbnail_key(scene_id: UUID, segment_id: UUID) -> str:
    """The segment's sharpest frame."""
    return f"{segment_prefix(scene_id, segment_id)}thumbnail.jpg"


def poster_key(scene_id: UUID, segment_id: UUID) -> str:
    """A still of the segment's beginning, there while the rest is being filmed."""
    return f"{segment_prefix(scene_id, segment_id)}poster.jpg"


def last_frame_key(scene_id: UUID, segment_id: UUID) -> str:
    """The segment's last frame, lossless, for the one that follows."""
    return f"{segment_prefix(scene_id, segment_id)}{LAST_FRAME}"


def preview_key(scene_id: UUID, job_id: UUID, input_hash: str, suffix: str = ".mp4") -> str:
    """The animatic of one job.

    input_hash: hash of the script that it shows, so that another script gets another key.
    """
    return f"videos/{scene_id}/previews/{job_id}/{input_hash[:16]}{suffix}"


# assets bucket


def reference_prefix(scene_id: UUID) -> str:
    """All reference images of one scene."""
    return f"assets/scenes/{scene_id}/reference/"


def reference_key(scene_id: UUID, entity_id: str) -> str:
    """The reference image of one character of the bible."""
    return f"{reference_prefix(scene_id)}character_{entity_id}.png"


def place_reference_key(scene_id: UUID, entity_id: str) -> str:
    """The reference image of one place of the bible."""
    return f"{reference_prefix(scene_id)}place_{entity_id}.png"


def style_frame_key(scene_id: UUID) -> str:
    """The picture that says how the scene looks."""
    return f"{reference_prefix(scene_id)}style_frame.png"


# exports bucket


def export_key(scene_id: UUID, export_id: UUID, suffix: str = ".mp4") -> str:
    """One exported film of a scene."""
    return f"exports/{scene_id}/{export_id}{suffix}"
