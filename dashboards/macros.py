"""What Grafana 12.4 makes of a query before PostgreSQL sees it, so that tests can run it without a Grafana.

First the front end's part (variables, `$__interval`), then the back end's (comments, macros). Fill arguments of
`$__timeGroup` are taken and change nothing here: Grafana adds those points after the query.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

Values = Mapping[str, Sequence[str]]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class UnknownMacro(Exception):
    """Grafana would fail the whole query."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The time range of a dashboard, and whether the data source says that TimescaleDB is there."""

    since: datetime
    until: datetime
    interval: timedelta
    timescaledb: bool = False


def expand(sql: str, window: Window, values: Values) -> str:
    """Do all that happens to a query on its way."""
    return expand_macros(interpolate(sql, window, values), window)


def interpolate(sql: str, window: Window, values: Values) -> str:
    """Put in variables (`${name:sqlstring}` only) and the two interval variables, as the browser does."""
    sql = re.sub(r"\$\{(\w+):sqlstring\}", lambda match: _sql_strings(values[match[1]]), sql)
    return _intervals(sql, window)


def expand_macros(sql: str, window: Window) -> str:
    """Expand macros as the back end does: plain words first, then comments go, then `$name(arguments)`."""
    sql = _intervals(sql, window)
    sql = sql.replace("$__unixEpochFrom()", str(int(window.since.timestamp())))
    sql = sql.replace("$__unixEpochTo()", str(int(window.until.timestamp())))
    sql = without_comments(sql)
    return re.sub(r"\$([A-Za-z0-9_]+)\(([^)]*)\)", lambda match: _macro(match, sql, window), sql)


def without_comments(sql: str) -> str:
    """Remove comments, but not what looks like one inside quotes."""
    pattern = r"""'[^']*'|"[^"]*"|(\$\w*\$).*?\1|--[^\n]*|/\*.*?\*/"""
    return re.sub(pattern, lambda match: "" if match[0].startswith(("--", "/*")) else match[0], sql, flags=re.DOTALL)


def interval_text(interval: timedelta) -> str:
    """Write an interval as its largest whole unit, rounded down."""
    milliseconds = max(1, interval // timedelta(milliseconds=1))
    for unit, size in (("y", 31536000000), ("d", 86400000), ("h", 3600000), ("m", 60000), ("s", 1000)):
        if milliseconds >= size:
            return f"{milliseconds // size}{unit}"
    return f"{milliseconds}ms"


def time_text(moment: datetime) -> str:
    """Write a time as the back end does: RFC 3339 in UTC, a fraction only where there is one."""
    text = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f").rstrip("0").rstrip(".")
    return f"{text}Z"


def _sql_strings(items: Sequence[str]) -> str:
    return ",".join("'" + item.replace("'", "''") + "'" for item in items)


def _intervals(sql: str, window: Window) -> str:
    sql = sql.replace("$__interval_ms", str(window.interval // timedelta(milliseconds=1)))
    return sql.replace("$__interval", interval_text(window.interval))


def _macro(match: re.Match[str], sql: str, window: Window) -> str:
    name, arguments = match[1], [part.strip() for part in match[2].split(",")]
    if name == "__timeGroup" and sql[sql.index(match[0]) + len(match[0]) :].startswith(","):
        name = "__timeGroupAlias"
    if name not in _MACROS:
        raise UnknownMacro(name)
    return _MACROS[name](arguments, window)


def _group(arguments: list[str], window: Window) -> str:
    column, seconds = arguments[0], _seconds(arguments[1])
    if window.timescaledb:
        return f"time_bucket('{seconds:.3f}s',{column})"
    return f"floor(extract(epoch from {column})/{_go_number(seconds)})*{_go_number(seconds)}"


def _epoch_group(arguments: list[str], _window: Window) -> str:
    seconds = _go_number(_seconds(arguments[1]))
    return f"floor(({arguments[0]})/{seconds})*{seconds}"


_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def _seconds(interval: str) -> float:
    parts = re.findall(r"([\d.]+)(ms|[smhdw])", interval.strip("'"))
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def _go_number(seconds: float) -> str:
    if seconds < 1e6:
        return f"{seconds:g}"
    mantissa, exponent = f"{seconds:e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{exponent}"


def _nanoseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


_MACROS: dict[str, Callable[[list[str], Window], str]] = {
    "__time": lambda a, _w: f'{a[0]} AS "time"',
    "__timeEpoch": lambda a, _w: f'extract(epoch from {a[0]}) as "time"',
    "__timeFilter": lambda a, w: f"{a[0]} BETWEEN '{time_text(w.since)}' AND '{time_text(w.until)}'",
    "__timeFrom": lambda _a, w: f"'{time_text(w.since)}'",
    "__timeTo": lambda _a, w: f"'{time_text(w.until)}'",
    "__timeGroup": _group,
    "__timeGroupAlias": lambda a, w: f'{_group(a, w)} AS "time"',
    "__unixEpochFilter": lambda a, w: f"{a[0]} >= {int(w.since.timestamp())} AND {a[0]} <= {int(w.until.timestamp())}",
    "__unixEpochNanoFilter": lambda a, w: f"{a[0]} >= {_nanoseconds(w.since)} AND {a[0]} <= {_nanoseconds(w.until)}",
    "__unixEpochNanoFrom": lambda _a, w: str(_nanoseconds(w.since)),
    "__unixEpochNanoTo": lambda _a, w: str(_nanoseconds(w.until)),
    "__unixEpochGroup": _epoch_group,
    "__unixEpochGroupAlias": lambda a, w: f'{_epoch_group(a, w)} AS "time"',
}
