"""Follow the subject through a conversation, and read its last turn in the light of the turns before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from agents.octopus.conversation.follow_ups import (
    Floats,
    FollowUpModel,
    Hear,
    as_one_text,
    speaks_only,
    text_features,
)
from agents.octopus.conversation.human_turns import Turn, as_one_question
from agents.types import Edge, NodeName

_NAMED = 0.99  # how far the name on a reply is trusted, against the belief that routing had


class Before(NamedTuple):
    """Name the node of the turn before, and how probably this turn follows up and stays with that node."""

    node: NodeName
    follow_up: float
    stays: float


@dataclass(frozen=True, slots=True)
class Reading:
    """Hold a conversation as it is routed.

    Attributes:
        probabilities: [n + 1] for the last turn, in context.
        follow_up: probability that the last turn goes on with the subject before; 0 for a first turn.
        refers_to: what the last turn goes on with, or "" where it stands by itself.
        before: the place of the node before; None for a first turn.
    """

    probabilities: Floats
    follow_up: float = 0.0
    refers_to: str = ""
    before: int | None = None

    def settled(self, served: Floats) -> Reading:
        """Return the reading with what another model says of the last turn, [n + 1].

        Of a follow-up both have a say: that model saw what it refers to, but not who had the turn before.
        """
        if self.follow_up <= 0.5:
            return replace(self, probabilities=served)
        both = np.sqrt(self.probabilities * served)
        return replace(self, probabilities=both / max(float(both.sum()), 1e-12))

    def node_before(self, neighbours: Sequence[Edge]) -> Before | None:
        """Return who had the turn before, for the reason of the decision; None for a first turn."""
        if self.before is None:
            return None
        stays = float(self.probabilities[self.before])
        return Before(neighbours[self.before].node, self.follow_up, stays)


@dataclass(frozen=True, slots=True)
class _Subject:
    """Hold what is known after the turns so far.

    Attributes:
        belief: [n].
        none: probability that no neighbour fits.
        turns: since the subject came up.
        questions: of those, the ones that are no speaking acts.
        known: whether the last reply names the node that gave it.
    """

    belief: Floats
    none: float
    turns: tuple[Turn, ...]
    questions: tuple[Turn, ...]
    known: bool = False

    @property
    def probabilities(self) -> Floats:
        """Return [n + 1]."""
        return np.append(self.belief * (1 - self.none), self.none)

    def named(self, places: Mapping[NodeName, int]) -> _Subject:
        """Return the same where the reply to the last turn names the node that gave it."""
        node = self.turns[-1].node
        if node is None or node not in places:
            return self
        named = np.zeros_like(self.belief)
        named[places[node]] = 1
        return replace(self, belief=_NAMED * named + (1 - _NAMED) * self.belief, none=0.0, known=True)

    def text(self) -> str:
        """Return what a follow-up refers to: the turn that set the subject, and where it has got to."""
        first, last = self.questions[0].text, self.questions[-1].text
        return first if len(self.questions) == 1 else as_one_question(last, first)


@dataclass(frozen=True)
class Reader:
    """Read conversations at one node.

    Attributes:
        hear: routes a text by itself.
        model: tells follow-ups from changes of subject.
        places: of the neighbours among the probabilities.
        abstain: probability of "none of them" above which a turn fits no neighbour.
    """

    hear: Hear
    model: FollowUpModel
    places: Mapping[NodeName, int]
    abstain: float = 1.0

    def read(self, turns: Sequence[Turn]) -> Reading:
        """Read the last of `turns` in the light of those before it.

        A speaking act (thanks, why?) stays and is no subject; nor is a turn that nobody took or that fits no
        neighbour, where there is another.
        """
        subject: _Subject | None = None
        reading = Reading(self.hear(turns[0].text).probabilities)
        for number, turn in enumerate(turns):
            speaks = len(turns) > 1 and speaks_only(turn.text)
            if subject is None:
                # Of speaking acts alone, the replies to them tell what they are about.
                text = as_one_text(turns[: number + 1]) if speaks else turn.text
                own = self.hear(text).probabilities
                reading = Reading(own)
                if not (speaks or turn.refused):
                    subject = _Subject(self.model.begin(own), float(own[-1]), (turn,), (turn,))
                    subject = subject.named(self.places)
                continue
            reading, following = self._go_on(subject, turns[: number + 1], speaks=speaks)
            fits = self.hear(turn.text).probabilities[-1] <= self.abstain and not turn.refused
            if reading.follow_up > 0.5 or fits:
                subject = following.named(self.places)
        return reading

    def _go_on(self, subject: _Subject, turns: Sequence[Turn], *, speaks: bool) -> tuple[Reading, _Subject]:
        turn = turns[-1]
        own = self.hear(turn.text).probabilities
        exchange = self.hear(as_one_text((*subject.turns, turn))).probabilities
        if speaks:
            follow_up = 1.0
            belief = subject.belief if subject.known else self.model.stay(subject.belief, exchange)
        else:
            said = text_features(turns, self.hear)
            belief, stays = self.model.go_on(subject.belief, own, exchange, said, known=subject.known)
            follow_up = float(stays)
        none = follow_up * min(subject.none, float(exchange[-1])) + (1 - follow_up) * float(own[-1])
        before = int(subject.belief.argmax())
        if follow_up <= 0.5:
            left = _Subject(belief, none, (turn,), (turn,))
            return Reading(left.probabilities, follow_up, "", before), left
        questions = subject.questions if speaks else (*subject.questions, turn)
        stayed = _Subject(belief, none, (*subject.turns, turn), questions)
        return Reading(stayed.probabilities, follow_up, subject.text(), before), stayed
