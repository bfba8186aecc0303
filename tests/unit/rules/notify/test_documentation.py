import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rules.notify.signature import new_secret, sign

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
