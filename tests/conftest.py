"""What all tests share: the fixtures of real servers."""

pytest_plugins = [
    "tests.servers.fixtures",
    "tests.servers.databases",
    "tests.servers.nodes",
    "tests.tiny_models.fixtures",
]
