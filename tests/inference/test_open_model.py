"""Opening the model that a setting names; torch stays out of the way where it is not needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from inference.video.open_model import open_video_model
from inference.video.storyboard.model import StoryboardModel
from storyforge.errors import SetupProblem
from tests.inference.diffusion.takes import QUIET, a_take
from tests.tiny_models.fixtures import TinyModel

ROOT = Path(__file__).resolve().parents[2]
HEAVY = "print(sorted({'torch', 'diffusers', 'transformers'} & set(sys.modules)))"


def test_an_empty_setting_is_the_storyboard() -> None:
    assert isinstance(open_video_model(""), StoryboardModel)


def test_a_folder_opens_without_loading_its_weights(tiny_model: TinyModel) -> None:
    model = open_video_model(str(tiny_model("wan.wan21_t2v")))
    assert model.name.startswith("wan-wan21-t2v-")
    model.close()


@pytest.mark.usefixtures("engines")
def test_a_folder_that_is_not_there_is_refused() -> None:
    with pytest.raises(SetupProblem, match="STORYFORGE_VIDEO_MODEL"):
        open_video_model("no/such/model")


def test_without_torch_the_cure_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inference.video.open_model.find_spec", lambda _name: None)
    with pytest.raises(SetupProblem, match="models extra"):
        open_video_model("a/model")


def test_a_card_that_is_not_there_is_named_by_the_first_render(
    tiny_model: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    model = open_video_model(str(tiny_model("wan.wan21_t2v")), device="0")
    with pytest.raises(SetupProblem, match="CUDA"):
        model.render(a_take(), tmp_path / "clip", QUIET)


def test_opening_a_model_and_asking_its_name_imports_no_torch(tiny_model: TinyModel) -> None:
    folder = str(tiny_model("wan.wan21_t2v"))
    code = f"import sys; from inference.video.open_model import open_video_model as o; o({folder!r}).name;"
    assert printed(f"{code} {HEAVY}") == "[]"


@pytest.mark.parametrize("module", ["scheduler.runtime", "pipelines.continuation"])
def test_torch_is_not_imported_where_no_diffusion_model_is_configured(module: str) -> None:
    code = f"import sys, {module}; from inference.video.open_model import open_video_model;"
    assert printed(f"{code} open_video_model(''); {HEAVY}") == "[]"


def printed(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()
