"""Deployments on a real server: animals change collars, service points change meters, history stays right."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from veldwatch.errors import Conflict, NotFound, RequestInvalid
from veldwatch.model.identifiers import DeviceId, OrganisationId, SubjectId
from veldwatch.model.register import Device, Subject
from veldwatch.storage import deployments, log, register
from veldwatch.storage.connection import Connection
from veldwatch.storage.deployments import SubjectFilter
from veldwatch.storage.intake import IntakeWriter
from veldwatch.storage.timespan import Timespan

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def organisation(connection: Connection) -> OrganisationId:
    return register.ensure_organisation(connection, "kasama")


@pytest.fixture
def meters(connection: Connection, organisation: OrganisationId) -> tuple[DeviceId, DeviceId]:
    old, new = (
        register.ensure_device(connection, Device(organisation_id=organisation, external_id=name, source="veldwatch"))
        for name in ("old", "new")
    )
    return old, new


@pytest.fixture
def points(connection: Connection, organisation: OrganisationId) -> tuple[SubjectId, SubjectId]:
    first, second = (
        register.ensure_subject(
            connection, Subject(organisation_id=organisation, slug=slug, name=slug, kind="service_point")
        )
        for slug in ("mulenga-4", "mulenga-6")
    )
    return first, second


def _ranges(connection: Connection, device_id: DeviceId) -> list[tuple[str, datetime | None, datetime | None]]:
    rows = deployments.list_deployments(connection, device_id=device_id)
    return [(row["subject"], row["since"], row["until"]) for row in rows[::-1]]


def test_a_device_that_is_moved_leaves_where_it_was(
    connection: Connection, meters: tuple[DeviceId, DeviceId], points: tuple[SubjectId, SubjectId]
) -> None:
    deployments.create_deployment(connection, meters[0], points[0], None)
    deployments.move_device(connection, meters[0], points[1], NOON)
    assert _ranges(connection, meters[0]) == [("mulenga-4", None, NOON), ("mulenga-6", NOON, None)]


def test_an_overlap_is_refused_and_names_the_deployment_in_the_way(
    connection: Connection, meters: tuple[DeviceId, DeviceId], points: tuple[SubjectId, SubjectId]
) -> None:
    number = deployments.create_deployment(connection, meters[0], points[0], NOON, NOON + HOUR)
    with pytest.raises(Conflict, match=rf"on subject 'mulenga-4' from 2026-03-01T12:00:00.*deployment {number}"):
        deployments.create_deployment(connection, meters[0], points[1], NOON - HOUR, NOON + HOUR / 2)
    with pytest.raises(Conflict):
        deployments.move_device(connection, meters[0], points[1], NOON - HOUR)
    deployments.create_deployment(connection, meters[0], points[1], NOON + HOUR)
    with pytest.raises(RequestInvalid, match="expected a time after"):
        deployments.create_deployment(connection, meters[0], points[1], NOON, NOON)


def test_a_deployment_is_ended_corrected_and_forgotten(
    connection: Connection, meters: tuple[DeviceId, DeviceId], points: tuple[SubjectId, SubjectId]
) -> None:
    number = deployments.create_deployment(connection, meters[0], points[0], NOON)
    assert deployments.end_deployment(connection, meters[0], NOON + HOUR) == number
    with pytest.raises(Conflict, match="nothing to end"):
        deployments.end_deployment(connection, meters[0], NOON + HOUR)
    found = deployments.get_deployment(connection, None, number)
    deployments.correct_deployment(connection, found, NOON - HOUR, None)
    assert _ranges(connection, meters[0]) == [("mulenga-4", NOON - HOUR, None)]
    deployments.delete_deployment(connection, number)
    with pytest.raises(NotFound):
        deployments.get_deployment(connection, None, number)
    with pytest.raises(NotFound, match="no device"):
        deployments.create_deployment(connection, DeviceId(10**6), points[0], NOON)


def test_history_of_a_service_point_follows_the_exchange_of_its_meter(
    dsn: str, connection: Connection, meters: tuple[DeviceId, DeviceId], points: tuple[SubjectId, SubjectId]
) -> None:
    deployments.create_deployment(connection, meters[0], points[0], None)
    deployments.exchange_device(connection, meters[0], meters[1], points[0], NOON)
    known = register.ensure_series(connection, [(meter, "volume", "m3") for meter in meters])
    connection.commit()
    rows = np.zeros(8, log.READINGS)
    rows["series_id"] = np.repeat([known[meter, "volume"].series_id for meter in meters], 4)
    start = round(NOON.timestamp()) - 2 * 3600
    rows["observed_at"] = rows["received_at"] = np.tile((start + 3600 * np.arange(4)) * 1_000_000, 2)
    rows["value"] = np.arange(8)
    writer = IntakeWriter(dsn, prepare=False)
    writer.make_room("reading_raw", rows["observed_at"])
    with writer.connection.transaction():
        writer.store_readings(rows)
    writer.close()
    oldest_first = deployments.subject_readings(connection, points[0], "volume", Timespan(limit=10))
    assert [(row["device"], row["value"]) for row in oldest_first] == [("old", 0), ("old", 1), ("new", 6), ("new", 7)]
    newest_first = deployments.subject_readings(
        connection, points[0], None, Timespan(limit=2, newest_first=True, since=NOON - HOUR)
    )
    assert [row["value"] for row in newest_first] == [7, 6]
    page = Timespan(limit=2, after=(oldest_first[1]["observed_at"], oldest_first[1]["series_id"]))
    assert [row["value"] for row in deployments.subject_readings(connection, points[0], None, page)] == [6, 7]
    assert deployments.subject_readings(connection, points[1], None, Timespan(limit=10)) == []


def test_only_a_device_that_is_there_can_be_exchanged(
    connection: Connection, meters: tuple[DeviceId, DeviceId], points: tuple[SubjectId, SubjectId]
) -> None:
    deployments.create_deployment(connection, meters[0], points[0], NOON)
    with pytest.raises(Conflict, match="nothing to exchange"):
        deployments.exchange_device(connection, meters[0], meters[1], points[0], NOON)
    with pytest.raises(Conflict, match="nothing to exchange"):
        deployments.exchange_device(connection, meters[1], meters[0], points[0], NOON + HOUR)


def test_a_subject_is_found_with_its_devices_within_the_askers_organisation(
    connection: Connection, organisation: OrganisationId, meters: tuple[DeviceId, DeviceId]
) -> None:
    elephant = Subject(
        organisation_id=organisation, slug="tembo", name="T", kind="animal", species="african SAVANNA elephant"
    )
    subject = register.ensure_subject(connection, elephant)
    deployments.create_deployment(connection, meters[0], subject, datetime(2020, 1, 1, tzinfo=UTC))
    found = deployments.find_subject(connection, organisation, "tembo")
    assert (found["species"], found["speed_limit"]) == ("Loxodonta africana", 12)
    assert found["devices"] == [{"device_id": meters[0], "device": "old"}]
    assert deployments.list_subjects(connection, organisation + 1, SubjectFilter()) == []
    other = register.ensure_organisation(connection, "other")
    register.ensure_subject(connection, Subject(organisation_id=other, slug="tembo", name="T", kind="animal"))
    with pytest.raises(RequestInvalid, match="several organisations"):
        deployments.find_subject(connection, None, "tembo")
    with pytest.raises(NotFound):
        deployments.find_subject(connection, None, "absent")
