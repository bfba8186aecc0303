"""Reading a document of nested mappings part by part, with errors that say where, what and what was expected.

A part remembers which of its keys were asked for; `done` refuses the rest, so that a misspelt key is never ignored.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import TypeVar, cast

from veldwatch.errors import RuleInvalid
from veldwatch.wire.durations import parse_duration

_Choice = TypeVar("_Choice", bound=StrEnum)


class DocumentPart:
    """A mapping within a document, and the path to it."""

    def __init__(self, content: object, path: str = "") -> None:
        pairs = _pairs(content)
        if pairs is None:
            raise RuleInvalid(f"bad {path or 'rule'}: {content!r} (expected a mapping)")
        self._content = pairs
        self._path = path
        self._asked: list[str] = []

    def has(self, key: str) -> bool:
        """Tell whether a key is there with a value other than null."""
        self._ask(key)
        return self._content.get(key) is not None

    def part(self, key: str) -> "DocumentPart":
        """Take a nested mapping; absent: an empty one."""
        self._ask(key)
        value = self._content.get(key)
        return DocumentPart({} if value is None else value, self.at(key))

    def parts(self, key: str) -> "list[DocumentPart]":
        """Take a list of nested mappings; absent: empty."""
        value = self.raw(key)
        if value is None:
            return []
        items = _items(value)
        if items is None:
            raise self.wrong(key, value, "expected a list of mappings")
        return [DocumentPart(item, f"{self.at(key)}[{number}]") for number, item in enumerate(items)]

    def names(self) -> list[str]:
        """List the keys that are there, all of which count as asked for."""
        self._asked += [str(key) for key in self._content]
        return [str(key) for key in self._content]

    def raw(self, key: str) -> object:
        """Take a value as it is; None: absent."""
        self._ask(key)
        return self._content.get(key)

    def text(self, key: str, check: Callable[[str], str | None] | None = None) -> str:
        """Take a non-empty string.

        Args:
            check: says what is wrong with it; None: nothing.
        """
        value = self._required(key, "a text")
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(key, value, "expected a text that is not empty")
        complaint = check(value) if check else None
        if complaint:
            raise self.wrong(key, value, complaint)
        return value

    def text_or_none(self, key: str, check: Callable[[str], str | None] | None = None) -> str | None:
        """Take a string that may be absent."""
        return self.text(key, check) if self.has(key) else None

    def texts(self, key: str) -> tuple[str, ...]:
        """Take a list of strings; absent: empty."""
        value = self.raw(key)
        if value is None:
            return ()
        items = _items(value)
        if items is None or not all(isinstance(item, str) and item for item in items):
            raise self.wrong(key, value, "expected a list of texts")
        return tuple(str(item) for item in items)

    def number(self, key: str, *, lowest: float = -math.inf, highest: float = math.inf) -> float:
        """Take a finite number within bounds; a string or a boolean is not one."""
        return self._as_number(key, self._required(key, "a number"), lowest, highest)

    def number_or(self, key: str, default: float, *, lowest: float = -math.inf, highest: float = math.inf) -> float:
        """Take a number that may be absent."""
        return self.number(key, lowest=lowest, highest=highest) if self.has(key) else default

    def whole_or(self, key: str, default: int, *, lowest: int, highest: int) -> int:
        """Take a whole number within bounds that may be absent."""
        if not self.has(key):
            return default
        value = self.raw(key)
        if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
            raise self.wrong(key, value, f"expected a whole number from {lowest} to {highest}")
        return value

    def limits(self, key: str) -> tuple[float, float]:
        """Take a list of two numbers, the smaller first."""
        value = self._required(key, "two numbers")
        items = _items(value)
        if items is None or len(items) != 2:
            raise self.wrong(key, value, "expected a list of two numbers: [lower, upper]")
        lower, upper = (self._as_number(key, item, -math.inf, math.inf) for item in items)
        if lower >= upper:
            raise self.wrong(key, value, "expected the lower limit first")
        return lower, upper

    def duration(self, key: str, *, positive: bool = True) -> timedelta:
        """Take a duration in whole seconds."""
        value = self._required(key, "a duration such as 24h")
        if not isinstance(value, str):
            raise self.wrong(key, value, "expected a duration with its unit, such as 90s, 15m, 24h or PT24H")
        try:
            duration = parse_duration(value)
        except ValueError as error:
            raise RuleInvalid(f"bad {self.at(key)}: {error}") from error
        if positive and not duration:
            raise self.wrong(key, value, "expected more than nothing")
        return duration

    def duration_or(self, key: str, default: timedelta, *, positive: bool = False) -> timedelta:
        """Take a duration that may be absent."""
        return self.duration(key, positive=positive) if self.has(key) else default

    def choice(self, key: str, choices: type[_Choice], default: _Choice | None = None) -> _Choice:
        """Take one of a closed list; without a default it must be there."""
        if default is not None and not self.has(key):
            return default
        expected = "one of " + ", ".join(choice.value for choice in choices)
        value = self._required(key, expected)
        for choice in choices:
            if choice.value == value:
                return choice
        raise self.wrong(key, value, f"expected {expected}")

    def labels(self, key: str) -> dict[str, str]:
        """Take a mapping of texts to texts; absent: empty."""
        value = self.raw(key)
        if value is None:
            return {}
        items = _pairs(value)
        if items is None:
            raise self.wrong(key, value, "expected a mapping of texts")
        if not all(isinstance(name, str) and isinstance(text, str) for name, text in items.items()):
            raise self.wrong(key, value, "expected texts only: put numbers in quotes")
        return {str(name): str(text) for name, text in sorted(items.items(), key=lambda item: str(item[0]))}

    def one_of(self, *keys: str) -> str:
        """Name the one key of several that is there."""
        present = [key for key in keys if self.has(key)]
        if len(present) != 1:
            raise RuleInvalid(
                f"bad {self._path or 'rule'}: {len(present)} of {', '.join(keys)} given (expected exactly one)"
            )
        return present[0]

    def done(self) -> None:
        """Refuse keys that nobody asked for."""
        for key in self._content:
            if key not in self._asked:
                known = ", ".join(sorted(set(self._asked)))
                raise RuleInvalid(f"bad {self.at(str(key))}: unknown key {key!r} (expected one of {known})")

    def wrong(self, key: str, value: object, expectation: str) -> RuleInvalid:
        """Make the error for a value."""
        return RuleInvalid(f"bad {self.at(key)}: {value!r} ({expectation})")

    def at(self, key: str) -> str:
        """Give the path of a key from the top of the document."""
        return f"{self._path}.{key}" if self._path else key

    def _ask(self, key: str) -> None:
        self._asked.append(key)

    def _required(self, key: str, expected: str) -> object:
        value = self.raw(key)
        if value is None:
            raise RuleInvalid(f"missing {self.at(key)} (expected {expected})")
        return value

    def _as_number(self, key: str, value: object, lowest: float, highest: float) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise self.wrong(key, value, "expected a number")
        if not lowest <= value <= highest:
            raise self.wrong(key, value, f"expected a number from {lowest:g} to {highest:g}")
        return float(value)


def _items(value: object) -> Sequence[object] | None:
    is_list = isinstance(value, Sequence) and not isinstance(value, str)
    return cast("Sequence[object]", value) if is_list else None


def _pairs(value: object) -> Mapping[object, object] | None:
    return cast("Mapping[object, object]", value) if isinstance(value, Mapping) else None
