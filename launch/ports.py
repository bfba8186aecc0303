"""Ports of the loopback interface: the usual one if it is free, else any."""

import socket


def choose_port(wanted: int, host: str = "127.0.0.1") -> int:
    """Return a port that nobody uses at this moment: `wanted` if possible; 0 wants any."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            # As servers bind: connections of a server that just stopped do not keep its port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError(f"no free port on {host!r}")
