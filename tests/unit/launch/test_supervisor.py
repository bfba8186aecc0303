import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from launch.children import Program
from launch.supervisor import Supervisor

SHELL = "/bin/sh"
LONG = (SHELL, "-c", "exec sleep 60")


def test_a_child_that_is_killed_is_started_again_and_the_change_is_told(tmp_path: Path) -> None:
    told: list[str] = []
    changes: list[int] = []
    supervisor = Supervisor(tmp_path, {0: 5.0}, told.append, lambda: changes.append(1))
    supervisor.start(Program(name="one", command=LONG), 0)
    try:
        first = supervisor.pids["one"]
        os.kill(first, signal.SIGKILL)
        _until(supervisor, lambda: supervisor.pids.get("one", first) != first)
        assert changes == [1]
        assert "killed by signal 9" in told[0]
    finally:
        supervisor.stop()
    assert supervisor.pids == {}


def test_a_child_that_keeps_dying_is_started_again_with_growing_pauses(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, {0: 5.0}, lambda _: None)
    supervisor.start(Program(name="one", command=(SHELL, "-c", "exit 3")), 0)
    began = time.monotonic()
    _until(supervisor, lambda: supervisor.failures("one") == 3)
    assert time.monotonic() - began >= 0.2 + 0.4
    supervisor.stop()


def test_stages_are_stopped_in_order(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, {0: 5.0, 1: 5.0}, lambda _: None)
    order = tmp_path / "order"
    for stage, name in ((1, "last"), (0, "first")):
        script = f"trap 'sleep 0.2; echo {name} >> {order}; exit 0' TERM; echo up; while :; do sleep 0.05; done"
        supervisor.start(Program(name=name, command=(SHELL, "-c", script)), stage)
    _until(supervisor, lambda: all((tmp_path / f"{name}.log").stat().st_size for name in ("first", "last")))
    supervisor.stop()
    assert order.read_text() == "first\nlast\n"


def test_a_child_that_does_not_stop_in_time_is_killed(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, {0: 0.3}, lambda _: None)
    supervisor.start(Program(name="deaf", command=(SHELL, "-c", "trap '' TERM; echo up; while :; do sleep 1; done")), 0)
    _until(supervisor, lambda: (tmp_path / "deaf.log").stat().st_size > 0)
    began = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - began < 5
    assert supervisor.pids == {}


def test_what_cannot_be_written_down_or_started_ends_nobody(tmp_path: Path) -> None:
    told: list[str] = []
    logs, gone = tmp_path / "logs", tmp_path / "gone"
    logs.mkdir()
    supervisor = Supervisor(logs, {0: 5.0}, told.append, lambda: gone.joinpath("run.json").touch())
    supervisor.start(Program(name="other", command=LONG), 0)
    supervisor.start(Program(name="one", command=LONG), 0)
    try:
        other, first = supervisor.pids["other"], supervisor.pids["one"]
        os.kill(first, signal.SIGKILL)
        _until(supervisor, lambda: supervisor.pids.get("one", first) != first)
        assert "cannot be written down" in told[-1]
        logs.rename(gone)
        os.kill(supervisor.pids["one"], signal.SIGKILL)
        _until(supervisor, lambda: "one cannot be started" in told[-1])
        assert supervisor.pids == {"other": other}
    finally:
        supervisor.stop()


def _until(supervisor: Supervisor, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        supervisor.tend()
        time.sleep(0.02)
