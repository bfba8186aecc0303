"""How states, severities and values look: one place, so that a colour means the same on every dashboard.

No meaning hangs on red against green: every state has its word, and the colours are told apart by people who do not
see red and green alike (blue, orange, dark red, grey).
"""

from grafana_foundation_sdk.builders.dashboard import FieldColor, ThresholdsConfig
from grafana_foundation_sdk.models.dashboard import (
    DynamicConfigValue,
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMapping,
    ValueMappingResult,
)

QUIET = "#73879c"
"""What needs nobody: the colour below the first threshold."""

SEVERITY_COLOURS = {"info": "#5794f2", "minor": "#f2cc0c", "major": "#ff9830", "critical": "#c4162a"}

DEVICE_STATE_COLOURS = {"reporting": "#3274d9", "silent": "#cc4b8f", "offline": "#ff9830", "never heard": QUIET}

ALERT_STATE_COLOURS = {"pending": "#f2cc0c", "firing": "#c4162a", "resolved": "#3274d9", "retracted": QUIET}

OUTBOX_STATE_COLOURS = {"pending": "#f2cc0c", "delivered": "#3274d9", "failed": "#c4162a", "suppressed": QUIET}

INCIDENT_STATE_COLOURS = {"open": "#c4162a", "resolved": "#3274d9"}

HEARD_COLOURS = {"no message": "#d3d7dc", "heard": "#3274d9"}

MOVEMENT_COLOURS = {"no fix": "#d3d7dc", "resting": "#56b4e9", "walking": "#0072b2", "running": "#e69f00"}

SUPPLY_COLOURS = {"loss": "#ff9830", "partly metered": QUIET, "within": "#3274d9", "not known": "#cc4b8f"}

KNOWN_COLOURS = {"known": "#3274d9", "not known": SUPPLY_COLOURS["not known"]}

QUALITY_COLOURS = {"within": "#3274d9", "outside": "#c4162a", "too few": QUIET}

CONDITION_COLOURS = {"quiet": "#3274d9", "alarmed": "#c4162a", "old": QUIET}

FIRE_COLOURS = {"low": "#3274d9", "moderate": "#f2cc0c", "high": "#ff9830", "very high": "#c4162a"}

SERIES_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c564b", "#4d4d4d")
"""Of lines that keep their order. Source: Okabe and Ito, Color Universal Design, 2002; a brown and a grey added."""

UPKEEP_STATE_COLOURS = {"well": "#3274d9", "late": "#ff9830", "failing": "#c4162a"}


def words(colours: dict[str, str]) -> list[ValueMapping]:
    """Colour each word of a closed list, in its order."""
    return [
        ValueMap(
            options={
                word: ValueMappingResult(text=word, color=colour, index=index)
                for index, (word, colour) in enumerate(colours.items())
            }
        )
    ]


def texts(said: dict[str, str]) -> list[ValueMapping]:
    """Show other text for each word of a closed list."""
    return [
        ValueMap(
            options={
                word: ValueMappingResult(text=text, index=index)
                for index, (word, text) in enumerate(sorted(said.items()))
            }
        )
    ]


def steps(limits: list[tuple[float, str]], below: str = QUIET) -> ThresholdsConfig:
    """Colour values from each limit up; `below` is the colour under the first."""
    first = Threshold(value=None, color=below)
    rest = [Threshold(value=value, color=colour) for value, colour in limits]
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps([first, *rest])


def fixed(colour: str) -> FieldColor:
    """Draw in one colour."""
    return FieldColor().mode(FieldColorModeId.FIXED).fixed_color(colour)


def by_name() -> FieldColor:
    """Give a device the same colour wherever it is drawn."""
    return FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC_BY_NAME)


def prop(name: str, value: object) -> DynamicConfigValue:
    """Set one property of the fields that an override matches."""
    return DynamicConfigValue(id_val=name, value=value)
