"""What single panels say where something was not heard, and of windows and sums that are not the usual ones."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import control_room, datasource, electricity, water
from dashboards.macros import Window, expand
from tests.integration.dashboards import world
from veldwatch.model.identifiers import DeviceId, SeriesId
from veldwatch.model.register import Device, Profile, Site
from veldwatch.storage import partitions, register
from veldwatch.storage.connection import Connection

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
START = datetime(2026, 3, 2, tzinfo=UTC)


def _device(connection: Connection, name: str, *, kind: str = "meter", expected: timedelta = HOUR / 4) -> DeviceId:
    """Register a device of the zone `north` of `kasama`; inlets are those whose name says so."""
    organisation = register.ensure_organisation(connection, "kasama")
    site = register.ensure_site(connection, Site(organisation_id=organisation, slug="north", name="North"))
    profile = register.ensure_profile(
        connection,
        Profile(slug=f"{kind}-{int(expected.total_seconds())}", name=kind, kind=kind, expected_interval=expected),
    )
    device = register.ensure_device(
        connection,
        Device(organisation_id=organisation, external_id=name, name=name, source="t", profile_id=profile, site_id=site),
    )
    connection.execute(
        "UPDATE device SET status = 'active', supplies_site = name ~ 'inlet',"
        " customers = CASE WHEN name ~ 'meter' THEN 1 END WHERE id = %s",
        (device,),
    )
    return device


def _series(
    connection: Connection,
    device: DeviceId,
    metric: str,
    unit: str,
    values: Mapping[datetime, float],
    *,
    kind: str = "gauge",
) -> SeriesId:
    found = register.ensure_series(connection, [(device, metric, unit)])[device, metric].series_id
    connection.execute("UPDATE series SET kind = %s WHERE id = %s", (kind, found))
    connection.commit()
    world.write(connection, found, values.items(), metric)
    return found


def _times(since: datetime, until: datetime, every: timedelta = HOUR / 4) -> list[datetime]:
    return [since + n * every for n in range(int((until - since) / every))]


def _ask(
    connection: Connection,
    dashboard: str,
    query: str,
    since: datetime,
    until: datetime,
    *,
    interval: timedelta = timedelta(minutes=1),
    terms: Mapping[str, str] | None = None,
) -> list[dict[str, Any]]:
    return _answer(connection, datasource.sql(dashboard, query, terms), since, until, interval)


def _answer(
    connection: Connection, query: str, since: datetime, until: datetime, interval: timedelta
) -> list[dict[str, Any]]:
    values = {"organisation": ["kasama"], "site": ["north"], "night_zone": ["UTC"], "tracker": []}
    sql = expand(query, Window(since=since, until=until, interval=interval), values)
    cursor = connection.execute(sql.encode())
    columns = [column.name for column in cursor.description or ()]
    return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def test_a_strip_reaches_to_the_end_of_the_window_wherever_its_stretches_begin(connection: Connection) -> None:
    """Stretches of two hours begin at even hours; the window at 01:30 and ends at 08:15, early in one."""
    device = _device(connection, "logger", kind="sensor")
    since, until = START + 1.5 * HOUR, START + 8.25 * HOUR
    partitions.ensure(connection, "contact", START, until)
    connection.execute(
        "INSERT INTO contact (received_at, device_id, messages) VALUES (%s, %s, 1)", (START + 8.1 * HOUR, device)
    )
    heard = [(row["time"], row["heard"]) for row in _ask(connection, "site", "contacts", since, until)]
    assert heard == [(since, 0), *((START + n * HOUR, int(n == 8)) for n in (2, 4, 6, 8))]


def test_a_strip_of_movement_reaches_to_the_end_of_the_window(connection: Connection) -> None:
    device = _device(connection, "collar", kind="tracker")
    values = {"organisation": ["kasama"], "tracker": [str(device)]}
    window = Window(since=START + 1.5 * HOUR, until=START + 8.25 * HOUR, interval=timedelta(minutes=1))
    sql = expand(datasource.sql("wildlife", "movement"), window, values)
    times = [row[0] for row in connection.execute(sql.encode()).fetchall()]
    assert times == [window.since, *(START + n * HOUR for n in (2, 4, 6, 8))]


FILL = {"chosen": "{{in_sites s}}", "most": "20"}


def test_a_level_counts_for_a_day_as_a_pressure_does(connection: Connection) -> None:
    device = _device(connection, "reservoir", kind="sensor")
    connection.execute(
        "INSERT INTO profile_metric (profile_id, metric, unit, maximum) SELECT id, 'level', 'm', 5 FROM profile"
    )
    _series(connection, device, "level", "m", {START: 2.0})
    _series(connection, device, "pressure", "bar", {START: 3.0})
    for after, fill, pressure in ((23 * HOUR, [40.0], 3.0), (25 * HOUR, [], None)):
        window = (START - HOUR, START + after)
        assert [row["fill"] for row in _ask(connection, "shared", "fill", *window, terms=FILL)] == fill
        assert _ask(connection, "water", "lowest_pressure", *window) == [{"pressure": pressure}]


@pytest.mark.parametrize(("customers", "told"), [(2, 0.0), (None, None)])
def test_no_outage_is_no_minute_without_supply(
    connection: Connection, customers: int | None, told: float | None
) -> None:
    """Unknown only where no customer has a meter."""
    meter = _device(connection, "meter")
    connection.execute("UPDATE device SET customers = %s", (customers,))
    _series(connection, meter, "energy", "kW.h", {START: 1.0}, kind="counter")
    rows = _ask(connection, "electricity", "reliability", START, START + DAY)
    assert rows == [{"name": "SAIDI, minutes", "value": told}, {"name": "SAIFI", "value": told}]


NIGHT = (START, START + 9 * HOUR)


def _inlet(
    connection: Connection,
    name: str,
    flow: float = 10.0,
    *,
    since: datetime = START - DAY,
    silent: tuple[datetime, datetime] | None = None,
    every: timedelta = HOUR / 4,
) -> SeriesId:
    """Register an inlet and write what flows through it, in m3/h, but for the time in which it was silent."""
    inlet = _device(connection, name, expected=every)
    times = [at for at in _times(since, NIGHT[1], every) if silent is None or not silent[0] <= at < silent[1]]
    return _series(connection, inlet, "flow_rate", "m3/h", dict.fromkeys(times, flow))


INFLOW, NIGHT_FLOW = (water.build, "Inflow"), (water.build, "Minimum night flow, five weeks")
INTO_ALL, POWER = (control_room.build, "Into the zones"), (electricity.build, "Power of all customers")


def _shown(
    connection: Connection, panel: tuple[Callable[[], Dashboard], str], interval: timedelta = timedelta(minutes=1)
) -> list[dict[str, Any]]:
    """Ask what a panel with its terms asks."""
    build, title = panel
    return _answer(connection, datasource.asked_by(build().build(), title), *NIGHT, interval)


def _drawn(
    connection: Connection, panel: tuple[Callable[[], Dashboard], str], interval: timedelta = timedelta(minutes=1)
) -> dict[float, float | None]:
    """Give what a picture shows, in m3/h, by hours from the window's start."""
    return {(row["time"] - START) / HOUR: row["flow"] for row in _shown(connection, panel, interval)}


def test_a_zone_s_inflow_is_not_told_while_one_of_its_inlets_is_silent(connection: Connection) -> None:
    _inlet(connection, "inlet 1")
    _inlet(connection, "inlet 2", silent=(START + 3 * HOUR, START + 4 * HOUR))
    world.roll_up_all(connection)
    quarters = [n / 4 for n in range(36)]
    for panel in (INFLOW, INTO_ALL):
        drawn = _drawn(connection, panel, HOUR / 4)
        assert drawn == {at: None if 3 <= at < 4 else pytest.approx(20.0) for at in drawn}, panel
        # the control room's buckets are of half an hour
        assert {at for at, flow in drawn.items() if flow} == {
            at for at in quarters if not 3 <= at < 4 and (panel == INFLOW or at % 0.5 == 0)
        }
    assert _drawn(connection, NIGHT_FLOW) == {0.0: pytest.approx(20.0)}


@pytest.mark.parametrize(
    ("hours", "last"),
    [(0.25, 20.0), (1.5, 20.0), (2.5, None), (3.0, None)],
    ids=["the half hour is not whole", "for less than two hours", "longer", "much longer"],
)
@pytest.mark.parametrize("inlets", [1, 2], ids=["one of two", "all"])
def test_what_flows_now_is_not_told_when_an_inlet_is_silent_for_hours(
    connection: Connection, hours: float, last: float | None, inlets: int
) -> None:
    silent = (NIGHT[1] - hours * HOUR, NIGHT[1])
    _inlet(connection, "inlet 1", silent=silent if inlets == 2 else None)
    _inlet(connection, "inlet 2", silent=silent)
    world.roll_up_all(connection)
    drawn = list(_drawn(connection, INTO_ALL, HOUR / 4).values())
    assert drawn[-1] == (last and pytest.approx(last))
    assert drawn[0] == pytest.approx(20.0)


def test_a_night_in_which_an_inlet_was_silent_has_no_minimum_flow(connection: Connection) -> None:
    _inlet(connection, "inlet 1")
    _inlet(connection, "inlet 2", silent=(START + HOUR, START + 5 * HOUR))
    world.roll_up_all(connection)
    assert _drawn(connection, NIGHT_FLOW) == {0.0: None}


def test_an_inlet_that_was_not_heard_at_all_is_not_waited_for(connection: Connection) -> None:
    _inlet(connection, "inlet 1")
    _inlet(connection, "inlet 2", silent=(START, NIGHT[1]))
    world.roll_up_all(connection)
    assert set(_drawn(connection, INFLOW).values()) == {10.0}
    assert set(_drawn(connection, INTO_ALL).values()) == {10.0}
    assert _drawn(connection, NIGHT_FLOW) == {0.0: 10.0}


def test_a_new_inlet_is_waited_for_from_its_first_value_on(connection: Connection) -> None:
    _inlet(connection, "inlet 1")
    _inlet(connection, "inlet 2", since=START + 6 * HOUR)
    world.roll_up_all(connection)
    for panel in (INFLOW, INTO_ALL):
        drawn = _drawn(connection, panel)
        assert drawn == {at: 10.0 if at < 6 else 20.0 for at in drawn}
    assert _drawn(connection, NIGHT_FLOW) == {0.0: 10.0}


def test_a_zone_whose_inlets_report_each_hour_is_drawn_by_hours(connection: Connection) -> None:
    _inlet(connection, "inlet 1")
    _inlet(connection, "inlet 2", every=HOUR)
    world.roll_up_all(connection)
    assert _drawn(connection, INFLOW) == {float(n): pytest.approx(20.0) for n in range(9)}


def test_the_zones_are_drawn_with_all_of_their_inlets(connection: Connection) -> None:
    for n in range(22):
        _inlet(connection, f"inlet {n:02}", 1.0, since=START)
    world.roll_up_all(connection)
    assert list(_drawn(connection, INFLOW).values()) == [pytest.approx(22.0)] * 36


def test_power_of_all_customers_is_told_while_less_than_a_twentieth_is_silent(connection: Connection) -> None:
    times = _times(START, NIGHT[1])
    for n in range(21):
        # the first is silent from 2 to 4, two more from 6 to 8
        gap = {0: (2, 4), 1: (6, 8), 2: (6, 8)}.get(n, (0, 0))
        meter = _device(connection, f"meter {n:02}")
        heard = [at for at in times if not gap[0] <= (at - START) / HOUR < gap[1]]
        _series(connection, meter, "power", "kW", dict.fromkeys(heard, 2.0))
    world.roll_up_all(connection)
    rows = _shown(connection, POWER)
    drawn = {(row["time"] - START) / HOUR: (row["average"], row["minimum"], row["maximum"]) for row in rows}
    expected = {0: 42.0, 2: 40.0, 4: 42.0, 6: None, 8: 42.0}
    assert drawn == {at: (power and pytest.approx(power),) * 3 for at, power in expected.items()}


WEEK = (START, START + 7 * DAY)


def _zone(
    connection: Connection, silent: Mapping[str, tuple[float, float]], *, begins: float = 0, **devices: float
) -> None:
    """Register inlets and meters, each with what it counts a day, and from which to which day it is silent."""
    unit = {"m3": "volume", "kW.h": "energy"}
    for name, daily in devices.items():
        device = _device(connection, name, expected=HOUR)
        gap = silent.get(name, (0, 0))
        times = [at for at in _times(*WEEK, HOUR) if not gap[0] <= (at - START) / DAY < gap[1]]
        for of, metric in unit.items():
            counted = {at: 1000 + daily * ((at - START) / DAY) for at in [START + begins * DAY - HOUR, *times]}
            _series(connection, device, metric, of, counted, kind="counter")
    connection.execute("UPDATE organisation SET currency = 'IDR', water_tariff = 10, energy_tariff = 10")
    connection.execute("UPDATE site SET customers = (SELECT sum(customers) FROM device)")
    world.roll_up_all(connection)


def _judged(connection: Connection) -> dict[str, object]:
    (row,) = _ask(connection, "water", "balance", *WEEK)
    (energy,) = _ask(connection, "electricity", "balance", *WEEK)
    assert {name: energy[name] for name in ("rest", "share", "worth")} == {
        name: row[name] for name in ("rest", "share", "worth")
    }
    assert (energy["judged"] == "not known") == (row["judged"] == "not known")
    (loss,) = _ask(connection, "water", "loss", *WEEK)
    return {"judged": row["judged"], "worth": row["worth"], "share": row["share"], "loss": loss["share"]}


NOT_KNOWN = {"judged": "not known", "worth": None, "share": None, "loss": None}


def test_a_zone_whose_inlets_and_meters_were_heard_is_judged(connection: Connection) -> None:
    _zone(connection, {}, inlet=100.0, meter_1=40.0, meter_2=50.0)
    told = _judged(connection)
    assert told["judged"] == "within"
    assert (told["share"], told["loss"]) == (pytest.approx(10.0), pytest.approx(10.0))


@pytest.mark.parametrize(
    "silent",
    [
        {"inlet": (0, 7)},
        {"inlet_2": (0, 7)},
        {"inlet_2": (4, 7)},
        {"meter_1": (0, 7), "meter_2": (0, 7)},
        {"meter_1": (3, 7), "meter_2": (3, 7)},
    ],
    ids=str,
)
def test_a_balance_is_not_known_where_an_inlet_or_the_meters_were_not_heard(
    connection: Connection, silent: Mapping[str, tuple[float, float]]
) -> None:
    _zone(connection, silent, inlet=60.0, inlet_2=50.0, meter_1=40.0, meter_2=50.0)
    assert _judged(connection) == NOT_KNOWN


@pytest.mark.parametrize("unheard", [(0, 5), (2, 7)], ids=["new", "cut off"])
def test_a_zone_of_which_nothing_was_heard_for_a_while_is_judged_by_the_rest(
    connection: Connection, unheard: tuple[float, float]
) -> None:
    _zone(connection, {"inlet": unheard, "meter": unheard}, inlet=100.0, meter=92.0, begins=unheard[1] % 7)
    told = _judged(connection)
    assert told["judged"] == "within"
    assert told["share"] == pytest.approx(8.0)


def test_what_was_silent_in_between_is_counted_when_it_is_heard_again(connection: Connection) -> None:
    _zone(connection, {"inlet": (2, 4)}, inlet=100.0, meter=90.0)
    told = _judged(connection)
    assert told["judged"] == "within"
    assert told["share"] == pytest.approx(10.0)


def test_one_meter_of_many_that_is_silent_leaves_a_balance_known(connection: Connection) -> None:
    meters = {f"meter_{n:02}": 1.0 for n in range(20)}
    _zone(connection, {"meter_07": (0, 7)}, inlet=20.0, **meters)
    told = _judged(connection)
    assert told["judged"] == "within"
    assert told["share"] == pytest.approx(5.0)


def test_a_balance_counts_days_whose_hours_were_dropped(connection: Connection) -> None:
    _zone(connection, {}, inlet=100.0, meter=90.0)
    queries = [("water", "balance"), ("electricity", "balance"), ("water", "supplied"), ("water", "loss")]
    before = [_ask(connection, *query, *WEEK) for query in queries]
    connection.execute("DELETE FROM consumption_hourly_rollup WHERE bucket < %s", (START + 4 * DAY,))
    assert [_ask(connection, *query, *WEEK) for query in queries] == before


def test_what_is_lost_is_worth_a_sum_of_any_size(connection: Connection) -> None:
    _zone(connection, {}, inlet=4e8, meter=2e8)
    # of seven days less an hour: the last readings are an hour before the end
    assert _judged(connection)["worth"] == "IDR 13,916,666,667"


@pytest.mark.parametrize(
    ("silent", "flowed"),
    [
        ({}, 110.0),
        ({"inlet": (2, 4)}, 110.0),
        ({"inlet": (0, 7)}, None),
        ({"inlet_2": (4, 7)}, None),
        ({"inlet": (4, 7), "inlet_2": (4, 7)}, None),
    ],
    ids=str,
)
def test_what_flowed_into_the_zones_is_not_known_where_an_inlet_was_silent_at_the_end(
    connection: Connection, silent: Mapping[str, tuple[float, float]], flowed: float | None
) -> None:
    _zone(connection, silent, inlet=60.0, inlet_2=50.0)
    (told,) = _ask(connection, "water", "supplied", *WEEK)
    # The last readings are an hour before the end.
    assert told["supplied"] == (flowed and pytest.approx(flowed * (7 - 1 / 24)))


def test_one_inlet_of_many_that_is_silent_leaves_what_flowed_in_known(connection: Connection) -> None:
    _zone(connection, {"inlet_07": (4, 7)}, **{f"inlet_{n:02}": 24.0 for n in range(20)})
    (told,) = _ask(connection, "water", "supplied", *WEEK)
    assert told["supplied"] == pytest.approx(24.0 * (19 * 7 + 4) - 20, abs=2)


def test_what_flowed_into_the_zones_counts_a_new_inlet_from_its_first_value_on(connection: Connection) -> None:
    _zone(connection, {"inlet": (0, 5)}, begins=5, inlet=24.0)
    (told,) = _ask(connection, "water", "supplied", *WEEK)
    assert told["supplied"] == pytest.approx(48.0)
