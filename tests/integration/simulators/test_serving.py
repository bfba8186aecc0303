import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from launch.embedded_broker import EmbeddedBroker
from simulators.fault_desk import numbers
from tests.integration.simulators.conftest import Listener
from tests.integration.simulators.test_program import PROGRAM, environment, told, wait_until
from veldwatch.storage.connection import Connection
from veldwatch.storage.simulation import find_device, list_faults, request_fault
from veldwatch.storage.simulation_runs import (
    RunPlan,
    SimulationRun,
    get_run,
    list_runs,
    request_run,
    request_run_stop,
)

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
METER = "veldwatch/v1/demo-water/wm-1001/readings"


@contextmanager
def serving(settings: dict[str, str], *options: str) -> Generator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", f"if __name__ == '__main__':\n    {PROGRAM}", "serve", *options]
    process = subprocess.Popen(command, env=settings, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def run_of(connection: Connection, number: int) -> SimulationRun:
    connection.commit()
    return get_run(connection, number)


def players(process: subprocess.Popen[bytes]) -> list[int]:
    """Return the processes that play runs below a server."""
    children = [
        int(pid)
        for task in Path(f"/proc/{process.pid}/task").iterdir()
        for pid in (task / "children").read_text(encoding="ascii").split()
    ]
    return [pid for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_a_run_that_is_asked_for_is_played_to_its_end(
    broker: EmbeddedBroker, listener: Listener, tmp_path: Path, dsn: str, connection: Connection
) -> None:
    plan = RunPlan(scenario="demo", seed=3, begins_at=NOON, ends_at=NOON + timedelta(minutes=2), speed=None)
    number = request_run(connection, plan, requested_by="tester")
    connection.commit()
    with serving(environment(broker, tmp_path, dsn)) as process:
        wait_until(lambda: run_of(connection, number).stopped_at is not None, 60)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=5) == 0
    run = run_of(connection, number)
    assert (run.simulated_until, run.note) == (NOON + timedelta(minutes=2), "")
    wait_until(lambda: len(told(listener)) >= run.messages - 1)
    assert run.messages > 500


def test_a_run_is_stopped_when_asked_and_its_faults_with_it(
    broker: EmbeddedBroker, listener: Listener, tmp_path: Path, dsn: str, connection: Connection
) -> None:
    with serving(environment(broker, tmp_path, dsn), "demo", "--history", "0s") as process:
        wait_until(lambda: any(topic == METER for topic, _ in listener.messages), 60)
        run = list_runs(connection)[0]
        fault = request_fault(connection, kind="leak", device_id=find_device(connection, "wm-1001"))
        connection.commit()
        wait_until(lambda: _started(connection, fault))
        request_run_stop(connection, run.id)
        connection.commit()
        wait_until(lambda: run_of(connection, run.id).stopped_at is not None)
        assert players(process) == []
        assert process.poll() is None
    (closed,) = list_faults(connection)
    assert closed.stopped_at is not None
    assert (closed.size, closed.size_unit, numbers(closed.parameters)) == (300.0, "L/h", {})


def test_a_player_that_is_killed_goes_on_and_tells_no_moment_in_two_ways(
    broker: EmbeddedBroker, listener: Listener, tmp_path: Path, dsn: str, connection: Connection
) -> None:
    with serving(environment(broker, tmp_path, dsn), "demo", "--history", "0s") as process:
        for _ in range(2):
            seen = len(told(listener))
            wait_until(lambda seen=seen: len(told(listener)) > seen + 30, 60)
            (player,) = players(process)
            os.kill(player, signal.SIGKILL)
        seen = len(told(listener))
        wait_until(lambda: len(told(listener)) > seen + 30, 60)
        assert len(list_runs(connection)) == 1


def test_without_its_server_a_player_ends_and_the_next_server_takes_the_run_up(
    broker: EmbeddedBroker, listener: Listener, tmp_path: Path, dsn: str, connection: Connection
) -> None:
    settings = environment(broker, tmp_path, dsn)
    with serving(settings, "demo", "--history", "0s") as process:
        wait_until(lambda: any(topic == METER for topic, _ in listener.messages), 60)
        (player,) = players(process)
        process.kill()
        wait_until(lambda: not Path(f"/proc/{player}").exists() or _is_zombie(player))
    with serving(settings, "demo"):
        seen = len(told(listener))
        wait_until(lambda: len(told(listener)) > seen + 30, 60)
    connection.commit()
    assert len(list_runs(connection)) == 1


def test_a_run_that_cannot_be_played_says_why(
    broker: EmbeddedBroker, tmp_path: Path, dsn: str, connection: Connection
) -> None:
    number = request_run(connection, RunPlan(scenario="nowhere", begins_at=NOON))
    connection.commit()
    with serving(environment(broker, tmp_path, dsn)):
        wait_until(lambda: run_of(connection, number).stopped_at is not None, 60)
    assert "bad scenario: 'nowhere'" in run_of(connection, number).note


def _started(connection: Connection, fault: int) -> bool:
    connection.commit()
    return any(one.id == fault and one.started_at is not None for one in list_faults(connection))


def _is_zombie(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z"
