"""The page about faults is what the catalogue is."""

from pathlib import Path

from veldwatch.faults_reference import SHOWN, faults_reference
from veldwatch.model.faults import FAULTS

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "faults.md"


def test_the_committed_page_is_what_is_generated_now() -> None:
    assert PAGE.read_text(encoding="utf-8") == faults_reference(), (
        "run: python -m veldwatch.faults_reference > docs/reference/faults.md"
    )


def test_what_each_kind_shows_is_told_and_of_no_other() -> None:
    assert set(SHOWN) == set(FAULTS)


def test_every_kind_and_parameter_has_its_entry() -> None:
    page = faults_reference()
    for kind in FAULTS.values():
        assert page.count(f"### `{kind.name}`\n") == 1
        entry = page.split(f"### `{kind.name}`\n")[1].split("\n##")[0]
        assert all(f"| `{parameter.name}` | {parameter.unit} |" in entry for parameter in kind.parameters)


def test_limits_are_written_out() -> None:
    assert "| `metres` | m | 20000 | 100 | 5000000 | how far off |" in faults_reference()
