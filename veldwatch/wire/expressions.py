"""Expressions of calculated fields: checked when a rule is read, and carried out with bounded cost.

`simpleeval` walks the tree of an expression; of what it can do, what is listed here is left: numbers, names,
arithmetic, comparisons, `and`, `or`, `not`, `a if b else c`, and the functions below. There is no text, no list, no
attribute, no loop, and every number is a float: each step is as quick as any other, and the number of steps is bounded.
"""

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any
from warnings import catch_warnings, simplefilter

from simpleeval import SimpleEval

_LONGEST = 500
_MOST_NODES = 120
_DEEPEST = 25
_OPERATORS: dict[type, Any] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
    ast.Pow: math.pow,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_NODES = (ast.Constant, ast.Name, ast.UnaryOp, ast.BinOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Call)
_PASSED = (ast.And, ast.Or, ast.Load)


def _least(*values: float) -> float:
    return min(values)


def _most(*values: float) -> float:
    return max(values)


def _clamp(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


_FUNCTIONS: Mapping[str, tuple[Callable[..., float], int, int]] = {
    "abs": (math.fabs, 1, 1),
    "min": (_least, 2, 16),
    "max": (_most, 2, 16),
    "sqrt": (math.sqrt, 1, 1),
    "exp": (math.exp, 1, 1),
    "log": (math.log, 1, 1),
    "log10": (math.log10, 1, 1),
    "floor": (math.floor, 1, 1),
    "ceil": (math.ceil, 1, 1),
    "sin": (math.sin, 1, 1),
    "cos": (math.cos, 1, 1),
    "hypot": (math.hypot, 2, 2),
    "clamp": (_clamp, 3, 3),
}
"""Function, least and most arguments."""
FUNCTIONS = tuple(_FUNCTIONS)


class Expression:
    """An expression that is known to be good."""

    def __init__(self, text: str) -> None:
        """Check an expression.

        Raises:
            ValueError: saying what is wrong, where, and what was expected.
        """
        self._tree = _parsed(text)
        self._text = text
        called = {id(node.func) for node in ast.walk(self._tree) if isinstance(node, ast.Call)}
        found = (node for node in ast.walk(self._tree) if isinstance(node, ast.Name) and id(node) not in called)
        self.names = tuple(sorted({node.id for node in found}))
        """All that it needs values of."""
        self.text = text.strip()
        self._evaluator = _evaluator()

    @property
    def tree(self) -> ast.expr:
        """Give its checked tree, for who calculates it for many values at once."""
        return self._tree

    def value(self, values: Mapping[str, float]) -> float | None:
        """Calculate; None: there is no such number: a division by zero, the root of one below 0, more than a float.

        Args:
            values: by name; every one of `names`.
        """
        self._evaluator.names = values
        try:
            result = float(self._evaluator.eval(self._text, previously_parsed=self._tree))
        except (ArithmeticError, ValueError):
            return None
        return result if math.isfinite(result) else None


def _evaluator() -> Any:  # noqa: ANN401  # the library has no types
    evaluator: Any = SimpleEval(operators=_OPERATORS, functions=_CALLABLE, names={})
    evaluator.nodes = {kind: evaluator.nodes[kind] for kind in _NODES} | {ast.Constant: _number}
    return evaluator


def _parsed(text: str) -> ast.expr:
    if len(text) > _LONGEST:
        raise ValueError(f"{len(text)} characters (expected at most {_LONGEST})")
    if not text.strip():
        raise ValueError(f"{text!r} (expected an expression, such as voltage * current / 1000)")
    try:
        with catch_warnings():
            # Of what is no program, Python's advice on style is of no use.
            simplefilter("ignore")
            tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        position = _indent(text) + (error.offset or len(text.strip()) + 1)  # 0: at the end
        raise ValueError(f"{error.msg} at position {position} of {text!r} (expected an expression)") from error
    except (RecursionError, MemoryError, ValueError) as error:
        raise ValueError(f"{text!r} (expected an expression)") from error
    _check(tree, text, 0)
    count = sum(1 for _ in ast.walk(tree))
    if count > _MOST_NODES:
        raise ValueError(f"{count} parts (expected at most {_MOST_NODES})")
    return tree


def _check(node: ast.AST, text: str, depth: int) -> None:
    if depth > _DEEPEST:
        raise ValueError(f"nested more than {_DEEPEST} deep")
    if not isinstance(node, (*_NODES, *_PASSED)) and type(node) not in _OPERATORS:
        raise _wrong(node, text, "expected numbers, names, + - * / % **, comparisons, and, or, not, if and else")
    if isinstance(node, ast.Constant) and type(node.value) not in (int, float):
        raise _wrong(node, text, "expected a number")
    if isinstance(node, ast.Constant) and not _is_finite(node.value):
        raise _wrong(node, text, "expected a number that is not as large")
    if isinstance(node, ast.Call):
        _check_call(node, text)
    for child in ast.iter_child_nodes(node):
        if not (isinstance(node, ast.Call) and child is node.func):
            _check(child, text, depth + 1)


def _check_call(node: ast.Call, text: str) -> None:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if name not in _FUNCTIONS:
        raise _wrong(node, text, f"expected one of {', '.join(FUNCTIONS)}")
    _, least, most = _FUNCTIONS[name]
    if node.keywords or not least <= len(node.args) <= most:
        raise _wrong(
            node, text, f"expected {least if least == most else f'{least} to {most}'} argument{'s' if most > 1 else ''}"
        )


def _wrong(node: ast.AST, text: str, expectation: str) -> ValueError:
    start, end = getattr(node, "col_offset", 0), getattr(node, "end_col_offset", None)
    # Positions count UTF-8 bytes of the text without the space around it.
    content = text.strip().encode()
    part = content[start:end].decode(errors="replace")
    position = _indent(text) + len(content[:start].decode(errors="replace")) + 1
    return ValueError(f"{part!r} at position {position} of {text!r} ({expectation})")


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())


def _is_finite(value: object) -> bool:
    try:
        return math.isfinite(float(value))  # pyright: ignore[reportArgumentType]  # a number, as was checked
    except OverflowError:
        return False


def _number(node: ast.Constant) -> float:
    return float(node.value)  # pyright: ignore[reportArgumentType]  # only numbers pass


_CALLABLE = {name: function for name, (function, _, _) in _FUNCTIONS.items()}
