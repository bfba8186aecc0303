"""Columns that tables of alerts and devices share, so that each reads the same everywhere."""

from dashboards import appearance, links
from dashboards.panels import Column
from veldwatch.model.spoken import UNITS

SEVERITY = Column(name="severity", title="Severity", words=appearance.SEVERITY_COLOURS, width=90)
ALERT_STATE = Column(name="state", title="State", words=appearance.ALERT_STATE_COLOURS, width=90)
DEVICE_STATE = Column(name="state", title="State", words=appearance.DEVICE_STATE_COLOURS, width=110)
INCIDENT_STATE = Column(name="state", title="State", words=appearance.INCIDENT_STATE_COLOURS, width=90)
OPENED = Column(name="opened_at", title="Began", unit="dateTimeAsIso", width=170)
FIRED = Column(name="fired_at", title="Condition met", unit="dateTimeAsIso", width=170)
RESOLVED = Column(name="resolved_at", title="Ended", unit="dateTimeAsIso", width=170)
RULE = Column(name="rule_title", title="Rule")
DEVICE = Column(name="device_name", title="Device", link=links.to_device())
NAME = Column(name="name", title="Device", link=links.to_device())
SITE = Column(name="site_name", title="Site", link=links.to_site())
SUMMARY = Column(name="summary", title="What is the matter")
ACKNOWLEDGED = Column(name="acknowledged_by", title="Acknowledged by", width=140)
LAST_CONTACT = Column(name="last_contact_at", title="Last heard", unit="dateTimeFromNow", width=150)
UNIT = Column(name="unit", title="Unit", texts=UNITS, width=90)
FIRING = Column(name="firing", title="Alerts", unit="none", width=80)

HIDDEN_DEVICE = Column(name="device", title="Device id", hidden=True)
HIDDEN_SITE = Column(name="site", title="Site slug", hidden=True)
HIDDEN_ORGANISATION = Column(name="organisation", title="Organisation", hidden=True)

ALERTS = (SEVERITY, ALERT_STATE, OPENED, RESOLVED, RULE, DEVICE, SUMMARY, HIDDEN_DEVICE)
