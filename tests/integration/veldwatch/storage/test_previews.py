"""A source that is tried is held against the sources and the register as they are, and nothing is written."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from veldwatch.config import Settings
from veldwatch.errors import ConfigurationInvalid, NotFound
from veldwatch.model.reasons import Reason
from veldwatch.model.register import Device, DeviceStatus, Profile, ProfileMetric
from veldwatch.model.telemetry import Quality
from veldwatch.storage import register
from veldwatch.storage.connection import Connection
from veldwatch.storage.previews import Trial, try_source
from veldwatch.storage.sources import save_source
from veldwatch.wire.preview import Preview
from veldwatch.wire.source_document import SourceDefinition

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
SETTINGS = Settings()
OPTIONS: dict[str, Any] = {
    "device": "{topic[1]}",
    "metrics": [{"name": "volume", "value": "$.l", "unit": "L"}, {"name": "flow", "value": "$.f", "unit": "L/h"}],
}
METERS = SourceDefinition(
    name="meters", topic_filter="meters/+", decoder="mapping", options=OPTIONS, organisation="town"
)


def attempt(
    connection: Connection,
    source: SourceDefinition | str | None,
    topic: str | None = "meters/m1",
    document: object = None,
    organisation: str | None = None,
) -> Preview:
    payload = json.dumps({"l": 1500, "f": 7} if document is None else document).encode()
    trial = Trial(source=source, topic=topic, payload=payload, received_at=NOW)
    return try_source(connection, SETTINGS, trial, organisation=organisation)


@pytest.fixture
def registered(connection: Connection) -> Connection:
    town = register.ensure_organisation(connection, "town")
    metric = ProfileMetric(metric="flow", unit="m3/h", minimum=0, maximum=2)
    profile = register.ensure_profile(connection, Profile(slug="p", name="P", kind="meter", metrics=(metric,)))
    device = Device(organisation_id=town, external_id="m1", source="x", profile_id=profile, status=DeviceStatus.ACTIVE)
    number = register.ensure_device(connection, device)
    register.ensure_series(connection, [(number, "volume", "m3")])
    return connection


def test_values_are_told_in_the_units_of_their_series_or_the_devices_profile(registered: Connection) -> None:
    found = attempt(registered, METERS)
    assert [(r.metric, r.value, r.unit) for r in found.readings] == [("volume", 1.5, "m3"), ("flow", 0.007, "m3/h")]
    assert found.devices == (("m1", "active"),)
    assert found.outcome == "stored"


def test_a_value_out_of_its_plausible_range_is_marked(registered: Connection) -> None:
    found = attempt(registered, METERS, document={"l": 1, "f": 2001})
    assert [bool(r.quality & Quality.IMPLAUSIBLE) for r in found.readings] == [False, True]


@pytest.mark.parametrize(
    ("status", "reason"),
    [(DeviceStatus.RETIRED, Reason.DEVICE_RETIRED), (DeviceStatus.REFUSED, Reason.DEVICE_REFUSED)],
)
def test_a_device_that_may_not_speak_is_told(registered: Connection, status: DeviceStatus, reason: Reason) -> None:
    registered.execute("UPDATE device SET status = %s", (status.value,))
    found = attempt(registered, METERS)
    assert (found.outcome, found.devices, found.rejections[0].reason) == (
        "quarantined",
        (("m1", status.value),),
        reason,
    )


def test_a_device_registers_itself_only_under_a_name_that_fits(registered: Connection) -> None:
    source = METERS.model_copy(update={"register_unknown": True, "device_pattern": "m[0-9]"})
    assert attempt(registered, source, "meters/m7").devices == (("m7", "new"),)
    assert attempt(registered, source, "meters/m77").rejections[0].reason is Reason.UNKNOWN_DEVICE


def test_a_unit_that_cannot_become_the_series_own_is_a_rejection(registered: Connection) -> None:
    options = {**OPTIONS, "metrics": [{"name": "volume", "value": "$.l", "unit": "kWh"}]}
    found = attempt(registered, METERS.model_copy(update={"options": options}))
    assert (found.readings, found.rejections[0].reason) == ((), Reason.UNIT_MISMATCH)


@pytest.mark.parametrize(
    ("may", "topic", "organisation", "state", "reason"),
    [
        (True, "meters/m2", "town", "new", None),
        (False, "meters/m2", "town", "unknown", Reason.UNKNOWN_DEVICE),
        (False, "meters/m1", "village", "unknown", Reason.UNKNOWN_ORGANISATION),
        (True, "meters/m1", "village", "new", None),
    ],
)
def test_a_device_that_is_not_registered_is_told(
    registered: Connection, *, may: bool, topic: str, organisation: str, state: str, reason: Reason | None
) -> None:
    source = METERS.model_copy(update={"register_unknown": may, "organisation": organisation})
    found = attempt(registered, source, topic)
    assert found.devices[0][1] == state
    assert [rejection.reason for rejection in found.rejections] == ([] if reason is None else [reason])
    assert found.outcome == ("stored" if reason is None else "quarantined")


def test_the_source_that_takes_a_topic_is_found(connection: Connection) -> None:
    save_source(connection, METERS.source, "x")
    assert attempt(connection, None).source == "meters"
    assert attempt(connection, None, "wmbusmeters/a").source == "wmbusmeters"
    assert attempt(connection, None, "nobody/a").rejections[0].reason is Reason.NO_SOURCE


def test_what_is_odd_is_said(connection: Connection) -> None:
    save_source(connection, METERS.source, "x", priority=10)
    late = METERS.model_copy(update={"name": "late", "topic_filter": "meters/#", "enabled": False})
    said = attempt(connection, late).warnings
    assert [warning.split(":")[0] for warning in said] == [
        "the source is disabled",
        "source 'meters' is asked before and takes this topic (give this one a smaller priority)",
    ]
    assert "does not take topic 'other/m1'" in attempt(connection, METERS, "other/m1").warnings[0]
    assert attempt(connection, "meters", None).warnings == ("no topic was given, so 'meters/x' was taken",)
    assert attempt(connection, "veldwatch", "veldwatch/v1/o/d/status").warnings == ()


def test_a_definition_that_cannot_work_is_refused_and_a_stored_one_is_what_its_messages_would_meet(
    connection: Connection,
) -> None:
    with pytest.raises(ConfigurationInvalid):
        attempt(connection, METERS.model_copy(update={"decoder": "uninstalled"}))
    save_source(connection, METERS.source, "x")
    connection.execute("UPDATE source SET decoder = 'uninstalled'")
    assert attempt(connection, "meters").rejections[0].reason is Reason.SOURCE_INVALID


def test_a_source_that_nobody_knows_or_may_see_is_not_found(registered: Connection) -> None:
    save_source(registered, METERS.source, "x")
    with pytest.raises(NotFound):
        attempt(registered, "nobody")
    with pytest.raises(NotFound):
        attempt(registered, "meters", organisation="village")
    with pytest.raises(NotFound):
        attempt(registered, None, organisation="village")
    assert attempt(registered, METERS, organisation="village").devices == (("m1", "not_checked"),)
    assert attempt(registered, "meters", organisation="town").devices == (("m1", "active"),)


def test_nothing_is_written(registered: Connection) -> None:
    registered.commit()
    attempt(registered, METERS.model_copy(update={"register_unknown": True}), "meters/new")
    registered.commit()
    for table in ("device", "series", "reading_raw", "quarantine", "source"):
        row = registered.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
        assert row == ({"device": 1, "series": 1}.get(table, 0),), table
