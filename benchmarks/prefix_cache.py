"""How much of each prompt a server has computed before: 20 continuations of one scene in a row.

`python benchmarks/prefix_cache.py --url http://127.0.0.1:8000 --model NAME [--key KEY]`. Asks a vLLM
that runs already for each continuation's script, and reads the shares from vLLM's own counters;
answers are cut short, since only the prompts matter. The bible grows by the rules, as in a node
whose model proposes nothing.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from uuid import UUID

from benchmarks.measuring import print_line
from inference.language.agent.agent import ScriptAgent
from inference.language.agent.open_agent import open_script_agent
from inference.language.engine.control import VllmControl
from inference.language.model import ScriptBrief
from inference.language.rule_writer.writer import RuleWriter
from storyforge.domain.bible import Character, Place, SceneBible
from storyforge.domain.bible_changes import BibleHistory, BiblePatch
from storyforge.domain.bible_patch import diff
from storyforge.domain.segment import SegmentSummary
from storyforge.errors import ScriptInvalid
from storyforge.settings import WriterSettings

SEGMENTS = 20
_RECENT = 5
_VERSIONS_PER_BASE = 16
_ANSWER_TOKENS = 32
_WHO = ("Mira Voss", "Tom", "Captain Reyes", "Ludmila")
_WHERE = ("the old lighthouse", "Gull Bay", "the mill", "the harbour", "the salt road")
_WHAT = (
    "finds a lantern that burns without oil, and carries it up the stairs",
    "hears the bell under the water ring three times, and counts aloud",
    "hides the map in a bread oven before the riders come",
    "waits for the tide with a rope in both hands, and does not speak",
    "quarrels about the boat until the rain drives everybody inside",
    "reads the letter twice, folds it small, and burns it",
    "follows the fox through the reeds to a door in the dyke",
)
BIBLE = SceneBible(
    title="The lantern of Gull Bay",
    synopsis="A keeper's daughter looks for the bell that the sea took from her town.",
    characters=(
        Character(
            id="mira",
            name="Mira Voss",
            aliases=("the keeper's daughter",),
            traits=("a young woman", "stubborn", "afraid of deep water"),
            appearance="grey coat, red scarf, short dark hair",
        ),
        Character(
            id="tom", name="Tom", traits=("an old man", "a fisher"), appearance="white beard"
        ),
        Character(id="reyes", name="Captain Reyes", appearance="a tall man in a blue coat"),
    ),
    places=(
        Place(id="lighthouse", name="the old lighthouse", facts=("whitewashed", "has 112 steps")),
        Place(id="bay", name="Gull Bay", facts=("dries out at ebb",)),
    ),
    rules=("Nobody can fly.", "The bell rings only under water."),
)


def text_of(number: int) -> str:
    """The n-th continuation."""
    who, other = _WHO[number % len(_WHO)], _WHO[(number + 1) % len(_WHO)]
    where, what = _WHERE[number % len(_WHERE)], _WHAT[number % len(_WHAT)]
    return (
        f"At {where}, {who} {what}. {other} comes late, out of breath, and asks for the way. "
        f"Nobody answers; chapter {number} of the night has only begun."
    )


def shares(agent: ScriptAgent, control: VllmControl, segments: int) -> Sequence[float]:
    """Of each continuation's prompt, the share that came out of the server's cache."""
    asking = replace(agent, limits=replace(agent.limits, most_tokens=_ANSWER_TOKENS), repairs=0)
    rules = RuleWriter()
    bible, base, changes = BIBLE, BIBLE, list[BiblePatch]()
    recent: tuple[SegmentSummary, ...] = ()
    long_summary, found = "", []
    for number in range(1, segments + 1):
        brief = ScriptBrief(
            text=text_of(number),
            bible=bible,
            recent=recent,
            long_summary=long_summary,
            target_seconds=8.0,
            history=BibleHistory(base=base, changes=tuple(changes)),
        )
        before = control.figures()
        with suppress(ScriptInvalid):  # it is cut short on purpose
            asking.expand_script(brief)
        found.append(_share(before, control.figures()))
        script = rules.expand_script(brief)
        moved = rules.move_bible(brief, script, number)
        changes.append(diff(bible, moved))
        if (moved.version - 1) % _VERSIONS_PER_BASE == 0:
            base, changes = moved, []
        bible = moved
        if len(recent) >= _RECENT:
            long_summary = agent.fold_summary(long_summary, recent[:1])
            recent = recent[1:]
        told = rules.summarise(brief, script)
        recent += (SegmentSummary(segment_id=UUID(int=number), number=number, summary=told),)
    return found


def _share(before: Mapping[str, float], after: Mapping[str, float]) -> float:
    asked, cached = (
        after.get(name, 0.0) - before.get(name, 0.0)
        for name in ("vllm:prefix_cache_queries_total", "vllm:prefix_cache_hits_total")
    )
    return cached / asked if asked else 0.0


def main() -> None:
    """Print a card and one JSON line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--model", default="")
    parser.add_argument("--key", default="")
    arguments = parser.parse_args()
    settings = WriterSettings(url=arguments.url, model=arguments.model, key=arguments.key)
    agent = open_script_agent(settings, b"a secret of the benchmark, 32 by")
    found = shares(agent, VllmControl(arguments.url, arguments.key), SEGMENTS)
    median = statistics.median(found)
    print(f"{SEGMENTS} continuations of one scene; share of each script's prompt from the cache:")
    print("  " + " ".join(f"{share:.2f}" for share in found))
    print(f"  median {median:.2f} (goal 0.70)")
    told = {"segments": SEGMENTS, "median_share": round(median, 4)}
    print_line("prefix_cache", {**told, "shares": [round(share, 4) for share in found]})


if __name__ == "__main__":
    main()
