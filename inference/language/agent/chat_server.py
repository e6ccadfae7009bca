"""One OpenAI-compatible server: a chat in, the whole answer out, with a deadline on every word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import httpx2

from inference.language.agent.waiting import WatchedTransport
from inference.language.model import WriteWatch
from storyforge import clock
from storyforge.errors import ModelLoading, ScriptInvalid, StoryForgeError, WriterUnreachable

_CONNECT_S = 3.0
_LONGEST_CHARS_PER_TOKEN = 32  # a server that ignores its token cap is cut off here
Message = Mapping[str, str]


@dataclass(frozen=True)
class Limits:
    """The bounds of one answer: tokens, and seconds to its first, between two, and in all."""

    most_tokens: int
    first_token_s: float = 60.0
    between_tokens_s: float = 20.0
    answer_s: float = 300.0


@dataclass(frozen=True)
class Sampling:
    """How the next token is drawn; with the seed, all that makes an answer repeatable."""

    temperature: float = 0.7
    top_p: float = 0.9


@dataclass(frozen=True)
class ChatRequest:
    """One question. schema: the JSON schema of the answer; priority: lower comes first."""

    messages: Sequence[Message]
    schema: Mapping[str, Any]
    limits: Limits
    sampling: Sampling
    seed: int
    priority: int = 0


@dataclass(frozen=True)
class Reply:
    """An answer as it came. was_cut: it ended at the cap, not by itself."""

    text: str
    was_cut: bool
    prompt_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0


class _Patience:
    """Raises when an answer is not wanted any more, or its next word is late."""

    def __init__(self, limits: Limits, watch: WriteWatch) -> None:
        self._limits = limits
        self._watch = watch
        self._began_s = self._last_s = clock.monotonic_s()
        self._words = 0
        self.raised: BaseException | None = None

    def word(self) -> None:
        """A piece of the answer came."""
        self._words += 1
        self._last_s = clock.monotonic_s()

    def look(self) -> None:
        """Called before each read and while one waits."""
        try:
            self._watch.still_wanted()
            self._check()
        except BaseException as exc:
            self.raised = exc  # the client wraps what passes through it
            raise

    def _check(self) -> None:
        now_s = clock.monotonic_s()
        limit_s = self._limits.between_tokens_s if self._words else self._limits.first_token_s
        if now_s - self._last_s > limit_s:
            what = f"went silent after {self._words} pieces" if self._words else "said nothing"
            raise WriterUnreachable(f"The language model {what} for {limit_s:g} s.")
        if now_s - self._began_s > self._limits.answer_s:
            raise WriterUnreachable(
                f"The language model was not done within {self._limits.answer_s:g} s."
            )


class ChatServer:
    """A server and the name by which it knows the model; it keeps no connection."""

    def __init__(self, url: str, model: str, key: str = "") -> None:
        self.url = url.rstrip("/")
        self.model = model
        self._key = key

    def chat(self, request: ChatRequest, watch: WriteWatch) -> Reply:
        """Ask, and read the answer while it comes.

        Raises WriterUnreachable, ModelLoading, ScriptInvalid, and whatever `watch` raises; the connection is
        closed then, which makes the server stop writing.
        """
        import openai  # noqa: PLC0415  it takes a second to load, and only a writer needs it

        patience = _Patience(request.limits, watch)
        transport = WatchedTransport(patience.look)
        http = httpx2.Client(
            transport=transport,
            timeout=httpx2.Timeout(_CONNECT_S, read=request.limits.answer_s + _CONNECT_S),
        )
        client = openai.OpenAI(
            base_url=f"{self.url}/v1",
            api_key=self._key or "none",
            max_retries=0,  # the job core retries, bounded and with a reason
            http_client=http,
        )
        try:
            return self._read(client, request, patience)
        except (openai.OpenAIError, httpx2.HTTPError, ValueError, TypeError) as exc:
            if patience.raised is not None:
                raise patience.raised from exc
            raise _as_ours(exc) from exc
        finally:
            client.close()

    def _read(self, client: Any, request: ChatRequest, patience: _Patience) -> Reply:
        stream = client.chat.completions.create(
            model=self.model,
            messages=cast("Any", list(request.messages)),
            seed=request.seed & 0x7FFF_FFFF,
            temperature=request.sampling.temperature,
            top_p=request.sampling.top_p,
            max_tokens=request.limits.most_tokens,
            response_format={
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": dict(request.schema), "strict": True},
            },
            stream=True,
            stream_options={"include_usage": True},
            extra_body={"priority": request.priority} if request.priority else None,
        )
        pieces: list[str] = []
        ended, chars, usage = "", 0, None
        most_chars = request.limits.most_tokens * _LONGEST_CHARS_PER_TOKEN
        for chunk in stream:
            usage = chunk.usage or usage
            for choice in chunk.choices[:1]:
                if choice.delta is not None and choice.delta.content:
                    patience.word()
                    pieces.append(choice.delta.content)
                    chars += len(choice.delta.content)
                ended = choice.finish_reason or ended
            if chars > most_chars or len(pieces) > request.limits.most_tokens * 2:
                ended = "length"
                break
        stream.close()
        if ended == "abort":
            raise ModelLoading("The language model was put to sleep while it wrote.", 5.0)
        if not ended:
            raise WriterUnreachable("The language model's server broke off in mid-answer.")
        return _reply("".join(pieces), ended, usage)


def _reply(text: str, ended: str, usage: Any) -> Reply:
    details = getattr(usage, "prompt_tokens_details", None)
    return Reply(
        text=text,
        was_cut=ended == "length",
        prompt_tokens=int(getattr(usage, "prompt_tokens", 0) or 0),
        cached_tokens=int(getattr(details, "cached_tokens", 0) or 0),
        output_tokens=int(getattr(usage, "completion_tokens", 0) or 0),
    )


def _as_ours(exc: Exception) -> StoryForgeError:
    """A failure of the server by our names; never with its words, which may hold the prompt."""
    import openai  # noqa: PLC0415  as above; it is loaded by now

    if isinstance(exc, openai.APIStatusError):
        return _refused(exc.status_code)
    if isinstance(exc, openai.APIConnectionError | httpx2.HTTPError):
        return WriterUnreachable(
            "The language model's server does not answer or broke off; the node starts it again "
            "if it owns it."
        )
    return WriterUnreachable("The language model's server answered with something unreadable.")


def _refused(status: int) -> StoryForgeError:
    cures = {
        401: "it refuses our key; correct STORYFORGE_WRITER_KEY",
        403: "it refuses our key; correct STORYFORGE_WRITER_KEY",
        404: "it does not know the model; correct STORYFORGE_WRITER_MODEL or STORYFORGE_WRITER_URL",
    }
    if status in {400, 413, 422}:
        return ScriptInvalid(
            f"The language model's server refuses the request (status {status}): it may be longer "
            "than its context, or it knows no JSON schemas. Lower "
            "STORYFORGE_WRITER_CONTEXT_TOKENS, or use vLLM."
        )
    if status == httpx2.codes.SERVICE_UNAVAILABLE:
        return ModelLoading("The language model's server is not ready yet.")
    why = cures.get(status, "it failed")
    wait_s = 30.0 if status in cures else 5.0
    return WriterUnreachable(
        f"The language model's server answered with status {status}: {why}.", wait_s
    )
