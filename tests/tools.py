"""Programs that come with the virtual environment, or else with the machine."""

import shutil
import sys
from pathlib import Path


def find_tool(name: str) -> str | None:
    """Find a program beside this Python, or else on the path: nobody needs to have activated the environment."""
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else shutil.which(name)
