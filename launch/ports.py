"""Ports of a machine's own address: the usual one if it is free, else one that the system gives to nobody by itself."""

import random
import socket
from itertools import chain
from pathlib import Path

_LOWEST = 20_000
"""Below are the well-known services of most machines."""
_FIRST_DYNAMIC = 49_152
"""Source: RFC 6335, section 6: the dynamic ports, which outgoing connections have."""
_OUTGOING = Path("/proc/sys/net/ipv4/ip_local_port_range")
_TRIES = 200
_given: set[int] = set()
"""What this process was given by chance: a server that has not begun to listen must not find its port with another."""


def choose_port(wanted: int, host: str = "127.0.0.1") -> int:
    """Return a port that nobody uses at this moment: `wanted` if possible; 0 wants any.

    Any is one that the system gives to nobody by itself, where it leaves such: a server that is killed must find its
    port again when it comes back, and meanwhile a program that asks the system for any, or an outgoing connection,
    could have got it. Nor is it one that this process was given before, as long as there are others.

    Raises:
        OSError: nothing is free, or `host` is not an address of this machine.
    """
    first = _first_outgoing()
    tries = range(_TRIES if first > _LOWEST else 0)
    tried = sorted((random.randrange(_LOWEST, first) for _ in tries), key=_given.__contains__)  # noqa: S311  # no secret
    for port in chain([wanted] if wanted else (), tried, [0]):
        with socket.socket() as probe:
            # As servers bind: connections of a server that just stopped do not keep its port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            chosen = int(probe.getsockname()[1])
            _given.add(chosen)
            return chosen
    raise OSError(f"no free port on {host!r}")


def _first_outgoing() -> int:
    """Give the first port that outgoing connections may be given.

    Source: ip(7), ip_local_port_range: two numbers, of the first and the last.
    """
    try:
        return int(_OUTGOING.read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):  # not Linux, or /proc is not there
        return _FIRST_DYNAMIC
