"""One rung's encoder: yuv420p frames in, H.264 + AAC transport stream parts on disk."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import numpy as np
from av import AudioFrame, VideoFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream

from pipelines.encoding.part_files import PartFiles
from pipelines.encoding.pictures import tag_bt709
from storyforge.domain.segment import HlsProfile, Rung

CRF = 21  # visually clean at these sizes; 23 is x264's default
# The cap on CRF, so that BANDWIDTH stays bounded: 0.14 bit per pixel is 3.1 Mbit/s at 720p24,
# inside what Apple's HLS authoring specification lists for 720p (3.0-4.5 Mbit/s).
MAX_BITS_PER_PIXEL = 0.14
MIN_CAP_BPS = 200_000
AUDIO_BPS = 64_000
AAC_FRAME_SAMPLES: Final = 1024
_TRANSPORT_SHARE = 1.1  # transport packets add 4 %, short audio packets their padding


def cap_bps(rung: Rung, fps: int) -> int:
    """The most that a rung's video may take over a second, in bits per second."""
    return max(MIN_CAP_BPS, round(rung.width * rung.height * fps * MAX_BITS_PER_PIXEL))


def declared_bps(rung: Rung, fps: int) -> int:
    """What a playlist says of a rung that is not measured yet, sound and packets included."""
    return round((cap_bps(rung, fps) + AUDIO_BPS) * _TRANSPORT_SHARE)


class RungEncoder:
    """Encodes one rung; belongs to one thread. Errors of the libraries come through unwrapped."""

    def __init__(
        self,
        rung: Rung,
        profile: HlsProfile,
        into: Path,
        *,
        preset: str,
        threads: int,
        on_part: Callable[[str], None],
    ) -> None:
        self._profile = profile
        self._files = PartFiles(into, on_part)
        self._silence_samples = 0
        self.frames = 0
        self._container: OutputContainer = av.open(
            f"{rung.name}.m3u8",
            "w",
            format="hls",
            io_open=self._files.open,
            options={
                "hls_time": str(profile.gop_seconds),
                "hls_segment_type": "mpegts",
                "hls_segment_filename": f"{rung.name}_%04d.ts",
                "start_number": "1",
                "hls_playlist_type": "vod",  # its playlist comes once, at the end
                # As the ffmpeg command has it: lets several audio frames share one PES packet;
                # without it each takes a transport packet of its own, 60 kbit/s for nothing.
                "max_delay": "700000",
            },
        )
        try:
            self._video = self._add_video(rung, preset, threads)
            self._audio = self._add_silence()
        except BaseException:
            self.abandon()
            raise

    def _add_video(self, rung: Rung, preset: str, threads: int) -> VideoStream:
        profile = self._profile
        gop_frames = profile.fps * profile.gop_seconds
        cap = str(cap_bps(rung, profile.fps))
        stream = self._container.add_stream(
            "libx264",
            rate=profile.fps,
            options={
                "preset": preset,
                "profile": "high",  # the level follows from size, rate and cap
                "crf": str(CRF),
                "maxrate": cap,
                "bufsize": cap,  # one second
                "g": str(gop_frames),
                "keyint_min": str(gop_frames),
                "sc_threshold": "0",
                "flags": "+cgop",
                "threads": str(threads),
            },
        )
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = rung.width, rung.height, "yuv420p"
        context.time_base = Fraction(1, profile.fps)
        tag_bt709(context)
        return stream

    def _add_silence(self) -> AudioStream:
        stream = self._container.add_stream("aac", rate=self._profile.audio_rate_hz)
        stream.codec_context.layout = "stereo"
        stream.codec_context.bit_rate = AUDIO_BPS
        return stream

    def encode(self, frame: VideoFrame) -> None:
        """Encode the next frame, whose time stamp is its number, and the silence under it."""
        for packet in self._video.encode(frame):
            self._container.mux(packet)
        self.frames += 1
        self._silence_until(self.frames)
        self._files.check()

    def finish(self) -> None:
        """Flush both codecs and write the last part; the audio is at least as long as the video."""
        for packet in [*self._video.encode(None), *self._audio.encode(None)]:
            self._container.mux(packet)
        self._container.close()
        self._files.check()
        self._files.close()

    def abandon(self) -> None:
        """Close what is open; what lies on disk is worthless."""
        self._files.disown()
        with suppress(av.FFmpegError, OSError):  # the error that led here is the one to tell
            self._container.close()
        self._files.close()

    def _silence_until(self, frames: int) -> None:
        rate_hz = self._profile.audio_rate_hz
        while self._silence_samples * self._profile.fps < frames * rate_hz:
            sound = AudioFrame.from_ndarray(
                np.zeros((2, AAC_FRAME_SAMPLES), np.float32), format="fltp", layout="stereo"
            )
            sound.sample_rate = rate_hz
            sound.pts, sound.time_base = self._silence_samples, Fraction(1, rate_hz)
            for packet in self._audio.encode(sound):
                self._container.mux(packet)
            self._silence_samples += AAC_FRAME_SAMPLES
