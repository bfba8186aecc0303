from pathlib import Path

from launch.demo import prepare_demo
from launch.operator_token import operator_token
from rules.rule_files import pack_path, read_rules
from veldwatch.storage.connection import Connection
from veldwatch.storage.receivers import disable_receiver, list_receivers
from veldwatch.storage.rules import list_rules, save_rule
from veldwatch.storage.tokens import find_bearer, list_tokens, revoke_token


def test_preparing_the_demo_again_changes_nothing(connection: Connection) -> None:
    said = prepare_demo(connection)
    versions = {stored.slug: stored.version for stored in list_rules(connection)}
    assert prepare_demo(connection) == said
    assert {stored.slug: stored.version for stored in list_rules(connection)} == versions
    assert len(list_receivers(connection)) == 1


def test_what_people_changed_in_the_demo_stays(connection: Connection) -> None:
    prepare_demo(connection)
    first, second = read_rules(pack_path("demo"))[:2]
    mine = type(first)(
        id=first.id, title="My own title", severity=first.severity, condition=second.condition, select=second.select
    )
    save_rule(connection, mine, "somebody")
    disable_receiver(connection, "demo-operators")

    prepare_demo(connection)

    (kept,) = [stored for stored in list_rules(connection) if stored.slug == first.id]
    assert kept.rule.title == "My own title"
    assert [receiver.enabled for receiver in list_receivers(connection)] == [False]


def test_the_operators_token_is_kept_until_it_is_revoked(connection: Connection, tmp_path: Path) -> None:
    token = operator_token(connection, tmp_path)
    assert operator_token(connection, tmp_path) == token
    assert (tmp_path / "token").stat().st_mode & 0o777 == 0o600

    revoke_token(connection, list_tokens(connection)[0]["id"])
    another = operator_token(connection, tmp_path)
    assert another != token
    assert find_bearer(connection, another) is not None
