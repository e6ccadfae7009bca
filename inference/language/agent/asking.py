"""Asks for one answer of a given shape: validated, screened, repaired at most twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import ValidationError

from inference.language.agent.chat_server import ChatRequest, Limits, Message, Reply, Sampling
from inference.language.agent.drafts import Draft, strings_of
from inference.language.agent.engines import Engines
from inference.language.agent.prompt_files import render
from inference.language.agent.schemas import engine_schema
from inference.language.agent.screening import leaks, objections
from inference.language.model import WriteWatch
from storyforge.errors import ScriptInvalid

ShapeT = TypeVar("ShapeT", bound=Draft)
_SHOWN_ANSWER_CHARS = 1200
_SHOWN_REASONS = 6
_REASON_CHARS = 200


@dataclass(frozen=True)
class Answer(Generic[ShapeT]):
    """A usable answer, how many before it were not, and what all of them cost."""

    value: ShapeT
    repairs: int
    prompt_tokens: int
    cached_tokens: int
    output_tokens: int


@dataclass(frozen=True)
class Question(Generic[ShapeT]):
    """What is asked. marks: what the answer must not repeat; about: for the message when it fails.

    affinity: questions with the same one go to the same server, whose cache knows their beginning.
    judge: reasons against an answer of the right shape. was_cut: the material was too long.
    """

    shape: type[ShapeT]
    messages: Sequence[Message]
    marks: Sequence[str]
    limits: Limits
    sampling: Sampling
    seed: int
    about: str
    affinity: str = ""
    priority: int = 0
    was_cut: bool = False
    judge: Callable[[ShapeT], Sequence[str]] = lambda _value: ()


def ask(
    question: Question[ShapeT], engines: Engines, watch: WriteWatch, *, repairs: int = 2
) -> Answer[ShapeT]:
    """The first usable answer; what is wrong with one is told to the model, which tries again.

    Raises ScriptInvalid when none comes within the repairs, and Unavailable when no server
    answers; whatever `watch` raises passes through.
    """
    messages = list(question.messages)
    spent = [0, 0, 0]
    reasons: Sequence[str] = ()
    for attempt in range(repairs + 1):
        reply = engines.chat(
            ChatRequest(
                messages=messages,
                schema=engine_schema(question.shape, bounded_strings=engines.bounded_strings),
                limits=question.limits,
                sampling=question.sampling,
                seed=question.seed + attempt,
                priority=question.priority,
            ),
            question.affinity,
            watch,
        )
        told = (reply.prompt_tokens, reply.cached_tokens, reply.output_tokens)
        spent = [before + more for before, more in zip(spent, told, strict=True)]
        value, reasons = _judged(reply, question)
        if value is not None:
            return Answer(value, attempt, *spent)
        messages = [*question.messages, *_repair(reply, reasons, question.marks)]
    raise ScriptInvalid(
        f"The language model gave no usable {question.about} in {repairs + 1} tries. The last one: "
        f"{' '.join(reasons)} Send the continuation again, with other words if it stays so."
    )


def _judged(reply: Reply, question: Question[ShapeT]) -> tuple[ShapeT | None, Sequence[str]]:
    """The answer, or what is wrong with it."""
    if reply.was_cut:
        most = question.limits.most_tokens
        return None, (f"It was cut off at {most} tokens. Write much less.",)
    try:
        data = json.loads(reply.text)
        value = question.shape.model_validate(data)
    except ValidationError as exc:
        return None, _wrong_places(exc)
    except (ValueError, RecursionError):
        return None, ("It is no JSON object.",)
    reasons = (*objections(strings_of(data), reply.text, question.marks), *question.judge(value))
    return (None, reasons[:_SHOWN_REASONS]) if reasons else (value, ())


def _wrong_places(exc: ValidationError) -> tuple[str, ...]:
    """Where the answer departs from its shape, without its own words."""
    return tuple(
        f"{'.'.join(str(part) for part in error['loc']) or 'answer'}: {error['msg']}."[
            :_REASON_CHARS
        ]
        for error in exc.errors(include_input=False)[:_SHOWN_REASONS]
    )


def _repair(reply: Reply, reasons: Sequence[str], marks: Sequence[str]) -> tuple[Message, ...]:
    """The broken answer and what was wrong; one that gives our marks away is not shown again."""
    shown = "{}" if leaks((reply.text,), marks) else reply.text[:_SHOWN_ANSWER_CHARS]
    return (
        {"role": "assistant", "content": shown},
        {"role": "user", "content": render("repair", reasons=reasons)},
    )
