"""The simulators, as the API shows them: runs, what can go wrong where, and what did."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, model_validator

from veldwatch.model.faults import FAULTS
from veldwatch.model.simulation import BUNDLED_SCENARIOS


def _known_kind(name: str) -> str:
    if name not in FAULTS:
        raise ValueError(f"expected one of {', '.join(FAULTS)}")
    return name


def _known_scenario(name: str) -> str:
    if name not in BUNDLED_SCENARIOS:
        raise ValueError(f"expected one of {', '.join(BUNDLED_SCENARIOS)}")
    return name


ScenarioName = Annotated[
    str, AfterValidator(_known_scenario), Field(json_schema_extra={"enum": list(BUNDLED_SCENARIOS)})
]
FaultKind = Annotated[str, AfterValidator(_known_kind), Field(json_schema_extra={"enum": list(FAULTS)})]


class Fault(BaseModel):
    """A fault in what the simulators play, at a device or at a site: planned, or asked for."""

    id: int
    run_id: int | None = Field(description="the run of the simulators; null: none has taken it up")
    planned_key: str | None = Field(description="its name in the run's scenario; null: somebody asked for it")
    device_id: int | None = Field(description="null: it is at a site", examples=[17])
    device: str | None = Field(examples=["meter-0017"])
    device_name: str | None
    site_id: int | None = Field(description="null: it is at a device", examples=[3])
    site: str | None = Field(description="slug", examples=["north"])
    site_name: str | None
    organisation: str
    kind: FaultKind
    parameters: dict[str, Any] = Field(examples=[{"duration_seconds": 3600}])
    size: float | None = Field(description="of the kind's first parameter; null: the kind has no size")
    size_unit: str | None = Field(description="UCUM", examples=["L/h"])
    requested_at: datetime
    requested_by: str
    started_at: datetime | None = Field(description="simulated time, as the two ends")
    ends_at: datetime | None
    stopped_at: datetime | None


class KindParameter(BaseModel):
    """What sets a fault's size."""

    name: str = Field(examples=["litres_per_hour"])
    unit: str = Field(description="UCUM; `1` for a share or a number", examples=["L/h"])
    usual: float
    minimum: float
    maximum: float
    meaning: str


class Kind(BaseModel):
    """A kind of fault of the catalogue."""

    name: FaultKind = Field(examples=["leak"])
    title: str = Field(examples=["Leak behind a meter"])
    layer: Literal["physics", "instrument", "wire"]
    models: list[str] = Field(description="simulated models that may have it; empty, with no sites: every one")
    sites: list[str] = Field(description="kinds of site that may have it")
    parameters: list[KindParameter] = Field(description="the first one is the fault's size")
    observable: bool = Field(description="false: it is there to cause no alert")


class SimulatedDevice(BaseModel):
    """A device that the simulators play."""

    id: int = Field(examples=[17])
    external_id: str = Field(examples=["meter-0017"])
    organisation: str = Field(examples=["demo-water"])
    name: str
    profile: str | None
    kind: str | None
    model: str = Field(examples=["water_meter"])


class SimulatedSite(BaseModel):
    """A site that may have a fault of its own."""

    id: int = Field(examples=[3])
    slug: str = Field(examples=["north"])
    organisation: str = Field(examples=["demo-water"])
    name: str
    kind: str = Field(examples=["district_metered_area"])


class BundledScenario(BaseModel):
    """A scenario that can be started by its name."""

    name: str = Field(examples=["demo"])
    title: str


class SimulationRun(BaseModel):
    """A run of the simulators; what it simulates is in simulated time, what is done about it in real time."""

    id: int
    scenario: str = Field(examples=["town"])
    seed: int | None = Field(description="null: the scenario's own, of a run that nobody has taken up")
    begins_at: datetime
    ends_at: datetime | None = Field(description="null: when somebody stops it")
    simulated_until: datetime | None = Field(description="how far it has come; null: no step yet")
    speed: float | None = Field(description="simulated seconds in a second; null: as fast as it goes")
    requested_by: str
    requested_at: datetime
    started_at: datetime | None
    stop_requested_at: datetime | None
    stopped_at: datetime | None
    messages: int = Field(description="published so far")
    note: str = Field(description="why it stopped, for people")


class Simulator(BaseModel):
    """What is played, what can be made to go wrong and where, and what did."""

    runs: list[SimulationRun] = Field(description="newest first, at most 20")
    scenarios: list[BundledScenario]
    kinds: list[Kind]
    devices: list[SimulatedDevice] = Field(description="at most 1000")
    sites: list[SimulatedSite]
    faults: list[Fault] = Field(description="newest first, at most 100")


class NewRun(BaseModel, extra="forbid"):
    """Body of a request for a run."""

    scenario: ScenarioName = Field(examples=["town"])
    seed: int | None = Field(None, ge=-(2**63), le=2**63 - 1, description="same seed, same messages")
    begins_at: AwareDatetime | None = Field(None, description="null: now")
    ends_at: AwareDatetime | None = Field(None, description="null: until it is stopped")
    speed: float | None = Field(1.0, gt=0, le=1e6, description="null: as fast as it goes, to `ends_at`")

    @model_validator(mode="after")
    def _has_an_end(self) -> Self:
        if self.speed is None and self.ends_at is None:
            raise ValueError("without a speed, a run needs ends_at")
        return self


class NewFault(BaseModel, extra="forbid"):
    """Body of a request for a fault."""

    device_id: int | None = Field(None, ge=1, le=2**31 - 1, description="or `site_id`, exactly one", examples=[17])
    site_id: int | None = Field(None, ge=1, le=2**31 - 1)
    kind: FaultKind
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="`duration_seconds`, and what the kind takes", examples=[{}]
    )
