"""Messages of other makers on their way to rows: each golden case, as a town of its own."""

from typing import Any

from ingest.pipeline import Report
from tests.integration.ingest.conftest import make_pipeline
from tests.unit.veldwatch.wire.golden import RECEIVED_AT, Case, all_cases
from veldwatch.config import Settings, Source
from veldwatch.model.telemetry import Message
from veldwatch.storage.intake import IntakeWriter


def store(settings: Settings, writer: IntakeWriter, case: Case, town: str) -> Report:
    source = Source(name="case", topic_filter="#", decoder=case.decoder, options=case.options)
    told = settings.model_copy(update={"sources": (source,), "default_organisation": town})
    return make_pipeline(told).store(writer, [Message(case.topic, case.payload, RECEIVED_AT)])


def test_what_a_case_expects_is_stored_and_stored_once(settings: Settings, writer: IntakeWriter) -> None:
    for place, case in enumerate(all_cases()):
        expected: dict[str, Any] = case.expected
        # Cases speak of the same edge nodes: what one of them told is not for the next.
        writer.connection.execute("TRUNCATE decoder_memory CASCADE")
        writer.connection.commit()
        report = store(settings, writer, case, f"town-{place}")
        refused = 1 if "refused" in expected else len(set(expected.get("rejections", ())))
        counts = [len(expected.get(part, ())) for part in ("readings", "positions", "events")]
        assert [report.readings, report.positions, report.events, report.quarantined] == [*counts, refused], case.name
        again = store(settings, writer, case, f"town-{place}")
        assert (again.readings, again.positions, again.events) == (0, 0, 0), case.name
