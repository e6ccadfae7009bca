"""What a check found, as a record and as lines for people."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from rich.console import Console
from rich.text import Text

from storyforge.domain.wire import Wire


class Verdict(StrEnum):
    """`note`: the node works, something could be better. `broken`: the node does not work."""

    OK = "ok"
    NOTE = "note"
    BROKEN = "broken"


class Finding(Wire):
    """One line of the report; `cure` says what to do, empty when nothing is to be done."""

    name: str
    verdict: Verdict
    found: str
    cure: str = ""


_STYLES = {Verdict.OK: "green", Verdict.NOTE: "yellow", Verdict.BROKEN: "bold red"}


def is_healthy(findings: Sequence[Finding]) -> bool:
    """Whether nothing needed is broken."""
    return all(finding.verdict is not Verdict.BROKEN for finding in findings)


def show(findings: Sequence[Finding], console: Console) -> None:
    """Print the report: a line each, with the cure under it."""
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        line = Text()
        line.append(f"{finding.verdict.value:<7}", style=_STYLES[finding.verdict])
        line.append(f"{finding.name:<{width}}  ", style="bold")
        line.append(finding.found)
        console.print(line, soft_wrap=True)
        if finding.cure:
            console.print(Text(" " * (width + 9) + "-> " + finding.cure), soft_wrap=True)
