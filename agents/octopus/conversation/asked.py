"""Read what the last turn of a conversation asks, as tools may read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from langchain_core.messages import BaseMessage

from agents.octopus.conversation.acts import Act, act_of, without_courtesies
from agents.octopus.conversation.human_turns import human_turns


@dataclass(frozen=True, slots=True)
class Asked:
    """Hold what the last turn does and what it asks.

    Attributes:
        act: `explanation` asks for words about a subject of its own; `conversational` has none.
        readings: what tools may read, in order: the bare turn, then the turn completed by what it refers
            to. None unless a question is asked.
    """

    act: Act
    readings: tuple[str, ...] = ()


def asked(conversation: Sequence[BaseMessage]) -> Asked:
    """Return what the last human turn asks.

    Raises:
        InputError: there is no human turn, or the last one is empty or not text.
    """
    turn = human_turns(conversation)[-1]
    act = act_of(turn)
    return Asked(act, (without_courtesies(turn),) if act == "question" else ())
