"""A back-test spread over processes: each folds the sources of one share, and all read the same snapshot.

The outcome is that of one process. Rules, the register's picture and the stretch are found again by each: they follow
from the snapshot. A process that fails fails the whole; all end with the one that started them.
"""

import multiprocessing
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import connection as pipes
from multiprocessing.connection import Connection as Pipe
from multiprocessing.process import BaseProcess
from typing import Any, NamedTuple, cast

from rules.backtests.folding import Folding, Step, nothing
from rules.backtests.stretch import Stretch
from rules.backtests.strips import fold_strips
from rules.lifecycle import Episode
from rules.postgres_store import PostgresStore
from rules.targets import FoldKey, Target, find_targets
from veldwatch.errors import ShareFailed, VeldwatchError
from veldwatch.model.conditions.inputs import Input
from veldwatch.model.identifiers import OrganisationId, RuleVersionId
from veldwatch.model.rule import Rule
from veldwatch.model.watched import within
from veldwatch.process import end_with_parent
from veldwatch.storage.backtests import read_one_moment
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.strips import export_snapshot, see_snapshot
from veldwatch.wire.rule_document import parse_rule, rule_to_document, version_id

_WORTH_IT = 50
"""Sources below which a process costs more than it saves."""
_SAID_EVERY = 200_000


class _Asked(NamedTuple):
    """What a process is to fold: rules as documents; its share is every `of`th source."""

    dsn: str
    snapshot: str
    rules: tuple[tuple[RuleVersionId, dict[str, Any]], ...]
    stretch: Stretch
    organisation_id: OrganisationId | None
    number: int
    of: int


class _Said(NamedTuple):
    """How far a process is, and folds that have come to their end since it last said so."""

    done: int
    seen: int
    ended: list[tuple[FoldKey, list[Episode], int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Folds in several processes.

    Attributes:
        connection: in a transaction of repeatable reads, whose snapshot all share.
        rules: those whose targets are to be folded.
        organisation_id: whose devices are looked at; None: everybody's.
    """

    dsn: str
    connection: Connection
    rules: tuple[Rule, ...]
    processes: int
    organisation_id: OrganisationId | None = None

    def __call__(self, targets: Sequence[Target], stretch: Stretch, step: Step = nothing) -> Iterator[Folding]:
        """Fold every target; the order is nobody's."""
        sources = {target.source_id for target in targets if target.input in (Input.READINGS, Input.CONTACTS)}
        if self.processes < 2 or len(sources) < _WORTH_IT:
            yield from fold_strips(
                PostgresStore(connection=self.connection, until=stretch.until), targets, stretch, step
            )
            return
        known = {target.key: target for target in targets}
        snapshot = export_snapshot(self.connection)
        rules = tuple((version_id(rule), rule_to_document(rule)) for rule in self.rules)
        asked = [
            _Asked(self.dsn, snapshot, rules, stretch, self.organisation_id, number, self.processes)
            for number in range(self.processes)
        ]
        for key, episodes, observations in _results(asked, step):
            yield Folding(
                target=known[key],
                fold=known[key].fold,
                state=known[key].fold.initial(),
                since=0,
                position=None,
                episodes=episodes,
                observations=observations,
            )


def _results(asked: Sequence[_Asked], step: Step) -> Iterator[tuple[FoldKey, list[Episode], int]]:
    # A fresh interpreter: this one may have threads, which a fork would leave in the middle of something.
    context = multiprocessing.get_context("spawn")
    running: dict[Pipe, BaseProcess] = {}
    done: Counter[Pipe] = Counter()
    seen: Counter[Pipe] = Counter()
    try:
        for one in asked:
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(target=_fold_share, args=(one, theirs), daemon=True)
            process.start()
            theirs.close()
            running[cast("Pipe", ours)] = process
        while running:
            for pipe in cast("list[Pipe]", pipes.wait(list(running), timeout=0.5)):
                try:
                    said: _Said | VeldwatchError | None = pipe.recv()
                except EOFError as error:
                    raise ShareFailed("a process of the back-test ended before its time (see its log)") from error
                if said is None:
                    running.pop(pipe).join()
                    continue
                if isinstance(said, VeldwatchError):
                    raise said
                done[pipe], seen[pipe] = said.done, said.seen
                yield from said.ended
            step(done.total(), seen.total())
    finally:
        for process in running.values():
            process.kill()
            process.join()


def _fold_share(asked: _Asked, pipe: Pipe) -> None:
    end_with_parent()
    try:
        with connect(asked.dsn, application="veldwatch-backtest-share") as connection:
            read_one_moment(connection)
            see_snapshot(connection, asked.snapshot)
            store = PostgresStore(connection=connection, until=asked.stretch.until)
            rules = [(version, parse_rule(document)) for version, document in asked.rules]
            targets, _ = find_targets(rules, within(store.watched(), asked.organisation_id))
            _tell(store, _share(targets, asked), asked.stretch, pipe)
    except VeldwatchError as error:
        pipe.send(error)
    else:
        pipe.send(None)


def _share(targets: Sequence[Target], asked: _Asked) -> list[Target]:
    """Take every `of`th source; what shares a grid stays together, in the first share."""
    return [
        target
        for target in targets
        if (0 if target.input is Input.BUCKETS else target.source_id % asked.of) == asked.number
    ]


def _tell(store: PostgresStore, targets: Sequence[Target], stretch: Stretch, pipe: Pipe) -> None:
    said = 0

    def step(done: int, seen: int) -> None:
        nonlocal said
        if seen - said >= _SAID_EVERY:
            said = seen
            pipe.send(_Said(done, seen, []))

    folded = fold_strips(store, targets, stretch, step)
    ended = [(folding.target.key, folding.episodes, folding.observations) for folding in folded]
    pipe.send(_Said(len(targets), sum(observations for _, _, observations in ended), ended))
