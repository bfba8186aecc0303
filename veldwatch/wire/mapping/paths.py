"""JSONPath, compiled once, and at a cost that no document can drive up.

A path is RFC 9535's. It begins with `$`, the whole document, or with `@`, the item at hand. One that only goes down by
names and indices, as most do, is walked without the library. The others are held to what a document's size bounds: one
`..` and one bracket of several selectors at most, and no `$`, `..` or pattern in a filter.

Source: RFC 9535; its section 4.1 warns of what queries may cost.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import cast

from jsonpath import JSONPath, JSONPathEnvironment, JSONPathError
from jsonpath.filter import BaseExpression, FilterQuery, RelativeFilterQuery
from jsonpath.segments import JSONPathRecursiveDescentSegment
from jsonpath.selectors import Filter, IndexSelector, NameSelector

from veldwatch.errors import ConfigurationInvalid, MessageRejected
from veldwatch.model.reasons import Reason

_LONGEST_PATH = 300
# Deeper documents are nobody's telemetry; the library stops there.
_DEEPEST = 100


class Here:
    """Where in which message a path is looked up.

    Attributes:
        item: the part of the document that `@` is.
        key: the name or index of that part.
        found: what paths of several steps found in the document, for all of its items.
    """

    __slots__ = ("document", "found", "item", "key", "levels", "topic")

    def __init__(self, topic: str, levels: Sequence[str], document: object) -> None:
        self.topic, self.levels, self.document = topic, levels, document
        self.item, self.key = document, ""
        self.found: dict[str, object] = {}

    def at(self, key: str, item: object) -> "Here":
        """Give the same message with another item at hand."""
        other = Here(self.topic, self.levels, self.document)
        other.item, other.key, other.found = item, key, self.found
        return other


class Path:
    """A compiled path; null counts as absent, as devices mean it."""

    __slots__ = ("_query", "relative", "steps", "text")

    def __init__(self, text: str, query: JSONPath) -> None:
        self.text = text
        self.relative = text.startswith("@")
        self.steps = _steps(query)
        """Names and indices on the way down; None: the path may find several."""
        self._query = query

    def first(self, here: Here) -> object:
        """Give the first value that the path finds; None: there is none."""
        start = here.item if self.relative else here.document
        if self.steps is not None:
            return _walk(start, self.steps)
        if self.relative:
            return next((value for _, value in self._matches(start)), None)
        if self.text not in here.found:
            here.found[self.text] = next((value for _, value in self._matches(start)), None)
        return here.found[self.text]

    def items(self, here: Here) -> Iterator[tuple[str, object]]:
        """Yield what the path finds, each with its name or index; of a path to one array, the array's elements."""
        if self.steps is None:
            yield from self._matches(here.document)
            return
        found = _walk(here.document, self.steps)
        if isinstance(found, list):
            yield from ((str(place), value) for place, value in enumerate(cast("list[object]", found)))
        elif found is not None:
            yield str(self.steps[-1]) if self.steps else "", found

    def _matches(self, start: object) -> Iterator[tuple[str, object]]:
        if not isinstance(start, (dict, list)):
            return  # the library would read text as JSON
        try:
            for match in self._query.finditer(cast("dict[str, object] | list[object]", start)):
                if match.obj is not None:
                    yield str(match.parts[-1]) if match.parts else "", match.obj
        except JSONPathError as error:
            raise MessageRejected(
                Reason.MALFORMED_PAYLOAD, f"{self.text}: the document is nested deeper than {_DEEPEST}"
            ) from error


def compile_path(text: str, where: str, *, relative: bool = True) -> Path:
    """Compile a path.

    Args:
        where: the option that it stands in, for messages.
        relative: it may begin with `@`.

    Raises:
        ConfigurationInvalid: not a path, or one whose cost is not bounded.
    """
    wanted = "$ or @" if relative else "$"
    if not text.startswith(("$", "@") if relative else "$"):
        raise ConfigurationInvalid(f"{where}: {text!r} is not a JSONPath (expected one that begins with {wanted})")
    if len(text) > _LONGEST_PATH:
        raise ConfigurationInvalid(f"{where}: a path of {len(text)} characters (expected {_LONGEST_PATH} at most)")
    try:
        query = _ENVIRONMENT.compile("$" + text[1:])
    except JSONPathError as error:
        sentence = str(error).splitlines()[0].replace("'TOKEN_", "'").lower()
        raise ConfigurationInvalid(f"{where}: {text!r} is not a JSONPath ({sentence})") from error
    if not isinstance(query, JSONPath):
        raise ConfigurationInvalid(f"{where}: {text!r} is not one JSONPath but several")
    _check_cost(query, text, where)
    return Path(text, query)


class _Environment(JSONPathEnvironment):
    """RFC 9535 without `match` and `search`: a pattern may take longer than any document is worth."""

    max_recursion_depth = _DEEPEST

    def setup_function_extensions(self) -> None:
        super().setup_function_extensions()
        for name in ("match", "search"):
            del self.function_extensions[name]


_ENVIRONMENT = _Environment(strict=True, filter_caching=False)


def _steps(query: JSONPath) -> tuple[str | int, ...] | None:
    steps: list[str | int] = []
    for segment in query.segments:
        if isinstance(segment, JSONPathRecursiveDescentSegment) or len(segment.selectors) != 1:
            return None
        match segment.selectors[0]:
            case NameSelector(name=name):
                steps.append(name)
            case IndexSelector(index=index):
                steps.append(index)
            case _:
                return None
    return tuple(steps)


def _walk(node: object, steps: tuple[str | int, ...]) -> object:
    for step in steps:
        if isinstance(step, str):
            if not isinstance(node, dict):
                return None
            node = cast("dict[str, object]", node).get(step)
        else:
            if not isinstance(node, list) or not -len(cast("list[object]", node)) <= step < len(
                cast("list[object]", node)
            ):
                return None
            node = cast("list[object]", node)[step]
    return node


def _check_cost(query: JSONPath, text: str, where: str) -> None:
    def refuse(what: str) -> None:
        raise ConfigurationInvalid(f"{where}: {text!r} has {what}, whose cost a document could drive up")

    descents = sum(isinstance(segment, JSONPathRecursiveDescentSegment) for segment in query.segments)
    if descents > 1:
        refuse("more than one `..`")
    if descents and text.startswith("@"):
        refuse("`..` below an item")
    if sum(len(segment.selectors) > 1 for segment in query.segments) > 1:
        refuse("more than one bracket of several selectors")
    for segment in query.segments:
        for selector in segment.selectors:
            if isinstance(selector, Filter):
                _check_filter(selector.expression, refuse)


def _check_filter(expression: BaseExpression, refuse: Callable[[str], None]) -> None:
    if isinstance(expression, FilterQuery):
        if not isinstance(expression, RelativeFilterQuery):
            refuse("`$` in a filter")
        for segment in expression.path.segments:
            if isinstance(segment, JSONPathRecursiveDescentSegment):
                refuse("`..` in a filter")
            if len(segment.selectors) > 1 or any(isinstance(selector, Filter) for selector in segment.selectors):
                refuse("a filter or several selectors in a filter")
        return
    for child in expression.children():
        _check_filter(child, refuse)
