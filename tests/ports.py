"""Ports for programs that open theirs later."""

import random
import socket


def free_port() -> int:
    """A port of this machine that nobody holds, below those that the system hands out itself.

    One of those may go to any connection of another test between the choice
    and the program that wants it.
    """
    draw = random.SystemRandom()
    while True:
        port = draw.randrange(15_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
