"""Queries of panels, with what stands in double braces written out."""

import pytest

from dashboards import datasource

_FILL = {"chosen": "{{in_sites s}}", "most": "5"}


def test_terms_and_choices_are_written_out() -> None:
    text = datasource.sql(datasource.SHARED, "fill", _FILL)
    assert "s.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])" in text
    assert "s.site = ANY (ARRAY[${site:sqlstring}]::text[])" in text
    assert text.endswith("LIMIT 5")
    assert "{{" not in text


@pytest.mark.parametrize("terms", [{}, {"chosen": "true"}, {**_FILL, "least": "1"}])
def test_terms_that_are_missing_or_unknown_are_refused(terms: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"bad terms of shared.sql, 'fill'.*expected \['chosen', 'most'\]"):
        datasource.sql(datasource.SHARED, "fill", terms)
