"""A scenario as small as can be, with something of everything: `SMALL`, as YAML would give it."""

from typing import Any

_COLLAR = {
    "organisation": "agency",
    "site": "park",
    "profile": "collar",
    "model": "collar",
    "interval_seconds": 1800,
    "settings": {"species": "elephant"},
}

SMALL: dict[str, Any] = {
    "name": "small",
    "seed": 1,
    "step_seconds": 60,
    "history_step_seconds": 300,
    "organisations": [{"slug": "agency", "name": "Agency", "kind": "agency"}],
    "profiles": [
        {
            "slug": "collar",
            "name": "Collar",
            "kind": "tracker",
            "metrics": [{"metric": "battery", "unit": "%", "minimum": 0, "maximum": 100}],
        }
    ],
    "sites": [
        {
            "slug": "park",
            "organisation": "agency",
            "name": "Park",
            "kind": "reserve",
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[31.0, -10.0], [31.2, -10.0], [31.1, -10.2], [31.0, -10.0]]],
            },
        },
        {
            "slug": "spring",
            "organisation": "agency",
            "parent": "park",
            "name": "Spring",
            "kind": "waterhole",
            "geometry": {"type": "Point", "coordinates": [31.1, -10.1]},
        },
    ],
    "devices": [
        {
            **_COLLAR,
            "id": "collar-1",
            "name": "Collar 1",
            "place": [31.1, -10.05],
            "subject": {"slug": "one", "name": "Number One", "species": "Loxodonta africana"},
        },
        {**_COLLAR, "id": "collar-2", "name": "Collar 2", "place": [31.08, -10.06]},
    ],
    "fleets": [{**_COLLAR, "id": "herd-{number}", "name": "Herd {number}", "count": 12}],
    "faults": [{"kind": "immobility", "organisation": "agency", "device": "collar-1", "at": "6h", "lasts": "3h"}],
}
