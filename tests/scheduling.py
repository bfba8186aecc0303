"""How `pytest -n` shares tests out: by file; all that run whole stacks in one process, the console's in another.

Two stacks or two browsers at a time would only measure each other. Grouping by marks (`--dist loadgroup`) does nothing
with pytest 9: pytest-xdist 3.8 writes the group into a private name that pytest no longer reads.
"""

from typing import TYPE_CHECKING

import pytest
from xdist.scheduler import LoadFileScheduling

if TYPE_CHECKING:
    from xdist.remote import Producer

_TOGETHER = ("tests/acceptance/console/", "tests/acceptance/")


class StacksTogether(LoadFileScheduling):
    """One unit of work per file, but one for all files of each folder of `_TOGETHER`; the largest units first."""

    def _split_scope(self, nodeid: str) -> str:
        return next((folder for folder in _TOGETHER if nodeid.startswith(folder)), super()._split_scope(nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> StacksTogether | None:
    """Share out by our own rule where files are to be kept together (`--dist loadfile`)."""
    return StacksTogether(config, log) if config.getvalue("dist") == "loadfile" else None
