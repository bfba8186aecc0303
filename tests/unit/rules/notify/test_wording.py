import json
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from rules.notify.email import compose
from rules.notify.wording import document, hypertext, plain_text, subject
from tests.unit.rules.notify.notifications import notification
from veldwatch.config import Settings

SETTINGS = Settings(mail_from="Veldwatch <alerts@example.org>", console_url="http://console.example/")


def saying(**changes: Any) -> dict[str, Any]:  # noqa: ANN401  # any member of the message
    message = dict(notification().message)
    return {"message": message | changes}


def test_a_subject_says_severity_and_headline() -> None:
    assert subject(notification()) == "[MAJOR] Leak at Banda"


def test_a_name_with_line_ends_cannot_add_a_header() -> None:
    message = compose(notification(**saying(headline="Leak\r\nBcc: all@example.org\n\nbody")), SETTINGS)
    assert message["Subject"] == "[MAJOR] Leak Bcc: all@example.org body"
    assert message["Bcc"] is None


@given(st.text())
def test_any_headline_makes_one_line_of_header(headline: str) -> None:
    line = subject(notification(**saying(headline=headline)))
    assert line.isprintable() or all(ord(character) > 0x9F for character in line if not character.isprintable())
    assert "\n" not in line
    assert len(line) <= 180


@given(st.text(alphabet=st.characters(exclude_categories=("Cs",))))
def test_any_headline_makes_a_mail_that_can_be_sent(headline: str) -> None:
    message = compose(notification(**saying(headline=headline, text=headline)), SETTINGS)
    assert message.as_bytes().isascii()


def test_html_from_a_device_is_shown_as_text() -> None:
    page = hypertext(notification(**saying(text="<img src=x onerror=alert(1)>", headline='"><script>')), "http://c")
    assert "<img" not in page
    assert "<script" not in page
    assert "&lt;img src=x" in page


def test_a_value_is_shown_without_the_dust_of_doubles() -> None:
    text = plain_text(notification(**saying(alert={"value": 748.8054 - 748.8})), "http://c")
    assert "Value:        0.0054\n" in text


def test_history_is_told_as_history() -> None:
    late = notification(**saying(late=True))
    assert "This is history" in plain_text(late, "http://c")
    assert "This is history" in hypertext(late, "http://c")
    assert "This is history" not in plain_text(notification(), "http://c")


def test_a_mail_has_a_stable_identifier_and_answers_the_first_of_its_alert() -> None:
    first, second = UUID(int=5), UUID(int=6)
    mail = compose(notification(9, kind="resolved", thread=(first, second)), SETTINGS)
    assert mail["Message-ID"] == f"<{UUID(int=9)}@example.org>"
    assert mail["In-Reply-To"] == f"<{first}@example.org>"
    assert mail["References"] == f"<{first}@example.org> <{second}@example.org>"


def test_a_repeat_is_the_same_bytes() -> None:
    assert compose(notification(), SETTINGS).as_bytes() == compose(notification(), SETTINGS).as_bytes()
    assert document(notification()) == document(notification(attempts=3))


def test_a_mail_has_plain_text_and_html_with_a_link_to_the_alert() -> None:
    mail = compose(notification(), SETTINGS)
    plain, page = (part.get_content() for part in mail.iter_parts())
    assert "Flow never stops." in plain
    assert "Began:        2026-11-22 09:58:00 UTC" in plain
    assert f"http://console.example/#/alerts/{UUID(int=77)}" in plain
    assert f'href="http://console.example/#/alerts/{UUID(int=77)}"' in page


def test_a_program_gets_the_whole_message_with_its_identifier() -> None:
    content = json.loads(document(notification(3)))
    assert content["type"] == "alert.firing"
    assert content["data"]["id"] == str(UUID(int=3))
    assert content["data"]["alert"]["device_name"] == "Water meter Banda"
