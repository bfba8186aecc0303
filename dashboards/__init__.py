"""Grafana dashboards as Python: built here, rendered to `json/`, provisioned from files or by Grafana's API."""
