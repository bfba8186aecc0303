"""A real TimescaleDB with its community features, from the package registry: PostgreSQL in WebAssembly under Node.

It is installed once, below `.tools/`, exactly as the lock file says, and runs only as long as the test process. One
backend, one database: tests take turns and empty the tables between them.
"""

import fcntl
import hashlib
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tests.tools import find_tool

HERE = Path(__file__).parent
TOOLS = HERE.parents[1] / ".tools"
_FILES = ("package.json", "package-lock.json", "server.mjs")
# A machine without the registry is told so within seconds, not after npm's minute of patience.
_SOON = ("--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=2000")


class TimescaleAbsent(Exception):
    """Node, npm or the package cannot be had on this machine."""


@contextmanager
def timescale_server(files: Path | None = None) -> Generator[str]:
    """Start a server and give its DSN; it ends with this block, or with this process however that ends.

    Args:
        files: where it keeps its database; None: in memory, new each time.

    Raises:
        TimescaleAbsent: it cannot be installed or started; the message says why.
    """
    folder = _install()
    # The server ends when its standard input does: the pipe closes even when this process is killed.
    process = subprocess.Popen(
        [_tool("node"), "server.mjs", *([] if files is None else [str(files)])],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            word, _, port = process.stdout.readline().strip().partition(" ")
            if word != "ready":
                raise TimescaleAbsent(f"the server in {folder} said {word!r} (expected 'ready <port>')")
            yield f"host=127.0.0.1 port={port} user=postgres dbname=postgres"
        finally:
            process.terminate()


def _install() -> Path:
    """Install what the lock file says, once for all test processes and runs."""
    digest = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in _FILES)).hexdigest()[:12]
    folder = TOOLS / f"timescale-{digest}"
    TOOLS.mkdir(exist_ok=True)
    with (TOOLS / "timescale.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "installed").exists():
            _install_into(folder)
    return folder


def _install_into(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in _FILES:
        shutil.copy(HERE / name, folder)
    command = [_tool("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", *_SOON]
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


def _tool(name: str) -> str:
    found = find_tool(name)
    if found is None:
        raise TimescaleAbsent(f"{name} is neither in the virtual environment nor on the path")
    return found
