"""Pictures of what a dashboard's panels show: its own queries' rows, laid out on Grafana's grid, as SVG.

They are no screenshots of Grafana: they show which data a panel gets, with its title, unit, limits and colours.
"""
