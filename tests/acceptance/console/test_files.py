"""The console's own files: vendored ones are what the list says, and none of ours makes markup from text."""

import hashlib
import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.tools import find_tool
from veldwatch.model.spoken import UNITS, number_text

CONSOLE = Path(__file__).parents[3] / "api" / "console"
VENDOR = CONSOLE / "vendor"
_DIGITS = (1.0, 1.5, 1.23456789, 2.345675, 9.999995, 7.00000049)
OWN = sorted(p for p in CONSOLE.rglob("*") if p.suffix in {".js", ".html"} and VENDOR not in p.parents)


def test_vendored_files_are_those_of_the_list() -> None:
    listed = json.loads((VENDOR / "vendor.json").read_text())["sha256"]
    there = {
        p.relative_to(VENDOR).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in VENDOR.rglob("*")
        if p.is_file() and p.name not in {"vendor.json", "vendor.mjs"}
    }
    assert there == listed


@pytest.mark.parametrize("path", OWN, ids=lambda p: p.name)
def test_text_never_becomes_markup_or_code(path: Path) -> None:
    text = re.sub(r"//.*", "", path.read_text())
    assert not re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|setHTML|\beval\(|new Function", text)
    assert not re.findall(r"<script>(?!</script>)|\son\w+=|javascript:", text)


@pytest.mark.parametrize("path", OWN, ids=lambda p: p.name)
def test_modules_stay_small(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 250


def test_vendored_files_stay_below_their_budget() -> None:
    assert sum(p.stat().st_size for p in VENDOR.rglob("*") if p.is_file()) < 3_200_000


def test_units_are_written_as_everywhere_else() -> None:
    table = re.search(r"const UNITS = \{(.*?)\n\};", (CONSOLE / "modules" / "units.js").read_text(), re.DOTALL)
    assert table is not None
    entries = re.findall(r'(?:"([^"]+)"|(\w+)): "([^"]*)"', table[1])
    assert {quoted or plain: text for quoted, plain, text in entries} == UNITS


def test_numbers_are_written_as_everywhere_else() -> None:
    values = [sign * digits * 10.0**power for sign in (1, -1) for digits in _DIGITS for power in range(-12, 17)]
    values += [0.0, -0.0, 1000.005, 999.99999, 100000.4, 1234567.8, 0.1 + 0.2, 748.8054 - 748.8]
    program = f"{(CONSOLE / 'modules' / 'units.js').read_text()}\nconsole.log(JSON.stringify({values}.map(number)));"
    node = find_tool("node")
    if node is None:
        pytest.skip("no node on this machine")
    command = [node, "--input-type=module", "-"]
    said = subprocess.run(command, input=program, capture_output=True, text=True, check=True).stdout
    assert [text.replace("\u202f", "") for text in json.loads(said)] == [number_text(value) for value in values]
