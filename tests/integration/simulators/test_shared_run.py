"""`--processes`: a run that several processes play is one run, with the bytes and the truth of one."""

import hashlib
import re
import subprocess
import sys
from pathlib import Path

from launch.embedded_broker import EmbeddedBroker
from simulators.registration import register
from simulators.scenario_files import load_scenario
from tests.integration.simulators.conftest import Listener
from tests.integration.simulators.test_program import PROGRAM, environment, live, simulate, stop, told, wait_until
from veldwatch.storage.connection import Connection
from veldwatch.storage.simulation import list_faults
from veldwatch.storage.simulation_runs import list_runs

STRETCH = ("--from", "2026-01-05T00:00:00Z", "--to", "2026-01-07T00:00:00Z")


def command(settings: dict[str, str], *arguments: str) -> bytes:
    program = f"if __name__ == '__main__':\n    {PROGRAM}"
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], env=settings, capture_output=True, check=True
    ).stdout


def test_several_processes_fill_a_stretch_with_the_bytes_and_the_truth_of_one(
    broker: EmbeddedBroker, listener: Listener, tmp_path: Path, dsn: str, connection: Connection
) -> None:
    register(connection, load_scenario("region"))
    connection.commit()
    heard: list[list[tuple[str, bytes]]] = []
    for processes in ("1", "2"):
        listener.messages.clear()
        home = tmp_path / processes
        out = command(environment(broker, home, dsn), "backfill", "region", *STRETCH, "--processes", processes)
        count = int(re.findall(rb"published (\d+) messages", out)[0])
        # One more: the birth of the gateway's connection.
        wait_until(lambda count=count: len(listener.messages) == count + 1)
        heard.append(sorted(listener.messages))
    assert heard[0] == heard[1]
    connection.commit()
    second, first = list_runs(connection)
    assert (first.messages, first.simulated_until) == (second.messages, second.simulated_until)
    assert first.stopped_at is not None
    assert second.stopped_at is not None
    truth = [
        sorted(
            (fault.kind, str(fault.started_at), fault.device or fault.site or "")
            for fault in list_faults(connection, limit=1000)
            if fault.run_id == run.id
        )
        for run in (first, second)
    ]
    assert truth[0] == truth[1] != []


def test_shares_go_on_where_they_were_and_another_number_forgets_them(
    broker: EmbeddedBroker, listener: Listener, tmp_path: Path
) -> None:
    settings, kept = environment(broker, tmp_path), tmp_path / "simulators"
    for _ in range(2):
        seen = len(told(listener))
        with simulate(settings, "demo", "--backfill", "30m", "--processes", "2") as process:
            wait_until(lambda seen=seen: len(told(listener)) > seen + 30 and live(listener), 60)
            stop(process)
    assert sorted(path.name[-8:] for path in kept.glob("*.npz")) == ["1of2.npz", "2of2.npz"]
    with simulate(settings, "demo", "--backfill", "0s") as process:
        wait_until(lambda: not [*kept.glob("*of2.npz")])
        process.kill()


def test_a_digest_is_that_of_what_is_dumped(broker: EmbeddedBroker, tmp_path: Path) -> None:
    settings = environment(broker, tmp_path)
    dumped = command(settings, "dump", "reserve", *STRETCH)
    printed = command(settings, "dump", "reserve", *STRETCH, "--digest").decode()
    assert printed.split()[-1] == hashlib.sha256(dumped).hexdigest()
