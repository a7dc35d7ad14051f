"""What reflection is made of: the parts that a model or tool plays, the budget, and the state of a loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from typing_extensions import TypedDict

from agents.types import AnswerStatus

Mode = Literal["none", "basic", "reflexion", "lats", "auto"]


@dataclass(frozen=True, slots=True)
class Draft:
    """What a generator wrote.

    Attributes:
        text: an answer, or for `Stepper.step` one more step of it; "" when the model returned nothing.
        tokens: how many were generated.
        read: how many were in the prompt.
        complete: whether the answer ends with it: not so in the middle of steps, and where it was cut off.
        status: anything but `answered` means that `text` is a message for people, not a draft.
        computed: by a tool, so that there is nothing to reflect on.
        evidence: of a worker's answer; JSON values.
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
    """A judgement: a score in [0, 1], whether the draft passes, what is wrong with it, and what it cost."""

    score: float
    passed: bool
    feedback: str = ""
    tokens: int = 0
    read: int = 0


class Lesson(TypedDict):
    """Verbal memory of one trial: the draft, and what was said of it."""

    draft: str
    feedback: str


class Generator(Protocol):
    """Writes a draft."""

    async def generate(self, question: str, lessons: Sequence[Lesson], most: int) -> Draft:
        """A draft in the light of earlier ones, of at most `most` generated tokens."""
        ...


class Critic(Protocol):
    """Reflects on a draft in words."""

    async def criticise(self, question: str, draft: str, evidence: str, most: int) -> Verdict:
        """What is wrong with an answer, or with the beginning of one; `evidence` is a verifier's feedback."""
        ...


class Verifier(Protocol):
    """Judges a draft by a tool, a schema or a model."""

    async def verify(self, question: str, draft: str, most: int) -> Verdict:
        """The verdict.

        Raises:
            ValueError: this question or draft cannot be checked.
        """
        ...


class Stepper(Protocol):
    """Writes an answer in steps, for a tree of them."""

    async def step(self, question: str, path: Sequence[str], lessons: Sequence[Lesson], most: int) -> Draft:
        """One more step after those of `path`."""
        ...

    async def finish(self, question: str, path: Sequence[str], lessons: Sequence[Lesson], most: int) -> Draft:
        """The whole answer that begins with `path`."""
        ...


class Memory(Protocol):
    """Keeps lessons from one run to the next."""

    async def recall(self, question: str) -> Sequence[Lesson]:
        """Lessons of earlier runs that may help with `question`, the oldest first."""
        ...

    async def keep(self, question: str, lesson: Lesson) -> None:
        """Remember `lesson`."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """Who plays in a loop. `memory` is optional; the others are asked where an algorithm needs them."""

    generator: Generator
    critic: Critic
    verifier: Verifier | None = None
    stepper: Stepper | None = None
    memory: Memory | None = None


class Round(TypedDict):
    """A draft with its verdict, as it is kept in state.

    `score` is None until somebody judged the draft. `tokens` and `read` are those of the whole run so far.
    """

    draft: str
    score: float | None
    passed: bool
    feedback: str
    tokens: int
    read: int
    evidence: dict[str, Any]


class TreeNode(TypedDict):
    """A node of the search tree: a step, its parent's index, and what is known of it.

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
    """The state of a loop: JSON values.

    Attributes:
        question: as the generator is given it.
        probability: of the worker, according to the Octopus; `auto` reads it.
        rounds: the drafts so far.
        lessons: what was learnt of them, the oldest first.
        tree: of LATS; its first node is the root, with no step.
        simulated: the node from which the last draft was rolled out.
        level: which algorithm `auto` picked.
        tokens: generated so far, by all parts.
        read: tokens of prompts so far.
        seconds: spent so far, without the time in which a killed process was down.
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
    """The state in which a loop begins."""
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
