"""The command line as tests of scorecards use it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from launch.cli import application


@dataclass(frozen=True)
class Commands:
    """The command line, in this process."""

    folder: Path

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(application(arguments[0]), list(arguments), catch_exceptions=False)

    def score(self, *arguments: str) -> dict[str, Any]:
        """Score, and give the one object that is printed."""
        result = self.run("score", *arguments, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.output)

    def rules(self, *documents: dict[str, Any]) -> str:
        """Write a rule file."""
        path = self.folder / "rules.yaml"
        path.write_text(json.dumps({"rules": list(documents)}), encoding="utf-8")
        return str(path)
