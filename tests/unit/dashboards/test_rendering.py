"""The committed JSON is what the code renders, and the SDK reads all of it back."""

import json
from pathlib import Path
from typing import Any, cast

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.runtime import DataqueryConfig, UnknownDataquery, register_dataquery_variant
from grafana_foundation_sdk.models.dashboard import Dashboard
from typer.testing import CliRunner

from dashboards import datasource, rendering
from dashboards.commands import app
from tests.unit.dashboards.committed import models


def test_the_committed_files_are_what_is_rendered_now() -> None:
    assert rendering.stale() == []


def test_rendering_twice_gives_the_same_bytes() -> None:
    assert rendering.render() == rendering.render()


def test_check_fails_and_names_the_file_that_differs(tmp_path: Path) -> None:
    rendering.write(tmp_path)
    (tmp_path / "fleet" / "water.json").write_text("{}", encoding="utf-8")
    (tmp_path / "fleet" / "gone.json").write_text("{}", encoding="utf-8")
    result = CliRunner().invoke(app, ["render", "--check", "--folder", str(tmp_path)])
    assert result.exit_code == 1
    assert "fleet/gone.json" in result.output
    assert "fleet/water.json" in result.output


def test_rendering_writes_what_changed_and_removes_what_is_gone(tmp_path: Path) -> None:
    rendering.write(tmp_path)
    (tmp_path / "fleet" / "gone.json").write_text("{}", encoding="utf-8")
    assert rendering.write(tmp_path) == [Path("fleet/gone.json")]
    assert rendering.stale(tmp_path) == []


@pytest.mark.parametrize("uid", sorted(models()))
def test_the_sdk_reads_a_dashboard_back_without_losing_a_key(uid: str) -> None:
    register_dataquery_variant(DataqueryConfig(identifier=datasource.TYPE, from_json_hook=UnknownDataquery.from_json))
    model = models()[uid]
    again = json.loads(json.dumps(Dashboard.from_json(model), cls=JSONEncoder))
    assert _lost(model, again) == []


def _lost(before: Any, after: Any, path: str = "") -> list[str]:  # noqa: ANN401  # JSON
    if isinstance(before, dict) and isinstance(after, dict):
        old, new = cast("dict[str, Any]", before), cast("dict[str, Any]", after)
        missing = [f"{path}.{key}" for key, value in old.items() if key not in new and value not in (None, [], {})]
        return missing + [
            lost for key, value in old.items() if key in new for lost in _lost(value, new[key], f"{path}.{key}")
        ]
    if isinstance(before, list) and isinstance(after, list):
        pairs = zip(cast("list[Any]", before), cast("list[Any]", after), strict=True)
        return [lost for number, (old, new) in enumerate(pairs) for lost in _lost(old, new, f"{path}[{number}]")]
    return []
