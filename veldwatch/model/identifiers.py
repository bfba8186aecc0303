"""Identifiers, each its own type so that one cannot stand in for another."""

from typing import NewType
from uuid import UUID

OrganisationId = NewType("OrganisationId", int)
SiteId = NewType("SiteId", int)
ProfileId = NewType("ProfileId", int)
DeviceId = NewType("DeviceId", int)
SubjectId = NewType("SubjectId", int)
SeriesId = NewType("SeriesId", int)
RuleVersionId = NewType("RuleVersionId", UUID)
AlertId = NewType("AlertId", UUID)
