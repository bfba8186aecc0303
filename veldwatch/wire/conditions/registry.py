"""Every kind of condition, with how its documents are read and described."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from veldwatch.model.conditions.kinds import Condition
from veldwatch.wire.conditions.area import (
    balance_schemas,
    neighbours_schemas,
    proximity_schemas,
    read_balance,
    read_neighbours,
    read_proximity,
)
from veldwatch.wire.conditions.composite import (
    all_of_schemas,
    any_of_schemas,
    calculated_schemas,
    not_schemas,
    read_all_of,
    read_any_of,
    read_calculated,
    read_not,
)
from veldwatch.wire.conditions.event import event_schemas, read_event
from veldwatch.wire.conditions.flow import (
    continuous_flow_schemas,
    night_flow_schemas,
    read_continuous_flow,
    read_night_flow,
)
from veldwatch.wire.conditions.movement import (
    geofence_schemas,
    immobility_schemas,
    near_schemas,
    read_geofence,
    read_immobility,
    read_near,
    read_speed,
    speed_schemas,
)
from veldwatch.wire.conditions.silence import absence_schemas, area_outage_schemas, read_absence, read_area_outage
from veldwatch.wire.conditions.usual import (
    baseline_schemas,
    joint_baseline_schemas,
    read_baseline,
    read_joint_baseline,
)
from veldwatch.wire.conditions.values import (
    change_schemas,
    rate_of_change_schemas,
    read_change,
    read_rate_of_change,
    read_repeat,
    read_spike,
    read_stuck,
    read_threshold,
    repeat_schemas,
    spike_schemas,
    stuck_schemas,
    threshold_schemas,
)
from veldwatch.wire.document_part import DocumentPart


class Form(NamedTuple):
    """How one kind is written.

    Attributes:
        schemas: the JSON Schemas of its variants, one of which a document has to meet.
    """

    read: Callable[[DocumentPart], Condition]
    schemas: Callable[[], list[dict[str, Any]]]


FORMS: Mapping[str, Form] = {
    "threshold": Form(read_threshold, threshold_schemas),
    "rate_of_change": Form(read_rate_of_change, rate_of_change_schemas),
    "change": Form(read_change, change_schemas),
    "repeat": Form(read_repeat, repeat_schemas),
    "stuck": Form(read_stuck, stuck_schemas),
    "spike": Form(read_spike, spike_schemas),
    "baseline": Form(read_baseline, baseline_schemas),
    "joint_baseline": Form(read_joint_baseline, joint_baseline_schemas),
    "calculated": Form(read_calculated, calculated_schemas),
    "all_of": Form(read_all_of, all_of_schemas),
    "any_of": Form(read_any_of, any_of_schemas),
    "not": Form(read_not, not_schemas),
    "continuous_flow": Form(read_continuous_flow, continuous_flow_schemas),
    "night_flow": Form(read_night_flow, night_flow_schemas),
    "absence": Form(read_absence, absence_schemas),
    "event": Form(read_event, event_schemas),
    "geofence": Form(read_geofence, geofence_schemas),
    "immobility": Form(read_immobility, immobility_schemas),
    "area_outage": Form(read_area_outage, area_outage_schemas),
    "balance": Form(read_balance, balance_schemas),
    "neighbours": Form(read_neighbours, neighbours_schemas),
    "proximity": Form(read_proximity, proximity_schemas),
    "near": Form(read_near, near_schemas),
    "speed": Form(read_speed, speed_schemas),
}
"""By kind, as `veldwatch.model.conditions.kinds.KINDS` names them."""
