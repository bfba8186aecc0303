"""Sources in the database: kept as they were said, in order, and only those that can work."""

from datetime import UTC, datetime

import pytest

from veldwatch.config import DEFAULT_SOURCES, Source
from veldwatch.errors import ConfigurationInvalid, NotFound, StorageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.register import Device
from veldwatch.storage import ingestors, quarantine, register
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.ingestors import IngestorState, SourceState
from veldwatch.storage.quarantine import Quarantined
from veldwatch.storage.sources import (
    SourceCounts,
    count_by_source,
    get_source,
    in_order,
    list_sources,
    remove_source,
    save_source,
)

METERS = Source(
    name="meters", topic_filter="meters/+", decoder="wmbusmeters", organisation="town", register_unknown=True
)


def test_a_source_is_given_back_as_it_was_said(connection: Connection) -> None:
    assert save_source(connection, METERS, "control room", priority=7, enabled=False)
    found = get_source(connection, "meters")
    assert (found.source, found.priority, found.enabled, found.updated_by) == (METERS, 7, False, "control room")


def test_the_same_again_changes_nothing(connection: Connection) -> None:
    save_source(connection, METERS, "first")
    before = get_source(connection, "meters")
    assert not save_source(connection, METERS, "second")
    assert get_source(connection, "meters") == before
    assert save_source(connection, METERS, "second", priority=1)
    assert get_source(connection, "meters").updated_by == "second"


def test_sources_are_asked_by_priority_and_name_before_those_of_the_settings(connection: Connection) -> None:
    save_source(connection, METERS.model_copy(update={"name": "b"}), "x")
    save_source(connection, METERS.model_copy(update={"name": "a"}), "x")
    save_source(connection, METERS.model_copy(update={"name": "last"}), "x", priority=200)
    save_source(connection, METERS.model_copy(update={"name": "off"}), "x", enabled=False)
    save_source(connection, METERS.model_copy(update={"name": "owntracks"}), "x", priority=1)
    save_source(connection, METERS.model_copy(update={"name": "chirpstack"}), "x", enabled=False)
    asked = [source.name for source in in_order(list_sources(connection), DEFAULT_SOURCES)]
    others = [source.name for source in DEFAULT_SOURCES if source.name not in ("owntracks", "chirpstack")]
    assert asked == ["owntracks", "a", "b", "last", *others]


@pytest.mark.parametrize(
    "changed",
    [{"topic_filter": "a#"}, {"decoder": "unheard-of"}, {"options": {"unheard": 1}}, {"organisation": "No Slug"}],
)
def test_a_source_that_could_not_work_is_refused(connection: Connection, changed: dict[str, object]) -> None:
    with pytest.raises(ConfigurationInvalid):
        save_source(connection, METERS.model_copy(update=changed), "x")
    assert list_sources(connection) == []


def test_a_source_that_is_gone_is_not_found(connection: Connection) -> None:
    save_source(connection, METERS, "x")
    remove_source(connection, "meters")
    with pytest.raises(NotFound):
        get_source(connection, "meters")
    with pytest.raises(NotFound):
        remove_source(connection, "meters")


@pytest.mark.parametrize(
    "column", ["name = 'No Slug'", "options = '[]'", "organisation = 'No Slug'", "topic_filter = ''"]
)
def test_the_schema_refuses_what_no_source_can_be(connection: Connection, column: str) -> None:
    save_source(connection, METERS, "x")
    with pytest.raises(StorageRejected), translated_errors(), connection.transaction():
        connection.execute(f"UPDATE source SET {column}".encode())


def test_devices_and_quarantined_messages_are_counted(connection: Connection) -> None:
    organisation = register.ensure_organisation(connection, "town")
    for name in ("a", "b"):
        register.ensure_device(connection, Device(organisation_id=organisation, external_id=name, source="meters"))
    now = datetime(2026, 11, 22, tzinfo=UTC)
    quarantine.add(connection, [Quarantined(now, "meters", "t", b"1", Reason.BAD_VALUE, "x")])
    quarantine.add(connection, [Quarantined(now, "", "t", b"2", Reason.NO_SOURCE, "x")])
    state = SourceState("meters", 5, 1, 2.5, now, None)
    for name in ("one", "two"):
        said = IngestorState(name, now, datetime.now(UTC), "5", True, 0, None, None, None, (state,))
        ingestors.save(connection, said)
    assert count_by_source(connection) == {"meters": SourceCounts(2, 1, now, 5.0), "": SourceCounts(0, 1)}
