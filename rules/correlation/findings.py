"""Explanation of what a back-test found: the same function as the engine's, over alerts that are recorded nowhere.

The register and the calendar are those of the database; causes are looked for among the findings alone.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from rules.backtest import Finding
from veldwatch.model.conditions.kinds import kind_of
from veldwatch.model.conditions.silence import Absence, AreaOutage
from veldwatch.model.explanation import (
    LONGEST_TOLERANCE,
    SIGNS,
    Explanation,
    Happening,
    Patience,
    Sign,
    explain,
)
from veldwatch.storage.connection import Connection
from veldwatch.storage.explanations import Hang, read_hangs, read_interruptions, read_paths

_ALONE = Hang(None, None)


def explain_findings(
    connection: Connection, findings: Sequence[Finding], patience: Patience
) -> dict[UUID, Explanation | None]:
    """Say of findings what explains each; those of rules that are about something else are left out."""
    concerned = [one for one in findings if _is_concerned(one)]
    if not concerned:
        return {}
    paths = read_paths(connection, {site for one in concerned if (site := one.target.site_id) is not None})
    devices = {one.target.device.id for one in concerned if one.target.device is not None}
    hangs = read_hangs(connection, devices)
    happenings = [_happening(one, paths, hangs) for one in concerned]
    interruptions = read_interruptions(
        connection,
        {site for path in paths.values() for site in path},
        devices,
        min(one.opened_at for one in happenings),
        max(one.opened_at for one in happenings) + LONGEST_TOLERANCE,
    )
    causes = [one for one in happenings if one.explains is not None]
    return explain(happenings, causes, interruptions, patience)


def _is_concerned(finding: Finding) -> bool:
    rule = finding.target.rule
    return rule.explains is not None or kind_of(rule.condition) in SIGNS


def _happening(finding: Finding, paths: dict[int, tuple[int, ...]], hangs: dict[int, Hang]) -> Happening:
    target, alert = finding.target, finding.alert
    condition = target.rule.condition
    hang = _ALONE if target.device is None else hangs.get(target.device.id, _ALONE)
    return Happening(
        id=alert.id,
        opened_at=alert.opened_at,
        resolved_at=alert.resolved_at,
        sites=() if target.site_id is None else paths.get(target.site_id, ()),
        device=None if target.device is None else target.device.id,
        gateway=hang.gateway,
        sign=SIGNS.get(kind_of(condition), Sign.MEASURED),
        explains=target.rule.explains,
        silent_for=condition.silent_for if isinstance(condition, (Absence, AreaOutage)) else timedelta(0),
        interval=hang.interval,
    )
