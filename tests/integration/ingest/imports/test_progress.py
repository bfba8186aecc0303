"""What somebody sees who imports: a bar on a terminal, lines elsewhere, and one sentence on standard output."""

import os
import pty
import subprocess
import sys
from pathlib import Path

from tests.integration.ingest.imports.files import meters

COLUMNS = ["--device-column", "meter", "--time-column", "time", "--value", "volume=volume:m3"]


def command(path: Path) -> list[str]:
    return [sys.executable, "-m", "launch", "import", "csv", str(path), *COLUMNS, "--organisation", "water"]


def read_terminal(terminal: int) -> str:
    shown = b""
    while True:
        try:
            part = os.read(terminal, 4096)
        except OSError:  # Linux says so when the last writer is gone
            part = b""
        if not part:
            return shown.decode()
        shown += part


def test_a_terminal_shows_a_bar_with_figures(dsn: str, tmp_path: Path) -> None:
    path = tmp_path / "meters.csv"
    path.write_text("meter,time,volume\n" + meters(500) + "m1,never,1\n", encoding="utf-8")
    terminal, side = pty.openpty()
    environment = {**os.environ, "VELDWATCH_DSN": dsn, "TERM": "xterm", "COLUMNS": "120"}
    with subprocess.Popen(command(path), env=environment, stdout=subprocess.PIPE, stderr=side, text=True) as process:
        os.close(side)
        shown = read_terminal(terminal)
        said, _ = process.communicate()
    os.close(terminal)
    assert "100 %" in shown
    assert "501 rows" in shown
    assert "rows/s" in shown
    assert "1 in quarantine" in shown
    assert said == "501 rows: 500 new readings, 0 new fixes, 1 in quarantine\n"


def test_elsewhere_an_earlier_run_is_told_once(dsn: str, tmp_path: Path) -> None:
    path = tmp_path / "meters.csv"
    path.write_text("meter,time,volume\n" + meters(500), encoding="utf-8")
    environment = {**os.environ, "VELDWATCH_DSN": dsn}
    first, second = (
        subprocess.run(command(path), env=environment, capture_output=True, text=True, check=True) for _ in range(2)
    )
    assert first.stdout == "500 rows: 500 new readings, 0 new fixes, 0 in quarantine\n"
    assert second.stderr == "going on behind 500 rows of an earlier run (--restart begins anew)\n"
    assert second.stdout.startswith("0 rows: 0 new readings")


def test_a_mapping_or_an_organisation_that_is_wrong_is_one_line(dsn: str, tmp_path: Path) -> None:
    path = tmp_path / "meters.csv"
    path.write_text("meter,time,volume\n", encoding="utf-8")
    environment = {**os.environ, "VELDWATCH_DSN": dsn}
    for words, expected in (
        ([*command(path)[:-1], "Not A Slug"], "bad organisation"),
        ([*command(path), "--delimiter", "::"], "bad --delimiter"),
        ([*command(path)[:6], "--device-column", "meter"], "no time"),
        (command(path)[:6], "bad column: 'device'"),
    ):
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert done.stderr.startswith("error: ")
        assert expected in done.stderr
        assert len(done.stderr.splitlines()) == 1
