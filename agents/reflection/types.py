"""Define what reflection is made of: the parts that models and tools play, and the state of a loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from typing_extensions import TypedDict

from agents.types import AnswerStatus

Mode = Literal["none", "basic", "reflexion", "lats", "auto"]


@dataclass(frozen=True, slots=True)
class Draft:
    """Hold what a generator wrote.

    Attributes:
        text: an answer, or for `Stepper.step` one more step of it; "" when the model returned nothing.
        tokens: how many were generated.
        read: how many were in the prompt.
        complete: whether the answer ends with it; false between steps, and where it was cut off.
        status: anything but `answered` means that `text` is a message for people, not a draft.
        computed: whether a tool computed it, so that there is nothing to reflect on.
        evidence: of the worker's answer; JSON values.
    """

    text: str
    tokens: int = 0
    read: int = 0
    complete: bool = True
    status: AnswerStatus = "answered"
    computed: bool = False
    evidence: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Hold a judgement: a score in [0, 1], whether the draft passes, what is wrong, and tokens spent."""

    score: float
    passed: bool
    feedback: str = ""
    tokens: int = 0
    read: int = 0


class Lesson(TypedDict):
    """Remember one trial in words: the draft, and what was said of it."""

    draft: str
    feedback: str


class Generator(Protocol):
    """Write drafts."""

    async def generate(self, question: str, lessons: Sequence[Lesson], most: int) -> Draft:
        """Write a draft in the light of earlier ones, of at most `most` generated tokens."""
        ...


class Critic(Protocol):
    """Criticise drafts in words."""

    async def criticise(self, question: str, draft: str, evidence: str, most: int) -> Verdict:
        """Say what is wrong with an answer or its beginning; `evidence` is a verifier's feedback."""
        ...


class Verifier(Protocol):
    """Judge drafts by a tool, a schema or a model."""

    async def verify(self, question: str, draft: str, most: int) -> Verdict:
        """Judge a draft.

        Raises:
            ValueError: this question or draft cannot be checked.
        """
        ...


class Stepper(Protocol):
    """Write an answer in steps, for a tree of them."""

    async def step(self, question: str, path: Sequence[str], lessons: Sequence[Lesson], most: int) -> Draft:
        """Write one more step after those of `path`."""
        ...

    async def finish(self, question: str, path: Sequence[str], lessons: Sequence[Lesson], most: int) -> Draft:
        """Write the whole answer that begins with `path`."""
        ...


class Memory(Protocol):
    """Keep lessons from one run to the next."""

    async def recall(self, question: str) -> Sequence[Lesson]:
        """Return lessons of earlier runs that may help with `question`, the oldest first."""
        ...

    async def keep(self, question: str, lesson: Lesson) -> None:
        """Remember `lesson`."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """Hold who plays in a loop; an algorithm asks the optional parts that it needs."""

    generator: Generator
    critic: Critic
    verifier: Verifier | None = None
    stepper: Stepper | None = None
    memory: Memory | None = None


class Round(TypedDict):
    """Keep a draft with its verdict in the state.

    `score` is None until somebody judged the draft. `tokens` and `read` are those of the whole loop so far.
    """

    draft: str
    score: float | None
    passed: bool
    feedback: str
    tokens: int
    read: int
    evidence: dict[str, Any]


class TreeNode(TypedDict):
    """Keep a node of the search tree: a step, its parent's index, and what is known of it.

    `value` is the mean of `visits` rewards; the evaluation when the node was made counts as the first.
    `closed` nodes have nothing below them that is left to try.
    """

    parent: int | None
    text: str
    visits: int
    value: float
    complete: bool
    closed: bool


class ReflectionState(TypedDict):
    """Keep the state of a loop: JSON values.

    Attributes:
        question: as the generator is given it.
        probability: of the worker, according to the Octopus; `auto` reads it.
        rounds: the drafts so far.
        lessons: what was learnt from them, the oldest first.
        tree: of LATS; the first node is the root, without a step.
        simulated: the node from which the last draft was rolled out.
        level: which algorithm `auto` picked.
        tokens: generated so far, by all parts.
        read: tokens of prompts so far.
        seconds: spent so far, without the downtime of a killed process.
        status: of the first draft.
        reason: why the loop stopped; "" while it goes on.
    """

    question: str
    probability: float
    rounds: list[Round]
    lessons: list[Lesson]
    tree: list[TreeNode]
    simulated: int
    level: str
    tokens: int
    read: int
    seconds: float
    status: AnswerStatus
    reason: str


Update = dict[str, Any]


def new_state(question: str, probability: float = 1.0) -> ReflectionState:
    """Return the state in which a loop begins."""
    root = TreeNode(parent=None, text="", visits=0, value=0.0, complete=False, closed=False)
    return ReflectionState(
        question=question,
        probability=probability,
        rounds=[],
        lessons=[],
        tree=[root],
        simulated=0,
        level="",
        tokens=0,
        read=0,
        seconds=0.0,
        status="answered",
        reason="",
    )
