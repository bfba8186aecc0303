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

DEVICE_STATE_COLOURS = {"reporting": "#3274d9", "silent": "#c4162a", "offline": "#ff9830", "never heard": QUIET}

ALERT_STATE_COLOURS = {"pending": "#f2cc0c", "firing": "#c4162a", "resolved": "#3274d9", "retracted": QUIET}

OUTBOX_STATE_COLOURS = {"pending": "#f2cc0c", "delivered": "#3274d9", "failed": "#c4162a", "suppressed": QUIET}

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
