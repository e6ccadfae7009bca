"""Our HLS encoder against the ffmpeg command line: same clip, preset, ladder and audio, one run.

    python benchmarks/encode_hls.py [--width 1280 --height 720 --fps 24 --seconds 10 --rounds 5]

The physical limit is x264 itself: both link it, so a ratio far from 1 is scheduling and copying.
Three ways take turns in every round, each in a process of its own:

- ours: frames read one by one from a raw file, encoded in-process by `encode_hls`, which also
  makes the stills, the measured playlists, the checks and checksums that ffmpeg does not make;
- ffmpeg, pipe: a Python process reads them the same way and writes them to ffmpeg's stdin;
- ffmpeg, file: ffmpeg reads the raw file itself (no pipe, no feeder: its best case).

Wall time: ours from the first chunk to the return (a worker has Python loaded already), ffmpeg from
start to exit. CPU leaves the feeder out. Memory: peak resident set; "net" takes off what the process holds before it sees
a frame (ours: interpreter and imports; ffmpeg: its peak for `-version`). Ours contains the frames
being handed over, so what ffmpeg's feeder holds on top of its own start is added to ffmpeg's net.
The card shows gross (one process each) and net; the goal is judged on net.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from inference.bench.ffmpeg_ladder import Ladder, LadderRung, ladder_command

MB = 1 << 20
ROLES = Path(__file__).with_name("encode_roles.py")
FFMPEG = shutil.which("ffmpeg") or "ffmpeg"


@dataclass(frozen=True)
class Run:
    """One encode: seconds of wall and CPU, MB of memory, MB written."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    net_mb: float
    output_mb: float


@dataclass(frozen=True)
class Clip:
    """A raw RGB clip on disk."""

    path: Path
    width: int
    height: int
    fps: int
    frames: int


def main() -> None:
    """Make the clip, let the three ways take turns, print the card and one JSON line."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="encode-bench-") as folder:
        work = Path(folder)
        frames = arguments.fps * arguments.seconds
        clip = Clip(work / "clip.rgb", arguments.width, arguments.height, arguments.fps, frames)
        ladder = _ladder(json.loads(_self("clip", clip, arguments.preset, work)))
        base_mb, _ = _wait(subprocess.Popen([FFMPEG, "-version"], stdout=subprocess.DEVNULL))
        runs: dict[str, list[Run]] = {"ours": [], "ffmpeg pipe": [], "ffmpeg file": []}
        for number in range(arguments.rounds + 1):
            for way, kept in runs.items():
                out = work / "out"
                out.mkdir()
                if way == "ours":
                    run = _ours(clip, arguments.preset, out)
                else:
                    run = _ffmpeg(clip, ladder, out, base_mb, pipe="pipe" in way)
                shutil.rmtree(out)
                if number:  # the first round warms caches and is not counted
                    kept.append(run)
        _report(arguments, ladder, runs)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in (("width", 1280), ("height", 720), ("fps", 24), ("seconds", 10)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--preset", default="veryfast")
    return parser.parse_args()


def _command(role: str, clip: Clip, preset: str, out: Path) -> list[str]:
    size = (str(number) for number in (clip.width, clip.height, clip.fps, clip.frames))
    return [sys.executable, str(ROLES), role, str(clip.path), *size, preset, str(out)]


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}


def _self(role: str, clip: Clip, preset: str, out: Path) -> str:
    done = subprocess.run(
        _command(role, clip, preset, out), env=_environment(), check=True, stdout=subprocess.PIPE
    )
    return done.stdout.decode()


def _wait(child: subprocess.Popen[bytes]) -> tuple[float, float]:
    """Wait for the end of a process; gives its peak resident set in MB and its CPU seconds.

    This process stays small (no numpy): a child's ru_maxrss begins with its parent's.
    """
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"A measured process ended with {child.returncode}: {child.args!r}")
    return usage.ru_maxrss / 1024, usage.ru_utime + usage.ru_stime


def _rss_mb(pid: int) -> float:
    """What a process holds in memory now."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if "VmRSS" in line) / 1024


def _ours(clip: Clip, preset: str, out: Path) -> Run:
    child = subprocess.Popen(
        _command("ours", clip, preset, out), env=_environment(), stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    said = json.loads(child.stdout.read())
    child.stdout.close()
    peak_mb, _ = _wait(child)
    net_mb = peak_mb - said["base_mb"]
    return Run(said["wall_s"], said["cpu_s"], peak_mb, net_mb, _ts_mb(out))


def _ffmpeg(clip: Clip, ladder: Ladder, out: Path, base_mb: float, *, pipe: bool) -> Run:
    command = _ffmpeg_command(clip, ladder, out)
    if pipe:
        feeder = subprocess.Popen(
            _command("feed", clip, ladder.preset, out), env=_environment(), stdout=subprocess.PIPE
        )
        # the feeder is ready, its interpreter loaded, before the clock starts
        assert feeder.stdout is not None
        os.read(feeder.stdout.fileno(), 1)
        start = time.perf_counter()
        feeder_base_mb = _rss_mb(feeder.pid)
        child = subprocess.Popen(command, stdin=feeder.stdout)
        feeder.stdout.close()
        peak_mb, cpu_s = _wait(child)
        wall_s = time.perf_counter() - start
        held_mb = _wait(feeder)[0] - feeder_base_mb
    else:
        with clip.path.open("rb") as source:
            start = time.perf_counter()
            peak_mb, cpu_s = _wait(subprocess.Popen(command, stdin=source))
        wall_s, held_mb = time.perf_counter() - start, 0.0
    net_mb = peak_mb - base_mb + held_mb
    return Run(wall_s, cpu_s, peak_mb, net_mb, _ts_mb(out))


def _ladder(said: dict[str, Any]) -> Ladder:
    """The ladder that the role printed."""
    rungs = tuple(LadderRung(**rung) for rung in said.pop("rungs"))
    return Ladder(rungs=rungs, **said)


def _ffmpeg_command(clip: Clip, ladder: Ladder, out: Path) -> list[str]:
    size = f"{clip.width}x{clip.height}"
    raw = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size, "-r", str(clip.fps), "-i", "pipe:0")
    return ladder_command(FFMPEG, raw, clip.frames / clip.fps, ladder, out)


def _ts_mb(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*.ts")) / MB


def _report(arguments: argparse.Namespace, ladder: Ladder, runs: dict[str, list[Run]]) -> None:
    medians = {
        way: Run(*(statistics.median(column) for column in zip(*_rows(kept), strict=True)))
        for way, kept in runs.items()
    }
    frames = arguments.fps * arguments.seconds
    names = "+".join(f"{rung.height}p" for rung in ladder.rungs)
    print(
        f"\n{arguments.width}x{arguments.height}@{arguments.fps}, {frames} frames, {names}, "
        f"x264 {arguments.preset}, {len(os.sched_getaffinity(0))} cores, "
        f"medians of {arguments.rounds} interleaved rounds\n"
    )
    print(f"{'':14}{'wall s':>8}{'fps':>8}{'CPU ms/f':>10}{'peak MB':>9}{'net MB':>8}{'out MB':>8}")
    for way, run in medians.items():
        print(
            f"{way:14}{run.wall_s:8.2f}{frames / run.wall_s:8.1f}{run.cpu_s / frames * 1e3:10.1f}"
            f"{run.peak_mb:9.0f}{run.net_mb:8.0f}{run.output_mb:8.2f}"
        )
    ours, pipe, direct = (medians[way] for way in runs)
    speed = _ratio(runs, "ffmpeg pipe")
    print(
        f"\nspeed against ffmpeg through a pipe {speed:.2f}x (goal >= 1.00), "
        f"from a file {_ratio(runs, 'ffmpeg file'):.2f}x; "
        f"net memory {ours.net_mb / pipe.net_mb:.2f}x (goal <= 0.70), "
        f"gross {ours.peak_mb / pipe.peak_mb:.2f}x; CPU {ours.cpu_s / pipe.cpu_s:.2f}x"
    )
    load = os.getloadavg()[0]
    print(f"load average at the end {load:.1f}: far above the cores, trust CPU and memory only")
    line = {
        "benchmark": "encode_hls",
        "date": datetime.now(UTC).date().isoformat(),
        "size": f"{arguments.width}x{arguments.height}@{arguments.fps}",
        "ladder": names,
        "preset": arguments.preset,
        "frames": frames,
        "rounds": arguments.rounds,
        "speed_vs_pipe": round(speed, 3),
        "speed_vs_file": round(_ratio(runs, "ffmpeg file"), 3),
        "net_memory_ratio": round(ours.net_mb / pipe.net_mb, 3),
        "peak_memory_ratio": round(ours.peak_mb / pipe.peak_mb, 3),
        "cpu_ratio": round(ours.cpu_s / pipe.cpu_s, 3),
        "load": round(load, 1),
        "ours": _rounded(ours),
        "ffmpeg_pipe": _rounded(pipe),
        "ffmpeg_file": _rounded(direct),
    }
    print(json.dumps(line))


def _rows(runs: list[Run]) -> list[tuple[float, ...]]:
    return [tuple(asdict(run).values()) for run in runs]


def _rounded(run: Run) -> dict[str, float]:
    return {name: round(value, 3) for name, value in asdict(run).items()}


def _ratio(runs: dict[str, list[Run]], way: str) -> float:
    """Median over rounds of the other's wall time by ours in the same round."""
    pairs = zip(runs["ours"], runs[way], strict=True)
    return statistics.median(theirs.wall_s / ours.wall_s for ours, theirs in pairs)


if __name__ == "__main__":
    main()
