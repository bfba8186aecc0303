import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rules.notify.grouping import compose_group
from rules.notify.signature import new_secret, sign
from rules.notify.wording import document
from tests.unit.rules.notify.notifications import notification
from tests.unit.rules.test_engine import ABOVE, World, readings
from veldwatch.model.alert import TransitionKind

PAGE = Path(__file__).parents[4] / "docs" / "how-to" / "webhooks.md"


def snippet() -> Callable[[str, dict[str, str], bytes], bool]:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(code, str(PAGE), "exec"), names)  # noqa: S102  # our own documentation is what is tested
    return names["is_from_veldwatch"]


def test_the_documented_check_takes_what_we_sign_and_nothing_else() -> None:
    check, secret, body = snippet(), new_secret(), b'{"type":"alert.firing"}'
    now = int(time.time())
    headers = {"webhook-id": "a", "webhook-timestamp": str(now), "webhook-signature": sign(secret, "a", now, body)}
    assert check(secret, headers, body)
    assert not check(secret, headers, body + b" ")
    assert not check(new_secret(), headers, body)
    old = {**headers, "webhook-timestamp": str(now - 301), "webhook-signature": sign(secret, "a", now - 301, body)}
    assert not check(secret, old, body)


def named(name: str) -> bool:
    return f"`{name}`" in PAGE.read_text(encoding="utf-8")


# What is pending is nobody's news.
@pytest.mark.parametrize("kind", sorted(set(TransitionKind) - {TransitionKind.PENDING}))
def test_every_type_that_is_sent_is_documented(kind: TransitionKind) -> None:
    assert named(json.loads(document(notification(kind=kind.value)))["type"])


def test_every_member_of_a_message_is_documented() -> None:
    world = World(ABOVE)
    world.put(*readings((1, 6)), now=1)
    message: Any = world.store.told[0][1]
    grouped: Any = compose_group(message, [message], 2)
    members = {"id", *grouped, *message["alert"], *grouped["grouped"], *grouped["grouped"]["alerts"][0]}
    assert {member for member in members if not named(member)} == set()
