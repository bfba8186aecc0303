"""The scorecard's short way through ingest tells the same as the long one: simulators, broker, ingest, database."""

import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from launch.scorecard.bench import empty_database, temporary_server
from launch.scorecard.cases import SMALL, Case
from launch.scorecard.figures import document_of
from launch.scorecard.replay import import_plans, replay
from launch.scorecard.scoring import question_of
from tests.acceptance.processes import StackProcess, until
from veldwatch.config import Settings
from veldwatch.storage.connection import connect

pytestmark = pytest.mark.timeout(600)


def score(dsn: str, case: Case, run: int) -> dict[str, Any]:
    """Score a database that holds a case; silence goes by observations, for a broker lets all arrive now."""
    question = question_of(case, run, contacts_as_observed=True)
    with connect(dsn) as connection:
        document = document_of(case, question.answer(connection))
    # How often devices were heard in the stretch: through a broker, all of it was heard today.
    del document["contacts"]
    return document


def play_through_a_broker(folder: Path, case: Case) -> dict[str, Any]:
    home = folder / f"{case.scenario}-{case.days}"  # the folder is the module's: each case has a database of its own
    home.mkdir()
    with StackProcess("up", home / "stack") as stack:
        mqtt = stack.run["mqtt"]
        settings = {
            "VELDWATCH_HOME": str(home / "simulators"),
            "VELDWATCH_DSN": stack.run["dsn"],
            "VELDWATCH_MQTT_HOST": mqtt["host"],
            "VELDWATCH_MQTT_PORT": str(mqtt["port"]),
            "VELDWATCH_MQTT_USERNAME": mqtt["username"],
            "VELDWATCH_MQTT_PASSWORD": mqtt["password"],
        }
        stretch = ["--from", f"{case.begins_at:%Y-%m-%d}", "--to", f"{case.ends_at:%Y-%m-%d}"]
        command = [sys.executable, "-m", "launch", "simulate", "backfill", case.scenario, *stretch]
        done = subprocess.run(command, env={**os.environ, **settings}, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr + done.stdout
        published = int(done.stdout.split("published ")[1].split()[0])
        count = (
            "SELECT (SELECT coalesce(sum(messages), 0)::bigint FROM contact),"
            " (SELECT coalesce(sum(count), 0)::bigint FROM quarantine)"
        )
        until(lambda: sum(stack.rows(count)[0]) >= published, 60, lambda: f"{stack.rows(count)} of {published}")
        # A message of which a part was refused counts twice: the last few may still be on their way.
        time.sleep(2)
        ((run,),) = stack.rows("SELECT max(id) FROM simulation_run")
        with connect(stack.run["dsn"], autocommit=True) as connection:
            import_plans(connection, Settings(dsn=stack.run["dsn"]), case)
        return score(stack.run["dsn"], case, run)


def play_in_process(case: Case) -> dict[str, Any]:
    with temporary_server() as server:
        dsn = empty_database(server, "in_process")
        return score(dsn, case, replay(Settings(dsn=dsn), case).run_id)


def test_two_days_of_the_region_have_the_same_figures_through_a_broker(folder: Path) -> None:
    case = Case(scenario=SMALL.scenario, days=2, packs=SMALL.packs)
    assert case.ends_at - case.begins_at > timedelta(days=1)
    assert play_through_a_broker(folder, case) == play_in_process(case)


@pytest.mark.slow
@pytest.mark.parametrize("scenario", ["town", "reserve", "region"])
def test_a_week_has_the_same_figures_through_a_broker(folder: Path, scenario: str) -> None:
    case = Case(scenario=scenario, days=7, packs=("water", "electricity", "conservation", "environment", "platform"))
    assert play_through_a_broker(folder, case) == play_in_process(case)
