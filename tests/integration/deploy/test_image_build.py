"""What the Dockerfile's first stage does, done here by its own commands, and whether what comes of it runs."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.unit.deploy.compose import REPOSITORY, services
from tests.unit.deploy.test_image import BUILD

_FOLDERS = re.compile(r"(?<![\w/])/(?=(?:opt|src|wheel)\b)")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Give a folder whose `src` holds what `.dockerignore` lets into the image."""
    rules = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()
    source = tmp_path / "src"
    for name in (rule.removeprefix("!") for rule in rules if rule.startswith("!")):
        path = REPOSITORY / name
        if path.is_dir():
            shutil.copytree(path, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            source.mkdir(exist_ok=True)
            shutil.copy2(path, source / name)
    return tmp_path


def _run(command: Sequence[str | Path], folder: Path, **environment: str) -> str:
    # Nothing of this checkout: not its packages, not its settings.
    own = {"PATH": os.environ["PATH"], "HOME": str(folder), "VELDWATCH_HOME": str(folder / "home")} | environment
    done = subprocess.run(command, cwd=folder, env=own, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def test_the_wheel_holds_all_that_the_programs_read(root: Path) -> None:
    """The second half of the stage, with the packages of this environment."""
    _run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", root / "wheel"], root / "src")
    (wheel,) = (root / "wheel").iterdir()
    installed = root / "installed"
    shutil.unpack_archive(wheel, installed, "zip")
    for name in ("veldwatch", "ingest", "api", "rules", "dashboards", "simulators", "launch", "benchmarks"):
        kept = {path.relative_to(REPOSITORY) for path in (REPOSITORY / name).rglob("*") if path.is_file()}
        found = {path.relative_to(installed) for path in (installed / name).rglob("*") if path.is_file()}
        assert {path for path in kept - found if "__pycache__" not in path.parts} == set(), name
    site = sysconfig.get_path("purelib")
    isolated = f"import sys; sys.path[:0] = [{str(installed)!r}, {site!r}]; "
    said = _run([sys.executable, "-I", "-S", "-c", isolated + "from launch.cli import main; main()", "--help"], root)
    assert "migrate" in said


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_stage_s_own_commands_make_an_environment_that_starts(root: Path) -> None:
    for step in BUILD.of("RUN"):
        here = _FOLDERS.sub(f"{root}/", step).replace("python -m venv", f"{sys.executable} -m venv")
        _run(["sh", "-e", "-c", here], root, PIP_NO_CACHE_DIR="0", **_index())
    binaries = root / "opt" / "veldwatch" / "bin"
    assert "migrate" in _run([binaries / "veldwatch", "--help"], root)
    assert "nats-server: v" in _run([binaries / "nats-server", "--version"], root)
    for name, service in services().items():
        if service["image"].startswith("veldwatch:") and service["command"][0] == "veldwatch":
            words = [word for word in service["command"][1:4] if word.isalpha()]
            assert "Usage" in _run([binaries / "veldwatch", *words, "--help"], root), name
    # nothing of what builds, and nothing of the checkout
    assert not (binaries / "hatchling").exists()
    where = _run([binaries / "python", "-c", "import api; print(api.__file__)"], root)
    assert where.startswith(str(root / "opt"))


def _index() -> dict[str, str]:
    """Let pip find packages as it does on this machine, which may have its own settings for it."""
    return {
        name: value
        for name, value in os.environ.items()
        if name.startswith("PIP_") and name != "PIP_REQUIRE_VIRTUALENV"
    }


def test_what_is_sent_to_the_builder_is_small(root: Path) -> None:
    with tarfile.open(root / "context.tar", "w") as archive:
        archive.add(root / "src")
    assert (root / "context.tar").stat().st_size < 80 * 2**20
