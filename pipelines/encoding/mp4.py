"""MP4 files that open anywhere: HLS parts joined without encoding again, and quick previews."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Self, TypeAlias

import av
from av import Packet
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.stream import Stream
from av.video.stream import VideoStream

from inference.video.model import Frames
from pipelines.encoding.foreign import border
from pipelines.encoding.manifest import sync_folder
from pipelines.encoding.pictures import ToYuv, tag_bt709
from pipelines.encoding.rung import AAC_FRAME_SAMPLES
from pipelines.encoding.sizes import even
from storyforge.errors import EncodeFailed

PartSource: TypeAlias = bytes | Path
MediaPacket: TypeAlias = "Packet[Stream]"
PREVIEW_CRF = 26
# The index goes to the front, so that a player starts before it has the whole file.
_OPTIONS = {"movflags": "+faststart"}
_TICKS_HZ = 90_000  # the clock of MPEG transport streams
# How many frames decoding runs ahead of showing: what x264's B-frames need. One number for the
# whole film, because its segments may come from presets with and without B-frames.
_REORDER_FRAMES = 2


def concat_mp4(segments: Iterable[Iterable[PartSource]], out: Path, *, fps: int) -> int:
    """Join the transport stream parts of several segments, one rung, into one MP4; no encoding.

    segments: each one's parts in order, as bytes or files. They are pulled as needed, one segment
    is in memory at a time, so a caller may fetch them while they are joined. fps: of the scene.
    `out` appears whole or not at all; gives the number of video frames.

    Time runs on over the joins: every segment starts where the video of the one before ended, and
    surplus sound at a join (padding under a frame long) is dropped. Raises EncodeFailed when
    there is nothing to join or a segment is not readable, DiskFull, and what `segments` raises.
    """
    with _whole_file(out) as draft, _Joined(draft, fps) as joined:
        for parts in segments:
            data = b"".join(part if isinstance(part, bytes) else _read(part) for part in parts)
            with border():
                joined.add(data)
        with border():
            joined.finish()
    return joined.frames


def encode_preview(
    frames: Iterable[Frames], fps: int, out: Path, *, preset: str = "veryfast"
) -> int:
    """Encode small frames into a silent MP4 as cheaply as possible; gives how many there were.

    frames: uint8 RGB chunks [t, H, W, 3], all of one size (an odd last row or column is dropped).
    `out` appears whole or not at all. Raises EncodeFailed when no frame comes, DiskFull, and what
    `frames` raises.
    """
    number, to_yuv = 0, ToYuv()
    with _whole_file(out) as draft:
        with border():
            container = av.open(str(draft), "w", format="mp4", options=_OPTIONS)
        with container:
            stream: VideoStream | None = None
            for chunk in frames:
                rows, columns = even(chunk.shape[1]), even(chunk.shape[2])
                with border():
                    stream = stream or _preview_stream(container, columns, rows, fps, preset)
                    for picture in chunk:
                        frame = to_yuv(picture[:rows, :columns])
                        frame.pts, frame.time_base = number, Fraction(1, fps)
                        container.mux(stream.encode(frame))
                        number += 1
            if stream is None:
                raise EncodeFailed("No frame came for the preview; draw it again.")
            with border():
                container.mux(stream.encode(None))
                container.close()
    return number


def _preview_stream(
    container: OutputContainer, width: int, height: int, fps: int, preset: str
) -> VideoStream:
    options = {"preset": preset, "crf": str(PREVIEW_CRF), "g": str(fps * 2)}
    stream = container.add_stream("libx264", rate=fps, options=options)
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    stream.codec_context.time_base = Fraction(1, fps)
    tag_bt709(stream.codec_context)
    return stream


class _Joined:
    """The MP4 being put together: where its video and its sound stand."""

    def __init__(self, draft: Path, fps: int) -> None:
        self.frames = 0
        self._fps = fps
        self._sound_samples: int | None = None  # where the next audio frame begins
        with border():
            self._container = av.open(str(draft), "w", format="mp4", options=_OPTIONS)
        self._video: VideoStream | None = None
        self._audio: AudioStream | None = None

    def add(self, data: bytes) -> None:
        """Append one segment."""
        with av.open(io.BytesIO(data), "r", format="mpegts") as source:
            if not source.streams.video or not source.streams.audio:
                raise EncodeFailed("A segment to join has no video or no sound; publish it again.")
            video, audio = source.streams.video[0], source.streams.audio[0]
            if self._video is None:
                self._video = self._container.add_stream_from_template(video)
                self._audio = self._container.add_stream_from_template(audio)
            start_frames, first_pts = self.frames, None
            early: list[MediaPacket] = []  # sound that comes before the first picture
            for packet in source.demux(video, audio):
                if packet.size == 0 or packet.pts is None:
                    continue
                if packet.stream is video:
                    first_pts = packet.pts if first_pts is None else first_pts
                    self._add_video(packet, start_frames, first_pts)
                    for sound in early:
                        self._add_audio(sound, start_frames, first_pts)
                    early.clear()
                elif first_pts is None:
                    early.append(packet)
                else:
                    self._add_audio(packet, start_frames, first_pts)

    def finish(self) -> None:
        """Write the index; the file is whole after this."""
        if not self.frames:
            raise EncodeFailed("There is no segment to join; film one first.")
        self._container.close()

    def __enter__(self) -> Self:
        """Open already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close what `finish` did not; the draft is worthless then."""
        with suppress(av.FFmpegError, OSError):  # the error that led here is the one to tell
            self._container.close()

    def _add_video(self, packet: MediaPacket, start_frames: int, first_pts: int) -> None:
        assert packet.pts is not None
        assert self._video is not None
        shown = start_frames + round(Fraction((packet.pts - first_pts) * self._fps, _TICKS_HZ))
        packet.pts = self._frame_ticks(shown)
        packet.dts = self._frame_ticks(self.frames - _REORDER_FRAMES)
        packet.duration = self._frame_ticks(1)
        packet.stream, packet.time_base = self._video, Fraction(1, _TICKS_HZ)
        self._container.mux_one(packet)
        self.frames += 1

    def _frame_ticks(self, frame: int) -> int:
        return round(Fraction(frame * _TICKS_HZ, self._fps))

    def _add_audio(self, packet: MediaPacket, start_frames: int, first_pts: int) -> None:
        assert packet.pts is not None
        assert self._audio is not None
        rate_hz = self._audio.rate
        place = round(
            Fraction(start_frames * rate_hz, self._fps)
            + Fraction((packet.pts - first_pts) * rate_hz, _TICKS_HZ)
        )
        expected = place if self._sound_samples is None else self._sound_samples
        if place < expected - AAC_FRAME_SAMPLES // 2:
            return  # padding of the segment before reaches over the join
        if place < expected + AAC_FRAME_SAMPLES:
            place = expected  # no gap worth hearing: sound runs on
        packet.pts = packet.dts = place
        packet.stream, packet.time_base = self._audio, Fraction(1, rate_hz)
        self._container.mux_one(packet)
        self._sound_samples = place + AAC_FRAME_SAMPLES


def _read(part: Path) -> bytes:
    with border():
        return part.read_bytes()


@contextmanager
def _whole_file(out: Path) -> Iterator[Path]:
    """A draft beside `out` that takes its place, synced, when the block ends well."""
    draft = out.with_name(f".{out.name}.{os.getpid()}.draft")
    try:
        yield draft
        with border():
            with draft.open("rb") as file:
                os.fsync(file.fileno())
            draft.replace(out)
            sync_folder(out.parent)
    finally:
        draft.unlink(missing_ok=True)
