"""Regular expressions that people give: matched by RE2, in time in proportion to the text.

Python's own `re` may take for ever for one message (`(a+)+b` and forty times `a`), and holds every thread meanwhile.
RE2 knows no look-around and no back-references: what needs them is refused, with what it is.

Source: https://github.com/google/re2/wiki/Syntax
"""

from functools import lru_cache
from typing import Any, cast

import re2


def check_pattern(pattern: str) -> None:
    """Refuse what is no regular expression.

    Raises:
        ValueError: saying where it goes wrong.
    """
    _compiled(pattern)


def matches_whole(pattern: str, text: str) -> bool:
    """Tell whether a pattern matches all of a text; what is no pattern matches nothing."""
    try:
        return _compiled(pattern).fullmatch(text) is not None
    except ValueError:
        return False


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Any:  # noqa: ANN401  # the library says no types
    options = re2.Options()
    options.log_errors = False  # else each goes to standard error as well
    try:
        return re2.compile(pattern, options)
    except re2.error as error:  # pyright: ignore[reportUnknownVariableType]
        said = cast("bytes", error.args[0]).decode(errors="replace")
        raise ValueError(f"no regular expression: {said} (look-around and back-references are not known)") from error
