"""`veldwatch scorecard`: how good the bundled packs are on the bundled scenarios."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from launch.scorecard.bench import empty_database, temporary_server
from launch.scorecard.cases import CASES, SMALL, Case
from launch.scorecard.figures import document_of, drops, table
from launch.scorecard.scoring import score_case
from veldwatch.config import Settings
from veldwatch.errors import ConfigurationInvalid

_JSON, _PAGE = "scorecard.json", "scorecard.md"
_MARK = "<!-- figures: `veldwatch scorecard --write` -->\n"


def scorecard(
    scenario: Annotated[list[str] | None, typer.Option(help="only these; none: all")] = None,
    folder: Annotated[Path, typer.Option(help=f"where {_PAGE} and {_JSON} are kept")] = Path("docs"),
    *,
    check: Annotated[bool, typer.Option("--check", help="fail where it is worse than what is kept")] = False,
    write: Annotated[bool, typer.Option("--write", help="keep it")] = False,
) -> None:
    """Play the bundled scenarios, and hold what the bundled rule packs would raise against the faults in them."""
    if check and write:
        raise ConfigurationInvalid("bad options: --check and --write (expected one of them)")
    if write and scenario:
        raise ConfigurationInvalid("bad options: --write and --scenario (expected all scenarios to be kept together)")
    kept: Mapping[str, Any] = _kept(folder) if check else {}
    fresh: dict[str, dict[str, Any]] = {}
    with temporary_server() as server:
        for number, case in enumerate(_chosen(scenario)):
            typer.echo(f"playing {case.days} days of {case.scenario}", err=True)
            report = score_case(Settings(dsn=empty_database(server, f"case_{number}")), case)
            fresh[case.name] = document_of(case, report)
    text = table([document for name, document in fresh.items() if name != SMALL.name])
    typer.echo(text)
    if write:
        _write(folder, text, fresh)
    if check:
        _compare(kept, fresh)


def _chosen(scenarios: list[str] | None) -> list[Case]:
    cases = [*CASES, SMALL]
    known = [case.scenario for case in CASES]
    for named in scenarios or ():
        if named not in known:
            raise ConfigurationInvalid(f"bad --scenario: {named!r} (expected one of {', '.join(known)})")
    return [case for case in cases if not scenarios or (case.scenario in scenarios and case is not SMALL)]


def _kept(folder: Path) -> Mapping[str, Any]:
    try:
        return json.loads((folder / _JSON).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationInvalid(f"bad --folder: {str(folder)!r} has no scorecard ({error})") from error


def _write(folder: Path, text: str, fresh: Mapping[str, Any]) -> None:
    (folder / _JSON).write_text(json.dumps(fresh, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    page_file = folder / _PAGE
    before = page_file.read_text(encoding="utf-8") if page_file.exists() else "# Scorecard\n\n" + _MARK
    page_file.write_text(before.partition(_MARK)[0] + _MARK + "\n" + text, encoding="utf-8")


def _compare(kept: Mapping[str, Any], fresh: Mapping[str, Any]) -> None:
    worse = [
        complaint
        for name, document in fresh.items()
        for complaint in (drops(kept[name], document) if name in kept else [f"{name}: nothing is kept of it"])
    ]
    for complaint in worse:
        typer.echo(f"worse: {complaint}", err=True)
    if worse:
        raise typer.Exit(1)
    typer.echo("as good as what is kept, or better")
