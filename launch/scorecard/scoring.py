"""One case's scorecard: what the packs would have raised, held against what was injected."""

from launch.scorecard.cases import Case
from launch.scorecard.replay import replay
from rules.scorecard.labels import LabelFormat
from rules.scorecard.question import GRACE, Question
from rules.scorecard.report import Report
from veldwatch.config import Settings
from veldwatch.storage.connection import connect


def score_case(settings: Settings, case: Case) -> Report:
    """Play a case into an empty, migrated database and score it there."""
    run = replay(settings, case).run_id
    with connect(settings.dsn) as connection:
        return question_of(case, run).answer(connection)


def question_of(case: Case, run: int, *, contacts_as_observed: bool = False) -> Question:
    """Ask what the packs of a case would have found of the faults of a run.

    Args:
        contacts_as_observed: devices were heard when they observed, as where all of it was told at once.
    """
    return Question(
        since=case.begins_at,
        until=case.ends_at,
        organisation=None,
        rules=case.packs,
        grace=GRACE,
        truth=(),
        form=LabelFormat(),
        run=run,
        with_baseline=False,
        contacts_as_observed=contacts_as_observed,
    )
