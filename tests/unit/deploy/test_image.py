"""The Dockerfile: what is installed is what the lock says, and what runs is not root."""

import json
import re
from dataclasses import dataclass

import pytest

from tests.unit.deploy.compose import REPOSITORY, services


@dataclass(frozen=True, kw_only=True)
class Stage:
    """From one FROM to the next.

    Attributes:
        steps: instruction and its text, continued lines joined.
    """

    base: str
    steps: list[tuple[str, str]]

    def of(self, instruction: str) -> list[str]:
        """Give the texts of all steps of a kind."""
        return [text for name, text in self.steps if name == instruction]


def _read() -> tuple[dict[str, str], list[Stage]]:
    text = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    arguments: dict[str, str] = {}
    stages: list[Stage] = []
    for line in lines.replace("\\\n", " ").splitlines():
        instruction, _, rest = line.strip().partition(" ")
        match instruction:
            case "":
                pass
            case "FROM":
                stages.append(Stage(base=rest, steps=[]))
            case "ARG" if not stages:
                name, _, value = rest.partition("=")
                arguments[name] = value
            case _:
                stages[-1].steps.append((instruction, " ".join(rest.split())))
    return arguments, stages


ARGUMENTS, STAGES = _read()
BUILD, FINAL = STAGES


def test_both_stages_begin_with_one_pinned_image() -> None:
    assert BUILD.base == "${PYTHON_IMAGE} AS build"
    assert FINAL.base == "${PYTHON_IMAGE}"
    assert re.fullmatch(r"python:3\.\d+-slim-[a-z]+", ARGUMENTS["PYTHON_IMAGE"])


def test_every_package_is_checked_against_its_hash() -> None:
    installs = [step for text in BUILD.of("RUN") for step in text.split("&&") if "pip install" in step]
    locked = [step for step in installs if " -r " in step]
    assert [step.split(" -r ")[1].strip() for step in locked] == [
        "/src/requirements/run.txt",
        "/src/requirements/build.txt",
    ]
    assert all("--require-hashes" in step for step in locked)
    # the one other is our own wheel, without what it depends on
    (own,) = [step for step in installs if step not in locked]
    assert "--no-deps /wheel/" in own
    assert "--no-build-isolation" in str(BUILD.of("RUN"))


@pytest.mark.parametrize("name", ["run", "build"])
def test_the_lock_has_a_hash_for_every_package(name: str) -> None:
    text = (REPOSITORY / "requirements" / f"{name}.txt").read_text(encoding="utf-8").replace("\\\n", " ")
    entries = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert entries
    for entry in entries:
        assert re.match(r"[\w.-]+==\S+ ", entry), entry
        assert "--hash=sha256:" in entry, entry


def test_nothing_that_builds_is_in_what_runs() -> None:
    assert FINAL.of("COPY") == ["--from=build /opt/veldwatch /opt/veldwatch"]
    said = " ".join(FINAL.of("RUN"))
    for word in ("pip", "apt", "curl", "wget", "git", "gcc", "/src"):
        assert word not in said, word


def test_nothing_is_fetched_from_an_address() -> None:
    for stage in STAGES:
        assert stage.of("ADD") == []
        assert "://" not in str(stage.steps)


def test_it_runs_as_a_fixed_account_that_is_not_root() -> None:
    (user,) = FINAL.of("USER")
    uid, gid = user.split(":")
    made = " ".join(FINAL.of("RUN"))
    assert f"--gid {gid} veldwatch" in made
    assert f"--uid {uid} " in made
    assert int(uid) >= 10000
    after = FINAL.steps[FINAL.steps.index(("USER", user)) + 1 :]
    assert {instruction for instruction, _ in after} == {"WORKDIR", "ENTRYPOINT", "CMD"}


def test_commands_are_lists_so_that_signals_reach_the_program() -> None:
    assert json.loads(FINAL.of("CMD")[0])
    assert json.loads(FINAL.of("ENTRYPOINT")[0]) == []
    for service in services().values():
        assert isinstance(service.get("command", []), list)


def test_every_volume_of_ours_is_on_a_folder_that_the_image_gives_to_its_account() -> None:
    made = " ".join(FINAL.of("RUN"))
    for name, service in services().items():
        if not service["image"].startswith("veldwatch:"):
            continue
        for volume in service.get("volumes", []):
            source, target, *mode = volume.split(":")
            if not source.startswith("./") and mode != ["ro"]:
                assert target in made, (name, target)
    assert "/var/lib/caddy" in made


def test_the_image_is_made_of_named_folders_only() -> None:
    ignored = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in ignored if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert {rule.removeprefix("!") for rule in rules[1:] if rule.startswith("!")} == {
        "api", "benchmarks", "dashboards", "ingest", "launch", "rules", "simulators", "veldwatch",
        "requirements", "pyproject.toml", "README.md", "LICENSE",
    }  # fmt: skip
