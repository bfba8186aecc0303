"""The load-shedding calendar of feeders and transformers, laid on the time of a run as planned interruptions.

In South Africa (NRS 048-9) a block is off for two hours, or four, at a time, more often the higher the stage; a
scenario writes the slots of the stage that it plays.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import get_args

from simulators.moment import from_milliseconds, to_milliseconds
from simulators.report import Place
from simulators.scenario import SitePlan
from simulators.systems.electricity.settings import Interruption, Weekday, feeder_settings, transformer_settings
from simulators.timetable import TimedFault

_WEEKDAYS: tuple[str, ...] = get_args(Weekday)
_WEEK = timedelta(weeks=1)


def load_shedding(site: SitePlan, begins_at: int, ends_at: int, utc_offset: int, step: int) -> Iterator[TimedFault]:
    """Yield what a site's setting `load_shedding` plans between two moments, slot by slot; nothing for other sites.

    Args:
        utc_offset: of local time, in which the calendar is written; milliseconds.
        step: of the grid, on whose next moment each begins and ends; milliseconds.

    Raises:
        ConfigurationInvalid: the site's settings are wrong.
    """
    for slot in _slots(site):
        lasts = round(slot.lasts.total_seconds() * 1000)
        for begins in _weekly(slot, begins_at - lasts, ends_at, utc_offset):
            starts = max(_up(begins, step), begins_at)
            ends = _up(begins + lasts, step)
            if starts < min(ends, ends_at):
                yield TimedFault(
                    key=f"load-shedding.{site.organisation}.{site.slug}.{begins}",
                    kind="planned_interruption",
                    place=Place(organisation=site.organisation, site=site.slug),
                    starts=starts,
                    ends=ends,
                )


def _slots(site: SitePlan) -> tuple[Interruption, ...]:
    if site.kind == "feeder":
        return feeder_settings(site).load_shedding
    return transformer_settings(site).load_shedding if site.kind == "transformer" else ()


def _weekly(slot: Interruption, after: int, until: int, utc_offset: int) -> Iterator[int]:
    """Yield each week's moment of a slot in (after, until)."""
    local = from_milliseconds(after + utc_offset)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    hours, minutes = slot.begins.split(":")
    day = midnight + timedelta(days=(_WEEKDAYS.index(slot.weekday) - midnight.weekday()) % 7)
    moment = day + timedelta(hours=int(hours), minutes=int(minutes))
    while (begins := to_milliseconds(moment) - utc_offset) < until:
        if begins > after:
            yield begins
        moment += _WEEK


def _up(at: int, step: int) -> int:
    return -(-at // step) * step
