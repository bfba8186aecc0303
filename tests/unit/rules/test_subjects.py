"""What a rule is for is what its selector says, however it is found."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.subjects import Subjects, selects
from tests.unit.rules.worlds import rule_for
from veldwatch.model.conditions.kinds import metric_of
from veldwatch.model.conditions.silence import Absence
from veldwatch.model.conditions.values import Threshold
from veldwatch.model.identifiers import DeviceId, OrganisationId, SeriesId
from veldwatch.model.rule import Rule, Selector
from veldwatch.model.watched import Watched, WatchedDevice, WatchedSeries

_NAMES = st.sampled_from(["a", "b", "c"])
_SOME = st.lists(_NAMES, max_size=2, unique=True).map(tuple)
_PATHS = st.sampled_from([(), ("a",), ("a", "b"), ("c",)])


def _watched(drawn: list[tuple[str, str, str | None, tuple[str, ...], tuple[str, ...], list[str]]]) -> Watched:
    devices = tuple(
        WatchedDevice(
            id=DeviceId(number),
            organisation_id=OrganisationId(ord(organisation)),
            organisation=organisation,
            external_id=name,
            name=name,
            profile=profile,
            site_path=path,
            tags=tags,
        )
        for number, (organisation, name, profile, path, tags, _) in enumerate(drawn, start=1)
    )
    pairs = [(device.id, metric) for device, (*_, metrics) in zip(devices, drawn, strict=True) for metric in metrics]
    series = tuple(
        WatchedSeries(id=SeriesId(number), device_id=device, metric=metric)
        for number, (device, metric) in enumerate(pairs, start=1)
    )
    return Watched(devices=devices, series=series, shapes={})


_DEVICES = st.tuples(
    _NAMES, _NAMES, st.none() | _NAMES, _PATHS, _SOME, st.lists(st.sampled_from(["v", "w"]), max_size=2, unique=True)
)
_SELECTORS = st.builds(
    Selector,
    organisation=st.none() | _NAMES,
    site=st.none() | _NAMES,
    profile=st.none() | _NAMES,
    devices=_SOME,
    tags=_SOME,
)
_CONDITIONS = st.sampled_from([Threshold(metric="v", above=1), Absence(silent_for=timedelta(hours=1))])


def _one_by_one(rule: Rule, watched: Watched) -> set[tuple[int, int | None]]:
    metric = metric_of(rule.condition)
    devices = [device for device in watched.devices if selects(rule.select, device)]
    if metric is None:
        return {(device.id, None) for device in devices}
    chosen = {device.id for device in devices}
    return {(one.device_id, one.id) for one in watched.series if one.metric == metric and one.device_id in chosen}


@settings(max_examples=300, deadline=None)
@given(watched=st.lists(_DEVICES, max_size=12).map(_watched), selector=_SELECTORS, condition=_CONDITIONS)
def test_an_index_finds_what_going_through_all_devices_finds(
    watched: Watched, selector: Selector, condition: Threshold | Absence
) -> None:
    rule = replace(rule_for(condition), select=selector)
    found = [(device.id, series.id if series else None) for device, series in Subjects(watched).of(rule)]
    assert len(found) == len(set(found))
    assert set(found) == _one_by_one(rule, watched)
