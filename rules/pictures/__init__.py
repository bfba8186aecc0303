"""Pictures of rule tests: what was observed, the limits, and the alerts that came of it."""
