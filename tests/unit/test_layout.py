"""The top-level packages have plain names; make sure that ours are the ones that Python finds."""

import importlib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", ["veldwatch", "ingest", "api", "rules", "dashboards", "simulators", "launch", "tests"])
def test_each_package_is_loaded_from_this_repository(name: str) -> None:
    package = importlib.import_module(name)
    assert package.__file__ is not None
    assert Path(package.__file__).resolve().parent == REPOSITORY / name


def test_the_distribution_cannot_be_uploaded_by_mistake() -> None:
    assert "Private :: Do Not Upload" in (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")


def test_every_folder_of_tests_is_a_package() -> None:
    folders = {path.parent for path in (REPOSITORY / "tests").rglob("*.py") if "node_modules" not in path.parts}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []
