"""Encodes a stream of RGB frames into one segment's HLS files while the frames are being made."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from inference.narration.voice import Sound
from inference.video.device_frames import pixels_of
from inference.video.model import Frames
from pipelines.encoding.encoders import X264, EncoderChoice
from pipelines.encoding.foreign import border
from pipelines.encoding.line import AssemblyLine, RungResult
from pipelines.encoding.manifest import record
from storyforge.domain.segment import EncodedSegment, HlsProfile
from storyforge.errors import EncodeFailed
from storyforge.playlists import segment_master, variant_playlist

MASTER = "master.m3u8"


def encode_hls(
    chunks: Iterable[Frames],
    profile: HlsProfile,
    into: Path,
    *,
    preset: str,
    encoder: EncoderChoice = X264,
    sound: Sound | None = None,
    on_frames: Callable[[int], None],
    on_file: Callable[[str], None] = lambda _name: None,
) -> EncodedSegment:
    """Encode all frames into `into`, an empty folder, and give the segment with its files.

    chunks: uint8 RGB, [t, H, W, 3], pulled in the calling thread while threads encode. A chunk
    must not change once it was given. Frames of another size than the top rung are fitted to it.
    sound: the narration, mono at the profile's rate; silence where it ends. preset: of x264. encoder: if it sits on the device, it takes DeviceFrames from there. on_frames: called in the calling thread with the frames that every rung has
    taken in; it may raise to cancel. on_file: called, in the encoding threads, with the name of each
    part that is whole, and before the first of them with the poster's.

    The files are checked, synced and listed in publishing order: parts, stills, variant
    playlists, master. Raises EncodeFailed (no frames, frames of a wrong kind, a codec's refusal),
    DiskFull, HardwareFailed (only by an encoder on the device), and unchanged whatever `chunks` or `on_frames` raise; no thread is left behind.
    """
    with border():
        into.mkdir(parents=True, exist_ok=True)
    with AssemblyLine(
        profile, into, encoder=encoder, preset=preset, sound=sound, on_file=on_file
    ) as line:
        for chunk in chunks:
            _hand_over(chunk, line, on_frames)
            del chunk  # not held while the next one is being made
        rungs, stills = line.finish(on_frames)
    with border():
        segment = _written(rungs, stills, line.encoded, profile, into)
    return segment.model_copy(update={"encoder": encoder.codec, "encoder_reason": encoder.reason})


def _hand_over(chunk: Frames, line: AssemblyLine, on_frames: Callable[[int], None]) -> None:
    """Put a chunk on the line frame by frame, saying every second of film how far it is."""
    if chunk.dtype != np.uint8 or chunk.ndim != 4 or chunk.shape[-1] != 3 or 0 in chunk.shape:  # noqa: PLR2004 - [t, H, W, RGB]
        raise EncodeFailed(
            f"Frames came as {chunk.dtype} {list(chunk.shape)}; the encoder takes uint8 [t, H, W, 3]."
        )
    pixels = pixels_of(chunk)
    for number, picture in enumerate(np.asarray(chunk), 1):
        line.put(picture, None if pixels is None else pixels[number - 1])
        if number % line.fps == 0 or number == len(chunk):
            on_frames(line.encoded)


def _written(
    results: list[RungResult],
    stills: tuple[str, ...],
    frames: int,
    profile: HlsProfile,
    into: Path,
) -> EncodedSegment:
    """Write the playlists and put the whole segment together."""
    segment = EncodedSegment(
        profile=profile,
        frames=frames,
        seconds=frames / profile.fps,
        rungs=tuple(result.media for result in results),
        files=tuple(file for result in results for file in result.files),
    )
    names = list(stills)
    for media in segment.rungs:
        names.append(f"{media.rung.name}.m3u8")
        (into / names[-1]).write_text(variant_playlist(media, profile), encoding="utf-8")
    names.append(MASTER)
    (into / MASTER).write_text(segment_master(segment), encoding="utf-8")
    return segment.model_copy(update={"files": segment.files + record(into, names)})
