"""The page on dashboards is what the code says, and its pictures are there."""

import re
from pathlib import Path

from dashboards.catalogue import CATALOGUE
from dashboards.reference import page

DOCS = Path(__file__).resolve().parents[3] / "docs"
LARGEST_BYTES = 3_000_000


def test_the_page_is_what_is_written_now() -> None:
    assert (DOCS / "reference" / "dashboards.md").read_text(encoding="utf-8") == page()


def test_every_dashboard_has_a_picture_and_all_of_them_are_light() -> None:
    named = set(re.findall(r"\(\.\./images/dashboards/([\w-]+)\.svg\)", page()))
    there = {path.stem: path.stat().st_size for path in (DOCS / "images" / "dashboards").glob("*")}
    assert named == set(there) == {entry.name for entry in CATALOGUE}
    assert sum(there.values()) < LARGEST_BYTES
