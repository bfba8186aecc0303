import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from simulators.systems.water.settings import (
    BulkMeterSettings,
    LoggerSettings,
    MeterSettings,
    ReservoirSettings,
    ZoneSettings,
)

_PAGE = Path(__file__).resolve().parents[5] / "docs" / "explanation" / "simulated-water.md"


@pytest.mark.parametrize(
    ("begins", "kind"),
    [
        ("| `water_meter` |", MeterSettings),
        ("| `bulk_meter` |", BulkMeterSettings),
        ("| `pressure_logger` |", LoggerSettings),
        ("| `reservoir` |", ReservoirSettings),
        ("Of an area, under the key `water` of the site's settings:", ZoneSettings),
    ],
)
def test_every_setting_is_documented_and_no_other(begins: str, kind: type[BaseModel]) -> None:
    text = _PAGE.read_text(encoding="utf-8").split(begins)[1]
    told = re.sub(r"\([^)]*\)", "", re.split(r" \|\n|\. ", text)[0])

    assert re.findall(r"`(\w+)`", told) == list(kind.model_fields)
