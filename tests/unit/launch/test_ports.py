import socket

from launch.ports import choose_port


def test_the_port_that_is_wanted_is_chosen_when_it_is_free() -> None:
    free = choose_port(0)
    assert choose_port(free) == free


def test_another_port_is_chosen_when_the_wanted_one_is_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert choose_port(port) not in (0, port)
