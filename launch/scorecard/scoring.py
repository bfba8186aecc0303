"""One case's scorecard: what the packs would have raised, held against what was injected."""

from datetime import timedelta

from launch.scorecard.cases import Case
from launch.scorecard.replay import replay
from rules.scorecard.labels import LabelFormat
from rules.scorecard.question import Question
from rules.scorecard.report import Report
from veldwatch.config import Settings
from veldwatch.storage.connection import connect

GRACE = timedelta(hours=24)
"""As `veldwatch score` has it: a leak that ends at noon may be told at midnight."""


def score_case(settings: Settings, case: Case) -> Report:
    """Play a case into an empty, migrated database and score it there."""
    replayed = replay(settings, case)
    question = Question(
        since=case.begins_at,
        until=case.ends_at,
        organisation=None,
        rules=case.packs,
        grace=GRACE,
        truth=(),
        form=LabelFormat(),
        run=replayed.run_id,
        with_baseline=False,
        contacts_as_observed=False,
    )
    with connect(settings.dsn) as connection:
        return question.answer(connection)
