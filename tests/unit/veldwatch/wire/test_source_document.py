"""Sources as operators write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veldwatch.errors import ConfigurationInvalid
from veldwatch.wire.source_document import SourceDefinition, parse_source, read_sources, source_text

ONE = "{name: a, topic_filter: x/#, decoder: mapping}"


@pytest.mark.parametrize(
    "text", [ONE, f"[{ONE}]", f"sources: [{ONE}]", '{"name":"a","topic_filter":"x/#","decoder":"mapping"}']
)
def test_a_file_holds_one_source_or_several(text: str) -> None:
    assert read_sources(text) == [SourceDefinition(name="a", topic_filter="x/#", decoder="mapping")]


def test_what_devices_say_stays_the_words_that_it_is() -> None:
    text = ONE[:-1] + ", options: {values: {ON: 1, off: 0, yes: 2, true: 3, 7: 4}, since: 2026-11-22, flag: true}}"
    (source,) = read_sources(text)
    assert source.options == {
        "values": {"ON": 1, "off": 0, "yes": 2, "true": 3, "7": 4},
        "since": "2026-11-22",
        "flag": True,
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "bad source: None"),
        ("a: [", "not YAML"),
        ("[1]", "bad source: 1"),
        ("{name: a, topic_filter: x}", "source 'a': bad decoder:"),
        ("{name: No Slug, topic_filter: x, decoder: mapping}", "bad name: 'No Slug'"),
        (ONE[:-1] + ", priority: -1}", "bad priority: -1"),
        (ONE[:-1] + ", colour: red}", "bad colour: 'red' (extra inputs are not permitted)"),
        (f"[{ONE}, {ONE}]", "['a'] are there twice"),
    ],
)
def test_what_is_wrong_is_named(text: str, said: str) -> None:
    with pytest.raises(ConfigurationInvalid) as caught:
        read_sources(text)
    assert said in str(caught.value)


words = st.sampled_from(["on", "OFF", "yes", "true", "null", "7", "2026-11-22", "0x1f", "1e3", "ä: b", "-", "~", " x "])
documents = st.recursive(
    words | st.integers(-9, 9) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(words, documents, max_size=3), st.integers(0, 1000), st.booleans())
def test_what_is_written_is_read_again(options: dict[str, object], priority: int, enabled: object) -> None:
    document = {"name": "a", "topic_filter": "x/#", "decoder": "mapping", "options": options, "priority": priority}
    source = parse_source({**document, "enabled": enabled})
    assert read_sources(source_text(source)) == [source]
