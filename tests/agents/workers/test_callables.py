"""Chat models, runnables, graphs, agents and functions as workers: real ones of LangChain and LangGraph."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Callable
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.fake_chat_models import FakeListChatModel, GenericFakeChatModel
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict

from agents.errors import SpecError
from agents.generation import Generation
from agents.types import NodeName, WorkerAnswer, WorkerRequest, failure
from agents.workers.callables import as_worker
from graphs.build import build_graph
from graphs.spec_file import parse_spec
from tests.scripted import ScriptedOctopus, ScriptedWorker, route_to

PIXEL = {"type": "image", "base64": "iVBORw0KGgo=", "mime_type": "image/png"}
USAGE: Any = {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}
TALK = [HumanMessage("Hello"), AIMessage("Hi")]


async def ask(thing: object, query: str = "leeks?", **request: Any) -> WorkerAnswer:
    return await as_worker(thing, "chef").answer(WorkerRequest(query, **request))


def shout(text: str) -> str:
    return text.upper()


async def shout_later(text: str) -> str:
    await asyncio.sleep(0)
    return text.upper()


class Shouting:
    def __call__(self, text: str) -> str:
        return text.upper()


class ShoutingLater:
    async def __call__(self, text: str) -> str:
        return text.upper()


def in_words(state: dict[str, Any]) -> dict[str, Any]:
    """Answer with all that was said, so that a test sees what a graph was given."""
    said = " | ".join(str(message.text) for message in state["messages"])
    return {"messages": [AIMessage(said, usage_metadata=USAGE)]}


def graph_of(node: Callable[[Any], Any], state: type = MessagesState, **options: Any) -> Any:
    builder: Any = StateGraph(state)
    builder.add_node("node", node)
    builder.add_edge(START, "node")
    return builder.compile(**options)


@pytest.mark.parametrize(
    "function",
    [
        shout,
        shout_later,
        Shouting(),
        ShoutingLater(),
        functools.partial(shout_later),
        lambda q: shout_later(q),
    ],
)
async def test_functions_get_the_query(function: object) -> None:
    assert await ask(function) == WorkerAnswer("answered", "LEEKS?")


async def test_a_sync_function_runs_in_a_thread() -> None:
    answer = await ask(lambda query: threading.current_thread().name)
    assert answer.text != threading.current_thread().name


async def test_a_chat_model_gets_the_conversation_and_its_usage_is_kept() -> None:
    reply = AIMessage("With butter.", usage_metadata=USAGE)
    seen: list[list[BaseMessage]] = []

    class Noting(GenericFakeChatModel):
        def _generate(self, messages: list[BaseMessage], *args: Any, **options: Any) -> Any:
            seen.append(messages)
            return super()._generate(messages, *args, **options)

    answer = await ask(
        Noting(messages=iter([reply])),
        conversation=TALK,
        attachments=[PIXEL],
        generation=Generation(max_tokens=9),
    )
    assert answer == WorkerAnswer("answered", "With butter.", {"usage": USAGE})
    assert [str(message.text) for message in seen[0]] == ["Hello", "Hi", "leeks?"]
    assert seen[0][-1].content_blocks[1] == PIXEL


async def test_a_graph_with_messages_answers_with_its_last_message() -> None:
    answer = await ask(graph_of(in_words), conversation=TALK)
    assert answer == WorkerAnswer("answered", "Hello | Hi | leeks?", {"usage": USAGE})


async def test_an_earlier_answer_is_not_taken_for_a_new_one() -> None:
    silent = graph_of(lambda state: {"messages": [HumanMessage("Hm.")]})
    assert (await ask(silent, conversation=TALK)).status == "declined"
    same = graph_of(lambda state: {"messages": [AIMessage("Hi")]})
    assert (await ask(same, conversation=TALK)).text == "Hi"


class Asked(TypedDict, total=False):
    question: str
    answer: str


class PlainState(TypedDict):
    messages: list[AnyMessage]


async def test_a_graph_without_messages_gets_its_question() -> None:
    answering = graph_of(lambda state: {"answer": state["question"] + "!"}, Asked)
    assert (await ask(answering)).text == "leeks?!"


async def test_a_state_without_reducers_is_read_too() -> None:
    assert (await ask(graph_of(in_words, PlainState), conversation=TALK)).text == "Hello | Hi | leeks?"


async def test_an_agent_uses_its_tools() -> None:
    @tool
    def price(item: str) -> str:
        """Look up a price."""
        return "2 euros"

    class Calling(GenericFakeChatModel):
        def bind_tools(self, tools: Any, **options: Any) -> Any:
            return self

    call = AIMessage("", tool_calls=[{"name": "price", "args": {"item": "leek"}, "id": "1"}])
    model: BaseChatModel = Calling(messages=iter([call, AIMessage("A leek costs 2 euros.")]))
    assert (await ask(create_agent(model, [price]))).text == "A leek costs 2 euros."


@tool
def echo(sentence: str) -> str:
    """Say it again."""
    return sentence


@entrypoint()
async def entry(text: str) -> str:
    return text + "!"


def joined(messages: list[BaseMessage]) -> str:
    return " | ".join(str(message.text) for message in messages)


CHEF = FakeListChatModel(responses=["With butter."])


@pytest.mark.parametrize(
    ("runnable", "text"),
    [
        (RunnableLambda(shout), "LEEKS?"),
        (RunnableLambda(shout_later), "LEEKS?"),
        (RunnableLambda(joined), "Hello | Hi | leeks?"),
        (RunnableLambda(lambda query: AIMessage(f"{query}!")), "leeks?!"),
        (RunnableLambda(lambda query: {"answer": AIMessage(f"{query}!")}), "leeks?!"),
        (RunnableLambda(lambda query: {"output": f"{query}!", "steps": 3}), "leeks?!"),
        (RunnableLambda(lambda query: {"messages": [{"role": "assistant", "content": "Yes."}]}), "Yes."),
        (ChatPromptTemplate.from_template("Cook {dish}.") | CHEF, "With butter."),
        (ChatPromptTemplate([MessagesPlaceholder("messages")]) | CHEF, "With butter."),
        (echo, "leeks?"),
        (entry, "leeks?!"),
    ],
)
async def test_other_runnables(runnable: object, text: str) -> None:
    answer = await ask(runnable, conversation=TALK)
    assert (answer.status, answer.text) == ("answered", text)


def failing(query: str) -> str:
    raise ConnectionError("https://user:s3cret@host/x refused")


async def failing_later(query: str) -> str:
    raise KeyError(query)


def failing_at_length(query: str) -> str:
    raise ValueError("first\nsecond")


def failing_silently(query: str) -> str:
    raise NotImplementedError


def failing_state(state: Any) -> Any:
    raise TimeoutError("too slow")


@pytest.mark.parametrize(
    ("thing", "why", "code"),
    [
        (failing, "cannot be reached", "unreachable"),
        (failing_later, "it raised KeyError.", "server_error"),
        (failing_at_length, "it raised ValueError.", "server_error"),
        (failing_silently, "it raised NotImplementedError.", "server_error"),
        (RunnableLambda(failing), "cannot be reached", "unreachable"),
        (graph_of(failing_state), "did not answer in time", "timeout"),
        (graph_of(in_words, checkpointer=InMemorySaver()), "it raised ValueError.", "server_error"),
    ],
)
async def test_what_fails_is_unavailable_and_the_log_says_why(
    thing: object, why: str, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await ask(thing)
    assert (answer.status, answer.failure and answer.failure["code"]) == ("unavailable", code)
    assert answer.text.startswith("chef was chosen, but it ")
    assert why in answer.text
    assert "s3cret" not in answer.text + caplog.text
    assert "host/x" not in answer.text


@pytest.mark.parametrize(
    "thing", [lambda query: "", lambda query: "  \n", lambda query: None, FakeListChatModel(responses=[""])]
)
async def test_an_empty_answer_is_none(thing: object) -> None:
    answer = await ask(thing)
    assert answer == WorkerAnswer("declined", "chef gave an empty answer.", failure=failure("empty_reply"))


@pytest.mark.parametrize(
    ("output", "what"),
    [
        ({"rate": 1.2, "date": "today"}, "'rate', 'date'"),
        ({"answer": 42}, "'answer': int"),
        ({"messages": [42]}, "messages of another form"),
        ({"messages": "yes"}, "'messages'"),
        ({}, "no keys"),
        (42, "type int"),
        (["a"], "type list"),
        (HumanMessage("a"), "type HumanMessage"),
    ],
)
async def test_an_output_that_holds_no_answer_is_refused_by_name(output: object, what: str) -> None:
    with pytest.raises(SpecError, match="worker 'chef' returned") as refused:
        await ask(lambda query: output)
    assert what in str(refused.value)


@pytest.mark.parametrize(
    ("thing", "why"),
    [
        (None, "cannot answer"),
        ("leeks", "cannot answer"),
        (Shouting, "the class Shouting"),
        (StateGraph(MessagesState), "Compile it first"),
        (lambda: "nothing", "with one text"),
        (lambda query, thread: "more", "with one text"),
        (ChatPromptTemplate.from_template("{dish} for {guests}") | CHEF, "'dish', 'guests'"),
    ],
)
def test_what_cannot_be_a_worker_is_refused(thing: object, why: str) -> None:
    with pytest.raises(SpecError, match="worker 'chef'") as refused:
        as_worker(thing, "chef")
    assert why in str(refused.value)


def test_a_worker_stays_as_it_is() -> None:
    worker = ScriptedWorker()
    assert as_worker(worker, "chef") is worker


@pytest.mark.parametrize(("thing", "status"), [(shout, "declined"), (graph_of(in_words), "answered")])
async def test_only_messages_carry_images(thing: object, status: str) -> None:
    answer = await ask(thing, attachments=[PIXEL])
    assert answer.status == status
    assert ("cannot read the attached image" in answer.text) == (status == "declined")


async def test_giving_up_is_no_answer() -> None:
    async def give_up(query: str) -> str:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await ask(give_up)


def confirm(query: str) -> str:
    return f"{query} {interrupt('Sure?')}"


def confirm_state(state: Any) -> Any:
    return {"messages": [AIMessage(confirm(str(state["messages"][-1].text)))]}


@pytest.mark.parametrize("thing", [confirm, RunnableLambda(confirm), graph_of(confirm_state)])
async def test_a_question_to_the_user_comes_up_through_it(thing: object) -> None:
    spec = parse_spec("masters: {m: {neighbours: [chef]}}\nworkers: {chef: {description: Cooks.}}\n")
    graph = build_graph(
        spec,
        octopuses={NodeName("m"): ScriptedOctopus([route_to("chef", "<nexa_0>", rewritten="leeks?")])},
        workers={NodeName("chef"): as_worker(thing, "chef")},
    ).compile(checkpointer=InMemorySaver())
    thread: Any = {"configurable": {"thread_id": "t"}}
    asked: Any = await graph.ainvoke({"messages": [HumanMessage("leeks?")]}, thread)
    assert asked["__interrupt__"][0].value == "Sure?"
    done: Any = await graph.ainvoke(Command(resume="Yes."), thread)
    assert done["messages"][-1].text == "leeks? Yes."


async def test_a_question_that_nobody_above_can_answer_is_told() -> None:
    answer = await ask(graph_of(confirm_state))
    assert answer.status == "unavailable"
    assert "asked a question back" in answer.text
