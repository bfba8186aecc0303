"""What the commands that work on alerts and on incidents take, and how they go about several at once."""

import string
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated
from uuid import UUID

import typer
from pydantic import BaseModel

from launch.commands.alert_lines import SHORT, as_json, page_as_json
from veldwatch.config import load_settings
from veldwatch.errors import ConfigurationInvalid, Conflict, NotFound
from veldwatch.model.handling import Resolution
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.incidents import incidents_between
from veldwatch.storage.pool import Row

FEWEST_DIGITS = 4
"""Of an id that is cut short; fewer name too many."""
_UUID_DIGITS = 32

Ids = Annotated[list[str], typer.Argument(help="ids, or how they begin: 4 digits or more")]
Id = Annotated[str, typer.Argument(help="id, or how it begins: 4 digits or more")]
Organisation = Annotated[str | None, typer.Option(help="slug; none: all")]
Severities = Annotated[list[str] | None, typer.Option("--severity", help="any of them, one option each")]
Sort = Annotated[str, typer.Option(help="opened, severity (of incidents), money, water, energy or people")]
Since = Annotated[str, typer.Option("--from", help="began then or later, ISO 8601")]
Until = Annotated[str, typer.Option("--to", help="began before, ISO 8601")]
Limit = Annotated[int, typer.Option(min=1, max=1000, help="how many at most")]
Comment = Annotated[str, typer.Option(help="what others should know")]
Verdict = Annotated[Resolution, typer.Option("--as", help="why it is over")]
Note = Annotated[str, typer.Option(help="in words")]
Person = Annotated[str | None, typer.Option("--to", help="whose work it is from now on; none: yours")]
Json = Annotated[bool, typer.Option("--json", help="print one JSON object, as the HTTP API gives it")]


def open_database() -> Connection:
    """Connect as the commands do that work on alerts."""
    return connect(load_settings().dsn, application="veldwatch-alerts")


def checked(option: str, value: str, known: Sequence[str]) -> str:
    """Give one of a closed list."""
    if value not in known:
        raise ConfigurationInvalid(f"bad {option}: {value!r} (expected {', '.join(known)})")
    return value


def ids_between(text: str) -> tuple[UUID, UUID]:
    """Give the first and the last id that begin so.

    Raises:
        ConfigurationInvalid: no id begins so, or it is too short to name one.
    """
    digits = text.strip().lower().replace("-", "")
    if not FEWEST_DIGITS <= len(digits) <= _UUID_DIGITS or any(digit not in string.hexdigits for digit in digits):
        raise ConfigurationInvalid(f"bad id: {text!r} (expected at least {FEWEST_DIGITS} digits of 0 to 9 and a to f)")
    return UUID(digits.ljust(_UUID_DIGITS, "0")), UUID(digits.ljust(_UUID_DIGITS, "f"))


def the_only(what: str, text: str, found: Sequence[UUID]) -> UUID:
    """Give the one that an id cut short names.

    Raises:
        NotFound: there is none.
        Conflict: there are several.
    """
    if not found:
        raise NotFound(f"no {what} {text!r} (list them with `veldwatch {what}s list --all`)")
    if len(found) > 1:
        raise Conflict(f"{text!r} names more than one {what} (give more digits of its id)")
    return found[0]


def incident_named(connection: Connection, text: str) -> UUID:
    """Find the incident that an id names, or that took the place of the one that it named."""
    return the_only("incident", text, incidents_between(connection, *ids_between(text)))


def short(number: UUID) -> str:
    """Give an id as lists show it."""
    return str(number)[:SHORT]


def worded(option: str, text: str, longest: int) -> str:
    """Give words that somebody wrote, without space around them."""
    words = text.strip()
    if not 0 < len(words) <= longest or "\x00" in words:
        raise ConfigurationInvalid(f"bad {option}: {words[:40]!r} (expected 1 to {longest} characters)")
    return words


def each(ids: Sequence[str], do: Callable[[Connection, str], str]) -> None:
    """Do something with each, one transaction each; what is refused keeps no other back, and makes the exit code 1.

    Args:
        do: gives what to say of it.
    """
    refused = 0
    with open_database() as connection:
        for text in ids:
            try:
                with connection.transaction():
                    said = do(connection, text)
            except (NotFound, Conflict) as error:
                refused += 1
                typer.secho(f"error: {error}", fg=typer.colors.RED, err=True)
            else:
                typer.echo(said)
    raise typer.Exit(1 if refused else 0)


def say_page(rows: Sequence[Row], limit: int, line: Callable[[Row], str], as_object: type[BaseModel] | None) -> None:
    """Print a list, and whether there are more.

    Args:
        rows: one more than `limit` where there are more.
        as_object: as one JSON object, with this shape for each; None: a line each.
    """
    shown, more = list(rows[:limit]), len(rows) > limit
    if as_object is not None:
        typer.echo(page_as_json(as_object, shown, more=more))
        return
    for row in shown:
        typer.echo(line(row))
    if more:
        typer.echo(f"and more (--limit {limit})", err=True)


def say_one(row: Row, story: Callable[[Row], Iterator[str]], as_object: type[BaseModel] | None) -> None:
    """Print one of them, as a JSON object of this shape, or, where none is given, as its story."""
    if as_object is not None:
        typer.echo(as_json(as_object, row))
        return
    for line in story(row):
        typer.echo(line)
