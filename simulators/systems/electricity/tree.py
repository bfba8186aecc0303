"""Which meter hangs on which transformer, which transformer on which feeder, and what goes off with a site."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from simulators.scenario import DevicePlan, SitePlan
from simulators.systems.electricity.settings import (
    FeederSettings,
    TransformerSettings,
    feeder_settings,
    transformer_settings,
)
from simulators.systems.system import Flags, Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """The network's parts as rows of arrays; f feeders, t transformers, n meters.

    A meter right under a feeder hangs on a transformer that the scenario does not name; one without a feeder above it
    on a feeder that is not named. Nothing can go wrong with what has no name.

    Attributes:
        feeders: settings of each.
        transformers: settings of each.
        feeder_names: slug, or what it is for.
        transformer_names: slug, or what it is for.
        upper: the feeder that feeds a feeder, -1: none; parents come before their branches.
        feeder_of: each transformer's.
        transformer_of: each meter's.
        dead_transformers: by site, those without power when it has none.
        dead_feeders: by site, likewise.
        feeder_at: by site, the nearest feeder at or above it.
        transformer_at: by site, the nearest transformer at or above it.
    """

    feeders: tuple[FeederSettings, ...]
    transformers: tuple[TransformerSettings, ...]
    feeder_names: tuple[str, ...]
    transformer_names: tuple[str, ...]
    upper: tuple[int, ...]
    feeder_of: Rows
    transformer_of: Rows
    dead_transformers: Mapping[str, Flags]
    dead_feeders: Mapping[str, Flags]
    feeder_at: Mapping[str, int]
    transformer_at: Mapping[str, int]


class _Builder:
    def __init__(self, sites: Sequence[SitePlan]) -> None:
        self.feeders, self.feeder_names, self.upper = [FeederSettings()], ["the supply"], [-1]
        self.transformers: list[TransformerSettings] = []
        self.transformer_names: list[str] = []
        self.feeder_of: list[int] = []
        self.feeder_at: dict[str, int] = {}
        self.transformer_at: dict[str, int] = {}
        self._unnamed: dict[int, int] = {}
        self.above: dict[str, set[str]] = {}
        for site in sites:
            self._add(site)

    def _add(self, site: SitePlan) -> None:
        above = site.parent if site.parent in self.feeder_at else None
        feeder = 0 if above is None else self.feeder_at[above]
        transformer = -1 if above is None else self.transformer_at[above]
        self.above[site.slug] = {site.slug, *(self.above[above] if above is not None else ())}
        if site.kind == "feeder":
            self.feeders.append(feeder_settings(site))
            self.feeder_names.append(site.slug)
            self.upper.append(feeder)
            feeder, transformer = len(self.feeders) - 1, -1
        elif site.kind == "transformer":
            transformer = self.transformer(transformer_settings(site), site.slug, feeder)
        self.feeder_at[site.slug], self.transformer_at[site.slug] = feeder, transformer

    def transformer(self, settings: TransformerSettings, name: str, feeder: int) -> int:
        self.transformers.append(settings)
        self.transformer_names.append(name)
        self.feeder_of.append(feeder)
        return len(self.transformers) - 1

    def transformer_for(self, site: str) -> int:
        """Return the transformer of a device at a site, one without a name where there is none."""
        named = self.transformer_at[site]
        if named >= 0:
            return named
        feeder = self.feeder_at[site]
        if feeder not in self._unnamed:
            name = f"transformer of {self.feeder_names[feeder]}"
            self._unnamed[feeder] = self.transformer(TransformerSettings(), name, feeder)
        return self._unnamed[feeder]


def build_tree(sites: Sequence[SitePlan], meters: Sequence[DevicePlan], others: Sequence[DevicePlan]) -> Tree:
    """Connect meters, and the devices of transformers and feeders, to the nearest site of their kind above them.

    Raises:
        ConfigurationInvalid: the settings of a feeder or transformer are wrong.
    """
    builder = _Builder(sites)
    transformer_of = [builder.transformer_for(meter.site) for meter in meters]
    transformer_at = {device.site: builder.transformer_for(device.site) for device in others}
    switching = [site.slug for site in sites if site.kind in {"feeder", "transformer"}]
    home = _homes(builder, sites)
    return Tree(
        feeders=tuple(builder.feeders),
        transformers=tuple(builder.transformers),
        feeder_names=tuple(builder.feeder_names),
        transformer_names=tuple(builder.transformer_names),
        upper=tuple(builder.upper),
        feeder_of=np.array(builder.feeder_of, dtype=np.intp),
        transformer_of=np.array(transformer_of, dtype=np.intp),
        dead_transformers={slug: np.array([slug in at for at in home[1]], dtype=np.bool_) for slug in switching},
        dead_feeders={slug: np.array([slug in at for at in home[0]], dtype=np.bool_) for slug in switching},
        feeder_at=builder.feeder_at,
        transformer_at=transformer_at,
    )


def _homes(builder: _Builder, sites: Sequence[SitePlan]) -> tuple[list[set[str]], list[set[str]]]:
    """Return the sites at or above each feeder, and at or above each transformer."""
    known = {site.slug for site in sites}
    feeders = [builder.above[name] if name in known else set[str]() for name in builder.feeder_names]
    transformers = [
        builder.above[name] if name in known else feeders[feeder]
        for name, feeder in zip(builder.transformer_names, builder.feeder_of, strict=True)
    ]
    return feeders, transformers
