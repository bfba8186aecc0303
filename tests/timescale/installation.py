"""A real TimescaleDB with its community features, from the package registry: PostgreSQL in WebAssembly under Node.

It is installed once, below `.tools/`, exactly as the lock file says.
"""

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path

from tests.tools import find_tool

HERE = Path(__file__).parent
TOOLS = HERE.parents[1] / ".tools"
_FILES = ("package.json", "package-lock.json", "server.mjs")
# A machine without the registry is told so within seconds, not after npm's minute of patience.
_SOON = ("--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=2000")


class TimescaleAbsent(Exception):
    """Node, npm or the package cannot be had on this machine."""


def install() -> Path:
    """Install what the lock file says, once for all test processes and runs, and give its folder.

    Raises:
        TimescaleAbsent: it cannot be had; the message says why.
    """
    digest = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in _FILES)).hexdigest()[:12]
    folder = TOOLS / f"timescale-{digest}"
    TOOLS.mkdir(exist_ok=True)
    with (TOOLS / "timescale.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "installed").exists():
            _install_into(folder)
    return folder


def tool(name: str) -> str:
    found = find_tool(name)
    if found is None:
        raise TimescaleAbsent(f"{name} is neither in the virtual environment nor on the path")
    return found


def _install_into(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in _FILES:
        shutil.copy(HERE / name, folder)
    command = [tool("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", *_SOON]
    try:
        result = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    except subprocess.TimeoutExpired as error:
        raise TimescaleAbsent("npm ci did not end within 300 s") from error
    if result.returncode != 0:
        raise TimescaleAbsent(f"npm ci failed: {_first_errors(result.stderr)}")
    (folder / "installed").touch()


def _first_errors(output: str) -> str:
    lines = [line.removeprefix("npm error ") for line in output.splitlines() if line.startswith("npm error ")]
    return "; ".join(lines[:3])
