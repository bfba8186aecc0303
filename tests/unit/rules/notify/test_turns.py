from rules.notify.turns import Candidate, Slots, choose
from veldwatch.model.notifications import Channel
from veldwatch.storage.receivers import ReceiverSort

SLOTS = Slots(in_all=6, failing=2, of_a_channel=4, of_an_organisation=3)
ROOM = Slots(in_all=6, failing=2, of_a_channel=6, of_an_organisation=6)


def candidate(
    number: int,
    *,
    organisation: int | None = 1,
    channel: Channel = Channel.WEBHOOK,
    failures: int = 0,
    last_turn_ended: float = 0.0,
) -> Candidate:
    return Candidate(
        receiver_id=number,
        sort=ReceiverSort(channel, organisation),
        failures=failures,
        last_turn_ended=last_turn_ended,
    )


def chosen(waiting: list[Candidate], active: list[Candidate], slots: Slots = SLOTS) -> list[int]:
    return [each.receiver_id for each in choose(waiting, active, slots)]


def test_a_receiver_that_was_reached_goes_before_any_that_was_not() -> None:
    dead = [candidate(number, failures=1) for number in range(50)]
    assert chosen([*dead, candidate(99)], [], ROOM) == [99, 0, 1]


def test_receivers_known_to_be_dead_leave_slots_free() -> None:
    active = [candidate(number, failures=9) for number in range(2)]
    assert chosen([candidate(number, failures=9) for number in range(2, 50)], active, ROOM) == []
    assert chosen([candidate(99)], active, ROOM) == [99]


def test_receivers_of_one_organisation_leave_slots_for_another() -> None:
    many = [candidate(number, organisation=1) for number in range(50)]
    assert chosen(many, []) == [0, 1, 2]
    assert chosen([*many, candidate(99, organisation=2)], []) == [0, 99, 1, 2]
    assert chosen([candidate(99, organisation=2)], many[:3]) == [99]


def test_mail_leaves_slots_for_webhooks() -> None:
    mails = [candidate(number, organisation=number, channel=Channel.EMAIL) for number in range(50)]
    assert chosen(mails, []) == [0, 1, 2, 3]
    assert chosen([candidate(99, organisation=99)], mails[:4]) == [99]


def test_a_backlog_goes_on_behind_those_who_waited() -> None:
    waiting = [candidate(1, last_turn_ended=7.0), candidate(2, last_turn_ended=5.0), candidate(3)]
    assert chosen(waiting, [], ROOM) == [3, 2, 1]


def test_one_failure_weighs_less_than_many_and_many_go_round_in_turn() -> None:
    waiting = [
        candidate(1, failures=1000, last_turn_ended=8.0),
        candidate(2, failures=10, last_turn_ended=9.0),
        candidate(3, failures=1, last_turn_ended=9.5),
    ]
    assert chosen(waiting, [], ROOM) == [3, 1]


def test_nobody_is_chosen_when_every_slot_is_taken() -> None:
    active = [candidate(number, organisation=number) for number in range(6)]
    assert chosen([candidate(99, organisation=99)], active, ROOM) == []
