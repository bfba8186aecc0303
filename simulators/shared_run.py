"""A run played by one process, or shared out over several that agree on its beginning and its number.

Contract: the same bytes and the same truth however many there are, one run in the database. Each share keeps a file of
its own, so a run goes on where it was with as many processes as before; with another number it starts from what the
database has, and files of the former number are forgotten, so that they cannot tell a stretch a second time.
"""

import re
import threading
from dataclasses import dataclass, replace
from functools import partial

import structlog

from simulators.building import Share
from simulators.moment import from_milliseconds
from simulators.options import wall_clock
from simulators.playing import Wanted, file_of, first_moment, known_standings, noted, play
from simulators.scenario import Scenario
from simulators.shares import play_shares
from simulators.state_file import load_state
from veldwatch.config import Settings
from veldwatch.logs import configure_logs

_log = structlog.get_logger()
_SHARE = re.compile(r"-\d+of(?P<of>\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a run that came to its end has published.

    Attributes:
        run_id: its number in the database; None: it has none.
    """

    run_id: int | None
    messages: int


def play_together(settings: Settings, wanted: Wanted, processes: int, stop: threading.Event) -> Told | None:
    """Play a run to its end or until stopped; None: it did not come to its end.

    Args:
        processes: at most so many; a root site is never divided.

    Raises:
        ShareFailed: a process died, or ended with an error.
    """
    of = max(1, min(processes, root_sites(wanted.scenario)))
    if of < processes:
        _log.info("fewer processes than asked for: a root site is played by one", processes=of, asked=processes)
    _forget_other_shares(settings, wanted, of)
    if of == 1:
        program = play(settings, wanted, wall_clock, stop)
        return None if program is None else Told(run_id=program.run_id, messages=program.messages)
    agreed = _agreed(settings, wanted, of)
    messages = play_shares(of, partial(_play_share, settings, agreed), stop)
    return None if messages is None else Told(run_id=agreed.run_id, messages=messages)


def root_sites(scenario: Scenario) -> int:
    """Count the sites that are below no other."""
    return sum(site.parent is None for site in scenario.sites)


def _agreed(settings: Settings, wanted: Wanted, of: int) -> Wanted:
    """Settle what all shares must have alike: from a kept share, else from the database."""
    for number in range(of):
        saved = load_state(file_of(settings, replace(wanted, share=Share(number, of))))
        if saved is not None:
            return replace(wanted, begins_at=from_milliseconds(saved.begins_at), run_id=saved.run_id)
    first = replace(wanted, begins_at=first_moment(wanted, known_standings(settings, wanted)))
    return replace(first, run_id=noted(settings, first))


def _play_share(settings: Settings, wanted: Wanted, share: Share, stop: threading.Event) -> int | None:
    configure_logs(settings, "simulate")
    program = play(settings, replace(wanted, share=share), wall_clock, stop)
    return None if program is None else program.messages


def _forget_other_shares(settings: Settings, wanted: Wanted, of: int) -> None:
    whole = file_of(settings, replace(wanted, share=Share()))
    for path in whole.parent.glob(f"{whole.stem}*{whole.suffix}"):
        part = path.stem.removeprefix(whole.stem)
        found = _SHARE.fullmatch(part)
        former = int(found["of"]) if found else 1 if part == "" else of
        if former != of:
            path.unlink(missing_ok=True)
            _log.warning("the run was played by another number of processes: file forgotten", path=str(path))
