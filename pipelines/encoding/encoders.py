"""The H.264 encoders: which one a worker uses and why, and what each is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from inference.devices.nvenc import NvencResult
from storyforge.domain.segment import HlsProfile, Rung
from storyforge.errors import SetupProblem

LIBX264: Final = "libx264"
NVENC: Final = "h264_nvenc"
CRF = 21  # visually clean at these sizes; 23 is x264's default
NVENC_CQ = 23  # NVENC's scale lies about two steps above x264's for the same look
# The cap on CRF, so that BANDWIDTH stays bounded: 0.14 bit per pixel is 3.1 Mbit/s at 720p24,
# inside what Apple's HLS authoring specification lists for 720p (3.0-4.5 Mbit/s).
MAX_BITS_PER_PIXEL = 0.14
MIN_CAP_BPS = 200_000
Wish: TypeAlias = Literal["auto", "nvenc", "x264"]


class HardwareFailed(Exception):
    """The device's encoder refused or broke off; libx264 can do the same work."""


@dataclass(frozen=True)
class EncoderChoice:
    """One encoder, and in words why it is this one.

    on_device: it takes frames where the model made them, those of the host too, and its errors
    are HardwareFailed.
    """

    codec: str
    reason: str
    on_device: bool = False

    def options(
        self, rung: Rung, profile: HlsProfile, *, preset: str, threads: int
    ) -> dict[str, str]:
        """What the encoder is told for one rung. preset, threads: of x264."""
        if self.codec == NVENC:
            return nvenc_options(rung, profile)
        return x264_options(rung, profile, preset, threads)

    def instead(self, failure: HardwareFailed) -> EncoderChoice:
        """libx264, for a film that this encoder failed at."""
        return EncoderChoice(LIBX264, f"{self.codec} failed while encoding this film: {failure}")


X264 = EncoderChoice(LIBX264, "No other encoder was asked for.")


def choose_encoder(wish: Wish, probe: Callable[[], NvencResult] | None) -> EncoderChoice:
    """The encoder of a worker. probe: tries NVENC on its device; None without a device.

    Raises SetupProblem when `nvenc` is wished for and does not work.
    """
    if wish == "x264":
        return EncoderChoice(LIBX264, "STORYFORGE_VIDEO_ENCODER is x264.")
    result = probe() if probe is not None else NvencResult(ok=False, reason="no GPU films here.")
    found = result.reason.rstrip(".")
    if result.ok:
        return EncoderChoice(NVENC, f"NVENC works on this device ({found}).", on_device=True)
    if wish == "nvenc":
        raise SetupProblem(
            f"STORYFORGE_VIDEO_ENCODER is nvenc, but NVENC does not work here: {found}. "
            "A100, H100, H200 and B200 have none; set it to auto, or see `storyforge doctor`."
        )
    return EncoderChoice(LIBX264, f"No NVENC: {found}.")


def cap_bps(rung: Rung, fps: int) -> int:
    """The most that a rung's video may take over a second, in bits per second."""
    return max(MIN_CAP_BPS, round(rung.width * rung.height * fps * MAX_BITS_PER_PIXEL))


def x264_options(rung: Rung, profile: HlsProfile, preset: str, threads: int) -> dict[str, str]:
    """Constant quality under a cap, closed groups of pictures of exactly one part."""
    gop_frames = str(profile.fps * profile.gop_seconds)
    return {
        **_capped(rung, profile),
        "preset": preset,
        "profile": "high",  # the level follows from size, rate and cap
        "crf": str(CRF),
        "keyint_min": gop_frames,
        "sc_threshold": "0",
        "threads": str(threads),
    }


def nvenc_options(rung: Rung, profile: HlsProfile) -> dict[str, str]:
    """The same for NVENC (names of FFmpeg's h264_nvenc)."""
    return {
        **_capped(rung, profile),
        "preset": "p5",
        "tune": "hq",
        "profile": "high",
        "rc": "vbr",
        "cq": str(NVENC_CQ),
        "b": "0",  # else its default of 2 Mbit/s is the target, whatever cq says
        "bf": "2",
        # B-frames that others refer to would need a third frame of delay; joining parts into an MP4
        # counts on two at most (mp4.py).
        "b_ref_mode": "disabled",
        "forced-idr": "1",  # a key frame that we ask for is one that decoding can begin at
        "no-scenecut": "1",
        "spatial-aq": "1",
    }


def _capped(rung: Rung, profile: HlsProfile) -> dict[str, str]:
    cap = str(cap_bps(rung, profile.fps))
    return {
        "maxrate": cap,
        "bufsize": cap,  # one second
        "g": str(profile.fps * profile.gop_seconds),
        "flags": "+cgop",
    }
