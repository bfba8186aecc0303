"""The application as `veldwatch api run` serves it, over a test's own database, and a small register."""

import base64
from collections.abc import Generator
from dataclasses import dataclass

import pytest
from fastapi.testclient import TestClient

from launch.web import create_web_app
from veldwatch.config import Source, load_settings
from veldwatch.model.register import Device
from veldwatch.storage import credentials, register
from veldwatch.storage.connection import Connection
from veldwatch.storage.credentials import Issued, NewCredential
from veldwatch.storage.tokens import Role, create_token

SOURCES = (
    Source(name="veldwatch", topic_filter="veldwatch/v1/#", decoder="veldwatch"),
    Source(
        name="lorawan",
        topic_filter="application/+/device/+/event/+",
        decoder="chirpstack",
        organisation="kasama-water",
        register_unknown=True,
    ),
    Source(name="trackers", topic_filter="owntracks/+/+/#", decoder="owntracks", organisation="luangwa"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Senders:
    """Headers of those who send."""

    everybody: dict[str, str]
    water: dict[str, str]
    viewer: dict[str, str]
    meter: dict[str, str]
    gateway: dict[str, str]
    meter_credential: Issued


@pytest.fixture
def senders(connection: Connection) -> Senders:
    for slug in ("kasama-water", "luangwa"):
        organisation = register.ensure_organisation(connection, slug)
        for external in ("meter-1", "meter-2"):
            register.ensure_device(
                connection, Device(organisation_id=organisation, external_id=external, source="veldwatch")
            )
    meter = credentials.create_credential(
        connection, None, NewCredential(organisation="kasama-water", devices=("meter-1",)), by="tests"
    )
    gateway = credentials.create_credential(
        connection, None, NewCredential(organisation="kasama-water", publish=("application/#",)), by="tests"
    )
    made = Senders(
        everybody=_bearer(create_token(connection, name="all", role=Role.OPERATOR)),
        water=_bearer(create_token(connection, name="water", role=Role.OPERATOR, organisation="kasama-water")),
        viewer=_bearer(create_token(connection, name="screen", role=Role.VIEWER)),
        meter=basic(meter.username, meter.secret or ""),
        gateway=basic(gateway.username, gateway.secret or ""),
        meter_credential=meter,
    )
    connection.commit()
    return made


@pytest.fixture
def client(dsn: str, senders: Senders) -> Generator[TestClient]:
    del senders  # the register is there before the first request
    with TestClient(create_web_app(load_settings(dsn=dsn, sources=SOURCES))) as opened:
        yield opened


def basic(name: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
