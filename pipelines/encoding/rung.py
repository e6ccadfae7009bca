"""One rung's encoder: frames in, H.264 + AAC transport stream parts on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import numpy as np
from av import AudioFrame, VideoFrame
from av.audio.stream import AudioStream
from av.codec.hwaccel import HWAccel
from av.container import OutputContainer
from av.video.frame import PictureType
from av.video.stream import VideoStream
from numpy.typing import NDArray

from inference.narration.voice import Sound
from pipelines.encoding.encoders import NVENC, EncoderChoice, HardwareFailed, cap_bps
from pipelines.encoding.part_files import PartFiles
from pipelines.encoding.pictures import tag_bt709
from storyforge.domain.segment import HlsProfile, Rung

AUDIO_BPS = 64_000
AAC_FRAME_SAMPLES: Final = 1024
_TRANSPORT_SHARE = 1.1  # transport packets add 4 %, short audio packets their padding


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
        encoder: EncoderChoice,
        preset: str,
        threads: int,
        sound: Sound | None,
        on_part: Callable[[str], None],
    ) -> None:
        self._profile = profile
        self._encoder = encoder
        self._part_frames = profile.fps * profile.gop_seconds
        self._files = PartFiles(into, on_part)
        self._sound = sound
        self._sound_samples = 0
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
            options = encoder.options(rung, profile, preset=preset, threads=threads)
            with self._hardware():
                self._video = self._add_video(rung, options)
            self._audio = self._add_sound()
        except BaseException:
            self.abandon()
            raise

    def _add_video(self, rung: Rung, options: dict[str, str]) -> VideoStream:
        profile, on_device = self._profile, self._encoder.on_device
        device = (
            HWAccel("cuda", options={"primary_ctx": "1"}) if self._encoder.codec == NVENC else None
        )
        stream = self._container.add_stream(
            self._encoder.codec, rate=profile.fps, hwaccel=device, options=options
        )
        assert isinstance(stream, VideoStream)
        context = stream.codec_context
        context.width, context.height = rung.width, rung.height
        context.pix_fmt = "nv12" if on_device else "yuv420p"
        context.time_base = Fraction(1, profile.fps)
        tag_bt709(context)
        return stream

    def _add_sound(self) -> AudioStream:
        stream = self._container.add_stream("aac", rate=self._profile.audio_rate_hz)
        stream.codec_context.layout = "stereo"
        stream.codec_context.bit_rate = AUDIO_BPS
        return stream

    def encode(self, frame: VideoFrame) -> None:
        """Encode the next frame, whose time stamp is its number, and the sound under it."""
        if self._encoder.on_device and self.frames % self._part_frames == 0:
            frame.pict_type = PictureType.I  # x264 needs no telling, and would count it twice
        with self._hardware():
            packets = self._video.encode(frame)
        for packet in packets:
            self._container.mux(packet)
        self.frames += 1
        self._sound_until(self.frames)
        self._files.check()

    def finish(self) -> None:
        """Flush both codecs and write the last part; the audio is at least as long as the video."""
        with self._hardware():
            last = self._video.encode(None)
        for packet in [*last, *self._audio.encode(None)]:
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

    @contextmanager
    def _hardware(self) -> Iterator[None]:
        """Tell a failure of the device's encoder from one of the muxer or the disk."""
        try:
            yield
        except av.FFmpegError as exc:
            if not self._encoder.on_device:
                raise
            raise HardwareFailed(f"{exc.strerror or type(exc).__name__}.") from exc

    def _sound_until(self, frames: int) -> None:
        rate_hz = self._profile.audio_rate_hz
        while self._sound_samples * self._profile.fps < frames * rate_hz:
            sound = AudioFrame.from_ndarray(self._next_sound(), format="fltp", layout="stereo")
            sound.sample_rate = rate_hz
            sound.pts, sound.time_base = self._sound_samples, Fraction(1, rate_hz)
            for packet in self._audio.encode(sound):
                self._container.mux(packet)
            self._sound_samples += AAC_FRAME_SAMPLES

    def _next_sound(self) -> NDArray[np.float32]:
        """One codec frame, the same on both sides; silence where the track has ended."""
        frame = np.zeros((2, AAC_FRAME_SAMPLES), np.float32)
        if self._sound is not None:
            heard = self._sound[self._sound_samples :][:AAC_FRAME_SAMPLES]
            frame[:, : len(heard)] = heard
        return frame
