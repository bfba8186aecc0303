"""All measures of intake in one table: what was reached, what the design asks for, the limit in the same run, the rows.

The limits are what the machine gives at most: a subscriber that only counts and acknowledges, and a bare binary COPY
into the same keyed table. ThingsBoard's figure is from its own documentation: 5,000 messages of three readings a second
with Kafka and PostgreSQL on 2 vCPU, all on one machine.
"""

from collections.abc import Iterator
from typing import NamedTuple

from benchmarks.files import FilesResult, measure_files
from benchmarks.intake import IntakeResult, measure_intake
from benchmarks.rules import RulesResult, measure_rules

_ITEMS = 100
_SHARE = 0.6


class Line(NamedTuple):
    """One measure: what came out, what is wanted, the limit that the same run met, and the rows reconciled."""

    what: str
    measured: str
    wanted: str
    reached: bool
    limit: str
    rows: str


class Measures(NamedTuple):
    """What was measured, one after the other."""

    messages: IntakeResult
    batched: IntakeResult
    files: FilesResult
    rules: RulesResult

    def reconciled(self) -> bool:
        """Tell whether every row sent is stored once, and every alert is there."""
        return all(result.reconciled for result in self)


def measure(*, messages: int, rows: int) -> Measures:
    """Run every measurement.

    Args:
        messages: of three readings; a fiftieth of that for messages of a hundred moments.
        rows: of the file.
    """
    return Measures(
        messages=measure_intake(messages=messages),
        batched=measure_intake(messages=max(1000, messages // 50), items=_ITEMS),
        files=measure_files(rows=rows),
        rules=measure_rules(),
    )


def lines(found: Measures) -> Iterator[Line]:
    """Hold what was measured against what is wanted."""
    one, many, files, rules = found
    copy = files.copy_readings_per_second
    yield Line(
        f"messages of 3 readings, QoS 1, fsync on, {one.rules} rules running",
        f"{one.messages_per_second:,.0f} msg/s",
        "25,000 msg/s",
        one.messages_per_second >= 25_000,
        "ThingsBoard: 5,000 msg/s",
        _rows(one),
    )
    yield Line(
        "the same, against a subscriber that only counts",
        f"{one.share_of_counting:.0%}",
        f"{_SHARE:.0%}",
        one.share_of_counting >= _SHARE,
        f"{one.counting_messages_per_second:,.0f} msg/s",
        "",
    )
    for what, speed, rows in (
        (f"messages of {_ITEMS} moments of 3 readings", many.readings_per_second, _rows(many)),
        (
            f"a CSV file of {files.rows:,} rows",
            files.readings_per_second,
            f"{files.readings_stored:,} of {files.rows:,}",
        ),
    ):
        yield Line(
            what,
            f"{speed:,.0f} readings/s",
            f"150,000, or {_SHARE:.0%} of COPY",
            speed >= min(150_000, _SHARE * copy),
            f"COPY: {copy:,.0f} readings/s ({speed / copy:.0%})",
            rows,
        )
    yield Line(
        f"rules: {rules.rules} on {rules.series:,} series",
        f"{rules.readings_per_second:,.0f} readings/s",
        "300,000 readings/s",
        rules.readings_per_second >= 300_000,
        "",
        f"{rules.alerts} of {rules.alerts_expected} alerts",
    )


def markdown(found: Measures) -> Iterator[str]:
    """Write the table, and below it what it was measured on."""
    yield "| what | measured | at least | | limit | rows |"
    yield "|---|---|---|---|---|---|"
    for line in lines(found):
        mark = "yes" if line.reached else "NO"
        yield f"| {line.what} | {line.measured} | {line.wanted} | {mark} | {line.limit} | {line.rows} |"
    one = found.messages
    yield ""
    yield (
        f"{one.processor}, {one.cores} cores, with broker ({one.broker}), database ({one.database}), publisher and"
        f" rules on them; batch {one.batch_size}; processor time, µs a message: {one.cpu_microseconds}."
    )


def _rows(intake: IntakeResult) -> str:
    return (
        f"{intake.readings_stored:,} of {intake.readings_sent:,}, {intake.duplicates} twice,"
        f" {intake.alerts} of {intake.alerts_expected} alerts"
    )
