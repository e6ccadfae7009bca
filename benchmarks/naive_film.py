"""The naive side of every comparison, in a process of its own, so that its memory is its own too.

    python benchmarks/naive_film.py MODEL_FOLDER [--width 832 --height 480 --frames 81 --steps 4]

Loads a diffusers model as its documentation says, films one prompt with `pipe(...)`,
`export_to_video` and ffmpeg (ladder, preset and GOP are ours), and prints one JSON line: seconds of
each call, and the peak of resident memory above what the process held with the model loaded.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from measuring import print_line

from inference.bench.host_memory import watch_peak

MB = 1 << 20


def main() -> None:
    """Film one clip and print what it took."""
    arguments = _arguments()
    # Heavy, so after the arguments are known to be sound.
    import diffusers  # noqa: PLC0415

    from inference.bench.naive_film import HOW, NaiveRequest, naive_film  # noqa: PLC0415
    from inference.video.diffusion.families import family_of  # noqa: PLC0415
    from inference.video.diffusion.folder import read_folder  # noqa: PLC0415
    from pipelines.bench.same_ladder import same_ladder  # noqa: PLC0415
    from pipelines.encoding.ladder import hls_profile  # noqa: PLC0415

    family = family_of(read_folder(arguments.model))
    pipeline = diffusers.DiffusionPipeline.from_pretrained(
        str(arguments.model), local_files_only=True, use_safetensors=True
    ).to(arguments.device)
    pipeline.set_progress_bar_config(disable=True)
    request = NaiveRequest(
        prompt=arguments.prompt,
        negative_prompt=family.negative_prompt,
        width=arguments.width,
        height=arguments.height,
        frames=arguments.frames,
        fps=family.fps_min,
        steps=arguments.steps or family.steps,
        guidance=family.guidance,
        tokens=family.text_tokens,
    )
    profile = hls_profile(request.width, request.height, request.fps)
    with tempfile.TemporaryDirectory(prefix="naive-film-") as folder:
        ladder = same_ladder(profile, arguments.preset)
        peak_bytes = watch_peak()
        loaded_bytes = peak_bytes() or 0
        times = naive_film(pipeline, request, ladder, Path(folder))
        fields = {"how": HOW, "pipe_s": times.pipe_s, "export_s": times.export_s}
        fields |= {"hls_s": times.hls_s, "seconds": times.seconds}
        above_bytes = (peak_bytes() or 0) - loaded_bytes
        fields |= {"loaded_mb": loaded_bytes / MB, "above_loaded_mb": above_bytes / MB}
    print_line("naive_film", fields)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, help="a model's folder in the diffusers format")
    for name, value in (("width", 832), ("height", 480), ("frames", 81)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--steps", type=int, default=0, help="the model's own when 0")
    parser.add_argument("--preset", default="veryfast")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--prompt", default="A lantern crosses a field at night.")
    return parser.parse_args()


if __name__ == "__main__":
    main()
