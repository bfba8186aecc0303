import subprocess
import sys

import pytest
from typer.testing import CliRunner

from launch.cli import application

PROGRAMS = ("ingest", "import", "sources", "rules", "notify", "api", "token", "simulate", "dashboards")


def test_help_shows_every_command() -> None:
    shown = CliRunner().invoke(application("--help"), ["--help"]).output
    for command in (*PROGRAMS, "up", "demo", "migrate", "maintain", "doctor", "mailbox"):
        assert command in shown


@pytest.mark.parametrize("name", PROGRAMS)
def test_each_program_explains_itself(name: str) -> None:
    result = CliRunner().invoke(application(name), [name, "--help"])
    assert result.exit_code == 0


def test_a_program_does_not_carry_the_weight_of_the_others() -> None:
    script = "import sys; from launch.cli import application; application('notify'); print('fastapi' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_an_error_that_has_a_name_is_one_line_without_a_traceback() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "launch", "migrate"],
        capture_output=True,
        text=True,
        check=False,
        env={"VELDWATCH_BATCH_SIZE": "0", "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: bad VELDWATCH_BATCH_SIZE: '0'")
    assert done.stderr.count("\n") == 1
