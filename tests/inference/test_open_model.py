"""Opening the model that a setting names; torch stays out of the way where it is not needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from inference.video.open_model import open_video_model
from inference.video.storyboard.model import StoryboardModel
from storyforge.errors import SetupProblem
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
    for name in [one for one in sys.modules if one.startswith("inference.video.diffusion.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setitem(sys.modules, "diffusers", None)
    with pytest.raises(SetupProblem, match="models extra"):
        open_video_model("a/model")


@pytest.mark.parametrize("module", ["scheduler.runtime", "pipelines.continuation"])
def test_torch_is_not_imported_where_no_diffusion_model_is_configured(module: str) -> None:
    code = f"import sys, {module}; from inference.video.open_model import open_video_model;"
    done = subprocess.run(
        [sys.executable, "-c", f"{code} open_video_model(''); {HEAVY}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
