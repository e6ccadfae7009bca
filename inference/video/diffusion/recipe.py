"""The recipe of a clip: everything that made it, saved beside its latents."""

from __future__ import annotations

from storyforge.domain.wire import Wire


class ClipRecipe(Wire):
    """How a saved clip was rendered.

    model: name and fingerprint. frames, fps: of the clip as rendered; `shown_frames`, `shown_fps`
    of what was asked for; stretched: the clip is shown slower than it was filmed. seed:
    of the noise. first_frame, last_frame: what became of a given image; first_frame_sha256: of the
    one that was used. compiled: whether the
    transformer's blocks were. lossy: the lossy switches in force; empty when rendering was exact.
    memory: the savings of memory in force. decode: how the frames are decoded. fused: how many shots shared the forward passes.
    """

    model: str
    family: str
    prompt: str
    negative_prompt: str
    steps: int
    guidance: float
    guidance_2: float | None
    shift: float | None
    seed: int
    width: int
    height: int
    frames: int
    fps: int
    shown_width: int
    shown_height: int
    shown_frames: int
    shown_fps: int
    stretched: bool
    first_frame: str
    first_frame_sha256: str = ""
    last_frame: str
    device: str
    precision: str
    vae_precision: str
    attention: str
    compiled: bool
    quality: str
    lossy: tuple[str, ...]
    memory: tuple[str, ...] = ()
    decode: str
    fused: int = 1
    diffusers: str
    torch: str
