"""What a scenario plans to switch off, as utilities know it beforehand: a calendar for each organisation.

Only what is planned is in it (load shedding, planned interruptions): faults are not.
"""

from collections.abc import Iterator
from typing import Any

from simulators.building import Run, grid_of
from simulators.moment import from_milliseconds
from simulators.planned_faults import planned_faults
from simulators.scenario import Scenario
from veldwatch.wire.calendar_file import write_calendar

_PLANNED = "planned_interruption"


def planned_calendars(scenario: Scenario, run: Run) -> dict[str, str]:
    """Write the planned interruptions of a run, organisation to iCalendar; organisations without any are left out."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for organisation, row in _rows(scenario, run):
        rows.setdefault(organisation, []).append(row)
    return {organisation: write_calendar(found, scenario.title) for organisation, found in sorted(rows.items())}


def _rows(scenario: Scenario, run: Run) -> Iterator[tuple[str, dict[str, Any]]]:
    names = {(site.organisation, site.slug): site.name for site in scenario.sites}
    for fault in planned_faults(scenario, run, grid_of(scenario, run)):
        place = fault.place
        if fault.kind != _PLANNED or fault.ends is None or (run.ends_at is not None and fault.starts >= run.ends_at):
            continue
        where = place.device or names.get((place.organisation, place.site or ""), place.site)
        yield (
            place.organisation,
            {
                "uid": f"{fault.key}@{scenario.name}.simulated",
                "title": f"Planned interruption: {where}",
                "reason": "",
                "begins_at": from_milliseconds(fault.starts),
                "ends_at": from_milliseconds(fault.ends),
                "sites": [] if place.site is None else [place.site],
                "devices": [] if place.device is None else [place.device],
            },
        )
