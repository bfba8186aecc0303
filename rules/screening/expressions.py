"""Expressions of calculated fields for many folds at once: `veldwatch.wire.expressions`, number for number.

What the processor calculates as Python does is calculated in arrays; the other functions are Python's own, called one
by one. Where Python would raise, there is no number. Beyond `_LARGEST`, and where something is no number on the way,
Python's whole numbers, infinities and comparisons may go other ways: that is said, and nothing is claimed.
"""

import ast
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from rules.screening.table import Floats, Mask
from veldwatch.wire.expressions import Expression

_LARGEST = 1e15


class Numbers(NamedTuple):
    """What came out.

    Attributes:
        exists: False: there is no such number.
        is_sure: False: Python may say something else.
    """

    value: Floats
    exists: Mask
    is_sure: Mask


def evaluate(expression: Expression, values: Mapping[str, Floats], length: int) -> Numbers:
    """Calculate an expression of columns of values."""
    walk = _Walk(values, length)
    with np.errstate(all="ignore"):
        value, exists = walk.of(expression.tree)
    return Numbers(value, exists, walk.is_sure)


_Found = tuple[Floats, Mask]


class _Walk:
    """One way through a tree."""

    def __init__(self, values: Mapping[str, Floats], length: int) -> None:
        self._values = values
        self._length = length
        self.is_sure = np.ones(length, bool)

    def of(self, node: ast.AST) -> _Found:
        """Calculate a part."""
        value, exists = _NODES[type(node)](self, node)
        self.is_sure &= ~exists | (np.abs(value) <= _LARGEST)
        return np.where(exists, value, 0.0), exists

    def constant(self, node: ast.Constant) -> _Found:
        return np.full(self._length, float(node.value)), self._all()  # pyright: ignore[reportArgumentType]  # a number

    def name(self, node: ast.Name) -> _Found:
        return self._values[node.id], self._all()

    def unary(self, node: ast.UnaryOp) -> _Found:
        value, exists = self.of(node.operand)
        return _UNARY[type(node.op)](value).astype(np.float64), exists

    def binary(self, node: ast.BinOp) -> _Found:
        (left, left_exists), (right, right_exists) = self.of(node.left), self.of(node.right)
        exists = left_exists & right_exists
        if isinstance(node.op, ast.Pow):
            value, fine = _one_by_one(math.pow, left, right)
            return value, exists & fine
        if isinstance(node.op, (ast.Div, ast.Mod)):
            exists &= right != 0
        return _BINARY[type(node.op)](left, right), exists

    def several(self, node: ast.BoolOp) -> _Found:
        value, exists = self.of(node.values[0])
        for part in node.values[1:]:
            goes_on = (value != 0) == isinstance(node.op, ast.And)
            other, other_exists = self.of(part)
            value, exists = np.where(goes_on, other, value), exists & (~goes_on | other_exists)
        return value, exists

    def compared(self, node: ast.Compare) -> _Found:
        left, exists = self.of(node.left)
        holds = self._all()
        for operator, part in zip(node.ops, node.comparators, strict=True):
            right, right_exists = self.of(part)
            # What comes after a comparison that fails is not looked at.
            exists &= ~holds | right_exists
            holds &= _COMPARE[type(operator)](left, right)
            left = right
        return holds.astype(np.float64), exists

    def chosen(self, node: ast.IfExp) -> _Found:
        (test, exists), (one, one_exists), (other, other_exists) = (
            self.of(part) for part in (node.test, node.body, node.orelse)
        )
        return np.where(test != 0, one, other), exists & np.where(test != 0, one_exists, other_exists)

    def called(self, node: ast.Call) -> _Found:
        found = [self.of(argument) for argument in node.args]
        exists = np.logical_and.reduce([each for _, each in found])
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        values = [value for value, _ in found]
        if name == "sqrt":
            exists &= values[0] >= 0
        if name in _IN_ARRAYS:
            return _IN_ARRAYS[name](*values), exists
        value, fine = _one_by_one(_ONE_BY_ONE[name], *values)
        return value, exists & fine

    def _all(self) -> Mask:
        return np.ones(self._length, bool)


def _one_by_one(function: Callable[..., float], *columns: Floats) -> _Found:
    values = [_called(function, row) for row in zip(*(column.tolist() for column in columns), strict=True)]
    fine = np.array([value is not None for value in values], bool)
    return np.array([0.0 if value is None else value for value in values], np.float64), fine


def _called(function: Callable[..., float], arguments: tuple[float, ...]) -> float | None:
    try:
        return function(*arguments)
    except (ArithmeticError, ValueError):
        return None


def _least(*values: Floats) -> Floats:
    return np.minimum.reduce(values)


def _most(*values: Floats) -> Floats:
    return np.maximum.reduce(values)


def _clamp(value: Floats, low: Floats, high: Floats) -> Floats:
    return np.minimum(np.maximum(value, low), high)


_NODES: dict[type, Callable[[_Walk, Any], _Found]] = {
    ast.Constant: _Walk.constant,
    ast.Name: _Walk.name,
    ast.UnaryOp: _Walk.unary,
    ast.BinOp: _Walk.binary,
    ast.BoolOp: _Walk.several,
    ast.Compare: _Walk.compared,
    ast.IfExp: _Walk.chosen,
    ast.Call: _Walk.called,
}
_UNARY: dict[type, Any] = {ast.USub: np.negative, ast.UAdd: np.positive, ast.Not: np.logical_not}
_BINARY: dict[type, Any] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Mod: np.mod,
}
_COMPARE: dict[type, Any] = {
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}
_IN_ARRAYS: dict[str, Callable[..., Floats]] = {
    "abs": np.abs,
    "min": _least,
    "max": _most,
    "sqrt": np.sqrt,
    "floor": np.floor,
    "ceil": np.ceil,
    "clamp": _clamp,
}
_ONE_BY_ONE: dict[str, Callable[..., float]] = {
    "exp": math.exp,
    "log": math.log,
    "log10": math.log10,
    "sin": math.sin,
    "cos": math.cos,
    "hypot": math.hypot,
}
