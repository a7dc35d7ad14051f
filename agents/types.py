"""Define the vocabulary in types: edges, choices, decisions, hops, requests and answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NewType, Protocol

from langchain_core.messages import BaseMessage, ToolCall
from typing_extensions import TypedDict  # that of Python 3.11 has no JSON schema

from agents.generation import Generation

NodeName = NewType("NodeName", str)
FunctionalToken = NewType("FunctionalToken", str)

CascadeStep = Literal["token", "tools", "examples", "parent", "generalist", "ask", "user", "call"]
"""Name the step of the cascade that decided: the functional token itself, or a fallback below threshold.

`tools`: a tool of the neighbour reads the whole question. `ask` is no decision: nobody was chosen. `user` is
what a person answered when asked. `call`: the results of a client's tools go to who called.
"""

UNANSWERED = "unanswered"
"""Mark, in `additional_kwargs`, an AI message that no worker said: it tells why there is no answer."""

AnswerStatus = Literal["answered", "declined", "unavailable"]
HopStatus = Literal["planned", "answered", "declined", "unavailable"]
Rewrite = Literal["same", "changed", "bypassed"]
"""Tell what became of the query: `bypassed` where the Octopus lost part of it and the original was sent."""


FailureCode = Literal[
    "no_model",
    "unreachable",
    "timeout",
    "rate_limited",
    "overloaded",
    "unauthorized",
    "not_found",
    "server_error",
    "broken_reply",
    "cut_off",
    "too_large",
    "empty_reply",
    "invalid_output",
    "filtered",
    "refused",
    "context_length_exceeded",
    "unsupported_parameter",
    "declined",
    "abstained",
    "not_approved",
    "budget_exhausted",
]
"""Name why there is no answer, for programs."""


class Failure(TypedDict):
    """Say why there is no answer; JSON values.

    Attributes:
        code: the reason.
        param: the parameter at fault, as OpenAI's API names it; "" for none.
        retry_after: seconds after which the same may succeed; None where nobody said.
    """

    code: FailureCode
    param: str
    retry_after: float | None


def failure(code: FailureCode, *, param: str = "", retry_after: float | None = None) -> Failure:
    """Return a failure."""
    return Failure(code=code, param=param, retry_after=retry_after)


@dataclass(frozen=True, slots=True)
class Edge:
    """Lead from a node to one of its neighbours.

    Attributes:
        node: the neighbour.
        token: the functional token that chooses it.
        template: the neighbour's own form of a query; `{query}` stands for the query.
        description: what the neighbour does, for models that were not trained on it.
        examples: queries that belong there.
        modalities: what can be read there beside text.
    """

    node: NodeName
    token: FunctionalToken
    template: str = "{query}"
    description: str = ""
    examples: tuple[str, ...] = ()
    modalities: frozenset[str] = frozenset()

    def query(self, text: str) -> str:
        """Return `text` in the neighbour's own form."""
        return self.template.replace("{query}", text)


@dataclass(frozen=True, slots=True)
class Choice:
    """Pair a neighbour with the probability of its functional token, in [0, 1].

    `<nexa_end>` leads to the graph's node `answer`.
    """

    token: FunctionalToken
    node: NodeName
    probability: float


@dataclass(frozen=True, slots=True)
class Decision:
    """Say which neighbour an Octopus chose (or none) and why.

    Attributes:
        node: the neighbour to go to; None when the Octopus abstains or stops.
        token: its functional token; None when the Octopus abstains, `<nexa_end>` when it stops the walk.
        probability: of `node`, or of the best neighbour when the Octopus abstains.
        rewritten: the query for the worker, in its own form.
        reason: one sentence for people.
        decided_by: the step of the cascade that decided.
        calibrated: whether `probability` went through a fitted temperature.
        choices: the ranked neighbours, best first.
        question: the query in the user's own words, before any worker's template.
        refers_to: what it goes on with, for a worker that is not given the conversation; "" for nothing.
    """

    node: NodeName | None
    token: FunctionalToken | None
    probability: float
    rewritten: str
    reason: str
    decided_by: CascadeStep
    calibrated: bool
    choices: tuple[Choice, ...]
    question: str = ""
    refers_to: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bound what a model does by itself in one answer.

    Attributes:
        calls: tools that it may call; 0 offers it none.
        tokens: that it may use in all before its last words; None sets no limit.
    """

    calls: int = 8
    tokens: int | None = None


@dataclass(frozen=True, slots=True)
class WorkerRequest:
    """Carry what a worker is given.

    Attributes:
        query: the rewritten query.
        readings: the question as tools may read it, in this order; none where it asks for words, and None
            where nobody said, so that tools read the query.
        conversation: earlier messages, if the spec lets this worker see them; may be empty.
        idempotency_key: the same for every attempt at the same hop.
        generation: what the client asks of the model.
        seconds: how long the walk waits for the answer; None where nobody said.
        attachments: images and audio of the question, as content blocks of LangChain.
        since: what came after the question: the worker's calls of the client's tools, and their results.
        limits: of the tools that a model calls by itself.
    """

    query: str
    readings: Sequence[str] | None = None
    conversation: Sequence[BaseMessage] = ()
    idempotency_key: str = ""
    generation: Generation = field(default_factory=Generation)
    seconds: float | None = None
    attachments: Sequence[dict[str, Any]] = ()
    since: Sequence[BaseMessage] = ()
    limits: Limits = Limits()

    def with_most(self, tokens: int) -> WorkerRequest:
        """Return the request with at most so many tokens to generate."""
        return replace(self, generation=self.generation.model_copy(update={"max_tokens": tokens}))


COMPUTED = "Computed with"
"""Open the line below a computed value that says which call gave it."""


@dataclass(frozen=True, slots=True)
class WorkerAnswer:
    """Carry what a worker gives back.

    Attributes:
        status: `declined` when the query does not fit it, `unavailable` when no model can be reached.
        text: the answer, or for the other two what a person should know or do.
        evidence: how it was computed, e.g. `{"function": "derivative", "arguments": {...}}`; JSON values. Of
            a model: `model`, `usage`, `finish_reason`, `reasoning`, `logprobs`, `alternatives` (the texts of
            further answers), `alternative_ends` (their finish reasons), `trimmed`, `steps` (the tools that
            it called).
        calls: the client's tools that the model asks the client to call; the text may then be empty.
        failure: why there is no answer, for programs.
    """

    status: AnswerStatus
    text: str
    evidence: dict[str, Any] = field(default_factory=dict)
    calls: Sequence[ToolCall] = ()
    failure: Failure | None = None


class Worker(Protocol):
    """Answer queries at a node."""

    async def answer(self, request: WorkerRequest) -> WorkerAnswer:
        """Answer, decline, or say that the model is unavailable; raise only for bugs and bad specs."""
        ...


@dataclass(frozen=True, slots=True)
class Step:
    """Show an executed hop of this turn to an Octopus: q_i at N_i, and what came of it."""

    node: NodeName
    query: str
    answer: str
    status: AnswerStatus


class Octopus(Protocol):
    """Route at one node."""

    async def route(self, conversation: Sequence[BaseMessage], path: Sequence[Step] = ()) -> Decision:
        """Decide for the last human turn of `conversation`, in the light of the turns before it.

        Args:
            conversation: the messages so far; the last one is the user's.
            path: the steps of this turn. Where it is not empty, the decision is what comes next, and
                `<nexa_end>` is legal too: the decision's node is then None and its token `<nexa_end>`.
        """
        ...


class Branch(TypedDict):
    """Tell the parallel walks of a turn apart; JSON values.

    Attributes:
        part: index of the part of a compound question, in the order of the question.
        parts: how many parts the question has; 1 for one that is whole.
        expert: rank of the neighbour among those that were asked the same.
        experts: how many were asked the same.
        text: the part as it is routed; "" for a question that is whole.
    """

    part: int
    parts: int
    expert: int
    experts: int
    text: str


class Hop(TypedDict):
    """Hold one step of a path as state keeps it: first planned, by a decision, then with its outcome.

    JSON values only, so that any checkpointer keeps it.

    Attributes:
        turn: id of the turn.
        branch: the walk that it belongs to.
        step: how many decisions this walk has taken, this one included.
        master: the node that decided.
        token: the functional token that was chosen; `<nexa_end>` where the walk ends.
        node: the worker or master that it leads to; "" where the walk ends.
        probability, calibrated, reason, decided_by, choices, question, refers_to: as in `Decision`.
        query: what the node is sent: the rewritten query, with what it refers to where that is not sent
            otherwise.
        readings: as in `WorkerRequest`.
        rewrite: what became of the query on the way.
        status: `planned` until the node has answered.
        answer, evidence, calls, failure: as in `WorkerAnswer`.
        tokens: what models read and generated.
        cost: in dollars, 0 without a price.
        saved: what the most probable neighbour would have cost more.
        seconds: of the decision and the answer.
        ended: why the walk stopped after this hop, or "".
    """

    turn: str
    branch: Branch
    step: int
    master: str
    token: str
    node: str
    probability: float
    calibrated: bool
    question: str
    refers_to: str
    query: str
    readings: list[str]
    rewrite: Rewrite
    reason: str
    decided_by: CascadeStep
    choices: list[dict[str, Any]]
    status: HopStatus
    answer: str
    evidence: dict[str, Any]
    calls: list[ToolCall]
    failure: Failure | None
    tokens: int
    cost: float
    saved: float
    seconds: float
    ended: str
