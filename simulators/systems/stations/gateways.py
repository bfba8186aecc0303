"""Gateways: they say that they are there, and no more."""

from simulators.systems.stations.station_bank import StationBank


class Gateways(StationBank):
    """A sign of life at each report."""

    model = "gateway"
    alive = True
