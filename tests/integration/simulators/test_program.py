import json
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from launch.embedded_broker import EmbeddedBroker
from simulators.registration import register
from simulators.scenario_files import load_scenario
from tests.integration.simulators.conftest import Listener
from veldwatch.storage.connection import Connection
from veldwatch.storage.simulation import list_faults

PROGRAM = "from simulators.commands import app; app()"


def wait_until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def environment(broker: EmbeddedBroker, home: Path, dsn: str = "") -> dict[str, str]:
    return {
        **os.environ,
        "VELDWATCH_DSN": dsn,
        "VELDWATCH_HOME": str(home),
        "VELDWATCH_MQTT_PORT": str(broker.port),
        "VELDWATCH_MQTT_USERNAME": broker.username,
        "VELDWATCH_MQTT_PASSWORD": broker.password,
    }


@contextmanager
def simulate(settings: dict[str, str], *options: str) -> Generator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "run", *options], env=settings, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=5) == 0


def told(listener: Listener) -> dict[tuple[str, str], str]:
    """Give every (topic, moment) with its payload; the same moment is never told in two ways."""
    seen: dict[tuple[str, str], str] = {}
    for topic, payload in listener.messages:
        document = json.loads(payload)
        if "observed_at" in document:
            key = (topic, document["observed_at"])
            assert seen.setdefault(key, payload.decode()) == payload.decode()
    return seen


def live(listener: Listener) -> bool:
    newest = [json.loads(payload).get("observed_at") for _, payload in listener.messages[-3:]]
    return any(at and (datetime.now(UTC) - datetime.fromisoformat(at)).total_seconds() < 5 for at in newest)


def test_history_comes_first_and_the_present_follows(
    broker: EmbeddedBroker, listener: Listener, tmp_path: Path
) -> None:
    with simulate(environment(broker, tmp_path), "--backfill", "2h") as process:
        wait_until(lambda: live(listener))
        stop(process)
    moments = sorted(datetime.fromisoformat(moment) for _, moment in told(listener))
    assert 6600 < (moments[-1] - moments[0]).total_seconds() < 7300
    assert len({topic for topic, _ in told(listener)}) == 48
    assert ("veldwatch/v1/demo-water/gw-1/status", b'{"online":true}') in listener.messages


def test_killed_and_started_again_it_tells_no_moment_twice_and_no_register_falls(
    broker: EmbeddedBroker, listener: Listener, tmp_path: Path
) -> None:
    settings = environment(broker, tmp_path)
    for _ in range(3):
        count = len(listener.messages)
        with simulate(settings, "--backfill", "1h") as process:
            wait_until(lambda count=count: len(listener.messages) > count + 40)
            process.kill()
    registers: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for (topic, moment), payload in told(listener).items():
        volume = json.loads(payload).get("readings", {}).get("volume")
        if volume is not None:
            registers[topic].append((moment, volume["value"]))
    assert len(registers) == 20
    for values in registers.values():
        ordered = [value for _, value in sorted(values)]
        assert ordered == sorted(ordered)


def test_the_broker_tells_of_its_death(broker: EmbeddedBroker, listener: Listener, tmp_path: Path) -> None:
    with simulate(environment(broker, tmp_path), "--backfill", "0s") as process:
        wait_until(lambda: ("veldwatch/v1/demo-water/gw-1/status", b'{"online":true}') in listener.messages)
        process.kill()
    wait_until(lambda: ("veldwatch/v1/demo-water/gw-1/status", b'{"online":false}') in listener.messages)


def test_a_broker_that_comes_late_gets_everything(tmp_path: Path) -> None:
    broker = EmbeddedBroker(tmp_path / "broker")
    broker.start()
    broker.stop()
    settings = environment(broker, tmp_path)
    with simulate(settings, "--backfill", "0s") as process:
        time.sleep(3)
        broker.start()
        listener = Listener(broker)
        try:
            wait_until(lambda: live(listener))
            stop(process)
        finally:
            listener.close()
            broker.stop()


def test_a_leak_asked_for_on_the_command_line_flows_until_it_is_stopped(
    broker: EmbeddedBroker, listener: Listener, tmp_path: Path, dsn: str, connection: Connection
) -> None:
    register(connection, load_scenario("demo"))
    connection.commit()
    settings = environment(broker, tmp_path, dsn)

    def command(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, *arguments], env=settings, capture_output=True, text=True, check=True
        )
        return done.stdout

    def flows() -> list[float]:
        topic = "veldwatch/v1/demo-water/wm-1001/readings"
        return [
            json.loads(payload)["readings"]["flow_rate"]["value"]
            for each, payload in listener.messages
            if each == topic
        ]

    with simulate(settings, "--backfill", "0s") as process:
        wait_until(lambda: bool(flows()))
        assert "leak at wm-1001" in command("inject", "leak", "--device", "wm-1001", "--duration", "1h")
        wait_until(lambda: flows()[-1] >= 300.0)
        fault = list_faults(connection)[0]
        connection.commit()
        assert fault.started_at is not None
        assert fault.ends_at is not None
        assert f"fault {fault.id}" in command("list")
        command("stop", str(fault.id))
        wait_until(lambda: list_faults(connection)[0].stopped_at is not None)
        seen = len(flows())
        wait_until(lambda: len(flows()) >= seen + 2)
        assert process.poll() is None


def test_without_its_file_it_goes_on_from_what_the_database_has(
    broker: EmbeddedBroker, listener: Listener, tmp_path: Path, dsn: str, connection: Connection
) -> None:
    register(connection, load_scenario("demo"))
    connection.execute(
        "INSERT INTO series (device_id, metric, unit, kind)"
        " SELECT id, 'volume', 'm3', 'counter' FROM device WHERE external_id = 'wm-1001'"
    )
    connection.execute("SELECT ensure_partition('reading_raw', now())")
    connection.execute(
        "INSERT INTO reading_raw (series_id, observed_at, value, delay_seconds)"
        " SELECT id, now() - interval '2 minutes', 77777, 0 FROM series"
    )
    connection.commit()
    topic = "veldwatch/v1/demo-water/wm-1001/readings"
    with simulate(environment(broker, tmp_path, dsn), "--backfill", "6h"):
        wait_until(lambda: live(listener) and any(each == topic for each, _ in listener.messages))
    volumes = [
        json.loads(payload)["readings"]["volume"]["value"]
        for (each, _), payload in told(listener).items()
        if each == topic
    ]
    assert min(volumes) >= 77777
    assert len(volumes) < 40


def test_a_stretch_is_registered_told_to_its_end_and_can_be_told_again(
    broker: EmbeddedBroker, listener: Listener, tmp_path: Path, dsn: str, connection: Connection
) -> None:
    command = [sys.executable, "-c", PROGRAM, "backfill", "demo", "--from", "2026-11-22T12:00:00Z"]
    command += ["--to", "2026-11-22T12:01:00Z"]
    said = [
        subprocess.run(
            command, env=environment(broker, tmp_path, dsn), capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    ]
    counts = [int(line.split()[1]) for text in said for line in text.splitlines() if line.startswith("published")]
    assert counts[0] == counts[1] > 200
    wait_until(lambda: len(told(listener)) >= counts[0])
    assert connection.execute("SELECT count(*) FROM device").fetchone() == (40,)


def test_a_reading_of_somebody_else_s_device_takes_no_history_away(
    broker: EmbeddedBroker, listener: Listener, tmp_path: Path, dsn: str, connection: Connection
) -> None:
    """It did: a message to the demo in its first seconds cost the day that it tells first."""
    register(connection, load_scenario("demo"))
    connection.execute(
        "INSERT INTO device (organisation_id, external_id, name, source, status)"
        " SELECT id, 'mine', 'Mine', 'veldwatch', 'active' FROM organisation WHERE slug = 'demo-water'"
    )
    connection.execute(
        "INSERT INTO series (device_id, metric, unit) SELECT id, 'level', 'm' FROM device WHERE external_id = 'mine'"
    )
    connection.execute("SELECT ensure_partition('reading_raw', now())")
    connection.execute(
        "INSERT INTO reading_raw (series_id, observed_at, value, delay_seconds) SELECT id, now(), 4.5, 0 FROM series"
    )
    connection.commit()
    with simulate(environment(broker, tmp_path, dsn), "--backfill", "2h") as process:
        wait_until(lambda: live(listener))
        stop(process)
    moments = sorted(datetime.fromisoformat(moment) for _, moment in told(listener))
    assert (moments[-1] - moments[0]).total_seconds() > 6600


def test_a_file_from_before_the_database_was_made_anew_is_not_gone_on_with(
    broker: EmbeddedBroker, listener: Listener, tmp_path: Path, dsn: str, connection: Connection
) -> None:
    settings = environment(broker, tmp_path, dsn)
    with simulate(settings, "--backfill", "0s") as process:
        wait_until(lambda: live(listener))
        stop(process)
    # The new database's first run has the number that the old one's had, and begins when it begins.
    connection.execute("UPDATE simulation_run SET begins_at = now()")
    connection.commit()
    with simulate(settings, "--backfill", "0s") as process:
        seen = len(told(listener))
        wait_until(lambda: len(told(listener)) > seen + 20)
        stop(process)
    assert connection.execute("SELECT count(*) FROM simulation_run").fetchone() == (2,)


def test_a_file_of_a_run_that_the_database_does_not_have_is_not_gone_on_with(
    broker: EmbeddedBroker, listener: Listener, tmp_path: Path, dsn: str, connection: Connection
) -> None:
    settings = environment(broker, tmp_path, dsn)
    with simulate(settings, "--backfill", "0s") as process:
        wait_until(lambda: live(listener))
        stop(process)
    connection.execute("DELETE FROM simulation_run")
    connection.commit()
    with simulate(settings, "--backfill", "0s") as process:
        seen = len(told(listener))
        wait_until(lambda: len(told(listener)) > seen + 20)
        stop(process)
    rows = connection.execute("SELECT messages > 0 FROM simulation_run").fetchall()
    assert rows == [(True,)]
