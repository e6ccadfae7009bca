"""The program that decodes one picture under limits and gives it back as a plain PNG.

Run by path in an isolated interpreter, so it imports nothing of ours: picture on standard input,
PNG on standard output. Exit 0; 2 with a sentence on standard error when the picture is refused.
"""

from __future__ import annotations

import io
import resource
import sys
import warnings

from PIL import Image, ImageCms, ImageOps

REFUSED = 2
_WHITE = (255, 255, 255, 255)


def main() -> None:
    """`decode_child.py KIND PIXELS_MAX SIDE_MAX MEMORY_BYTES CPU_S`."""
    kind = sys.argv[1]
    pixels_max, side_max, memory_bytes, cpu_s = (int(one) for one in sys.argv[2:])
    _limit(memory_bytes, cpu_s)
    Image.MAX_IMAGE_PIXELS = pixels_max
    # Pillow only warns up to twice its limit
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        with Image.open(io.BytesIO(sys.stdin.buffer.read()), formats=[kind]) as opened:
            opened.draft("RGB", (2 * side_max, 2 * side_max))  # a huge JPEG decodes smaller
            picture = _plain(opened)
            picture.thumbnail((side_max, side_max), Image.Resampling.LANCZOS)
    except (
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ):
        sys.stderr.write("The picture is damaged and cannot be decoded; save it anew.")
        raise SystemExit(REFUSED) from None
    clean = Image.frombytes("RGB", picture.size, picture.tobytes())  # no note comes along
    clean.save(sys.stdout.buffer, "PNG")


def _limit(memory_bytes: int, cpu_s: int) -> None:
    limits = {
        resource.RLIMIT_AS: memory_bytes,
        resource.RLIMIT_CPU: cpu_s,
        resource.RLIMIT_FSIZE: 0,  # it writes to its pipes alone
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NPROC: 0,
    }
    for kind, most in limits.items():
        resource.setrlimit(kind, (most, most))


def _plain(opened: Image.Image) -> Image.Image:
    """Upright, in sRGB, without alpha."""
    upright = ImageOps.exif_transpose(opened)
    profile = opened.info.get("icc_profile")
    if upright.mode.startswith("I"):  # 16 bits per pixel: Pillow would clip instead of scale
        upright = upright.convert("I").point(lambda value: value * (1 / 257)).convert("L")
    if "transparency" in upright.info or upright.mode in {"RGBA", "LA", "PA", "RGBa", "La"}:
        seen = upright.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", seen.size, _WHITE), seen).convert("RGB")
    return _in_srgb(upright, profile)


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    if profile and picture.mode in {"RGB", "CMYK"}:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            seen = ImageCms.profileToProfile(picture, source, target, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):
            return picture.convert("RGB")
        if seen is not None:
            picture = seen
    return picture.convert("RGB")


if __name__ == "__main__":
    main()
