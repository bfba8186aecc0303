"""A silence: a matcher with an author, a reason and an expiry; what fires within it is recorded and not told.

Mistakes that mute more than was meant are refused unless they are said in words: one that matches everything asks for
`everything`, one of more than 30 days for `long`. Source: prometheus/alertmanager, silence/silence.go: a silence whose
matchers all match the empty string is refused there for the same reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

from veldwatch.errors import RequestInvalid
from veldwatch.model.notifications import SEVERITIES

LONG = timedelta(days=30)
"""A silence that lasts longer is a rule that nobody wants, or one that was forgotten."""


def _no_labels() -> Mapping[str, str]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Matcher:
    """Which alerts: all parts that are given must fit.

    Attributes:
        organisation: slug; None: every one.
        rule: slug, or the beginning of several with `*` at the end.
        site: slug, with all sites below it; of the organisation, which is then to be said.
        device: external id; of the organisation, which is then to be said.
        severities: any of them.
        labels: of the rule, all of them.
    """

    organisation: str | None = None
    rule: str | None = None
    site: str | None = None
    device: str | None = None
    tag: str | None = None
    profile: str | None = None
    severities: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=_no_labels)

    @property
    def is_everything(self) -> bool:
        """Tell whether it leaves nothing out but other organisations."""
        parts = (self.rule, self.site, self.device, self.tag, self.profile)
        return all(part is None for part in parts) and not self.severities and not self.labels


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSilence:
    """A silence to be made.

    Attributes:
        everything: it is meant to match everything.
        long: it is meant to last more than 30 days.
    """

    matcher: Matcher
    reason: str
    starts_at: datetime
    ends_at: datetime
    everything: bool = False
    long: bool = False


def check_silence(new: NewSilence, now: datetime) -> None:
    """Refuse a silence that is a mistake.

    Raises:
        RequestInvalid: saying what, and what was expected.
    """
    check_matcher(new.matcher, everything=new.everything)
    if not new.reason.strip():
        raise RequestInvalid("bad reason: '' (expected why it is muted, for whoever finds it)")
    if new.ends_at <= max(new.starts_at, now):
        raise RequestInvalid(f"bad ends_at: {new.ends_at.isoformat()} (expected a time after its start, and after now)")
    check_length(new.starts_at, new.ends_at, long=new.long)


def check_matcher(matcher: Matcher, *, everything: bool) -> None:
    """Refuse a matcher that mutes more than was meant, or names something that needs its organisation.

    Raises:
        RequestInvalid: saying what, and what was expected.
    """
    if matcher.rule is not None and not matcher.rule.rstrip("*"):
        raise RequestInvalid(f"bad rule: {matcher.rule!r} (expected a rule's slug, or the beginning of one and *)")
    unknown = [severity for severity in matcher.severities if severity not in SEVERITIES]
    if unknown:
        raise RequestInvalid(f"bad severities: {unknown[0]!r} (expected any of {', '.join(SEVERITIES)})")
    if matcher.is_everything and not everything:
        raise RequestInvalid("the silence would mute everything (name a part of it, or say so: everything)")
    if everything and not matcher.is_everything:
        raise RequestInvalid("bad everything: true (the silence names a part: leave one of the two out)")
    if matcher.organisation is None and (matcher.site or matcher.device):
        raise RequestInvalid("bad organisation: none (expected the one that site or device belong to)")


def check_length(starts_at: datetime, ends_at: datetime, *, long: bool) -> None:
    """Refuse a silence that is longer than anybody says.

    Raises:
        RequestInvalid: saying how long it would be.
    """
    if ends_at - starts_at > LONG and not long:
        days = (ends_at - starts_at) / timedelta(days=1)
        raise RequestInvalid(f"the silence would last {days:.0f} days (at most {LONG.days}, or say so: long)")
