"""Encodes a few frames with h264_nvenc and prints what came of it; run by the NVENC probe."""

from __future__ import annotations

import json
import os
import sys
from fractions import Fraction

_WIDTH, _HEIGHT, _FPS, _FRAMES = 640, 360, 24, 8


def encode_frames(device: str) -> str:
    """Encode on one device; gives what was made, raises whatever the encoder raises."""
    # Set before any driver library can load; the order is the one that NVML counts in.
    os.environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
    os.environ["CUDA_VISIBLE_DEVICES"] = device
    import av  # noqa: PLC0415  after the pinning above
    import av.logging  # noqa: PLC0415  likewise
    from av.codec.hwaccel import HWAccel  # noqa: PLC0415  likewise

    av.logging.set_level(av.logging.ERROR)  # the reason is in the log, and PyAV quotes its end

    # In the context that torch has, and with frames uploaded, as the node's own encoder does it.
    context = HWAccel("cuda", options={"primary_ctx": "1"})
    encoder = av.CodecContext.create("h264_nvenc", "w", context)
    if not isinstance(encoder, av.VideoCodecContext):
        raise TypeError("h264_nvenc is no video encoder here")
    encoder.width, encoder.height, encoder.pix_fmt = _WIDTH, _HEIGHT, "nv12"
    encoder.time_base, encoder.framerate = Fraction(1, _FPS), Fraction(_FPS)
    made_bytes = 0
    for number in range(_FRAMES):
        frame = av.VideoFrame(_WIDTH, _HEIGHT, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes([16 + 8 * number]) * plane.buffer_size)
        frame.pts = number
        made_bytes += sum(packet.size for packet in encoder.encode(frame))
    made_bytes += sum(packet.size for packet in encoder.encode(None))
    if not made_bytes:
        raise ValueError("the encoder took the frames and gave nothing")
    return f"{_FRAMES} frames encoded, {made_bytes} bytes"


def main() -> None:
    """Print one JSON line: ok and reason."""
    try:
        said = {"ok": True, "reason": encode_frames(sys.argv[1])}
    except BaseException as exc:  # noqa: BLE001  a driver raises anything: PermissionError, say
        said = {"ok": False, "reason": f"{type(exc).__name__}: {exc}"}
    print(json.dumps(said))  # noqa: T201  this line is the program's answer


if __name__ == "__main__":
    main()
