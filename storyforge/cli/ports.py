"""TCP ports on this host: which are free."""

from __future__ import annotations

import socket

from storyforge.errors import SetupProblem


def free_port(host: str = "127.0.0.1") -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        # as servers do: a connection in TIME_WAIT is no server
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def choose_port(host: str, port: int) -> int:
    """The port to serve on; 0 asks for any free one. Raises SetupProblem when it is taken."""
    if port == 0:
        return free_port(host)
    if not is_free(host, port):
        raise SetupProblem(
            f"Port {port} on {host} is taken. End the program that uses it, or choose another "
            "with --port or STORYFORGE_NODE_PORT (0: any free one)."
        )
    return port
