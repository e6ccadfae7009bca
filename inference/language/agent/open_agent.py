"""Puts a script agent together from the settings."""

from __future__ import annotations

from pathlib import Path

from inference.language.agent.agent import ScriptAgent
from inference.language.agent.chat_server import Limits, Sampling
from inference.language.agent.engines import Engines
from inference.language.engine.control import checked_url
from storyforge.errors import InvalidInput, SetupProblem
from storyforge.settings import WriterSettings


def open_script_agent(writer: WriterSettings, secret: bytes) -> ScriptAgent:
    """The agent; nothing is connected before it is asked. Raises SetupProblem.

    secret: of this node; marks in prompts are made with it.
    """
    if not writer.url:
        raise SetupProblem(
            f"STORYFORGE_WRITER_MODEL is '{writer.model}', but no server of it is known. "
            "`storyforge up` starts one; on its own this process needs STORYFORGE_WRITER_URL."
        )
    try:
        urls = [checked_url(one) for one in writer.url.split(",") if one.strip()]
    except InvalidInput as exc:
        raise SetupProblem(f"STORYFORGE_WRITER_URL: {exc.detail}") from exc
    model = served_name(writer.model)
    engines = Engines(
        urls,
        model,
        writer.key,
        context_tokens=writer.context_tokens,
        bounded_strings=writer.bounded_strings == "always",
    )
    limits = Limits(
        most_tokens=writer.context_tokens // 2,
        first_token_s=writer.first_token_s,
        between_tokens_s=writer.between_tokens_s,
        answer_s=writer.answer_s,
    )
    return ScriptAgent(
        engines=engines,
        label=model or "the server's model",
        secret=secret,
        limits=limits,
        sampling=Sampling(writer.temperature, writer.top_p),
        repairs=writer.repairs,
    )


def served_name(model: str) -> str:
    """The name by which a server of ours knows the model: a folder's own name, or the name."""
    return Path(model).name if Path(model).is_dir() else model
