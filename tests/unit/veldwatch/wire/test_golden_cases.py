"""Each behaviour of each format, case by case: `cases/README.md` says how to add one."""

import json
from pathlib import Path

import pytest

from tests.unit.veldwatch.wire.golden import CASES, Case, all_cases


@pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.name)
def test_a_message_says_what_its_case_expects(case: Case) -> None:
    outcome = case.outcome()
    assert outcome == case.expected, f"{case.name} gives {json.dumps(outcome, indent=2, ensure_ascii=False)}"


def test_a_case_is_whole() -> None:
    folders = [folder for folder in CASES.glob("*/*") if folder.is_dir()]
    known = {"topic", "payload", "payload.b64", "options.json", "expected.json"}
    for folder in folders:
        files = {file.name for file in Path(folder).iterdir()}
        assert files <= known, folder
        assert {"topic", "expected.json"} <= files, folder
        assert len({"payload", "payload.b64"} & files) == 1, folder
    assert folders
