"""The channel of the messages."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import InvalidUpdateError
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import REMOVE_ALL_MESSAGES, add_messages
from langgraph.types import Overwrite

from graphs.state import GraphInput

CONFIG: Any = {"configurable": {"thread_id": "t"}}


def echo() -> Any:
    builder = StateGraph(GraphInput)
    builder.add_node("echo", lambda state: {"messages": [AIMessage(state["messages"][-1].text)]})
    builder.add_edge(START, "echo")
    builder.add_edge("echo", END)
    return builder.compile(checkpointer=InMemorySaver())


def texts(graph: Any) -> list[str]:
    return [message.text for message in graph.get_state(CONFIG).values["messages"]]


@pytest.mark.parametrize("said", ["hello", ("user", "hello"), {"role": "user", "content": "hello"}])
def test_every_message_has_one_id_for_good(said: Any) -> None:
    graph = echo()
    graph.invoke({"messages": [said]}, CONFIG)
    graph.invoke({"messages": said}, CONFIG)
    ids = [[message.id for message in graph.get_state(CONFIG).values["messages"]] for _ in range(2)]
    assert ids[0] == ids[1] and len(set(ids[0])) == 4 and all(ids[0])


def test_messages_are_changed_and_removed_by_id() -> None:
    graph = echo()
    graph.invoke({"messages": [HumanMessage("a", id="1")]}, CONFIG)
    graph.update_state(CONFIG, {"messages": [HumanMessage("b", id="1")]})
    assert texts(graph) == ["b", "a"]
    graph.update_state(CONFIG, {"messages": [RemoveMessage("1")]})
    assert texts(graph) == ["a"]
    graph.update_state(CONFIG, {"messages": Overwrite([])})
    assert texts(graph) == []


@pytest.mark.parametrize("unknown", ["nobody", REMOVE_ALL_MESSAGES])
def test_a_removal_of_nothing_is_refused(unknown: str) -> None:
    graph = echo()
    graph.invoke({"messages": ["a"]}, CONFIG)
    with pytest.raises(InvalidUpdateError, match=unknown):
        graph.invoke({"messages": [RemoveMessage(unknown)]}, CONFIG)
    graph.invoke({"messages": ["b"]}, CONFIG)
    assert texts(graph) == ["a", "a", "b", "b"]


@given(st.lists(st.lists(st.tuples(st.sampled_from("abc"), st.text(max_size=2)), max_size=3), max_size=6))
def test_messages_merge_as_add_messages_does(batches: list[list[tuple[str, str]]]) -> None:
    graph = echo()
    expected: Any = []
    for batch in batches:
        given = [HumanMessage(text, id=name) for name, text in batch]
        graph.update_state(CONFIG, {"messages": given}, as_node="echo")
        expected = add_messages(expected, given)  # type: ignore[arg-type]
        assert graph.get_state(CONFIG).values.get("messages", []) == expected
