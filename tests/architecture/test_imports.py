"""Importing our modules starts nothing, and the control plane brings no engine along."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.architecture.source_tree import ROOT, imports_of, modules

# Run in a process of its own: watches what happens while modules are imported.
WATCH = """
import json, os, sys, threading
seen = []
def watch(event, arguments):
    if event == "open":
        mode, flags = arguments[1], arguments[2] or 0
        writes = isinstance(mode, str) and set(mode) & set("wax+")
        if writes or flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            seen.append(f"opened {arguments[0]} for writing")
    elif event == "socket.bind" and arguments[1] == ("::1", 0):
        pass  # urllib3 looks whether this host has IPv6
    elif event in ("socket.connect", "socket.bind", "subprocess.Popen", "os.fork", "os.mkdir"):
        seen.append(f"{event} {arguments[1:2]}")
sys.addaudithook(watch)
blame = []
import importlib
engines = json.loads(sys.argv[2])
sys.modules.update(dict.fromkeys(engines))  # None there: importing one raises ImportError
for name in json.loads(sys.argv[1]):
    before, threads = len(seen), threading.active_count()
    try:
        importlib.import_module(name)
    except ImportError as exc:
        if (exc.name or "").split(".")[0] not in engines:
            blame.append(f"{name} cannot be imported: {exc!r}")
    except Exception as exc:
        blame.append(f"{name} cannot be imported: {exc!r}")
    blame += [f"{name}: {what}" for what in seen[before:]]
    if threading.active_count() > threads:
        blame.append(f"{name}: started a thread")
print(json.dumps({"blame": blame, "modules": sorted(sys.modules)}))
"""
# What only the models extra installs; modules built on them are allowed to need them, here alone.
ENGINES = ["torch", "diffusers", "transformers", "accelerate", "vllm"]
# Programs that are run by path, and Alembic's own files, which only Alembic may load.
NOT_IMPORTED = ("storyforge.database.migrations.",)


def import_all(names: list[str], home: Path) -> dict[str, list[str]]:
    done = subprocess.run(
        [sys.executable, "-B", "-c", WATCH, json.dumps(names), json.dumps(ENGINES)],
        cwd=home,
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT), "HOME": str(home), "PATH": ""},
    )
    return dict(json.loads(done.stdout))


def test_importing_any_module_starts_nothing(tmp_path: Path) -> None:
    names = [name for name in modules() if not name.startswith(NOT_IMPORTED)]
    names = [name for name in names if not name.endswith("__main__")]
    assert import_all(names, tmp_path)["blame"] == []
    assert list(tmp_path.iterdir()) == []


def test_the_control_plane_brings_no_engine_and_no_codec(tmp_path: Path) -> None:
    loaded = {name.split(".")[0] for name in import_all(["api.app"], tmp_path)["modules"]}
    foreign = {"pynvml", "av", "cv2", "inference", "pipelines", "models_cache"}
    assert loaded & foreign == set()


def test_engines_are_needed_by_the_model_modules_of_inference_alone() -> None:
    needing = {
        name
        for name, path in modules().items()
        if {one.split(".")[0] for one in imports_of(path)} & set(ENGINES)
    }
    assert {name for name in needing if not name.startswith("inference.")} == set()


def test_the_help_of_the_command_loads_none_of_the_heavy_libraries(tmp_path: Path) -> None:
    names = ["storyforge.cli", "storyforge.cli.commands"]
    loaded = {name.split(".")[0] for name in import_all(names, tmp_path)["modules"]}
    assert loaded & {"sqlalchemy", "celery", "fastapi", "av", "cv2", "numpy", "boto3"} == set()
