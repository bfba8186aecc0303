"""Accounts from the register, in real brokers, as an attacker sees them: a device is only itself."""

import os
import shutil
import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from launch.account_watch import AccountWatch
from launch.embedded_broker import EmbeddedBroker, Kind
from tests.integration.launch.mqtt_clients import Peer, is_let_in, until
from veldwatch.model.register import Device, DeviceStatus
from veldwatch.storage import credentials, register
from veldwatch.storage.connection import Connection
from veldwatch.storage.credentials import Issued, NewCredential

KINDS: tuple[Kind, ...] = (
    ("nats", "mosquitto") if shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin") else ("nats",)
)
OWN = "veldwatch/v1/kasama-water/meter-1"


@pytest.fixture(params=KINDS)
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[EmbeddedBroker]:
    server = EmbeddedBroker(tmp_path / "home", kind=request.param)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def devices(connection: Connection) -> None:
    for slug in ("kasama-water", "luangwa"):
        organisation = register.ensure_organisation(connection, slug)
        for external in ("meter-1", "meter-2", "*", "a.b", "Living room"):
            register.ensure_device(
                connection, Device(organisation_id=organisation, external_id=external, source="veldwatch")
            )
    connection.commit()


@contextmanager
def _followed(dsn: str, broker: EmbeddedBroker) -> Generator[None]:
    """Keep the broker's accounts as the register says."""
    stop = threading.Event()
    watch = AccountWatch(dsn, broker.account_files, lambda: os.kill(broker.pid, signal.SIGHUP))
    thread = threading.Thread(target=watch.run, args=(stop,))
    thread.start()
    try:
        assert watch.written.wait(20)
        yield
    finally:
        stop.set()
        thread.join(20)


def _create(connection: Connection, device: str = "meter-1", organisation: str = "kasama-water") -> Issued:
    return _issue(connection, NewCredential(organisation=organisation, devices=(device,)))


def _issue(connection: Connection, new: NewCredential) -> Issued:
    made = credentials.create_credential(connection, None, new, by="tests")
    connection.commit()
    return made


def _programs(broker: EmbeddedBroker) -> Peer:
    """Give the programs' own connection; NATS may refuse one at the moment at which it reads its accounts again."""
    until(lambda: is_let_in(broker.port, broker.username, broker.password), "the programs are not let in")
    return Peer(broker.port, broker.username, broker.password)


def _device(broker: EmbeddedBroker, issued: Issued, *, will: str | None = None) -> Peer:
    assert issued.secret is not None
    until(lambda: is_let_in(broker.port, issued.username, issued.secret or ""), f"{issued.username} is not let in")
    return Peer(broker.port, issued.username, issued.secret, will=will)


@pytest.mark.usefixtures("devices")
def test_a_device_publishes_only_as_itself(broker: EmbeddedBroker, dsn: str, connection: Connection) -> None:
    meter = _create(connection)
    with _followed(dsn, broker), _programs(broker) as ingest:
        assert ingest.subscribe("#")
        for topic in (
            "veldwatch/v1/kasama-water/meter-2/readings",
            "veldwatch/v1/luangwa/meter-1/readings",
            f"{OWN}/commands",
            f"{OWN}/readings/more",
            f"{OWN}/readings/",
            "veldwatch/v1/kasama-water/meter-1",
            "application/1/device/0102030405060708/event/up",
            "$MQTT/msgs/veldwatch/v1/luangwa/meter-1/readings",
            "$SYS/broker/clients/total",
            "$CONTROL/dynamic-security/v1",
        ):
            with _device(broker, meter) as forger:
                forger.attempt(topic)
                forger.attempt(topic, retain=True)
        with _device(broker, meter, will="veldwatch/v1/kasama-water/meter-2/status") as dying:
            dying.vanish()
        with _device(broker, meter) as itself:
            for kind in ("readings", "positions", "events", "status"):
                itself.publish(f"{OWN}/{kind}")
        until(lambda: len(ingest.heard) >= 4, "ingest hears the device")
        assert ingest.heard == [f"{OWN}/{kind}" for kind in ("readings", "positions", "events", "status")]
    with _programs(broker) as late:
        assert late.subscribe("#")
        late.publish("end/of/list")
        until(lambda: "end/of/list" in late.heard, "the broker delivers")
        assert late.heard == ["end/of/list"], "a forged message was retained"


@pytest.mark.usefixtures("devices")
def test_its_own_last_will_is_published(broker: EmbeddedBroker, dsn: str, connection: Connection) -> None:
    meter = _create(connection)
    with _followed(dsn, broker), _programs(broker) as ingest:
        assert ingest.subscribe("#")
        with _device(broker, meter, will=f"{OWN}/status") as dying:
            dying.vanish()
        until(lambda: bool(ingest.heard), "ingest hears the will")
        assert ingest.heard == [f"{OWN}/status"]


@pytest.mark.usefixtures("devices")
def test_a_device_hears_its_own_commands_and_nothing_else(
    broker: EmbeddedBroker, dsn: str, connection: Connection
) -> None:
    meter, other = _create(connection), _create(connection, "meter-2")
    everything = (
        "#",
        "+/#",
        "+/+/+/+/+",
        "veldwatch/v1/kasama-water/#",
        "veldwatch/v1/kasama-water/+/readings",
        "veldwatch/v1/kasama-water/meter-2/commands",
        "veldwatch/v1/+/meter-1/commands/#",
        "$MQTT/#",
        "$MQTT/msgs/#",
        "$MQTT/sub/#",
        "$SYS/#",
        "$JS/#",
        "$CONTROL/#",
        "$share/group/#",
    )
    with _followed(dsn, broker), _programs(broker) as programs:
        with _device(broker, other) as publisher, _device(broker, meter) as curious:
            for topic_filter in everything:
                curious.subscribe(topic_filter)
            assert curious.subscribe(f"{OWN}/commands/#")
            publisher.publish("veldwatch/v1/kasama-water/meter-2/readings")
            programs.publish("veldwatch/v1/kasama-water/meter-2/commands")
            programs.publish("owntracks/anna/phone", retain=True)
            programs.publish(f"{OWN}/commands")
            programs.publish(f"{OWN}/commands/reboot")
            until(lambda: len(curious.heard) >= 2, "the device hears its commands")
        assert sorted(set(curious.heard)) == [f"{OWN}/commands", f"{OWN}/commands/reboot"]


@pytest.mark.usefixtures("devices")
def test_who_is_revoked_is_cut_off_at_once_and_nobody_else(
    broker: EmbeddedBroker, dsn: str, connection: Connection
) -> None:
    meter, other = _create(connection), _create(connection, "meter-2")
    with _followed(dsn, broker), _programs(broker) as ingest:
        assert ingest.subscribe("#")
        with _device(broker, other) as stays, _device(broker, meter) as goes:
            goes.publish(f"{OWN}/readings")
            credentials.revoke_credential(connection, None, meter.id, by="tests")
            connection.commit()
            until(goes.cut_off.is_set, "the revoked device is still connected")
            assert not is_let_in(broker.port, meter.username, meter.secret or "")
            stays.publish("veldwatch/v1/kasama-water/meter-2/readings")
            until(lambda: len(ingest.heard) >= 2, "the other device is heard")
            assert not stays.cut_off.is_set()
            assert not ingest.cut_off.is_set()
    assert ingest.heard == [f"{OWN}/readings", "veldwatch/v1/kasama-water/meter-2/readings"]


@pytest.mark.usefixtures("devices")
def test_a_rotated_credential_lets_in_beside_the_new_one_until_its_time(
    broker: EmbeddedBroker, dsn: str, connection: Connection
) -> None:
    old = _create(connection)
    with _followed(dsn, broker), _device(broker, old) as connected:
        soon = datetime.now(UTC) + timedelta(seconds=4)
        new = credentials.rotate_credential(connection, None, old.id, old_valid_until=soon, by="tests")
        connection.commit()
        with _device(broker, new) as fresh:
            fresh.publish(f"{OWN}/readings")
        assert not connected.cut_off.is_set()
        until(connected.cut_off.is_set, "the old credential lets in after its end")
        assert not is_let_in(broker.port, old.username, old.secret or "")
        assert is_let_in(broker.port, new.username, new.secret or "")


@pytest.mark.usefixtures("devices")
def test_a_retired_device_is_cut_off(broker: EmbeddedBroker, dsn: str, connection: Connection) -> None:
    meter = _create(connection)
    with _followed(dsn, broker), _device(broker, meter) as retired:
        organisation = register.find_organisations(connection)["kasama-water"]
        register.ensure_device(
            connection,
            Device(
                organisation_id=organisation,
                external_id="meter-1",
                source="veldwatch",
                status=DeviceStatus.RETIRED,
            ),
        )
        connection.commit()
        until(retired.cut_off.is_set, "the retired device is still connected")


@pytest.mark.usefixtures("devices")
def test_a_gateway_publishes_for_its_devices_and_below_its_prefix(
    broker: EmbeddedBroker, dsn: str, connection: Connection
) -> None:
    gateway = _issue(
        connection,
        NewCredential(organisation="kasama-water", devices=("meter-1", "a.b"), publish=("application/#",)),
    )
    with _followed(dsn, broker), _programs(broker) as ingest:
        assert ingest.subscribe("#")
        with _device(broker, gateway) as forger:
            forger.attempt("veldwatch/v1/kasama-water/meter-2/readings")
        with _device(broker, gateway) as itself:
            for topic in (
                "application/7/device/01/event/up",
                f"{OWN}/readings",
                "veldwatch/v1/kasama-water/a.b/events",
            ):
                itself.publish(topic)
        until(lambda: len(ingest.heard) >= 3, "ingest hears the gateway")
        assert ingest.heard == [
            "application/7/device/01/event/up",
            f"{OWN}/readings",
            "veldwatch/v1/kasama-water/a.b/events",
        ]


@pytest.mark.usefixtures("devices")
def test_a_device_with_a_wildcards_name_speaks_for_no_other(
    broker: EmbeddedBroker, dsn: str, connection: Connection
) -> None:
    star = _create(connection, "*")
    with _followed(dsn, broker), _programs(broker) as ingest:
        assert ingest.subscribe("#")
        with _device(broker, star) as forger:
            forger.attempt(f"{OWN}/readings")
            forger.attempt("anything")
        ingest.publish("end/of/list")
        until(lambda: "end/of/list" in ingest.heard, "the broker delivers")
        assert ingest.heard == ["end/of/list"]


@pytest.mark.usefixtures("devices")
def test_while_the_register_is_away_everybody_stays_as_they_were(
    broker: EmbeddedBroker, dsn: str, connection: Connection
) -> None:
    meter = _create(connection)
    with _followed(dsn, broker):
        with _device(broker, meter) as before:
            connection.execute("ALTER TABLE credential RENAME TO hidden")
            connection.execute("NOTIFY credential")
            connection.commit()
            before.publish(f"{OWN}/readings")
        connection.execute("ALTER TABLE hidden RENAME TO credential")
        connection.commit()
        other = _create(connection, "meter-2")
        with _device(broker, other), _device(broker, meter):
            pass
