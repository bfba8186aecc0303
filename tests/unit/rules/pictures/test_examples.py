"""Every kind of condition has a page, an example that is so, and the picture of it."""

from pathlib import Path

import pytest

from rules.pictures.picture import draw
from rules.rule_tests import read_tests
from veldwatch.model.conditions.kinds import KINDS, kind_of

PAGES = Path(__file__).parents[4] / "docs/reference/conditions"
EXAMPLES = sorted(PAGES.glob("examples/*.yaml"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_does_what_it_says(example: Path) -> None:
    tests = read_tests(example)
    assert {kind_of(test.rule.condition) for test in tests} == {example.stem}
    assert {test.name: test.complaints() for test in tests} == {test.name: [] for test in tests}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_a_picture_is_the_one_of_its_example(example: Path) -> None:
    """Draw them anew with `make pictures`."""
    assert example.with_suffix(".svg").read_text(encoding="utf-8") == draw(read_tests(example))


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_has_a_page_with_its_picture(kind: str) -> None:
    page = (PAGES / f"{kind}.md").read_text(encoding="utf-8")
    assert f"](examples/{kind}.svg)" in page
    assert f"](examples/{kind}.yaml)" in page
    assert f"]({kind}.md)" in (PAGES / "README.md").read_text(encoding="utf-8")
