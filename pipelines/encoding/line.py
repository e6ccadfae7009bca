"""The assembly line: one thread converts, one per rung encodes, bounded channels between them.

    caller -> [RGB] -> convert -> [yuv] -> top rung -> [yuv] -> second rung -> [yuv] -> third rung

Each rung scales from the one above it; pictures that lie on the device are scaled there. The channels hold a few frames each, so memory does not
grow with the clip, and whoever is slow holds back whoever is before. The first failure breaks off
every channel: all threads end within the frame they are at.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias

from av import VideoFrame

from inference.narration.voice import Sound
from inference.video.device_frames import Pixels
from pipelines.encoding.channel import BrokenOff, Channel
from pipelines.encoding.device_picture import DevicePicture
from pipelines.encoding.encoders import EncoderChoice
from pipelines.encoding.foreign import as_ours
from pipelines.encoding.manifest import record
from pipelines.encoding.parts import check_part
from pipelines.encoding.pictures import Downscale, Picture, ToYuv, fit
from pipelines.encoding.rung import RungEncoder
from pipelines.encoding.thumbnail import Stills
from storyforge.domain.segment import HlsProfile, MediaFile, Part, Rung, RungMedia
from storyforge.errors import EncodeFailed
from storyforge.playlists import RungRates

# Enough that the slowest thread never starves; four cost 10 MB more at 720p and gain no time.
CHANNEL_FRAMES = 2
_POLL_S = 0.1  # how often a caller that waits for the last frames may report and cancel


Shown: TypeAlias = "tuple[Picture, Pixels | None]"
"""A picture in host memory, and on the device if the encoder takes it from there."""
Fitted: TypeAlias = "VideoFrame | DevicePicture"
"""What a rung gets: a frame of the rung above, or a picture that every rung scales for itself."""


@dataclass(frozen=True)
class RungResult:
    """One rung as it lies on disk, parts synced."""

    media: RungMedia
    files: tuple[MediaFile, ...]


class AssemblyLine:
    """Owns the threads of one encode; a context manager, none of them outlives its block."""

    def __init__(
        self,
        profile: HlsProfile,
        into: Path,
        *,
        encoder: EncoderChoice,
        preset: str,
        sound: Sound | None,
        on_file: Callable[[str], None],
    ) -> None:
        self.fps = profile.fps
        self._profile = profile
        self._into = into
        self._encoder = encoder
        self._preset = preset
        self._sound = sound
        self._on_file = on_file
        self._pictures: Channel[Shown] = Channel(CHANNEL_FRAMES)
        self._yuv: list[Channel[Fitted]] = [Channel(CHANNEL_FRAMES) for _ in profile.rungs]
        self._encoded = [0] * len(profile.rungs)
        self._results: list[RungResult | None] = [None] * len(profile.rungs)
        self._stills: tuple[str, ...] = ()
        self._failure: BaseException | None = None
        self._lock = threading.Lock()
        works: list[Callable[[], None]] = [self._convert]
        works += [_bound(self._encode_rung, place) for place in range(len(profile.rungs))]
        self._threads = [
            threading.Thread(target=self._guarded, args=(work,), name=f"encode-{number}")
            for number, work in enumerate(works)
        ]

    def __enter__(self) -> Self:
        """Start the threads."""
        try:
            for thread in self._threads:
                thread.start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, at: TracebackType | None
    ) -> None:
        """End every thread and wait for it; nothing is left to do after `finish`."""
        self._stop()

    @property
    def encoded(self) -> int:
        """Frames that every rung has taken in so far."""
        return min(self._encoded)

    def put(self, picture: Picture, pixels: Pixels | None = None) -> None:
        """Hand over the next RGB picture; waits for room. Raises what a thread failed with.

        pixels: the same on the device, if it is there too.
        """
        try:
            self._pictures.put((picture, pixels if self._encoder.on_device else None))
        except BrokenOff:
            self._raise_failure()

    def finish(self, on_frames: Callable[[int], None]) -> tuple[list[RungResult], tuple[str, ...]]:
        """Wait until everything is on disk; gives the rungs, and the names of the stills."""
        self._pictures.close()
        for thread in self._threads:
            while thread.is_alive():
                thread.join(_POLL_S)
                on_frames(self.encoded)
        self._raise_failure()
        results = [result for result in self._results if result is not None]
        return results, self._stills

    def _stop(self) -> None:
        self._break_off()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def _break_off(self) -> None:
        self._pictures.break_off()
        for channel in self._yuv:
            channel.break_off()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _guarded(self, work: Callable[[], None]) -> None:
        """Run one thread's work; whatever it fails with stops the line and reaches the caller."""
        try:
            work()
        except BrokenOff:
            return
        except BaseException as exc:  # noqa: BLE001 - re-raised in the caller's thread
            with self._lock:
                self._failure = self._failure or as_ours(exc)
            self._break_off()

    def _convert(self) -> None:
        top = self._profile.rungs[0]
        to_yuv, stills, number = ToYuv(), Stills(self._profile.fps), 0
        first_part_frames = self._profile.fps * self._profile.gop_seconds
        while (shown := self._pictures.take()) is not None:
            picture, pixels = shown
            fits = picture.shape[:2] == (top.height, top.width)
            picture = fit(picture, top.width, top.height)
            stills.offer(picture)
            if number + 1 == first_part_frames:
                self._on_file(stills.write_poster(self._into))  # before the part that it stands for
            time_base = Fraction(1, self._profile.fps)
            frame: Fitted
            if pixels is not None and fits:
                frame = DevicePicture(pixels, number, time_base)
            else:
                frame = to_yuv(picture)
                frame.pts, frame.time_base = number, time_base
            del picture, pixels, shown  # not held while the channel is full
            self._yuv[0].put(frame)
            del frame
            number += 1
        if not number:
            raise EncodeFailed("No frame came to be encoded; render the shots again.")
        self._yuv[0].close()
        self._stills = stills.write(self._into)

    def _encode_rung(self, place: int) -> None:
        rung = self._profile.rungs[place]
        scale = Downscale(rung) if place else None
        below = self._yuv[place + 1] if place + 1 < len(self._yuv) else None
        encoder = RungEncoder(
            rung,
            self._profile,
            self._into,
            encoder=self._encoder,
            preset=self._preset,
            sound=self._sound,
            threads=codec_threads(self._profile.rungs, place),
            on_part=self._on_file,
        )
        try:
            while (frame := self._yuv[place].take()) is not None:
                if scale and isinstance(frame, VideoFrame):
                    frame = scale(frame)
                if below:
                    below.put(frame)
                encoder.encode(frame if isinstance(frame, VideoFrame) else frame.at(rung))
                del frame  # not held while the channel is empty
                self._encoded[place] = encoder.frames
            if below:
                below.close()
            encoder.finish()
        except BaseException:
            encoder.abandon()
            raise
        del encoder  # x264 gives its memory back before the parts are read
        self._results[place] = _read_back(rung, self._profile, self._into, self._encoded[place])


def codec_threads(rungs: Sequence[Rung], place: int) -> int:
    """How many x264 threads a rung gets: the cores, shared out by pixels, at least one each."""
    cores = len(os.sched_getaffinity(0))
    pixels = [rung.width * rung.height for rung in rungs]
    return max(1, ceil(cores * pixels[place] / sum(pixels)))


def _read_back(rung: Rung, profile: HlsProfile, into: Path, frames: int) -> RungResult:
    """Check every part against the frames that went in, and measure the rung."""
    gop_frames = profile.fps * profile.gop_seconds
    names, parts, codecs = [], [], ""
    for number in range(ceil(frames / gop_frames)):
        expected = min(gop_frames, frames - number * gop_frames)
        names.append(f"{rung.name}_{number + 1:04d}.ts")
        check = check_part(into / names[-1])
        if check.frames != expected:
            raise EncodeFailed(
                f"The encoded part {names[-1]} holds {check.frames} frames instead of {expected}."
            )
        codecs = max(codecs, check.codecs)
        parts.append(Part(uri=names[-1], seconds=expected / profile.fps, bytes=check.bytes))
    files = record(into, names)
    media = RungMedia(
        rung=rung, codecs=codecs, bandwidth=0, average_bandwidth=0, parts=tuple(parts)
    )
    rates = RungRates.of(media, profile)
    measured = {"bandwidth": rates.bandwidth, "average_bandwidth": rates.average_bandwidth}
    return RungResult(media.model_copy(update=measured), files)


def _bound(work: Callable[[int], None], place: int) -> Callable[[], None]:
    return lambda: work(place)
