"""Log files stay small and keep their last words."""

from __future__ import annotations

import os
from pathlib import Path

from storyforge.cli.supervisor.child_logs import keep_bounded, last_line, open_log


def test_a_grown_log_is_cut_while_its_writer_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "film.log"
    log = open_log(path)
    os.write(log, b"old\n" * 100)
    assert keep_bounded(path, limit_bytes=100)
    os.write(log, b"new\n")
    os.close(log)
    assert path.read_bytes() == b"new\n"
    assert (path.parent / "film.log.1").read_bytes() == b"old\n" * 100


def test_a_small_or_missing_log_is_left_alone(tmp_path: Path) -> None:
    assert not keep_bounded(tmp_path / "none.log")
    (tmp_path / "film.log").write_text("few")
    assert not keep_bounded(tmp_path / "film.log")


def test_logs_are_for_their_owner_only(tmp_path: Path) -> None:
    os.close(open_log(tmp_path / "film.log"))
    assert (tmp_path / "film.log").stat().st_mode & 0o077 == 0


def test_the_last_line_is_the_last_that_says_something(tmp_path: Path) -> None:
    assert last_line(tmp_path / "none.log") == ""
    (tmp_path / "film.log").write_bytes(b"first\n" * 5000 + b"why it ended\n \n\n")
    assert last_line(tmp_path / "film.log") == "why it ended"
