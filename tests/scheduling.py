"""How `pytest -n` shares tests out: by file; all that run whole stacks in one process, the console's in another.

Two stacks or two browsers at a time would only measure each other. Grouping by marks (`--dist loadgroup`) does nothing
with pytest 9: pytest-xdist 3.8 writes the group into a private name that pytest no longer reads.
"""

from typing import TYPE_CHECKING

import pytest
from xdist.scheduler import LoadFileScheduling

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.workermanage import WorkerController

_TOGETHER = ("tests/acceptance/console/", "tests/acceptance/")


class StacksTogether(LoadFileScheduling):
    """One unit per file, but one for all files of each folder of `_TOGETHER`; those first, then by number of tests."""

    def _split_scope(self, nodeid: str) -> str:
        return next((folder for folder in _TOGETHER if nodeid.startswith(folder)), super()._split_scope(nodeid))

    def _assign_work_unit(self, node: "WorkerController") -> None:
        """Hand out first what is kept together: few tests, but minutes long; last, all else would wait for them."""
        for folder in _TOGETHER:
            if folder in self.workqueue:
                self.workqueue.move_to_end(folder, last=False)
        super()._assign_work_unit(node)


def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> StacksTogether | None:
    """Share out by our own rule where files are to be kept together (`--dist loadfile`)."""
    return StacksTogether(config, log) if config.getvalue("dist") == "loadfile" else None
