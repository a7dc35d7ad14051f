"""Report what happens in a run: decisions, hops, pieces of the answer, and its end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolCall
from langgraph.types import Interrupt

from agents.octopus.tokens import END_TOKEN
from agents.types import Failure, Hop, failure
from agents.workers.models.reply import Thinking, reasoning_in
from graphs.branches import merged, outcomes
from graphs.traversal import probability

_MOST_CHOICES = 5  # shown to a person


@dataclass(frozen=True)
class Decided:
    """Report a decision of the Octopus; parallel branches have one each."""

    decision: Hop


@dataclass(frozen=True)
class Ended:
    """Report that the Octopus, or a budget, ended a walk."""

    decision: Hop


@dataclass(frozen=True)
class Hopped:
    """Report that a worker is done."""

    hop: Hop


@dataclass(frozen=True)
class Thought:
    """Carry the next piece of what a model thinks before it answers; it is no part of the answer."""

    text: str


@dataclass(frozen=True)
class Written:
    """Carry the next piece of the answer.

    Attributes:
        logprobs: of its tokens, as OpenAI's API gives them, where they were asked for.
    """

    text: str
    logprobs: dict[str, Any] | None = None


@dataclass(frozen=True)
class Answered:
    """Report that the run is over, or waits for a person.

    Attributes:
        text: the whole answer; what is asked, if the run waits.
        hops: all hops of this run, those before an interruption too.
        asked: what a person is asked, each with the id that the answer names; empty if the run is over.
        rest: the part of the text that was not `Written` yet.
        evidence: how a model answered that was asked without a walk, which has no hops.
        calls: the client's tools that the client is to call; their results are the next turn.
    """

    text: str = ""
    hops: list[Hop] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    rest: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)
    calls: list[ToolCall] = field(default_factory=list)

    @property
    def status(self) -> str:
        """Return `answered`, `declined` or `unavailable`; `asked` if the run waits for a person."""
        if self.asked:
            return "asked"
        return next((str(one["status"]) for one in self._outcomes if one["status"] != "answered"), "answered")

    @property
    def reason(self) -> str:
        """Return why the Octopus chose who answered, or why it chose nobody."""
        return " ".join(hop["reason"] for hop in self._outcomes)

    @property
    def failure(self) -> Failure | None:
        """Return why there is no answer to any part of the question; None if there is one."""
        found = self._outcomes
        if self.asked or not found or any(hop["status"] == "answered" for hop in found):
            return None
        first = found[0]  # hops of an earlier version of this program have no failure
        return first.get("failure") or failure("declined" if first["status"] == "declined" else "no_model")

    @property
    def finish_reason(self) -> str:
        """Return why the answer ends, as OpenAI's API says it: stop, length, content_filter or tool_calls."""
        if self.calls:
            return "tool_calls"
        return _finish(self._evidences)

    @property
    def reasoning(self) -> str:
        """Return what models thought before they answered."""
        return "\n\n".join(one["reasoning"] for one in self._evidences if one.get("reasoning"))

    @property
    def logprobs(self) -> dict[str, Any] | None:
        """Return the log-probabilities of an answer that one model wrote, as OpenAI's API gives them."""
        evidences = self._evidences
        return evidences[0].get("logprobs") if len(evidences) == 1 else None

    @property
    def others(self) -> list[tuple[str, str]]:
        """Return the other answers that were asked for, each with why it ends.

        What has no other says the same in each.
        """
        found = self._outcomes
        if not found:
            texts, ends = self.evidence.get("alternatives", ()), self.evidence.get("alternative_ends", ())
            return list(zip(texts, ends, strict=True))
        most = max(len(hop["evidence"].get("alternatives") or ()) for hop in found)
        rows = [[_other(hop, index) for hop in found] for index in range(most)]
        return [(merged(row), _finish([hop["evidence"] for hop in row])) for row in rows]

    @property
    def path(self) -> list[str]:
        """Return the nodes that were asked, in order."""
        return [hop["node"] for hop in self.hops if hop["node"]]  # a hop that abstained has none

    @property
    def ended(self) -> list[str]:
        """Return why the walks to the answer stopped early."""
        return [hop["ended"] for hop in self._outcomes if hop["ended"]]

    @property
    def probability(self) -> float:
        """Return the probability of the path."""
        return probability(self.hops)

    @property
    def tokens(self) -> int:
        """Return the number of tokens that models read and generated."""
        return sum(hop["tokens"] for hop in self.hops)

    @property
    def cost(self) -> float:
        """Return the cost in dollars."""
        return round(sum(hop["cost"] for hop in self.hops), 9)

    @property
    def _evidences(self) -> list[dict[str, Any]]:
        return [hop["evidence"] for hop in self._outcomes] or [self.evidence]

    @property
    def _outcomes(self) -> list[Hop]:
        return outcomes(self.hops)


def _other(hop: Hop, index: int) -> Hop:
    evidence = hop["evidence"]
    texts, ends = evidence.get("alternatives") or (), evidence.get("alternative_ends") or ()
    if index >= len(texts):
        return hop
    end = ends[index] if index < len(ends) else "stop"  # hops of an earlier version have no ends
    return {**hop, "answer": texts[index], "evidence": {"finish_reason": end}}


def _finish(evidences: Sequence[Mapping[str, Any]]) -> str:
    said = [one["finish_reason"] for one in evidences if one.get("finish_reason", "stop") != "stop"]
    return str(said[0]) if said else "stop"


Event = Decided | Ended | Hopped | Thought | Written | Answered


class Watch:
    """Read the events of one run from what LangGraph streams.

    Args:
        last: the nodes whose answer is always the answer of the run.
        hops: those that a resumed run has done already.
        parallel: whether a resumed run has parallel branches.
    """

    def __init__(self, last: frozenset[str], hops: Sequence[Hop], parallel: bool) -> None:
        self._last = last
        self._hops = list(hops)
        self._parallel = parallel
        self._message: str | None = None
        self._thinking = Thinking()
        self._written = ""
        self._interrupts: list[Interrupt] = []

    def piece(self, chunk: BaseMessage, metadata: Mapping[str, Any]) -> Iterator[Event]:
        """Read text of a language model that writes the last answer.

        What others say may not be the answer: drafts in a subgraph, and branches, whose words would mix.
        """
        inside = "|" in str(metadata.get("langgraph_checkpoint_ns", ""))
        last = metadata.get("langgraph_node") in self._last
        if not isinstance(chunk, AIMessageChunk) or not last or inside or self._parallel:
            return
        if chunk.id != self._message:  # after a tool, or at a second try, the model begins anew
            apart = "\n\n" if self._written.strip() else ""
            self._message, self._thinking, self._written = chunk.id, Thinking(), ""
            if apart:
                yield Written(apart)
        if thought := reasoning_in(chunk):
            yield Thought(thought)
        for piece in self._thinking.feed(str(chunk.text)):
            if piece.thought:
                yield Thought(piece.text)
            else:
                self._written += piece.text
                yield Written(piece.text, chunk.response_metadata.get("logprobs"))

    def update(self, updates: Mapping[str, Any]) -> Iterator[Event]:
        """Read decisions, hops and the answer of finished nodes."""
        self._interrupts += updates.get("__interrupt__", ())
        for update in updates.values():
            if isinstance(update, dict):  # LangGraph reports a task's result too
                yield from self._read(update)

    def end(self) -> Iterator[Event]:
        """Read what the run asks, if it stopped without an answer."""
        if self._interrupts:
            asked = [{"id": one.id, **one.value} for one in self._interrupts]
            text = "\n\n".join("\n".join(worded(one)) for one in asked)
            yield Answered(text, self._hops, asked, self._rest(text))

    def _read(self, update: Mapping[str, Any]) -> Iterator[Event]:
        for hop in update.get("hops", []):
            self._hops.append(hop)
            yield Hopped(hop)
        planned = update.get("planned", [])
        self._parallel = self._parallel or len(planned) > 1
        for hop in planned:
            if hop["token"] != END_TOKEN:
                yield Decided(hop)
            elif hop["reason"] and hop["master"]:
                yield Ended(hop)
        if messages := update.get("messages"):
            answer = str(messages[-1].text)
            calls = messages[-1].tool_calls if isinstance(messages[-1], AIMessage) else []
            yield Answered(answer, self._hops, rest=self._rest(answer), calls=list(calls))

    def _rest(self, answer: str) -> str:
        if answer.startswith(self._written):
            return answer[len(self._written) :]
        return f"\n\n{answer}"  # the model broke off, and what it had begun cannot be taken back


def worded(asked: Mapping[str, Any]) -> tuple[str, str]:
    """Return the question of an interrupt in words, and which answers it takes.

    Args:
        asked: the interrupt's JSON value, of kind `approve` or `ask`.
    """
    lines = [asked["error"]] if "error" in asked else []
    if asked["kind"] == "approve":
        lines += [
            f"{step['master']} → {step['token']} {step['node']}: {step['query']}" for step in asked["steps"]
        ]
        return "\n".join(lines), "Go on? [y/n/another node]"
    ranked = ", ".join(f"{c['node']} ({c['probability']:.2f})" for c in asked["choices"][:_MOST_CHOICES])
    lines += [asked["reason"], f"Choices: {ranked}"]
    return "\n".join(lines), "A node, or more words:"
