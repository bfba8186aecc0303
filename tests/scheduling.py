"""How `pytest -n` shares tests out: a file at a time, and everything that runs whole stacks to one process.

Two stacks at a time would only measure each other. Grouping by marks (`--dist loadgroup`) does nothing with pytest 9:
pytest-xdist 3.8 writes the group into a private name that pytest no longer reads.
"""

from typing import TYPE_CHECKING

import pytest
from xdist.scheduler import LoadFileScheduling

if TYPE_CHECKING:
    from xdist.remote import Producer

_STACKS = "tests/acceptance/"


class StacksTogether(LoadFileScheduling):
    """One unit of work per file, but one for all files of `tests/acceptance`; the largest units first."""

    def _split_scope(self, nodeid: str) -> str:
        return _STACKS if nodeid.startswith(_STACKS) else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> StacksTogether | None:
    """Share out by our own rule where files are to be kept together (`--dist loadfile`)."""
    return StacksTogether(config, log) if config.getvalue("dist") == "loadfile" else None
