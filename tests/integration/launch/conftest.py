"""A shell for tests of commands; the database that it finds is the test's own."""

from pathlib import Path

import pytest

from tests.integration.launch.command import Shell


@pytest.fixture
def shell(dsn: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Shell:
    monkeypatch.setenv("VELDWATCH_DSN", dsn)
    monkeypatch.setenv("VELDWATCH_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    return Shell(monkeypatch=monkeypatch, capsys=capsys)
