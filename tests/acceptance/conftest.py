"""State folders for whole stacks."""

import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def folder() -> Generator[Path]:
    """Give a folder for one module's state folders.

    It is private, as `mktemp -d` makes it: under root the services' account cannot reach it.
    """
    made = Path(tempfile.mkdtemp(prefix="veldwatch-acceptance-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)
