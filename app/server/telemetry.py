"""What operators see: Prometheus metrics, and OpenTelemetry spans per hop; never a word of what was said."""

from __future__ import annotations

import time
from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from agents.ledger import usage_of
from agents.types import Hop
from app.runs.events import Answered, Decided, Event, Hopped

_PROBABILITIES = tuple(k / 10 for k in range(1, 11))
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Telemetry:
    """Counts in a registry of its own, so that two servers in one process do not mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        on: dict[str, Any] = {"registry": self.registry}
        self.routes = Counter("octopus_routes", "Decisions.", ["graph", "node", "token"], **on)
        self.probability = Histogram(
            "octopus_route_probability", "Of the chosen token.", ["graph"], buckets=_PROBABILITIES, **on
        )
        self.seconds = Histogram(
            "octopus_hop_seconds", "A decision and its worker.", ["graph", "node"], buckets=_SECONDS, **on
        )
        self.answers = Counter("octopus_answers", "Of workers, by status.", ["graph", "node", "status"], **on)
        self.tokens = Counter("octopus_tokens", "Of language models.", ["graph", "node", "kind"], **on)
        self.cost = Counter("octopus_cost_dollars", "Of workers with a price.", ["graph", "node"], **on)
        self.saved = Gauge(
            "octopus_saved_dollars", "What the most probable workers would have cost more.", ["graph"], **on
        )
        self.rounds = Counter("octopus_reflection_rounds", "Drafts.", ["graph", "node", "level"], **on)
        self.questions = Counter("octopus_questions", "To a person, by kind.", ["graph", "kind"], **on)
        self.refusals = Counter("octopus_refusals", "Requests not let in, by reason.", ["reason"], **on)
        self.running = Gauge("octopus_turns_running", "Turns being worked on.", ["graph"], **on)
        self.trace = _open_telemetry()

    @property
    def text(self) -> bytes:
        """All metrics in Prometheus's format."""
        return generate_latest(self.registry)

    def refused(self, reason: str) -> None:
        """A request was not let in."""
        self.refusals.labels(reason).inc()

    def turn(self, graph: str) -> TurnTelemetry:
        """Follow one turn."""
        return TurnTelemetry(self, graph)


class TurnTelemetry:
    """One turn; `with` says when it ends."""

    def __init__(self, telemetry: Telemetry, graph: str) -> None:
        self._telemetry = telemetry
        self._graph = graph
        self._context: Any = None
        self._span: Any = None

    def __enter__(self) -> TurnTelemetry:
        self._telemetry.running.labels(self._graph).inc()
        if trace := self._telemetry.trace:
            self._span = trace.get_tracer("octopus").start_span(f"turn {self._graph}")
            self._context = trace.set_span_in_context(self._span)
        return self

    def __exit__(self, *_: object) -> None:
        self._telemetry.running.labels(self._graph).dec()
        if self._span is not None:
            self._span.end()

    def __call__(self, event: Event) -> None:
        """Count an event of the run."""
        match event:
            case Decided(decision):
                self._decided(decision)
            case Hopped(hop):
                self._hopped(hop)
            case Answered():
                for one in event.asked:
                    self._telemetry.questions.labels(self._graph, one["kind"]).inc()

    def _decided(self, decision: Mapping[str, Any]) -> None:
        node = decision["node"] or ""
        self._telemetry.routes.labels(self._graph, node, decision["token"]).inc()
        self._telemetry.probability.labels(self._graph).observe(decision["probability"])

    def _hopped(self, hop: Hop) -> None:
        self._telemetry.seconds.labels(self._graph, hop["node"]).observe(hop["seconds"])
        self._telemetry.answers.labels(self._graph, hop["node"], hop["status"]).inc()
        for kind, count in tokens_of([hop]).items():
            self._telemetry.tokens.labels(self._graph, hop["node"], kind).inc(count)
        self._telemetry.cost.labels(self._graph, hop["node"]).inc(hop["cost"])
        self._telemetry.saved.labels(self._graph).inc(hop["saved"])
        if reflected := hop["evidence"].get("reflection"):
            rounds = self._telemetry.rounds.labels(self._graph, hop["node"], reflected["level"])
            rounds.inc(len(reflected["rounds"]))
        if trace := self._telemetry.trace:
            self._record_span(trace, hop)

    def _record_span(self, trace: ModuleType, hop: Hop) -> None:
        end = time.time_ns()
        span = trace.get_tracer("octopus").start_span(
            f"hop {hop['node'] or 'none'}",
            context=self._context,
            start_time=end - int(hop["seconds"] * 1e9),
            attributes={
                "octopus.graph": self._graph,
                "octopus.master": hop["master"],
                "octopus.token": hop["token"],
                "octopus.node": hop["node"],
                "octopus.probability": hop["probability"],
                "octopus.status": hop["status"],
                "octopus.tokens": hop["tokens"],
                "octopus.cost": hop["cost"],
                "octopus.part": hop["branch"]["part"],
                "octopus.ended": bool(hop["ended"]),
            },
        )
        span.end(end_time=end)


def tokens_of(hops: list[Hop]) -> dict[str, int]:
    """Prompt and completion tokens of the language models that answered; tools use none."""
    used = [usage_of(hop["evidence"]) for hop in hops]
    return {"prompt": sum(into for into, _ in used), "completion": sum(out for _, out in used)}


def _open_telemetry() -> ModuleType | None:
    try:
        return import_module("opentelemetry.trace")
    except ImportError:
        return None
