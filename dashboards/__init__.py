"""Grafana dashboards as Python, rendered to JSON."""
