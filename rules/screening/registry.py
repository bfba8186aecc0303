"""Which table screens which kind of condition."""

from collections.abc import Sequence

from rules.conditions.absence import AbsenceCondition
from rules.conditions.baseline import BaselineCondition
from rules.conditions.calculated import CalculatedDerivation
from rules.conditions.change import ChangeDerivation
from rules.conditions.composite import TruthDerivation
from rules.conditions.continuous_flow import FlowCondition
from rules.conditions.derived import DerivedCondition
from rules.conditions.geofence import GeofenceCondition
from rules.conditions.immobility import ImmobilityCondition
from rules.conditions.joint_baseline import JointCondition
from rules.conditions.line_crossing import CrossingCondition
from rules.conditions.night_flow import NightFlowCondition
from rules.conditions.outside_when_due import DueCondition
from rules.conditions.rate_of_change import RateDerivation
from rules.conditions.repeat import RepeatCondition
from rules.conditions.speed import SpeedCondition
from rules.conditions.spike import SpikeCondition
from rules.conditions.stuck import StuckCondition
from rules.conditions.threshold import ThresholdCondition
from rules.screening.baselines import BaselineTable, JointTable
from rules.screening.calculated import CalculatedTable
from rules.screening.changes import ChangeTable
from rules.screening.composites import CompositeTable
from rules.screening.crossings import CrossingTable
from rules.screening.flow import FlowTable
from rules.screening.nights import NightFlowTable
from rules.screening.rates import RateTable
from rules.screening.runs import StuckTable
from rules.screening.sides import DueTable, GeofenceTable
from rules.screening.silence import AbsenceTable
from rules.screening.table import LoudTable, TableOf
from rules.screening.values import RepeatTable, SpikeTable, ThresholdTable
from rules.screening.windows import ImmobilityTable, SpeedTable


def table_of(kind: type) -> TableOf:
    """Give the table of a kind; where there is none, every observation reaches its fold."""
    return TABLES.get(kind, LoudTable)


def _composites(conditions: Sequence[DerivedCondition]) -> CompositeTable:
    return CompositeTable(conditions, TABLES)


TABLES: dict[type, TableOf] = {
    ThresholdCondition: ThresholdTable,
    FlowCondition: FlowTable,
    AbsenceCondition: AbsenceTable,
    RateDerivation: RateTable,
    ChangeDerivation: ChangeTable,
    RepeatCondition: RepeatTable,
    StuckCondition: StuckTable,
    SpikeCondition: SpikeTable,
    NightFlowCondition: NightFlowTable,
    BaselineCondition: BaselineTable,
    JointCondition: JointTable,
    CalculatedDerivation: CalculatedTable,
    TruthDerivation: _composites,
    GeofenceCondition: GeofenceTable,
    DueCondition: DueTable,
    CrossingCondition: CrossingTable,
    ImmobilityCondition: ImmobilityTable,
    SpeedCondition: SpeedTable,
}
"""By what `rules.screening.table.kind_of` gives. Conditions on buckets have none: a bucket is one in many readings."""
