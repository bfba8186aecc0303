import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from launch.children import Program, end, run_to_end, service_environment, spawn

SHELL = "/bin/sh"


def test_a_child_writes_to_its_log_and_sees_what_was_added_to_its_environment(tmp_path: Path) -> None:
    program = Program(
        name="echo", command=(SHELL, "-c", "echo $COLOUR; echo trouble >&2"), environment={"COLOUR": "red"}
    )
    process = spawn(program, tmp_path / "log")
    assert process.wait(10) == 0
    assert (tmp_path / "log").read_text() == "red\ntrouble\n"


def test_a_child_leads_a_session_of_its_own(tmp_path: Path) -> None:
    process = spawn(Program(name="sleep", command=(SHELL, "-c", "exec sleep 60")), tmp_path / "log")
    try:
        assert os.getsid(process.pid) == process.pid
    finally:
        end(process, signal.SIGTERM, 10)


def test_a_child_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    process = spawn(
        Program(name="deaf", command=(SHELL, "-c", "trap '' TERM; echo up; while :; do sleep 1; done")),
        tmp_path / "log",
    )
    _wait_for(tmp_path / "log", "up")
    end(process, signal.SIGTERM, 0.2)
    assert process.returncode == -signal.SIGKILL


def test_what_would_mislead_a_service_is_not_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "elsewhere")
    assert "PGHOST" not in service_environment({})


def test_a_program_that_ends_by_itself_tells_what_it_said() -> None:
    done = run_to_end(Program(name="echo", command=(SHELL, "-c", "echo out; echo err >&2; exit 3")))
    assert (done.returncode, done.stdout, done.stderr) == (3, "out\n", "err\n")


def test_a_child_ends_when_its_launcher_is_killed(tmp_path: Path) -> None:
    script = f"""
        import time
        from pathlib import Path
        from launch.children import Program, spawn
        child = spawn(Program(name="sleep", command=("{SHELL}", "-c", "exec sleep 60")), Path("{tmp_path}/log"))
        print(child.pid, flush=True)
        time.sleep(60)
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as launcher:
        assert launcher.stdout is not None
        child = int(launcher.stdout.readline())
        launcher.kill()
    deadline = time.monotonic() + 10
    while _lives(child):
        assert time.monotonic() < deadline, "the child outlived its launcher"
        time.sleep(0.02)


def _lives(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def _wait_for(log: Path, text: str) -> None:
    deadline = time.monotonic() + 10
    while text not in log.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)
