"""Run `veldwatch ...` as a shell does: what it says, where, and with which exit code."""

import sys
from dataclasses import dataclass

import pytest

from launch.cli import main


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """A shell in which commands are run within this process."""

    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def run(self, *arguments: str) -> Ended:
        self.monkeypatch.setattr(sys, "argv", ["veldwatch", *arguments])
        self.capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = self.capsys.readouterr()
        code = ended.value.code
        return Ended(code=code if isinstance(code, int) else 0, out=said.out, err=said.err)

    def said(self, *arguments: str) -> str:
        """Run a command that has to do what it is told."""
        result = self.run(*arguments)
        assert (result.code, result.err) == (0, ""), result
        return result.out

    def refused(self, *arguments: str) -> str:
        """Run a command that has to refuse in words, with exit code 2 and nothing else said."""
        result = self.run(*arguments)
        assert (result.code, result.out) == (2, ""), result
        return result.err
