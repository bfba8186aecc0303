"""What simulators, API and console have to agree on."""

from collections.abc import Mapping
from types import MappingProxyType

BUNDLED_SCENARIOS: Mapping[str, str] = MappingProxyType(
    {
        "demo": "A town and a reserve on the time scale of minutes",
        "town": "A town: four district metered areas, a feeder under load shedding",
        "reserve": "A reserve: collared animals, fence and rangers",
        "region": "Town and reserve at once: a burst, a power trip and a fence break",
        "utility": "A utility of 100,000 meters",
    }
)
"""Scenarios that come with Veldwatch, with what each is."""

MODEL_TAG = "model:"
"""Begins the tag by which a simulated device tells which model plays it, and so which faults suit it."""
