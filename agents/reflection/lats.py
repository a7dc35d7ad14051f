"""Search the steps of an answer by Monte-Carlo tree search: LATS.

Source: Language Agent Tree Search (Zhou et al. 2023, arXiv 2310.04406), section 4. Selection goes down the
tree by UCT; expansion samples several next steps; evaluation gives each V(s) = λ LM(s) + (1 - λ) SC(s), the
model's own judgement and self-consistency, the share of samples that agree; simulation finishes the best and
the verifier rewards it; back-propagation updates the means up to the root; a failure is put into words, which
later steps are given. Simulation is one sampled completion rather than an expansion at every depth, as in
plain MCTS, so that a small budget allows more rounds; the first one starts at the root.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from agents.reflection.loop import LESSONS, Step, Steps, add_round, spend
from agents.reflection.types import Draft, ReflectionState, TreeNode, Update, Verdict

_NEXT = {
    "draft": "verify",
    "verify": "backpropagate",
    "backpropagate": "reflect",
    "reflect": "select",
    "select": "expand",
    "expand": "evaluate",
    "evaluate": "simulate",
    "simulate": "verify",
}


@dataclass(frozen=True, slots=True)
class Lats(Steps):
    """Search for an answer.

    Attributes:
        width: sampled steps of an expansion.
        exploration: the weight w of UCT's second term.
        judgement: λ, the weight of the critic in the evaluation of a step; at 0 it is not asked.
    """

    width: int = 3
    exploration: float = 1.0
    judgement: float = 0.5

    @property
    def steps(self) -> Mapping[str, Step]:
        """Return the steps by name."""
        return {
            "draft": self.draft,
            "verify": self.verify,
            "backpropagate": self._backpropagate,
            "reflect": self.reflect,
            "select": self._select,
            "expand": self._expand,
            "evaluate": self._evaluate,
            "simulate": self._simulate,
        }

    def next_step(self, done: str | None, state: ReflectionState) -> str | None:
        """Cycle through the steps, which give the reason to stop."""
        if done == "select" and state["tree"][state["simulated"]]["complete"]:
            return "simulate"  # there is nothing below it
        return "draft" if done is None else _NEXT[done]

    async def _select(self, state: ReflectionState) -> Update:
        """Go down by UCT to a node without children."""
        tree, node = state["tree"], 0
        while below := [child for child in children(tree, node) if not tree[child]["closed"]]:
            node = max(below, key=lambda child: uct(tree, child, self.exploration))
        return {"simulated": node}

    async def _expand(self, state: ReflectionState) -> Update:
        """Sample next steps of the selected node; equal ones become one child, its value their share."""
        tree, parent, drafts = state["tree"], state["simulated"], list[Draft]()
        left = self.budget.tokens_left(state)
        while left > 0 and len(drafts) < self.width:
            drafts.append(await self._step(state, parent, left))
            left = self.budget.tokens - spend(state, *drafts)["tokens"]
        counts = Counter((draft.text, draft.complete) for draft in drafts if draft.text)
        if not counts:
            return spend(state, *drafts) | {"reason": "the model gave no further step"}
        made = [
            TreeNode(parent=parent, text=t, visits=1, value=n / len(drafts), complete=whole, closed=False)
            for (t, whole), n in counts.items()
        ]
        return {"tree": [*tree, *made]} | spend(state, *drafts)

    async def _step(self, state: ReflectionState, parent: int, left: int) -> Draft:
        assert self.parts.stepper is not None
        steps = path(state["tree"], parent)
        return await self.parts.stepper.step(state["question"], steps, state["lessons"][-LESSONS:], left)

    async def _evaluate(self, state: ReflectionState) -> Update:
        """Value the new children, as far as tokens are left for that, and choose the best."""
        tree, verdicts = [*state["tree"]], list[Verdict]()
        new = children(tree, state["simulated"])
        for child in new if self.judgement else ():
            left = self.budget.tokens - spend(state, *verdicts)["tokens"]
            if left <= 0:
                break
            begun = "".join(path(tree, child))
            verdict = await self.parts.critic.criticise(state["question"], begun, "", left)
            value = self.judgement * verdict.score + (1 - self.judgement) * tree[child]["value"]
            tree[child] = {**tree[child], "value": value}
            verdicts.append(verdict)
        best = max(new, key=lambda child: tree[child]["value"])
        return {"tree": tree, "simulated": best} | spend(state, *verdicts)

    async def _simulate(self, state: ReflectionState) -> Update:
        """Finish the answer that begins with the chosen child."""
        assert self.parts.stepper is not None
        self.budget.another_round(state)
        left = self.budget.tokens_left(state)
        steps = path(state["tree"], state["simulated"])
        draft = await self.parts.stepper.finish(state["question"], steps, state["lessons"][-LESSONS:], left)
        return add_round(state, draft)

    async def _backpropagate(self, state: ReflectionState) -> Update:
        """Add the reward to the means from the simulated node up to the root."""
        reward = state["rounds"][-1]["score"] or 0.0
        tree = backpropagate(state["tree"], state["simulated"], reward)
        if tree[0]["closed"]:
            return {"tree": tree, "reason": "every path of the tree was tried"}
        return {"tree": tree}


def children(tree: list[TreeNode], node: int) -> list[int]:
    """Return the indices of the nodes below `node`."""
    return [index for index, other in enumerate(tree) if other["parent"] == node]


def path(tree: list[TreeNode], node: int) -> list[str]:
    """Return the steps from the root to `node`."""
    steps: list[str] = []
    current: int | None = node
    while current is not None:
        steps.append(tree[current]["text"])
        current = tree[current]["parent"]
    return steps[-2::-1]  # without the root's empty one


def uct(tree: list[TreeNode], node: int, exploration: float) -> float:
    """Compute UCT(s) = V(s) + w sqrt(ln N(parent) / N(s))."""
    one = tree[node]
    assert one["parent"] is not None
    above = max(1, tree[one["parent"]]["visits"])
    return one["value"] + exploration * math.sqrt(math.log(above) / one["visits"])


def backpropagate(tree: list[TreeNode], node: int, reward: float) -> list[TreeNode]:
    """Return the tree after `reward` at `node`; close whole answers, and nodes with only closed children."""
    tree = [*tree]
    current: int | None = node
    while current is not None:
        one, below = tree[current], children(tree, current)
        visits = one["visits"] + 1
        tree[current] = {
            **one,
            "visits": visits,
            "value": one["value"] + (reward - one["value"]) / visits,
            "closed": one["complete"] or (bool(below) and all(tree[child]["closed"] for child in below)),
        }
        current = one["parent"]
    return tree
