"""What all tests share: the fixtures of real servers."""

pytest_plugins = [
    "tests.servers.fixtures",
    "tests.servers.databases",
    "tests.servers.nodes",
    "tests.servers.vllm",
    "tests.tiny_models.fixtures",
]
