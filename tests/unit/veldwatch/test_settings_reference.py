"""The page about settings is what the settings are."""

from pathlib import Path

from veldwatch.config import Settings
from veldwatch.settings_reference import settings_reference

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "settings.md"


def test_the_committed_page_is_what_is_generated_now() -> None:
    expected = settings_reference()
    assert PAGE.read_text(encoding="utf-8") == expected, (
        "run: python -m veldwatch.settings_reference > docs/reference/settings.md"
    )


def test_every_setting_has_a_row() -> None:
    page = settings_reference()
    assert all(f"`VELDWATCH_{name.upper()}`" in page for name in Settings.model_fields)
