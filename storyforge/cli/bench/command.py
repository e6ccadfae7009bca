"""Runs the measurements that were asked for, keeps the profile, and shows it."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from storyforge.domain.profile import DeviceProfile
from storyforge.errors import SetupProblem
from storyforge.settings import Settings

PROFILE_FILE, CARD_FILE = "profile.json", "card.png"
_ON_CARD = ("wan2.1-t2v-1.3b", "wan2.2-ti2v-5b")
_ON_CPU = ("tiny-wan",)
# What a checkout needs to measure on any GPU box: no database, no broker, no web framework.
WHEELS = (
    "torch>=2.11 diffusers==0.42.1 transformers==5.23.0 accelerate==1.15.0 safetensors "
    "sentencepiece ftfy av==18.1.0 numpy opencv-python-headless pillow pydantic "
    "pydantic-settings rich structlog typer nvidia-ml-py fontpkg-literata pymupdf-fonts"
)


@dataclass(frozen=True)
class BenchWish:
    """What was asked for. models, sizes: as written; empty: the usual ones.

    device: `auto`, `cpu` or `cuda`. steps: None: the model's own. keep: for the scheduler to use.
    """

    models: Sequence[str] = ()
    sizes: Sequence[str] = ()
    steps: int | None = None
    jobs: int = 3
    fused: int = 2
    naive: bool = True
    vae: bool = True
    random_weights: bool = False
    quality: str = "exact"
    device: str = "auto"
    out: Path = Path("out/bench")
    keep: bool = True


def run(settings: Settings, wish: BenchWish, console: Console) -> None:
    """Measure, keep the profile where the scheduler finds it, and write the results into `out`.

    Raises SetupProblem, InvalidInput, and what measuring raises when no model works.
    """
    from storyforge.cli.bench.card import draw_card
    from storyforge.cli.bench.table import show_profile
    from storyforge.profile_files import find_profile, merged, save_profile, write_profile
    from storyforge.telemetry import set_up_logging

    set_up_logging("warning", role="bench")
    profile = _measured(settings, wish, console)
    show_profile(profile, console)
    wish.out.mkdir(parents=True, exist_ok=True)
    write_profile(wish.out / PROFILE_FILE, profile)
    draw_card(profile).save(wish.out / CARD_FILE)
    console.print(f"{wish.out / PROFILE_FILE}\n{wish.out / CARD_FILE}", highlight=False)
    if wish.keep:
        older = find_profile(settings.profiles_dir, profile.uuid or profile.device)
        path = save_profile(settings.profiles_dir, merged(older, profile))
        console.print(f"{path}  (read by the node from now on)", highlight=False)


def _measured(settings: Settings, wish: BenchWish, console: Console) -> DeviceProfile:
    try:
        from inference.bench.device_facts import CPU, usual_device
        from inference.devices.nvml_reader import NvmlReader, load_nvml
        from models_cache.store import model_store
        from pipelines.bench.run import BenchPlan, run_bench
        from pipelines.bench.subject import Size, choose_subject
    except ModuleNotFoundError as exc:
        raise SetupProblem(
            f"Measuring needs {exc.name}, which is not installed: pip install {WHEELS}"
        ) from exc
    device = usual_device() if wish.device == "auto" else wish.device
    plan = BenchPlan(
        device=device,
        jobs=wish.jobs,
        fused=wish.fused,
        vae_alternatives=wish.vae,
        naive=wish.naive,
        preset=settings.video.x264_preset,
        quality=wish.quality,
        compiled=settings.node.data_dir / "compiled",
    )
    store = model_store(settings)
    with tempfile.TemporaryDirectory(prefix="storyforge-bench-") as scratch:
        subjects = [
            choose_subject(
                name,
                store.catalogue,
                store.open,
                Path(scratch),
                sizes=[Size.parse(one) for one in wish.sizes],
                steps=wish.steps,
                random_weights=wish.random_weights,
            )
            for name in wish.models or (_ON_CPU if device == CPU else _ON_CARD)
        ]
        reader = NvmlReader(load_nvml())
        return run_bench(
            subjects, plan, reader, lambda line: console.print(line, style="dim", highlight=False)
        )
