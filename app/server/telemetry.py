"""Show operators Prometheus metrics, and OpenTelemetry spans per hop; never a word of what was said."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from agents.ledger import usage_of
from agents.types import Hop
from app.runs.events import Answered, Decided, Event, Hopped

_PROBABILITIES = tuple(k / 10 for k in range(1, 11))
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Telemetry:
    """Count in a registry of its own, so that two servers in one process do not mix."""

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
        self.running = Gauge("octopus_turns_running", "Runs being worked on.", ["graph"], **on)

    @property
    def text(self) -> bytes:
        """Return all metrics in Prometheus's format."""
        return generate_latest(self.registry)

    @contextmanager
    def follow(self, graph: str) -> Iterator[Callable[[Event], None]]:
        """Yield a function that takes the events of one run."""
        with self.running.labels(graph).track_inprogress():
            span = trace.get_tracer("octopus").start_span(f"turn {graph}")
            try:
                yield partial(self._count, graph, trace.set_span_in_context(span))
            finally:
                span.end()

    def _count(self, graph: str, context: Context, event: Event) -> None:
        match event:
            case Decided(decision):
                self.routes.labels(graph, decision["node"] or "", decision["token"]).inc()
                self.probability.labels(graph).observe(decision["probability"])
            case Hopped(hop):
                self._count_hop(graph, hop)
                _record_span(graph, context, hop)
            case Answered():
                self._count_tokens(graph, "", event.evidence)
                for one in event.asked:
                    self.questions.labels(graph, one["kind"]).inc()

    def _count_tokens(self, graph: str, node: str, *evidence: dict[str, Any]) -> None:
        for kind, count in tokens_of(evidence).items():
            self.tokens.labels(graph, node, kind).inc(count)

    def _count_hop(self, graph: str, hop: Hop) -> None:
        node = hop["node"]
        self.seconds.labels(graph, node).observe(hop["seconds"])
        self.answers.labels(graph, node, hop["status"]).inc()
        self._count_tokens(graph, node, hop["evidence"])
        self.cost.labels(graph, node).inc(hop["cost"])
        self.saved.labels(graph).inc(hop["saved"])
        if reflected := hop["evidence"].get("reflection"):
            self.rounds.labels(graph, node, reflected["level"]).inc(len(reflected["rounds"]))


def _record_span(graph: str, context: Context, hop: Hop) -> None:
    end = time.time_ns()
    span = trace.get_tracer("octopus").start_span(
        f"hop {hop['node'] or 'none'}",
        context=context,
        start_time=end - int(hop["seconds"] * 1e9),
        attributes={
            "octopus.graph": graph,
            **{
                f"octopus.{name}": hop[name]
                for name in ("master", "token", "node", "probability", "status", "tokens", "cost")
            },
            "octopus.part": hop["branch"]["part"],
            "octopus.ended": bool(hop["ended"]),
        },
    )
    span.end(end_time=end)


def used_by(answered: Answered) -> dict[str, int]:
    """Return the tokens of all models that were asked; `cached` is within `prompt`, `reasoning` the rest."""
    evidence = [answered.evidence, *(hop["evidence"] for hop in answered.hops)]
    usages = [usage for one in evidence if isinstance(usage := one.get("usage"), dict)]

    def of(details: str, kind: str) -> int:
        return sum(int((usage.get(details) or {}).get(kind) or 0) for usage in usages)

    cached, reasoning = of("input_token_details", "cache_read"), of("output_token_details", "reasoning")
    return tokens_of(evidence) | {"cached": cached, "reasoning": reasoning}


def tokens_of(evidence: Iterable[dict[str, Any]]) -> dict[str, int]:
    """Return prompt and completion tokens of the language models that answered; tools use none."""
    used = [usage_of(one) for one in evidence]
    return {"prompt": sum(into for into, _ in used), "completion": sum(out for _, out in used)}
