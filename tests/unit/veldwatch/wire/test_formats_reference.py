"""The reference of formats names every decoder, every built-in topic and every option."""

import re
from pathlib import Path

import pytest

from veldwatch.config import DEFAULT_SOURCES
from veldwatch.errors import ConfigurationInvalid
from veldwatch.wire.sources import decoder_names, find_decoder

PAGE = (Path(__file__).resolve().parents[4] / "docs" / "reference" / "formats.md").read_text(encoding="utf-8")
SECTIONS = {
    name: section
    for section in PAGE.split("\n## ")[1:]
    for name in re.findall(r"`([a-z0-9_]+)`", section.partition(":")[0])
}


def test_every_decoder_has_a_section() -> None:
    assert SECTIONS.keys() >= set(decoder_names())


@pytest.mark.parametrize("source", DEFAULT_SOURCES, ids=lambda source: source.name)
def test_every_built_in_topic_is_named(source: object) -> None:
    topic_filter = getattr(source, "topic_filter", "")
    assert topic_filter.removesuffix("/#") in PAGE


@pytest.mark.parametrize("decoder", sorted(set(decoder_names()) - {"mapping"}))
def test_every_option_is_explained(decoder: str) -> None:
    with pytest.raises(ConfigurationInvalid) as caught:
        find_decoder(decoder, {"no such option": 1})
    _, known, options = str(caught.value).rpartition("known are ")
    for option in options.rstrip(")").split(", ") if known else ():
        assert f"`{option}" in SECTIONS[decoder], f"{decoder}: {option}"
