import socket
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from launch import ports
from launch.ports import choose_port


@contextmanager
def listening(port: int = 0) -> Generator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", port))
        server.listen()
        yield server.getsockname()[1]


@pytest.fixture
def outgoing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the file in which the system says which ports outgoing connections have."""
    file = tmp_path / "ip_local_port_range"
    monkeypatch.setattr(ports, "_OUTGOING", file)
    return file


def test_the_port_that_is_wanted_is_chosen_when_it_is_free() -> None:
    free = choose_port(0)
    assert choose_port(free) == free


def test_another_port_is_chosen_when_the_wanted_one_is_taken() -> None:
    with listening() as port:
        assert choose_port(port) not in (0, port)


def test_any_port_is_none_that_the_system_could_give_to_another_by_then(outgoing: Path) -> None:
    outgoing.write_text("20010\t60999\n")
    chosen = {choose_port(0) for _ in range(100)}
    assert len(chosen) > 1
    assert chosen <= set(range(20_000, 20_010))


def test_one_that_is_taken_is_passed_over(outgoing: Path) -> None:
    outgoing.write_text("20002\t60999\n")
    free = choose_port(0)
    other = 20_001 if free == 20_000 else 20_000
    with listening(free):
        assert choose_port(0) == other


def test_two_servers_that_are_yet_to_start_are_not_given_one_port(outgoing: Path) -> None:
    outgoing.write_text("20100\t60999\n")
    chosen = [choose_port(0) for _ in range(40)]
    assert len(set(chosen)) == len(chosen)


def test_where_outgoing_connections_have_all_ports_the_system_chooses(outgoing: Path) -> None:
    outgoing.write_text("1024\t65535\n")
    with listening(choose_port(0)):
        pass


@pytest.mark.parametrize("said", [None, "", "some\n"])
def test_where_the_system_does_not_say_it_is_below_the_dynamic_ports(outgoing: Path, said: str | None) -> None:
    if said is not None:
        outgoing.write_text(said)
    assert {choose_port(0) // 49_152 for _ in range(50)} == {0}


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(OSError, match="no free port"):
        choose_port(0, "192.0.2.1")
