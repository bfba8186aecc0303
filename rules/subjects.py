"""Subjects: the devices and series that a rule is for, found by what its selector names: a rule costs what it matches.

The register is indexed once by organisation, site, profile, tag, name and metric. Of the parts that a selector names,
the one with the fewest devices is gone through, and each of those is compared with the others. A thousand rules of a
hundred devices each among a hundred thousand cost a hundred thousand comparisons, not a hundred million.
"""

from collections.abc import Iterator, Sequence

from veldwatch.model.conditions.kinds import metric_of
from veldwatch.model.rule import Rule, Selector
from veldwatch.model.watched import Watched, WatchedDevice, WatchedSeries

Subject = tuple[WatchedDevice, WatchedSeries | None]
_Devices = dict[str, list[WatchedDevice]]


class Subjects:
    """The register, indexed.

    Attributes:
        watched: the register itself.
    """

    def __init__(self, watched: Watched) -> None:
        self.watched = watched
        self._by_organisation: _Devices = {}
        self._by_site: _Devices = {}
        self._by_profile: _Devices = {}
        self._by_tag: _Devices = {}
        self._by_name: _Devices = {}
        for device in watched.devices:
            self._by_organisation.setdefault(device.organisation, []).append(device)
            self._by_name.setdefault(device.external_id, []).append(device)
            if device.profile is not None:
                self._by_profile.setdefault(device.profile, []).append(device)
            for slug in device.site_path:
                self._by_site.setdefault(slug, []).append(device)
            for tag in device.tags:
                self._by_tag.setdefault(tag, []).append(device)
        known = {device.id: device for device in watched.devices}
        self._series: dict[tuple[int, str], list[WatchedSeries]] = {}
        self._by_metric: dict[str, list[Subject]] = {}
        for series in watched.series:
            device = known.get(series.device_id)
            if device is not None:
                self._series.setdefault((device.id, series.metric), []).append(series)
                self._by_metric.setdefault(series.metric, []).append((device, series))

    def of(self, rule: Rule) -> Iterator[Subject]:
        """List what a rule is for: devices, each with the series that its condition folds, if it folds one."""
        metric = metric_of(rule.condition)
        devices = self._fewest(rule.select)
        if metric is None:
            yield from ((device, None) for device in self.devices(rule))
            return
        of_metric = self._by_metric.get(metric, [])
        if len(of_metric) <= len(devices):
            yield from (subject for subject in of_metric if selects(rule.select, subject[0]))
            return
        for device in devices:
            found = self.series(device, metric)
            if found and selects(rule.select, device):
                yield from ((device, series) for series in found)

    def devices(self, rule: Rule) -> list[WatchedDevice]:
        """List the devices that a rule is for, whatever it folds."""
        return [device for device in self._fewest(rule.select) if selects(rule.select, device)]

    def slots(self, device: WatchedDevice, metrics: Sequence[str]) -> tuple[int, ...]:
        """Give a device's series of some metrics; 0: it has none."""
        found = (self.series(device, metric) for metric in metrics)
        return tuple(int(own[0].id) if own else 0 for own in found)

    def series(self, device: WatchedDevice, metric: str) -> Sequence[WatchedSeries]:
        """List a device's series of a metric."""
        return self._series.get((device.id, metric), ())

    def _fewest(self, selector: Selector) -> Sequence[WatchedDevice]:
        """Give the shortest list that holds all devices of a selector."""
        lists: list[Sequence[WatchedDevice]] = [self.watched.devices]
        if selector.devices:
            lists.append([device for name in selector.devices for device in self._by_name.get(name, ())])
        if selector.organisation is not None:
            lists.append(self._by_organisation.get(selector.organisation, ()))
        if selector.site is not None:
            lists.append(self._by_site.get(selector.site, ()))
        if selector.profile is not None:
            lists.append(self._by_profile.get(selector.profile, ()))
        lists += [self._by_tag.get(tag, ()) for tag in selector.tags]
        return min(lists, key=len)


def selects(selector: Selector, device: WatchedDevice) -> bool:
    """Tell whether a device matches every part of a selector that is given."""
    return (
        selector.organisation in (None, device.organisation)
        and selector.profile in (None, device.profile)
        and (selector.site is None or selector.site in device.site_path)
        and (not selector.devices or device.external_id in selector.devices)
        and set(selector.tags) <= set(device.tags)
    )
