"""Segments: the committed pieces of a scene's film, and the media files they are made of."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field

from storyforge.domain.script import Light, Script
from storyforge.domain.wire import Wire


class SegmentSummary(Wire):
    """What later continuations need to know of one segment.

    place, light: of its last shot. last_frame_sha256: of its last frame's file in the store; empty
    for a segment from before there was one.
    """

    segment_id: UUID
    number: int
    summary: str
    characters: tuple[str, ...] = ()
    place: str = ""
    light: Light | None = None
    seconds: float = 0.0
    last_frame_sha256: str = ""


class Rung(Wire):
    """One size of the ladder; its name is its real height, e.g. `720p`."""

    name: str
    width: int
    height: int


class HlsProfile(Wire):
    """What every segment of a scene shares, fixed when its first segment is encoded.

    fps: whole frames per second. rungs: tallest first. gop_seconds: length of a media part.
    target_duration: EXT-X-TARGETDURATION of every playlist of the scene, whole seconds.
    """

    fps: int = Field(ge=1, le=120)
    rungs: tuple[Rung, ...] = Field(min_length=1)
    gop_seconds: int = 2
    target_duration: int = 3
    audio_rate_hz: int = 48_000


class Part(Wire):
    """One media part (an HLS Media Segment in RFC 8216's words)."""

    uri: str
    seconds: float
    bytes: int


class RungMedia(Wire):
    """One rung of an encoded segment with its measured rates (bits per second)."""

    rung: Rung
    codecs: str
    bandwidth: int
    average_bandwidth: int
    parts: tuple[Part, ...]


class MediaFile(Wire):
    """One file of an encoded segment; `path` is relative to the segment's prefix."""

    path: str
    bytes: int
    sha256: str
    content_type: str


class Cue(Wire):
    """One line of the narration as a subtitle; seconds from the segment's beginning."""

    start: float
    end: float
    text: str


class EncodedSegment(Wire):
    """All that the encoder made: the rungs for playlists, the files for the store.

    encoder: its name in FFmpeg; encoder_reason: why that one. voice: who speaks the narration. cues:
    its lines. All empty in segments from before they were kept.
    """

    profile: HlsProfile
    frames: int
    seconds: float
    rungs: tuple[RungMedia, ...]
    files: tuple[MediaFile, ...]
    encoder: str = ""
    encoder_reason: str = ""
    voice: str = ""
    cues: tuple[Cue, ...] = ()


class LiveFilm(Wire):
    """A film while it is being made: the parts of each rung that can be fetched by now.

    It lies where the segment will lie, under the same names: what is seen of it stays true.
    bandwidth, average_bandwidth of its rungs: what the encoder is held to, since nothing is measured
    yet. ended: every part is there.
    """

    scene_id: UUID
    segment_id: UUID
    profile: HlsProfile
    rungs: tuple[RungMedia, ...]
    ended: bool = False

    @property
    def visible(self) -> bool:
        """Whether a player can begin: every rung has a part."""
        return all(rung.parts for rung in self.rungs)


class Segment(Wire):
    """One committed segment of a scene; `number` counts from 1 and has no holes."""

    id: UUID
    scene_id: UUID
    number: int
    job_id: UUID
    bible_version: int
    text: str
    script: Script
    summary: SegmentSummary
    media: EncodedSegment
    created_at: datetime
