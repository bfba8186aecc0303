"""What documents say is so: commands and options that exist, links that lead somewhere, settings that are settings."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from launch.cli import application
from veldwatch.config import Settings
from veldwatch.secret_settings import is_secret

REPOSITORY = Path(__file__).resolve().parents[3]
PAGES = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md"), *(REPOSITORY / "deploy").rglob("*.md")])
_BLOCK = re.compile(r"^```(?:sh|console)?\n(.*?)^```", re.MULTILINE | re.DOTALL)
_CALL = re.compile(r"(?:^|[\s(])(?:\.venv/bin/)?veldwatch ([a-z].*)")


def _name(page: Path) -> str:
    return str(page.relative_to(REPOSITORY))


def _calls(page: Path) -> list[list[str]]:
    blocks = "\n".join(_BLOCK.findall(page.read_text(encoding="utf-8"))).replace("\\\n", " ")
    lines = [line.split(" #")[0] for line in blocks.splitlines() if not line.lstrip().startswith("#")]
    return [shlex.split(found[1]) for line in lines if (found := _CALL.search(line))]


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_command_and_option_exists(page: Path) -> None:
    for words in _calls(page):
        command: Any = get_command(application(""))
        rest = list(words)
        while rest and rest[0] in getattr(command, "commands", {}):
            command = command.commands[rest.pop(0)]
        assert not getattr(command, "commands", {}), " ".join(words)
        options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
        assert {word.split("=")[0] for word in rest if word.startswith("--")} <= options, " ".join(words)


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_link_inside_the_repository_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
        assert "://" in target or (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_setting_that_is_named_exists(page: Path) -> None:
    known = {f"VELDWATCH_{name.upper()}" for name in Settings.model_fields}
    known |= {f"VELDWATCH_{name.upper()}_FILE" for name, field in Settings.model_fields.items() if is_secret(field)}
    known |= {"VELDWATCH_CONFIG", "VELDWATCH_VERSION", "VELDWATCH_"}
    named = set(re.findall(r"VELDWATCH_[A-Z_]*", page.read_text(encoding="utf-8")))
    assert {name for name in named if not name.startswith(("VELDWATCH_TEST", "VELDWATCH_SAMPLES"))} <= known


def test_decisions_are_a_page_at_most() -> None:
    for page in (REPOSITORY / "docs" / "decisions").glob("*.md"):
        assert len(page.read_text(encoding="utf-8").splitlines()) <= 60, page.name
