"""From a value as it was sent to a number as it is stored: words, sentinels, scale and offset."""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from msgspec import UNSET

from veldwatch.errors import ConfigurationInvalid, MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Quality
from veldwatch.wire.mapping.options import Metric, Scalar
from veldwatch.wire.values import foreign_number, is_numeric_text, number, number_or_text, plausible, shown

_IMPLAUSIBLE = int(Quality.IMPLAUSIBLE)


class Taken(NamedTuple):
    """A number, and what its value as sent adds to its quality."""

    value: float
    quality: int


class Numbers:
    """What makes numbers of one metric's values."""

    __slots__ = ("_as_sent", "_denominator", "_ignored", "_implausible", "_numerator", "_offset", "_plain", "_words")

    def __init__(self, told: Metric, where: str) -> None:
        self._words = {spelling(word) or word: value for word, value in told.values.items()}
        self._ignored = spellings(told.ignore)
        self._implausible = frozenset[str]() if told.implausible is UNSET else spellings(told.implausible)
        self._offset = told.offset
        if told.scale == 0 or not math.isfinite(told.scale) or not math.isfinite(told.offset):
            raise ConfigurationInvalid(
                f"{where}: scale {told.scale!r}, offset {told.offset!r} (expected numbers, no scale of 0)"
            )
        # A tenth as a division: 3 * 0.1 is not 0.3 in binary, 3 / 10 is.
        scale = Fraction(repr(told.scale))
        self._numerator, self._denominator = float(scale.numerator), float(scale.denominator)
        self._plain = not told.values and not told.ignore and not self._implausible
        self._as_sent = self._plain and told.scale == 1 and told.offset == 0

    def take(self, sent: object) -> Taken | None:
        """Give the number; None: the value means that there is none.

        Raises:
            MessageRejected: it is neither a number nor one of the words, or is too large.
        """
        if self._plain and type(sent) in (int, float):
            value = number(sent)
            return Taken(value if self._as_sent else self._scaled(value), 0)
        spelt = spelling(sent)
        if spelt in self._ignored:
            return None
        found = self._words.get(spelt) if spelt is not None else None
        if found is None:
            found = foreign_number(sent)
        if found is None:
            words = f" or one of {', '.join(map(repr, self._words))}" if self._words else ""
            raise MessageRejected(Reason.BAD_VALUE, f"{shown(sent)} (expected a number{words})")
        return Taken(self._scaled(found), _IMPLAUSIBLE if spelt in self._implausible else 0)

    def _scaled(self, value: float) -> float:
        return plausible(value * self._numerator / self._denominator + self._offset)


def spelling(value: object) -> str | None:
    """Write a value so that 1, 1.0 and "1", or true and "true", are one; None: an object, a list, nothing."""
    if isinstance(value, str):
        return _number_spelt(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(float(value)) if abs(value) < 1e300 else None
    return None


def spellings(values: Scalar | Sequence[Scalar]) -> frozenset[str]:
    """Write several."""
    listed: Sequence[Scalar] = values if isinstance(values, (list, tuple)) else [values]  # pyright: ignore[reportAssignmentType, reportUnknownVariableType]  # a scalar is none of them
    return frozenset(spelt for spelt in map(spelling, listed) if spelt is not None)


def _number_spelt(text: str) -> str:
    try:
        found = number_or_text(text) if is_numeric_text(text) else None
    except MessageRejected:
        return text
    return text if found is None else repr(found)
