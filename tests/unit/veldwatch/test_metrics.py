import http.client
import threading

import pytest
from prometheus_client import Counter

from launch.ports import choose_port
from veldwatch.config import load_settings
from veldwatch.metrics import serve_metrics

COUNTED = Counter("veldwatch_test_things", "things that this test counted")


@pytest.fixture
def port() -> int:
    return choose_port(0)


def test_metrics_health_and_readiness_are_answered(port: int) -> None:
    ready = threading.Event()
    serve_metrics(load_settings(metrics_port=port), ready=ready.is_set)
    COUNTED.inc()
    assert "veldwatch_test_things_total 1.0" in ask(port, "/metrics")[1]
    assert ask(port, "/healthz")[0] == 200
    assert ask(port, "/readyz")[0] == 503
    ready.set()
    assert ask(port, "/readyz")[0] == 200
    assert ask(port, "/elsewhere")[0] == 404


def test_without_a_port_nothing_listens() -> None:
    before = threading.active_count()
    serve_metrics(load_settings(metrics_port=0))
    assert threading.active_count() == before


def ask(port: int, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", path)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text
