"""Text that a message fills in: a JSONPath, or words around `{...}`.

In braces may stand a JSONPath, `topic` (all of it), `topic[N]` (its level N from 0, from the end where negative) and
`key` (the name or index of the item at hand).
"""

import re
from collections.abc import Callable

from veldwatch.errors import ConfigurationInvalid
from veldwatch.wire.mapping.paths import Here, Path, compile_path

_PLACE = re.compile(r"\{(?P<inner>[^{}]*)\}")
_LEVEL = re.compile(r"topic\[(?P<level>-?[0-9]{1,3})\]", re.ASCII)
# Longer than any name, so that a cut one is refused still: each item's text would be as long as the message.
_LONGEST_PART = 1024

Text = Callable[[Here], str | None]
"""None: a part of it is absent in the message."""


class Template:
    """Text that a message fills in.

    Attributes:
        source: as it was written.
        path: the one path that it is; None: it has words or other parts.
        constant: the text, where nothing is to be filled in; else None.
    """

    __slots__ = ("_parts", "constant", "path", "source")

    def __init__(self, source: str, parts: list[Text], *, path: Path | None, constant: str | None) -> None:
        self.source, self.path, self.constant = source, path, constant
        self._parts = parts

    def fill(self, here: Here) -> str | None:
        """Give the text; None: a part of it is absent in the message, or is no text."""
        if self.constant is not None:
            return self.constant
        said: list[str] = []
        for part in self._parts:
            text = part(here)
            if text is None:
                return None
            said.append(text if len(self._parts) == 1 else text[:_LONGEST_PART])
        return "".join(said)

    def value(self, here: Here) -> object:
        """Give what the one path finds, whatever it is, or else the text."""
        return self.fill(here) if self.path is None else self.path.first(here)


def compile_template(source: str, where: str, *, topic_only: bool = False) -> Template:
    """Compile a template.

    Args:
        where: the option that it stands in, for messages.
        topic_only: nothing of the payload may fill it in.

    Raises:
        ConfigurationInvalid: a part of it is none of what may stand in braces.
    """
    if not source:
        raise ConfigurationInvalid(f"{where}: empty (expected text, a JSONPath or a template)")
    if source.startswith(("$", "@")) and not topic_only:
        path = compile_path(source, where)
        return Template(source, [_said(path)], path=path, constant=None)
    parts: list[Text] = []
    end = 0
    for found in _PLACE.finditer(source):
        parts += _words(source[end : found.start()], source, where)
        parts.append(_filled(found["inner"], where, topic_only=topic_only))
        end = found.end()
    rest = _words(source[end:], source, where)
    return Template(source, parts + rest, path=None, constant=None if parts else source)


def _words(text: str, source: str, where: str) -> list[Text]:
    if "{" in text or "}" in text:
        raise ConfigurationInvalid(f"{where}: {source!r} has a brace without its other")
    return [lambda _: text] if text else []


def _filled(inner: str, where: str, *, topic_only: bool) -> Text:
    level = _LEVEL.fullmatch(inner)
    if inner == "topic":
        return lambda here: here.topic
    if level is not None:
        return _level(int(level["level"]))
    if topic_only:
        raise ConfigurationInvalid(
            f"{where}: {{{inner}}} (expected {{topic}} or {{topic[N]}}: a payload may say anything)"
        )
    if inner == "key":
        return lambda here: here.key or None
    if inner.startswith(("$", "@")):
        return _said(compile_path(inner, where))
    raise ConfigurationInvalid(
        f"{where}: {{{inner}}} (expected {{topic}}, {{topic[N]}}, {{key}} or a JSONPath in braces)"
    )


def _level(number: int) -> Text:
    def give(here: Here) -> str | None:
        levels = here.levels
        return (levels[number] or None) if -len(levels) <= number < len(levels) else None

    return give


def _said(path: Path) -> Text:
    def give(here: Here) -> str | None:
        found = path.first(here)
        if isinstance(found, str):
            return found or None
        # A meter's number may be written as one; 1.5 or true is nobody's name.
        return str(found) if isinstance(found, int) and not isinstance(found, bool) else None

    return give
