"""Draft again in the light of what was said of the last draft: shared steps, basic reflection and Reflexion.

Sources: Self-Refine (Madaan et al. 2023, arXiv 2303.17651), feedback on the draft, then a draft in the light
of the feedback, until the feedback has nothing left to say; without a verifier, its gain rests on the critic.
Reflexion (Shinn et al. 2023, arXiv 2303.11366, algorithm 1): the actor drafts, the evaluator (a tool, a
schema, a model) scores the trial, the self-reflection model turns a failure and its evidence into words, and
at most three of these stay in memory for the next trial. With a `Memory`, lessons of earlier runs do too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agents.reflection.loop import Budget, BudgetUsedError, Step
from agents.reflection.types import Draft, Lesson, Parts, ReflectionState, Round, Update, Verdict

LESSONS = 3  # Shinn et al. keep one to three in memory, for the length of prompts
_EMPTY = "The answer was empty."
_NEXT = {"recall": "draft", "draft": "verify", "verify": "reflect", "reflect": "draft"}


@dataclass(frozen=True, slots=True)
class Steps:
    """Take steps with the parts and the budget of a loop; algorithms derive from it."""

    parts: Parts
    budget: Budget

    async def draft(self, state: ReflectionState) -> Update:
        """Generate an answer in the light of the lessons."""
        self.budget.another_round(state)
        left = self.budget.tokens_left(state)
        draft = await self.parts.generator.generate(state["question"], state["lessons"][-LESSONS:], left)
        return add_round(state, draft)

    async def verify(self, state: ReflectionState) -> Update:
        """Judge the last draft by the verifier.

        Raises:
            ValueError: there is no verifier, or it cannot check this draft.
        """
        last = state["rounds"][-1]
        if not last["draft"].strip():
            return judged(state, Verdict(0.0, False, _EMPTY))
        if self.parts.verifier is None:
            raise ValueError("there is no verifier")
        most = max(0, self.budget.tokens - state["tokens"])  # tools verify without a token too
        verdict = await self.parts.verifier.verify(state["question"], last["draft"], most)
        return judged(state, verdict, "the verifier passed it")

    async def critique(self, state: ReflectionState) -> Update:
        """Judge the last draft by the critic, whose words become a lesson."""
        last = state["rounds"][-1]
        if not last["draft"].strip():
            return judged(state, Verdict(0.0, False, _EMPTY))
        left = self.budget.tokens_left(state)
        verdict = await self.parts.critic.criticise(state["question"], last["draft"], "", left)
        lesson = Lesson(draft=last["draft"], feedback=verdict.feedback)
        learnt = {} if verdict.passed else {"lessons": [*state["lessons"], lesson]}
        return judged(state, verdict, "the critic agrees") | learnt

    async def reflect(self, state: ReflectionState) -> Update:
        """Put into words why the last draft failed, and remember it."""
        self.budget.another_round(state)  # only a further draft can use a lesson
        left = self.budget.tokens_left(state)
        last = state["rounds"][-1]
        critic, question = self.parts.critic, state["question"]
        if not last["draft"].strip():
            verdict = Verdict(0.0, False, _EMPTY)
        else:
            verdict = await critic.criticise(question, last["draft"], last["feedback"], left)
        lesson = Lesson(draft=last["draft"], feedback=verdict.feedback or last["feedback"])
        if self.parts.memory is not None:
            await self.parts.memory.keep(question, lesson)
        return {"lessons": [*state["lessons"], lesson]} | spend(state, verdict)


@dataclass(frozen=True, slots=True)
class Basic(Steps):
    """Take turns: draft → critique → draft → ..., until the critic agrees."""

    @property
    def steps(self) -> Mapping[str, Step]:
        """Return the steps by name."""
        return {"draft": self.draft, "critique": self.critique}

    def next_step(self, done: str | None, state: ReflectionState) -> str | None:
        """Alternate between the steps, which give the reason to stop."""
        return "critique" if done == "draft" else "draft"


@dataclass(frozen=True, slots=True)
class Reflexion(Steps):
    """Learn from trials: recall → draft → verify → reflect → draft → ..., until a draft passes."""

    @property
    def steps(self) -> Mapping[str, Step]:
        """Return the steps by name."""
        return {"recall": self._recall, "draft": self.draft, "verify": self.verify, "reflect": self.reflect}

    def next_step(self, done: str | None, state: ReflectionState) -> str | None:
        """Cycle through the steps, which give the reason to stop."""
        return "recall" if done is None else _NEXT[done]

    async def _recall(self, state: ReflectionState) -> Update:
        if self.parts.memory is None:
            return {}
        return {"lessons": [*await self.parts.memory.recall(state["question"])]}


def spend(state: ReflectionState, *costs: Draft | Verdict) -> Update:
    """Return the tokens spent so far, with those of `costs`."""
    return {
        "tokens": state["tokens"] + sum(cost.tokens for cost in costs),
        "read": state["read"] + sum(cost.read for cost in costs),
    }


def add_round(state: ReflectionState, draft: Draft) -> Update:
    """Book a draft.

    Raises:
        BudgetUsedError: a later draft was refused; the earlier ones remain.
    """
    if draft.status != "answered" and state["rounds"]:
        raise BudgetUsedError(f"the model gave no further draft: {draft.text}")
    spent = spend(state, draft)
    if state["rounds"] and draft.text and not draft.complete:
        return spent | {"reason": "the budget of tokens was used up in the middle of a draft"}
    one = Round(
        draft=draft.text,
        score=None,
        passed=False,
        feedback="",
        tokens=spent["tokens"],
        read=spent["read"],
        evidence=draft.evidence,
    )
    update = spent | {"rounds": [*state["rounds"], one]}
    if draft.computed:
        update |= {"reason": "a tool computed it"}
    if draft.status != "answered":
        update |= {"status": draft.status, "reason": "there is no draft"}
    return update


def judged(state: ReflectionState, verdict: Verdict, agreement: str = "") -> Update:
    """Book the verdict on the last draft; a draft that passed is the reason to stop."""
    *earlier, last = state["rounds"]
    spent = spend(state, verdict)
    found = {"score": verdict.score, "passed": verdict.passed, "feedback": verdict.feedback}
    update: Update = spent | {"rounds": [*earlier, {**last, **found, **spent}]}
    return update | {"reason": agreement} if verdict.passed else update
