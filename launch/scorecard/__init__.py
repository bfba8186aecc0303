"""The scorecard of the bundled packs on the bundled scenarios: played, taken in, back-tested, held against the last."""
