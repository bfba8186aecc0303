"""One back-test that was asked for, from taking it up to keeping what came of it.

It runs in a process of its own, so that the engine beside it is not kept waiting and what it needs of memory is given
back. Its progress is written as it goes, which is also how it learns that somebody cancelled it.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from rules.backtest import BacktestReport, run_backtests
from rules.backtests.folding import Folding, Step
from rules.backtests.result import result_of
from rules.backtests.spread import Spread
from rules.backtests.stretch import Stretch
from rules.backtests.telling import Surroundings
from rules.postgres_store import PostgresStore
from rules.targets import Target
from veldwatch.errors import BacktestTooLarge, NotFound, RuleInvalid, ShareFailed
from veldwatch.model.rule import Rule
from veldwatch.model.watched import Watched, within
from veldwatch.process import end_with_parent
from veldwatch.storage import backtests
from veldwatch.storage.backtests import Question
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.explanations import read_interruptions
from veldwatch.storage.rules import get_rule
from veldwatch.wire.rule_document import version_id

_SAY_SECONDS = 0.5
_ATTEMPTS = 3
"""What ended its process so often would end it again."""


class Cancelled(Exception):
    """Somebody does not want the result any more."""


def carry_out(dsn: str, number: int) -> None:
    """Carry out a back-test whose lock is the caller's; an error that it can name is kept in its row."""
    end_with_parent()
    with (
        connect(dsn, autocommit=True, application="veldwatch-backtest") as desk,
        connect(dsn, application="veldwatch-backtest-reader") as reader,
    ):
        taken = backtests.begin(desk, number)
        if taken is None:
            return
        if taken.attempts > _ATTEMPTS:
            backtests.fail(desk, number, f"it was begun {_ATTEMPTS} times, and its process ended each time")
            return
        teller = _Teller(desk, number)
        try:
            answer(dsn, reader, taken.question, teller)
        except Cancelled:
            return
        except (RuleInvalid, BacktestTooLarge, NotFound, ShareFailed) as error:
            backtests.fail(desk, number, str(error))


@dataclass(slots=True)
class _Teller:
    """Writes how far a back-test is, not too often, and what came of it."""

    connection: Connection
    number: int
    total: int = 0
    clock: Callable[[], float] = time.monotonic
    _due: float = 0.0

    def step(self, done: int, observations: int) -> None:
        """Say how far it is.

        Raises:
            Cancelled: nobody wants to know.
        """
        if self.clock() < self._due:
            return
        self._due = self.clock() + _SAY_SECONDS
        if not backtests.progress(self.connection, self.number, done, self.total, observations):
            raise Cancelled


def answer(dsn: str, reader: Connection, question: Question, teller: _Teller) -> None:
    """Fold the draft and the present version over the stretch, and keep the comparison."""
    # One snapshot for all that is read: what comes in meanwhile is in neither version's alerts.
    backtests.read_one_moment(reader)
    stretch = Stretch(since=question.since, until=min(question.until, datetime.now(UTC)))
    store = PostgresStore(connection=reader, until=stretch.until)
    present = present_version(reader, question)
    rules = [question.rule] if present is None else [question.rule, present]
    spread = Spread(
        dsn=dsn,
        connection=reader,
        rules=tuple(rules),
        organisation_id=question.organisation_id,
        processes=os.cpu_count() or 1,
    )
    watched = within(store.watched(), question.organisation_id)

    def fold(targets: Sequence[Target], asked: Stretch, step: Step) -> Iterator[Folding]:
        teller.total = len(targets)
        return spread(targets, asked, step)

    reports = run_backtests(store, rules, stretch, watched=watched, fold=fold, step=teller.step)
    receivers = backtests.receivers(reader, question.organisation_id)
    zone = ZoneInfo(question.time_zone)
    around = surroundings(reader, watched, reports, stretch)
    result = result_of(reports[0], reports[1] if present else None, receivers, zone, around)
    backtests.finish(teller.connection, teller.number, result, sum(report.observations for report in reports))


def surroundings(
    connection: Connection, watched: Watched, reports: Sequence[BacktestReport], stretch: Stretch
) -> Surroundings:
    """Read what is stored that decides who is told of the alerts of some reports."""
    found = [finding for report in reports for finding in report.findings]
    devices = {finding.target.device.id for finding in found if finding.target.device is not None}
    ids = {(site.organisation_id, site.slug): site.id for site in watched.sites}
    paths: dict[int, tuple[int, ...]] = {
        site.id: tuple(ids[site.organisation_id, slug] for slug in site.path) for site in watched.sites
    }
    sites = {above for f in found if f.target.site_id is not None for above in paths.get(f.target.site_id, ())}
    since = min((finding.alert.opened_at for finding in found), default=stretch.since)
    return Surroundings(
        silences=tuple(backtests.silences(connection, since, stretch.until)),
        interruptions=tuple(read_interruptions(connection, sites, devices, since, stretch.until)),
        devices=backtests.standing(connection, sorted(devices)),
        paths=paths,
    )


def present_version(connection: Connection, question: Question) -> Rule | None:
    """Give the active version of the rule of that id; None: there is none, it does the same, or may not be seen."""
    try:
        stored = get_rule(connection, question.rule.id)
    except NotFound:
        return None
    if question.organisation_id is not None and stored.organisation_id not in (None, question.organisation_id):
        return None
    return None if version_id(stored.rule) == version_id(question.rule) else stored.rule
