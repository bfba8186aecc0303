"""What is to be scored, and the answer: truth, alerts and evidence brought together over one stretch."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from rules.postgres_store import PostgresStore
from rules.rule_files import pack_path, read_rules
from rules.scorecard.baseline import run_baseline
from rules.scorecard.figures import Figures, figures_of
from rules.scorecard.gathering import Gathered, Scope, backtested, read_scope, recorded, simulated_truth
from rules.scorecard.labels import LabelFormat, Labels, read_labels
from rules.scorecard.matching import match
from rules.scorecard.occurrences import Occurrence, Stretch
from rules.scorecard.report import Report
from veldwatch.errors import ConfigurationInvalid, NotFound
from veldwatch.model.watched import Watched
from veldwatch.storage.connection import Connection
from veldwatch.storage.register import find_organisations
from veldwatch.storage.scorecard import evidence, extent

GRACE = timedelta(hours=24)
"""A leak that ends at noon may be told at midnight: rules that wait for a quiet night fire after the fault is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is to be scored.

    Attributes:
        since: None: from the first thing that was observed.
        until: None: to the last.
        organisation: slug; None: all.
        rules: files or packs to back-test; empty: the alerts on record.
        truth: files of labels; empty: what was simulated.
        run: faults of this run of the simulators only; None: of all.
        contacts_as_observed: of back-tests: silence is by the times of observation, not of arrival.
    """

    since: datetime | None
    until: datetime | None
    organisation: str | None
    rules: Sequence[str]
    grace: timedelta
    truth: Sequence[Path]
    form: LabelFormat
    run: int | None
    with_baseline: bool
    contacts_as_observed: bool

    def answer(self, connection: Connection) -> Report:
        """Score it.

        Raises:
            ConfigurationInvalid: files that cannot be read, or nothing that could be scored.
            NotFound: no such organisation.
            RuleInvalid: a rule file is wrong.
        """
        if self.organisation is not None and self.organisation not in find_organisations(connection):
            raise NotFound(f"no organisation {self.organisation!r} (expected one that is registered)")
        labels = read_labels(self.truth, self.form) if self.truth else None
        chosen = [rule for name in self.rules for rule in read_rules(pack_path(name))]
        scope = Scope(organisation=self.organisation, devices=labels.devices if labels else frozenset())
        watched = read_scope(connection, scope)
        labels, unknown = _known(labels, watched)
        stretch = self._stretch(connection, watched)
        gathered = (
            backtested(connection, watched, chosen, stretch, contacts_as_observed=self.contacts_as_observed)
            if chosen
            else recorded(connection, watched, scope, stretch)
        )
        occurrences = (
            labels.occurrences
            if labels
            else simulated_truth(connection, self.organisation, stretch.since, stretch.until, self.run)
        )
        matching = match(occurrences, gathered.firings, gathered.detectors, stretch)
        ids = [one.id for one in watched.devices]
        return Report(
            figures=figures_of(matching, gathered.detectors, stretch),
            alerts_from="back-tested" if chosen else "recorded",
            truth_from=[path.name for path in self.truth] or ["simulated"],
            registered=len(ids),
            evidence=evidence(connection, ids, stretch.since, stretch.until),
            refused=gathered.refused,
            unknown=unknown,
            baseline=_baseline(connection, gathered, occurrences, stretch) if self.with_baseline else None,
        )

    def _stretch(self, connection: Connection, watched: Watched) -> Stretch:
        since, until = self.since, self.until
        if since is None or until is None:
            found = extent(connection, [one.id for one in watched.devices])
            if found is None:
                raise ConfigurationInvalid("nothing to score: no device has a reading or a fix (say --from and --to)")
            since = since or found[0]
            until = until or found[1] + timedelta(microseconds=1)
        if until <= since:
            raise ConfigurationInvalid(f"bad --to: {until.isoformat()} (expected after {since.isoformat()})")
        return Stretch(since=since, until=until, grace=self.grace)


def _known(labels: Labels | None, watched: Watched) -> tuple[Labels | None, Sequence[str]]:
    """Leave out labels of devices that are not registered, and name those."""
    if labels is None or not labels.devices:
        return labels, []
    unknown = sorted(labels.devices - {device.external_id for device in watched.devices})
    if len(unknown) == len(labels.devices):
        raise ConfigurationInvalid(
            f"bad --truth: no device {', '.join(map(repr, unknown))} is registered (import its readings; --device NAME)"
        )
    kept = [one for one in labels.occurrences if one.place.device not in unknown]
    return replace(labels, occurrences=kept), unknown


def _baseline(
    connection: Connection, gathered: Gathered, occurrences: Sequence[Occurrence], stretch: Stretch
) -> Figures:
    store = PostgresStore(connection=connection, until=stretch.until)
    targets = [target for listed in gathered.targets.values() for target in listed]
    detector, firings = run_baseline(store, targets)
    return figures_of(match(occurrences, firings, [detector], stretch), [detector], stretch)
