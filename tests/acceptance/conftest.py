"""State folders for whole stacks."""

import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let one test process run all whole stacks, one after another: two at a time would only measure each other."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("stacks"))


@pytest.fixture(scope="module")
def folder() -> Generator[Path]:
    """Give a folder for one module's state folders.

    It is private, as `mktemp -d` makes it: under root the services' account cannot reach it.
    """
    made = Path(tempfile.mkdtemp(prefix="veldwatch-acceptance-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)
