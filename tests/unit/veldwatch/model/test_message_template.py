"""Templates: fields filled in, nothing else."""

import pytest

from veldwatch.model.message_template import check_template, render


def test_fields_are_filled_in() -> None:
    fields = {"device_name": "Meter {1}", "value": 1234.5678, "unit": None}
    template = "{device_name}: {value:,.1f} {unit} {{literal}}"
    assert check_template(template) is None
    assert render(template, fields) == "Meter {1}: 1,234.6 – {literal}"


@pytest.mark.parametrize(
    "template",
    ["{secret}", "{value.real}", "{value[0]}", "{value!r}", "{value:>99999999}", "{device:f}", "{", "{}", "{0}"],
)
def test_what_could_reach_further_is_refused(template: str) -> None:
    assert check_template(template) is not None
