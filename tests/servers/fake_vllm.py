"""A program that takes vLLM's command line and serves the fake: `python fake_vllm.py serve ... --port N`.

Stands in as STORYFORGE_WRITER_PYTHON where a test is about the node's processes and no model's words.
"""

from __future__ import annotations

import os
import sys
from http.server import ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.servers.fake_openai import FakeOpenAi, handler_of


def main() -> None:
    """Serve until a signal comes."""
    arguments = sys.argv[1:]
    port = int(arguments[arguments.index("--port") + 1])
    name = arguments[arguments.index("--served-model-name") + 1]
    key = os.environ.get("VLLM_API_KEY", "")
    fake = FakeOpenAi(model=name, key=key)
    ThreadingHTTPServer(("127.0.0.1", port), handler_of(fake)).serve_forever()


if __name__ == "__main__":
    main()
