"""TLS, and certificates in place of passwords, as deployed: for ingest and for devices."""

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ingest.subscriber import Subscriber
from launch.account_watch import AccountWatch
from simulators.publisher import Publisher
from simulators.report import Message
from tests.integration.deploy.brokers import ACCOUNTS, account_files, broker, passwords
from tests.integration.deploy.certificates import Authority
from tests.integration.launch.mqtt_clients import Peer, until
from veldwatch.config import Settings, load_settings
from veldwatch.errors import ConfigurationInvalid
from veldwatch.model.register import Device
from veldwatch.storage import credentials, register
from veldwatch.storage.connection import Connection
from veldwatch.storage.credentials import NewCredential

KINDS = ["nats", "mosquitto"]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Give an authority that has signed for the broker."""
    made = Authority(tmp_path / "tls")
    made.sign("broker", "localhost", dns="localhost")
    return made


@contextmanager
def _ingest(settings: Settings) -> Generator[Subscriber]:
    subscriber = Subscriber(settings)
    subscriber.start()
    try:
        yield subscriber
    finally:
        subscriber.stop()


def _settings(port: int, authority: Authority, **more: object) -> Settings:
    return load_settings(
        mqtt_host="localhost", mqtt_port=port, mqtt_tls=True, mqtt_ca_file=authority.certificate, **more
    )


def _taken(subscriber: Subscriber) -> list[str]:
    deadline = time.monotonic() + 15
    topics: list[str] = []
    while not topics and time.monotonic() < deadline:
        taken = subscriber.take(100, 0.5, 0.05)
        topics = [message.topic for message in taken.messages]
        subscriber.acknowledge(taken)
    return topics


@pytest.mark.parametrize("kind", KINDS)
def test_ingest_and_devices_speak_tls(kind: str, tmp_path: Path, authority: Authority) -> None:
    password = {"mqtt_username": "ingest", "mqtt_password": ACCOUNTS["ingest"]}
    with (
        broker(kind, tmp_path, listener="tls") as port,
        _ingest(_settings(port, authority, **password)) as ingest,
    ):
        assert ingest.connected.wait(15)
        with Peer(port, "devices", ACCOUNTS["devices"], tls=authority.client()) as device:
            device.publish("wmbusmeters/meter")
        assert _taken(ingest) == ["wmbusmeters/meter"]
        with pytest.raises(PermissionError), Peer(port, "devices", ACCOUNTS["devices"]):
            pass  # without TLS


@pytest.mark.parametrize("kind", KINDS)
def test_simulators_publish_in_bulk_over_tls(kind: str, tmp_path: Path, authority: Authority) -> None:
    count = 3000
    messages = [Message(0, f"wmbusmeters/meter-{number}", b"x" * 200) for number in range(count)]
    password = {"mqtt_username": "ingest", "mqtt_password": ACCOUNTS["ingest"]}
    devices = {"mqtt_username": "devices", "mqtt_password": ACCOUNTS["devices"]}
    with (
        broker(kind, tmp_path, listener="tls") as port,
        _ingest(_settings(port, authority, **password)) as ingest,
    ):
        assert ingest.connected.wait(15)
        with Publisher(_settings(port, authority, **devices), threading.Event(), client_id="bulk") as publisher:
            assert publisher.publish_many(messages)
            assert publisher.flush(30)
        topics: list[str] = []
        until(lambda: len(topics.__iadd__(_taken(ingest))) >= count, "all of them are there")
        assert topics == [message.topic for message in messages]


# paho forgets to close the socket of a handshake that failed
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_ingest_trusts_nobody_but_its_authority(kind: str, tmp_path: Path, authority: Authority) -> None:
    stranger = Authority(tmp_path / "other", "stranger")
    password = {"mqtt_username": "ingest", "mqtt_password": ACCOUNTS["ingest"]}
    with (
        broker(kind, tmp_path, listener="tls") as port,
        _ingest(_settings(port, stranger, **password)) as deceived,
        _ingest(_settings(port, authority, mqtt_client_id="trusting", **password)) as trusting,
    ):
        assert trusting.connected.wait(15)
        assert not deceived.connected.wait(1)


# as above, for those who are not let in
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_a_certificate_is_the_device_whose_subject_it_bears(
    kind: str, tmp_path: Path, authority: Authority, dsn: str, connection: Connection
) -> None:
    organisation = register.ensure_organisation(connection, "kasama-water")
    for external in ("meter-1", "meter-2"):
        register.ensure_device(
            connection, Device(organisation_id=organisation, external_id=external, source="veldwatch")
        )
    made = credentials.create_credential(
        connection,
        None,
        NewCredential(organisation="kasama-water", devices=("meter-1",), subject="CN=meter-1,O=kasama-water"),
        by="tests",
    )
    programs = credentials.create_credential(
        connection,
        None,
        NewCredential(
            organisation="kasama-water",
            subject="CN=listener",
            subscribe=("wmbusmeters/#", "veldwatch/v1/kasama-water/#"),
        ),
        by="tests",
    )
    assert programs.username == "CN=listener"
    connection.commit()
    meter = authority.sign("meter", "meter-1", "kasama-water")
    renewed = authority.sign("renewed", "meter-1", "kasama-water")
    unknown = authority.sign("unknown", "meter-2", "kasama-water")
    listener = authority.sign("listener", "listener")
    forged = Authority(tmp_path / "other", "stranger").sign("meter", "meter-1", "kasama-water")
    own = "veldwatch/v1/kasama-water/meter-1"
    with broker(kind, tmp_path, listener="certificates") as port, _followed(dsn, kind, tmp_path / "accounts"):
        until(lambda: _lets_in(port, authority, listener), "the listener is not let in")
        with Peer(port, "", "", tls=authority.client(listener)) as heard:
            heard.subscribe("veldwatch/v1/kasama-water/#")
            for certificate in (unknown, forged, None):
                _try_to_speak(port, authority, certificate, f"{own}/readings")
            with Peer(port, "", "", tls=authority.client(meter)) as device:
                device.attempt("veldwatch/v1/kasama-water/meter-2/readings")
            with Peer(port, "", "", tls=authority.client(meter)) as device:
                device.publish(f"{own}/readings")
            with Peer(port, "", "", tls=authority.client(renewed)) as device:
                device.publish(f"{own}/events")
                until(lambda: len(heard.heard) >= 2, "the device is heard")
                assert heard.heard == [f"{own}/readings", f"{own}/events"]
                credentials.revoke_credential(connection, None, made.id, by="tests")
                connection.commit()
                until(lambda: _is_refused(device, f"{own}/readings", heard), "the revoked certificate is heard")
            _try_to_speak(port, authority, meter, f"{own}/positions")
            before = len(heard.heard)
            time.sleep(1)
            assert len(heard.heard) == before
            assert f"{own}/positions" not in heard.heard


def test_ingest_shows_its_certificate_to_nats(tmp_path: Path, authority: Authority) -> None:
    """A DNS name in a certificate names an account too: one of the programs in users.conf, beside its password."""
    certificate = authority.sign("ingest", "ingest", dns="ingest")
    device = authority.sign("devices", "gateway", dns="devices")
    files = {"mqtt_certificate_file": certificate, "mqtt_key_file": certificate.with_suffix(".key")}
    files |= {"mqtt_username": "ingest", "mqtt_password": ACCOUNTS["ingest"]}
    with (
        broker("nats", tmp_path, listener="certificates") as port,
        _ingest(_settings(port, authority, **files)) as ingest,
    ):
        assert ingest.connected.wait(15)
        with Peer(port, "devices", ACCOUNTS["devices"], tls=authority.client(device)) as gateway:
            gateway.publish("wmbusmeters/meter")
        assert _taken(ingest) == ["wmbusmeters/meter"]


def test_a_file_that_is_no_certificate_is_named(tmp_path: Path, authority: Authority) -> None:
    wrong = tmp_path / "wrong.crt"
    wrong.write_text("nothing", encoding="ascii")
    for files in (
        {"mqtt_ca_file": wrong},
        {"mqtt_ca_file": tmp_path / "missing"},
        {"mqtt_ca_file": authority.certificate, "mqtt_certificate_file": wrong},
        {"mqtt_ca_file": authority.certificate, "mqtt_certificate_file": authority.certificate},
    ):
        with pytest.raises(ConfigurationInvalid, match="VELDWATCH_MQTT_CA_FILE"):
            Subscriber(load_settings(mqtt_tls=True, **files))


@contextmanager
def _followed(dsn: str, kind: str, folder: Path) -> Generator[None]:
    stop = threading.Event()
    watch = AccountWatch(dsn, account_files(kind, folder, passwords(folder.parent), certificates=True))
    thread = threading.Thread(target=watch.run, args=(stop,))
    thread.start()
    try:
        assert watch.written.wait(20)
        yield
    finally:
        stop.set()
        thread.join(20)


def _lets_in(port: int, authority: Authority, certificate: Path) -> bool:
    try:
        with Peer(port, "", "", tls=authority.client(certificate)) as peer:
            return peer.subscribe("wmbusmeters/#")
    except PermissionError:
        return False


def _try_to_speak(port: int, authority: Authority, certificate: Path | None, topic: str) -> None:
    """NATS lets nobody in who has no account; Mosquitto lets in who has a certificate, and gives no rights."""
    try:
        with Peer(port, "", "", tls=authority.client(certificate)) as peer:
            peer.attempt(topic)
    except PermissionError:
        pass


def _is_refused(device: Peer, topic: str, heard: Peer) -> bool:
    before = len(heard.heard)
    device.attempt(topic)
    time.sleep(0.3)
    return device.cut_off.is_set() or len(heard.heard) == before
