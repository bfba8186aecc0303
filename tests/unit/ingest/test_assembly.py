"""Rows of a batch are the same whether a message came as a scan or in the general form."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import count

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.assembly import Rows, assemble, devices_in, microseconds, series_in, series_of, sort
from ingest.decoding import Understood
from ingest.names import Names, SeriesEntry
from veldwatch.config import Source, load_settings
from veldwatch.model.identifiers import DeviceId, SeriesId
from veldwatch.model.telemetry import Decoded, Message, Position, Scan
from veldwatch.wire.sources import Route
from veldwatch.wire.units import conversion
from veldwatch.wire.veldwatch_json import decode

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
ROUTE = Route(source=Source(name="ours", topic_filter="#", decoder="veldwatch"), decode=decode)
_NOTHING = Decoded(None)

moments = st.integers(0, 50).map(lambda steps: NOW - timedelta(minutes=steps))


def scan_of(device: str, moment: datetime, said: dict[str, tuple[float, str | None]], quality: int) -> Scan:
    units, values = tuple(unit for _, unit in said.values()), [value for value, _ in said.values()]
    return Scan("demo", device, moment, tuple(said), units, values, quality)


scans = st.builds(
    scan_of,
    st.sampled_from(["m1", "m2", "m3"]),
    moments,
    st.dictionaries(
        st.sampled_from(["flow", "volume"]),
        st.tuples(st.floats(-1e6, 1e6), st.sampled_from([None, "L/h", "m3/h", "Cel"])),
        min_size=1,
    ),
    st.sampled_from([0, 1, 4]),
)
arrivals = st.integers(0, 3).map(lambda steps: NOW + timedelta(seconds=steps))


def understood(scan: Scan, arrival: datetime, *, retained: bool, general: bool) -> Understood:
    message = Message(f"veldwatch/v1/demo/{scan.device}/readings", b"", arrival, retained)
    if general:
        return Understood(message, ROUTE, "demo", Decoded("demo", readings=scan.readings()))
    return Understood(message, ROUTE, "demo", _NOTHING, (scan,))


def known(items: Iterable[Understood]) -> Names:
    """Names of all that the messages say, without a database: ids in order of the names."""
    names, listed = Names(load_settings()), list(items)
    for number, name in enumerate(sorted(devices_in(listed))):
        names.devices[name] = DeviceId(number)
    batch, ids = sort(listed), count()
    for name in sorted({*series_in(batch.general), *series_of(batch.names)}, key=repr):
        own = "m3/h" if name[3] == "L/h" else name[3] or ""
        change = None if name[3] == "Cel" else conversion(name[3] or "", own) if name[3] else conversion("m3", "m3")
        names.series[name] = SeriesEntry(SeriesId(next(ids)), names.devices[name[:2]], change, "another dimension")
    names.learn_scans(dict.fromkeys(batch.names))
    return names


def rows_of(items: list[Understood], names: Names, *, each_arrival: bool) -> Rows:
    batch = sort(items)
    names.learn_scans(dict.fromkeys(batch.names))
    return assemble(batch, series_in(batch.general), names, each_arrival=each_arrival)


@given(st.lists(st.tuples(scans, arrivals, st.booleans(), st.booleans()), max_size=12), st.booleans())
def test_a_scan_gives_the_rows_of_its_readings(
    said: list[tuple[Scan, datetime, bool, bool]], each_arrival: bool
) -> None:
    general = [understood(s, at, retained=kept, general=True) for s, at, kept, _ in said]
    mixed = [understood(s, at, retained=kept, general=form) for s, at, kept, form in said]
    names = known([*general, *mixed])
    expected = rows_of(general, names, each_arrival=each_arrival)
    found = rows_of(mixed, names, each_arrival=each_arrival)
    np.testing.assert_array_equal(np.sort(found.readings), np.sort(expected.readings))
    np.testing.assert_array_equal(np.sort(found.contacts), np.sort(expected.contacts))
    assert len(found.mismatched) == len(expected.mismatched)
    order = sort(mixed).messages()
    places: list[int] = found.readings_message.tolist()
    for at, arrival, place in zip(
        found.readings["observed_at"].tolist(),
        found.readings["received_at"].tolist(),
        places,
        strict=True,
    ):
        item = order[place]
        own = [*item.decoded.readings, *(reading for scan in item.scans for reading in scan.readings())]
        assert arrival == microseconds(item.message.received_at)
        assert at in {microseconds(reading.observed_at) for reading in own}


def test_a_last_will_beside_a_sign_of_life_has_a_moment_of_its_own() -> None:
    alive = understood(Scan("demo", "m1", NOW, ("flow",), (None,), [1.0]), NOW, retained=False, general=False)
    will = Understood(alive.message, ROUTE, "demo", Decoded("demo", heard=("m1",), online=False))
    items = [will, alive]
    contacts = rows_of(items, known(items), each_arrival=False).contacts
    assert sorted(contacts[["received_at", "online"]].tolist()) == [
        (round(NOW.timestamp() * 1e6), True),
        (round(NOW.timestamp() * 1e6) + 1, False),
    ]


@pytest.mark.parametrize("general", [True, False])
def test_a_fix_and_a_scan_of_one_device_are_one_contact(*, general: bool) -> None:
    scan = understood(Scan("demo", "m1", NOW, ("flow",), (None,), [1.0]), NOW, retained=False, general=general)
    fix = Position("m1", NOW - timedelta(hours=1), 31.0, -24.0)
    other = Understood(scan.message, ROUTE, "demo", Decoded("demo", positions=(fix,)))
    items = [scan, other]
    (contact,) = rows_of(items, known(items), each_arrival=False).contacts
    assert contact["messages"] == 2
    assert contact["last_observed_at"] - contact["first_observed_at"] == 3_600_000_000


@pytest.mark.parametrize("general", [True, False])
def test_a_message_of_several_scans_is_heard_once(*, general: bool) -> None:
    said = tuple(Scan("demo", "m1", NOW - timedelta(hours=n), ("flow",), (None,), [float(n)]) for n in range(3))
    message = Message("veldwatch/v1/demo/m1/readings", b"", NOW)
    item = Understood(message, ROUTE, "demo", _NOTHING, said)
    if general:
        rows = tuple(row for scan in said for row in scan.readings())
        item = Understood(message, ROUTE, "demo", Decoded("demo", readings=rows))
    again = item._replace(message=message._replace(payload=b"again"))
    found = rows_of([item, again], known([item]), each_arrival=False)
    (contact,) = found.contacts
    assert contact["messages"] == 2
    assert contact["last_observed_at"] - contact["first_observed_at"] == 2 * 3_600_000_000
    assert len(found.readings) == 6
