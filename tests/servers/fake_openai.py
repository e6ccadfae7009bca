"""A fake OpenAI-compatible server that answers as the test says: well, badly, slowly, or not at all."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Chat = dict[str, Any]


@dataclass(frozen=True)
class Says:
    """One answer. pieces: what is streamed; stall_before: the piece before which it goes silent."""

    text: str = ""
    finish: str = "stop"
    status: int = 200
    stall_before: int | None = None
    stall_s: float = 30.0
    break_after: int | None = None
    piece_chars: int = 7

    def pieces(self) -> Iterator[str]:
        for at in range(0, len(self.text), self.piece_chars):
            yield self.text[at : at + self.piece_chars]


Answer = Callable[[Chat], Says]


def filled(schema: dict[str, Any], text: str = "Mira walks on.", root: Any = None) -> Any:
    """The smallest honest value of a JSON schema, with `text` in every string."""
    root = root or schema
    if "$ref" in schema:
        return filled(root["$defs"][schema["$ref"].rsplit("/", 1)[1]], text, root)
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            return {name: filled(one, text, root) for name, one in schema["properties"].items()}
        case "array":
            count = max(1, schema.get("minItems", 0))
            return [filled(schema["items"], text, root) for _ in range(count)]
        case "integer":
            return max(3, schema.get("minimum", 0))
        case _:
            return text


def schema_of(chat: Chat) -> dict[str, Any]:
    """The schema that a request asks for."""
    return dict(chat["response_format"]["json_schema"]["schema"])


def honest(chat: Chat) -> Says:
    """A well-behaved model: every string is a plain sentence."""
    return Says(json.dumps(filled(schema_of(chat))))


@dataclass
class FakeOpenAi:
    """Answers the n-th chat with the n-th of `answers`, then with `otherwise`; keeps all chats."""

    answers: list[Answer | Says] = field(default_factory=list)
    otherwise: Answer = honest
    context_tokens: int = 16_384
    tokens_per_char: float | None = None  # None: it does not count
    asleep: bool = False
    model: str = "fake-model"
    key: str = ""  # asked of every request for text, as vLLM does
    chats: list[Chat] = field(default_factory=list)
    hung_up: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_details: object) -> None:
        self.hung_up.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def next_answer(self, chat: Chat) -> Says:
        self.chats.append(chat)
        answer = self.answers.pop(0) if self.answers else self.otherwise
        return answer if isinstance(answer, Says) else answer(chat)


def handler_of(fake: FakeOpenAi) -> type[BaseHTTPRequestHandler]:
    """What a server of the standard library answers with for this fake."""
    return type("Handler", (_Handler,), {"fake": fake})


class _Handler(BaseHTTPRequestHandler):
    fake: FakeOpenAi
    protocol_version = "HTTP/1.1"

    def log_message(self, *_arguments: object) -> None:
        return

    def do_GET(self) -> None:
        if self.path == "/is_sleeping":
            self._json({"is_sleeping": self.fake.asleep})
        elif self.path == "/v1/models":
            model = {"id": self.fake.model, "max_model_len": self.fake.context_tokens}
            self._json({"data": [model]})
        else:
            self._json({}, 404)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path.startswith("/v1/") and not self._has_key():
            self._json({"error": {"message": "no key"}}, 401)
        elif self.path == "/tokenize" and self.fake.tokens_per_char is not None:
            self._json({"count": int(len(body["prompt"]) * self.fake.tokens_per_char)})
        elif self.path == "/v1/completions":
            self._json({"choices": [{"text": "a"}]})
        elif self.path == "/v1/chat/completions":
            self._chat(self.fake.next_answer(body))
        else:
            self._json({}, 404)

    def _has_key(self) -> bool:
        return not self.fake.key or self.headers["Authorization"] == f"Bearer {self.fake.key}"

    def _json(self, body: Any, status: int = 200) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _chat(self, says: Says) -> None:
        if says.status != 200:
            self._json({"error": {"message": "told to fail"}}, says.status)
            return
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        try:
            for at, piece in enumerate(says.pieces()):
                if says.stall_before == at:
                    self._stall(says.stall_s)
                if says.break_after == at:
                    return
                self._event({"index": 0, "delta": {"content": piece}, "finish_reason": None})
            self._event({"index": 0, "delta": {}, "finish_reason": says.finish})
            self.wfile.write(b"data: [DONE]\n\n")
        except (BrokenPipeError, ConnectionResetError):
            self.fake.hung_up.set()

    def _event(self, choice: dict[str, Any]) -> None:
        chunk = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "fake-model"}
        self.wfile.write(f"data: {json.dumps({**chunk, 'choices': [choice]})}\n\n".encode())
        self.wfile.flush()

    def _stall(self, seconds: float) -> None:
        """Silence, until the test is over or the client hangs up."""
        self.wfile.flush()
        self.connection.settimeout(0.05)
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s and not self.fake.hung_up.is_set():
            try:
                if not self.connection.recv(1):
                    self.fake.hung_up.set()
            except TimeoutError:
                continue
            except OSError:
                self.fake.hung_up.set()
