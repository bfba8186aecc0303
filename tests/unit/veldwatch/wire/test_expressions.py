"""Expressions of calculated fields: what they give, what is refused, and that nothing takes long."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veldwatch.wire.expressions import Expression


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a + b * 2", 7.0),
        ("-a ** 2", -1.0),
        ("b % 2", 1.0),
        ("b if a > b else a", 1.0),
        ("1 < b < 4", 1.0),
        ("not a or b > 5", 0.0),
        ("clamp(b, 0, 2) + abs(-a) + min(a, b) + max(a, b)", 7.0),
        ("sqrt(b + 1) + floor(1.7) + ceil(1.2)", 5.0),
        ("hypot(b, 4)", 5.0),
        ("  a\t* 3 ", 3.0),
        ("a / (b - 3)", None),
        ("sqrt(-a)", None),
        ("log(a - 1)", None),
        ("9**9**9", None),
        ("1e308 * 10 * a", None),
        ("exp(1000)", None),
        ("(-a) ** 0.5", None),
        ("floor(1e308 * 10)", None),
    ],
)
def test_an_expression_gives_a_finite_number_or_none(text: str, value: float | None) -> None:
    assert Expression(text).value({"a": 1.0, "b": 3.0}) == value


def test_an_expression_tells_what_it_needs_values_of() -> None:
    assert Expression("max(p, 2) / (q + p) if sqrt(r) else 1").names == ("p", "q", "r")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a +", "at position 4 of 'a +'"),
        ("   a $ b", "at position 6 of"),
        ("a b", "invalid syntax at position 3 of 'a b' (expected an expression)"),
        ("", "(expected an expression, such as"),
        ("a; b", "invalid syntax at position 2"),
        ("a\n+b", "at position"),
        ("a = 1", "at position"),
        ("import os", "at position 1"),
        ("__import__('os')", "at position 1 of"),
        ("a + pow(b, 2)", "'pow(b, 2)' at position 5 of 'a + pow(b, 2)' (expected one of abs, "),
        ("a.real", "'a.real' at position 1"),
        ("a[0]", "'a[0]' at position 1"),
        ("[a]", "'[a]' at position 1"),
        ("(lambda: 1)()", "at position 1"),
        ("(lambda: a)", "at position 2"),
        ("a + 'b'", "at position 5 of \"a + 'b'\" (expected a number)"),
        ("  é + 'b'", "at position 7"),
        ("True + a", "'True' at position 1"),
        ("1j * a", "'1j' at position 1"),
        ("f'{a}'", "at position 1"),
        ("a << 3", "expected numbers, names"),
        ("a // 2", "expected numbers, names"),
        ("a is b", "expected numbers, names"),
        ("(a := 1)", "at position"),
        ("sqrt(a, b)", "(expected 1 argument)"),
        ("min(a)", "(expected 2 to 16 arguments)"),
        ("max(1, *a)", "'*a' at position 8"),
        ("clamp(value=a)", "(expected 3 arguments)"),
        ("1e999 * a", "(expected a number that is not as large)"),
        ("9" * 400, "(expected a number that is not as large)"),
        ("-" * 100 + "a", "nested more than 25 deep"),
        ("(" * 240 + "a" + ")" * 240, "(expected an expression)"),
        ("a+" * 100 + "a", "nested more than 25 deep"),
        ("max(" + ",".join(["a"] * 16) + ")+" + "min(" + ",".join(["a+b"] * 16) + ")", "parts (expected at most 120)"),
        ("a" * 501, "501 characters (expected at most 500)"),
    ],
    ids=lambda text: str(text)[:30],
)  # fmt: skip
def test_what_is_not_wanted_is_refused_with_its_position(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=r"expected|deep") as raised:
        Expression(text)
    assert complaint in str(raised.value)


@given(st.text(alphabet="ab019.+-*/%()<>=!, \n'\"[]{}_:lambdifesqrtmxnoclp", max_size=60))
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    try:
        expression = Expression(text)
    except ValueError:
        return
    value = expression.value(dict.fromkeys(expression.names, 2.5))
    assert value is None or math.isfinite(value)
