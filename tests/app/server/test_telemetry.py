"""Metrics and spans."""

from __future__ import annotations

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.app.server.live import BREAD, CUBE, Live


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
