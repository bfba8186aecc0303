"""The packs that come with Veldwatch: valid, tested, and what a wrong test file is told."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rules.commands import app
from rules.rule_files import PACKS, pack_path, read_rules
from rules.rule_tests import read_tests
from veldwatch.errors import RuleInvalid
from veldwatch.wire.rule_document import parse_rule, rule_to_document

ROOT = PACKS.parents[1]
TESTED = sorted(PACKS.glob("tests/*.yaml"))
RULES = """\
rules:
- {id: a, title: A, severity: info, condition: {kind: threshold, metric: m, above: 5}}
- {id: b, title: B, severity: info, condition: {kind: absence, silent_for: 1h}}
"""


def test_every_pack_is_valid_and_its_ids_begin_with_its_name() -> None:
    for path in PACKS.glob("*.yaml"):
        for rule in read_rules(path):
            assert rule.id.startswith(path.stem + ".")


def test_every_rule_of_a_pack_says_which_faults_it_is_there_to_find() -> None:
    silent = [rule.id for path in PACKS.glob("*.yaml") for rule in read_rules(path) if rule.detects is None]
    assert silent == []


def test_every_rule_of_a_pack_says_why_it_is_there_and_where_it_is_from() -> None:
    rules = [rule for path in PACKS.glob("*.yaml") for rule in read_rules(path)]
    assert [rule.id for rule in rules if not rule.reason or not rule.source] == []


def test_every_rule_of_a_pack_leads_to_a_section_of_a_runbook() -> None:
    lost: list[str] = []
    for rule in (rule for path in PACKS.glob("*.yaml") for rule in read_rules(path)):
        page, _, anchor = (rule.runbook or "").partition("#")
        text = (ROOT / page).read_text(encoding="utf-8") if page.startswith("docs/runbooks/") else ""
        # As GitHub makes them: letters, digits, hyphens.
        headings = {re.sub(r"[^\w-]", "", heading.lower()) for heading in re.findall(r"(?m)^## (\S+)$", text)}
        if anchor not in headings:
            lost.append(rule.id)
    assert lost == []


def test_every_rule_of_a_pack_but_the_demonstrations_has_a_test_that_raises_it() -> None:
    raised = {test.rule.id for path in TESTED for test in read_tests(path) if test.expected}
    rules = {rule.id for path in PACKS.glob("*.yaml") for rule in read_rules(path)}
    assert {name for name in rules - raised if not name.startswith("demo.")} == set()


def test_every_rule_of_a_pack_is_the_same_when_it_comes_back_from_the_database() -> None:
    for path in PACKS.glob("*.yaml"):
        for rule in read_rules(path):
            assert parse_rule(json.loads(json.dumps(rule_to_document(rule)))) == rule


def test_every_pack_has_tests() -> None:
    assert {path.name for path in TESTED} == {path.name for path in PACKS.glob("*.yaml")}


@pytest.mark.parametrize("path", TESTED, ids=lambda path: path.stem)
def test_the_packs_do_what_their_tests_say(path: Path) -> None:
    assert {test.name: test.complaints() for test in read_tests(path)} == {test.name: [] for test in read_tests(path)}


def test_a_pack_is_found_by_its_name() -> None:
    assert pack_path("water") == PACKS / "water.yaml"
    assert pack_path("mine.yaml") == Path("mine.yaml")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rules.yaml").write_text(RULES, encoding="utf-8")
    return tmp_path


def write(folder: Path, tests: str) -> Path:
    path = folder / "tests.yaml"
    path.write_text(f"rules: rules.yaml\ntests:\n{tests}", encoding="utf-8")
    return path


def test_a_test_that_fails_says_what_is_missing_and_what_is_too_much(folder: Path) -> None:
    path = write(
        folder,
        "- {name: n, rule: a, until: 1h, readings: [{every: 10m, values: [1, 9]}],"
        " expect: [{opened_at: 0s, fired_at: 0s}]}",
    )
    result = CliRunner().invoke(app, ["test", str(path)])
    assert result.exit_code == 1
    assert "expected and not found: {opened_at: 0s, fired_at: 0s}" in result.output
    assert "found and not expected: {opened_at: 10m, fired_at: 10m}" in result.output


@pytest.mark.parametrize(
    ("tests", "complaint"),
    [
        ("- {name: n, rule: c, until: 1h}", "bad rule: 'c' (expected one of a, b)"),
        ("- {name: n, rule: a, until: 1h, readings: 5}", "bad readings: 5"),
        ("- {name: n, rule: a, until: 1h, readings: [{every: 1m, values: [x]}]}", "bad readings[0].values: 'x'"),
        ("- {name: n, rule: a, until: 1h, readings: [{every: 1m, values: 7}]}", "bad readings[0].values: 7"),
        ("- {name: n, rule: b, until: 1h, contacts: [soon]}", "'soon' (expected a duration"),
        ("- {name: n, rule: b, until: 1h, readings: []}", "unknown key 'readings'"),
        ("- {name: n, rule: a, until: 1h, readings: [], expected: []}", "unknown key 'expected'"),
    ],
    ids=str,
)
def test_a_wrong_test_file_is_told_what_is_wrong(folder: Path, tests: str, complaint: str) -> None:
    with pytest.raises(RuleInvalid) as raised:
        read_tests(write(folder, tests))
    assert complaint in str(raised.value)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("- 1", "list (expected a mapping)"),
        ("rules: [1]", "rule 1 is 1 (expected a mapping)"),
        ("{", "bad rule file"),
        ("rules: [{id: a, title: A}]", "rule 'a': missing severity"),
        (RULES.replace("id: b", "id: a"), "['a'] more than once"),
        ("!!python/object/apply:os.system [echo]", "bad rule file"),
    ],
    ids=["list", "no mapping", "no YAML", "incomplete", "twice", "code"],
)
def test_a_wrong_rule_file_is_told_what_is_wrong(tmp_path: Path, content: str, complaint: str) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(RuleInvalid) as raised:
        read_rules(path)
    assert complaint in str(raised.value)
    assert CliRunner().invoke(app, ["check", str(path)]).exit_code == 1


def test_good_files_are_called_good() -> None:
    result = CliRunner().invoke(app, ["check", "water", "demo"])
    assert result.exit_code == 0
    assert result.output.startswith("good: water: ")
