"""JSONPath: what it finds, what it refuses to be, and that no document makes it slow."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonpath import JSONPathEnvironment

from veldwatch.errors import ConfigurationInvalid, MessageRejected
from veldwatch.wire.mapping.paths import Here, compile_path

DOCUMENT = {"a": {"b": [{"c": 1.5, "d": 2}, {"c": 3, "d": None}]}, "x": [1, 2, 3], "text": "words", "a-b": 7}


def here(document: object = DOCUMENT) -> Here:
    return Here("t/1", ["t", "1"], document)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$", DOCUMENT),
        ("$.a.b[0].c", 1.5),
        ("$.a.b[-1].c", 3),
        ("$.a.b[2].c", None),
        ("$['a-b']", 7),
        ("$.a-b", 7),
        ("$.text[0]", None),
        ("$.x.a", None),
        ("$.x[*]", 1),
        ("$.a.b[?@.c > 2].c", 3),
        ("$.a.b[?@.d == 2 && @.c < 2].c", 1.5),
        ("$.a.b[?count(@.*) > 1].c", 1.5),
        ("$..c", 1.5),
        ("$..d", 2),
        ("$.x[1:]", 2),
        ("$['nothing','text']", "words"),
        ("$.a.b[1].d", None),
    ],
)
def test_a_path_finds_the_first_value_that_is_not_null(path: str, found: object) -> None:
    assert compile_path(path, "x").first(here()) == found


def test_an_at_sign_is_the_item_at_hand() -> None:
    at = here().at("0", {"c": 9})
    assert compile_path("@.c", "x").first(at) == 9
    assert compile_path("$.a.b[0].c", "x").first(at) == 1.5


@pytest.mark.parametrize(
    ("path", "items"),
    [
        ("$.x", [("0", 1), ("1", 2), ("2", 3)]),
        ("$.x[*]", [("0", 1), ("1", 2), ("2", 3)]),
        ("$.text", [("text", "words")]),
        ("$.a", [("a", DOCUMENT["a"])]),
        ("$.nothing", []),
        ("$['text','a-b']", [("text", "words"), ("a-b", 7)]),
    ],
)
def test_the_items_of_a_path_have_their_names(path: str, items: list[tuple[str, object]]) -> None:
    assert list(compile_path(path, "items").items(here())) == items


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("a.b", "begins with"),
        ("", "begins with"),
        ("$.a[", "unexpected end of query"),
        ("$.a b", "not a JSONPath"),
        ("$.x | $.a", "not a JSONPath"),
        ("$..a..b", "more than one `..`"),
        ("@..a", "`..` below an item"),
        ("$['a','b']['c','d']", "more than one bracket"),
        ("$.x[?$.a]", "`$` in a filter"),
        ("$.x[?@..a]", "`..` in a filter"),
        ("$.x[?@[?@.a]]", "a filter or several selectors in a filter"),
        ("$.x[?match(@.a, '(a*)*b')]", "not a JSONPath"),
        ("$.x[?search(@.a, 'b')]", "not a JSONPath"),
        ("$.x[?@.a == __import__('os')]", "not a JSONPath"),
        ("$" + ".a" * 200, "300 at most"),
    ],
)
def test_what_is_no_path_or_could_cost_anything_is_refused_with_its_place(path: str, why: str) -> None:
    with pytest.raises(ConfigurationInvalid, match=r"^metrics\[0\]\.value: ") as caught:
        compile_path(path, "metrics[0].value")
    assert why in str(caught.value)


def test_a_document_nested_too_deep_is_refused_by_name() -> None:
    document: object = 1
    for _ in range(150):
        document = {"a": document}
    with pytest.raises(MessageRejected, match="nested deeper than 100"):
        compile_path("$..b", "x").first(here(document))


def test_a_path_of_several_values_is_looked_up_once_for_all_items() -> None:
    path = compile_path("$..c", "x")
    first = here()
    path.first(first)
    assert first.at("1", 1).found == {"$..c": 1.5}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=8,
)
steps = st.lists(st.sampled_from([".a", ".b", "[0]", "[1]", "[-1]", "['a']"]), max_size=4)


@given(json_values, steps)
def test_the_short_way_finds_what_the_library_finds(document: object, path: list[str]) -> None:
    text = "$" + "".join(path)
    wanted = None
    if isinstance(document, (dict, list)):
        found = JSONPathEnvironment(strict=True).compile(text).findall(document)  # pyright: ignore[reportArgumentType, reportUnknownArgumentType]  # JSON
        wanted = found[0] if found else None
    elif not path:
        wanted = document
    assert compile_path(text, "x").first(here(document)) == wanted  # pyright: ignore[reportUnknownArgumentType]  # JSON
