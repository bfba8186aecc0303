"""Documents of conditions on what many devices of an area say together."""

from datetime import timedelta
from typing import Any

from veldwatch.model.conditions.area import Balance, Deviation, Gathered, Neighbours, Proximity, Side
from veldwatch.model.conditions.flow import FlowKind
from veldwatch.wire.conditions.shapes import DURATION, TEXT, TEXTS, kind_of, object_of
from veldwatch.wire.document_part import DocumentPart
from veldwatch.wire.units import is_known


def read_balance(part: DocumentPart) -> Balance:
    """Read a balance."""
    balance = Balance(
        inlets=_side(part.part("inlets")),
        meters=_side(part.part("meters")),
        outlets=_side(part.part("outlets")) if part.has("outlets") else None,
        sites=part.text_or_none("sites"),
        unit=part.text_or_none("unit", _check_unit) or "m3",
        above=part.number("above", lowest=0.0) if part.has("above") else None,
        share=part.number("share", lowest=0.0, highest=1.0) if part.has("share") else None,
        every=part.duration_or("every", timedelta(days=1), positive=True),
        wait=part.duration_or("wait", timedelta(hours=2)),
        within=part.duration_or("within", timedelta(hours=6), positive=True),
        coverage=part.number_or("coverage", 0.9, lowest=0.01, highest=1.0),
    )
    if balance.above is None and balance.share is None:
        raise part.wrong("above", None, "expected above, share or both")
    return balance


def read_neighbours(part: DocumentPart) -> Neighbours:
    """Read a comparison with neighbours."""
    minimum = part.number("minimum", lowest=0.0)
    if not minimum:
        raise part.wrong("minimum", minimum, "expected more than nothing: groups that are alike would fire on noise")
    return Neighbours(
        metric=part.text("metric"),
        minimum=minimum,
        deviation=part.number_or("deviation", 6.0, lowest=1.0),
        side=part.choice("side", Deviation, Deviation.BOTH),
        of=part.choice("of", Gathered, Gathered.MEAN),
        sites=part.text_or_none("sites"),
        at_least=part.whole_or("at_least", 4, lowest=4, highest=100_000),
        every=part.duration_or("every", timedelta(hours=1), positive=True),
        wait=part.duration_or("wait", timedelta(minutes=15)),
        within=part.duration_or("within", timedelta(hours=3), positive=True),
    )


def read_proximity(part: DocumentPart) -> Proximity:
    """Read a proximity."""
    return Proximity(
        distance_metres=part.number_or("distance_metres", 100.0, lowest=1.0, highest=100_000.0),
        to_profile=part.text_or_none("to_profile"),
        to_tags=tuple(sorted(set(part.texts("to_tags")))),
        within=part.duration_or("within", timedelta(hours=1), positive=True),
        every=part.duration_or("every", timedelta(minutes=15), positive=True),
        wait=part.duration_or("wait", timedelta(minutes=5)),
    )


def balance_schemas() -> list[dict[str, Any]]:
    """Describe a balance."""
    side = object_of(
        {"metric": TEXT, "profile": TEXT, "tags": TEXTS, "of": {"enum": [kind.value for kind in FlowKind]}}, ["metric"]
    )
    properties: dict[str, Any] = {
        "inlets": side,
        "meters": side,
        "outlets": side,
        "sites": {**TEXT, "description": "kind of site, such as district_metered_area"},
        "unit": {**TEXT, "description": "of volume or energy, a UCUM code: m3, kWh"},
        "above": {"type": "number", "minimum": 0},
        "share": {"type": "number", "minimum": 0, "maximum": 1},
        "every": DURATION,
        "wait": DURATION,
        "within": DURATION,
        "coverage": {"type": "number", "minimum": 0.01, "maximum": 1},
    }
    schema = kind_of("balance", properties, ["inlets", "meters"])
    return [{**schema, "anyOf": [{"required": ["above"]}, {"required": ["share"]}]}]


def neighbours_schemas() -> list[dict[str, Any]]:
    """Describe a comparison with neighbours."""
    properties: dict[str, Any] = {
        "metric": TEXT,
        "minimum": {"type": "number", "exclusiveMinimum": 0},
        "deviation": {"type": "number", "minimum": 1},
        "side": {"enum": [side.value for side in Deviation]},
        "of": {"enum": [gathered.value for gathered in Gathered]},
        "sites": {**TEXT, "description": "kind of site whose devices are one group"},
        "at_least": {"type": "integer", "minimum": 4, "maximum": 100_000},
        "every": DURATION,
        "wait": DURATION,
        "within": DURATION,
    }
    return [kind_of("neighbours", properties, ["metric", "minimum"])]


def proximity_schemas() -> list[dict[str, Any]]:
    """Describe a proximity."""
    properties: dict[str, Any] = {
        "distance_metres": {"type": "number", "minimum": 1, "maximum": 100_000},
        "to_profile": TEXT,
        "to_tags": TEXTS,
        "within": DURATION,
        "every": DURATION,
        "wait": DURATION,
    }
    return [kind_of("proximity", properties, [])]


def _side(part: DocumentPart) -> Side:
    side = Side(
        metric=part.text("metric"),
        profile=part.text_or_none("profile"),
        tags=tuple(sorted(set(part.texts("tags")))),
        of=part.choice("of", FlowKind, FlowKind.REGISTER),
    )
    part.done()
    return side


def _check_unit(text: str) -> str | None:
    return None if is_known(text) else "expected a UCUM code of volume or energy, such as m3, L or kWh"
