"""Pictures of the dashboards: a region is simulated, rules run over it, and every panel's query is asked and drawn."""
