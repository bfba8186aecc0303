"""The examples of the decoder `mapping` do what its page says."""

import re
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from ingest.source_commands import preview_lines
from veldwatch.config import Settings
from veldwatch.storage.previews import Trial, try_source
from veldwatch.wire.mapping.options import EventOptions, MappingOptions, Metric, PositionOptions, Time, When
from veldwatch.wire.source_document import read_sources

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "reference" / "mapping.md").read_text(encoding="utf-8")
_EXAMPLE = re.compile(
    r"^## Example: (?P<title>[^\n]+)\n.*?^```yaml\n(?P<source>.*?)^```\n+Topic `(?P<topic>[^`]+)`:\n+"
    r"^```json\n(?P<payload>.*?)\n^```\n+^```text\n(?P<said>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
EXAMPLES = list(_EXAMPLE.finditer(PAGE))
ARRIVAL = datetime(2026, 11, 22, 10, tzinfo=UTC)


def test_every_example_is_found() -> None:
    assert len(EXAMPLES) == PAGE.count("## Example: ") >= 3


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["title"])
def test_an_example_does_what_its_page_says(example: re.Match[str]) -> None:
    (source,) = read_sources(example["source"])
    payload = example["payload"].encode()
    trial = Trial(source=source, topic=example["topic"], payload=payload, received_at=ARRIVAL)
    assert preview_lines(try_source(None, Settings(), trial)) == example["said"].splitlines()


@pytest.mark.parametrize("kind", [MappingOptions, Time, Metric, PositionOptions, EventOptions, When])
def test_every_option_is_told(kind: type[msgspec.Struct]) -> None:
    assert {name for name in kind.__struct_fields__ if not re.search(rf"\b{name}\b", PAGE)} == set()
