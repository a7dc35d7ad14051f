"""The front door: an Octopus from Python, and as a node of a graph of one's own."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from pathlib import Path
from typing import Any

import anyio
import pytest
from langchain.agents import create_agent
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import RunnableLambda
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command

from app import GraphSpec, InputError, Octopus, RedisSaver, SpecError, build_graph
from app.commands.graph import new_project
from app.runs.events import Answered, Decided, Hopped, Written
from app.settings import Settings
from graphs.state import GraphContext
from tests.loopback import ChatServer, serving
from tests.slow_model import SlowModel, check_stopped
from tests.slow_model import serving as serving_slow

BREAD, CONTRACT, DOLLARS = (
    "How do I bake bread?",
    "Is this contract of sale valid?",
    "What is the exchange rate of the dollar?",
)
TYRES = "How do I change the tyres of my car?"
SAID = {BREAD: "Knead it.", CONTRACT: f"Law: {CONTRACT}", DOLLARS: f"Rates: {DOLLARS}"}
SMALL = """\
name: small
masters:
  chief: {neighbours: [maths, cars]}
workers:
  maths: {description: "Computes derivatives and integrals.", tools: [calculus]}
  cars: {description: "Cars, engines, tyres and repairs."}
"""


def my_function(query: str) -> str:
    return f"Rates: {query}"


async def law(query: str) -> str:
    await asyncio.sleep(0)
    return f"Law: {query}"


def baker() -> Any:
    """An agent of LangChain, with a scripted model."""
    return create_agent(GenericFakeChatModel(messages=iter([AIMessage("Knead it.")] * 20)), [])


@pytest.fixture
def mine() -> Iterator[Octopus]:
    agent, runnable = baker(), RunnableLambda(law)
    with Octopus.of(
        chef=("Recipes, baking and cooking.", agent),
        law=("Contracts and courts.", runnable),
        fx=("Exchange rates of currencies.", my_function),
    ) as octopus:
        yield octopus


@pytest.fixture(scope="module")
def octopus() -> Iterator[Octopus]:
    with Octopus.load("mmlu") as loaded:
        yield loaded


def test_a_question_is_answered() -> None:
    with Octopus.load("mmlu") as octopus:
        answer = octopus.ask("What is the derivative of x^4?")
        assert answer.text.startswith("4*x^3")
        assert (answer.path, answer.status, answer.asked) == (["math"], "answered", [])
        assert 0 < answer.probability <= 1
        assert (answer.cost, answer.tokens) == (0, 0)
        octopus.ask("What is the derivative of x^4?", thread="work")
        second = octopus.ask("And its second derivative?", thread="work")
        assert second.text.startswith("12*x^2")
        assert [one.type for one in octopus.messages("work")] == ["human", "ai", "human", "ai"]


async def test_a_question_is_answered_without_blocking() -> None:
    async with Octopus.load("mmlu") as octopus:
        await octopus.aask("What is the derivative of x^4?", thread="async")
        answer = await octopus.aask("And its second derivative?", thread="async")
        assert answer.text.startswith("12*x^2")
        events = [event async for event in octopus.astream("What is 17 * 23?")]
        assert [type(event) for event in events] == [Decided, Hopped, Answered]
        assert (await octopus.aroute("What is 17 * 23?")).node == "math"
        assert (await octopus.aplan("Integrate x and then name the capital of Kenya")).path


def test_events_come_as_they_happen(octopus: Octopus) -> None:
    events = list(octopus.stream("What is the derivative of x^4?"))
    assert [type(event) for event in events] == [Decided, Hopped, Answered]
    assert isinstance(events[-1], Answered)
    assert events[-1].text.startswith("4*x^3")


def test_a_stream_that_is_left_stops_its_run(octopus: Octopus) -> None:
    stream = octopus.stream("What is the derivative of x^4?", thread="left")
    assert isinstance(next(stream), Decided)
    stream.close()  # type: ignore[attr-defined]
    again = octopus.ask("What is the derivative of x^4?", thread="left")
    assert again.text.startswith("4*x^3")


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[tuple[Octopus, SlowModel]]:
    (tmp_path / "small.yaml").write_text(SMALL)
    with serving_slow(SlowModel()) as model:
        given = {"OCTOPUS_MODEL": f"openai:slow@{model.url}", "OCTOPUS_HOME": str(tmp_path)}
        with Octopus.load(tmp_path / "small.yaml", settings=Settings.read(given)) as octopus:
            yield octopus, model


@pytest.mark.parametrize("how", ["close", "break"])
def test_an_iterator_that_is_closed_stops_the_model(slow: tuple[Octopus, SlowModel], how: str) -> None:
    octopus, model = slow
    events = octopus.stream(TYRES)
    for event in events:
        if isinstance(event, Written):
            break
    at = time.monotonic()
    if how == "close":
        events.close()  # type: ignore[attr-defined]
    del events
    check_stopped(model.generations, at)


@pytest.mark.parametrize("how", ["aclose", "break", "cancel", "timeout", "scope"])
async def test_an_async_run_that_is_left_stops_the_model(slow: tuple[Octopus, SlowModel], how: str) -> None:
    octopus, model = slow

    async def listen() -> None:
        async for event in octopus.astream(TYRES):
            if isinstance(event, Written):
                break

    if how == "aclose":
        async with aclosing(octopus.astream(TYRES)) as events:
            while not isinstance(await anext(events), Written):
                pass
        at = time.monotonic()
    elif how == "break":
        await listen()
        at = time.monotonic()
    else:
        asking = asyncio.create_task(octopus.aask(TYRES))
        await asyncio.to_thread(model.writing)
        at = time.monotonic()
        if how == "timeout":
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asking, 0.01)
        elif how == "scope":
            with anyio.move_on_after(0.01):
                await asking
        asking.cancel()
    await asyncio.to_thread(check_stopped, model.generations, at)


@pytest.mark.parametrize("context", [GraphContext(timeout=0.5), GraphContext(max_seconds=0.5)])
def test_a_walk_that_is_out_of_time_stops_the_model(
    slow: tuple[Octopus, SlowModel], context: GraphContext
) -> None:
    octopus, model = slow
    answered = octopus.ask(TYRES, context=context)
    at = time.monotonic()
    assert answered.failure is not None
    assert answered.failure["code"] in ("timeout", "budget_exhausted")
    check_stopped(model.generations, at)


def test_routes_and_plans(octopus: Octopus) -> None:
    decision = octopus.route("What is the derivative of x^4?")
    assert (decision.node, decision.token) == ("math", "<nexa_4>")
    assert octopus.route("What is the derivative of x^4?", "And its second derivative?").node == "math"
    plan = octopus.plan("Integrate x and then name the capital of Kenya")
    assert plan.path
    assert 0 < plan.probability <= 1


async def test_it_works_where_a_loop_runs_and_in_several_threads(octopus: Octopus) -> None:
    assert octopus.ask("What is 17 * 23?").text.startswith("391")
    with ThreadPoolExecutor(4) as pool:
        asked = [f"What is {n} * 23?" for n in range(2, 10)]
        answers = list(pool.map(lambda question: octopus.ask(question, thread=question[8:9]).text, asked))
    assert [text.split("\n")[0] for text in answers] == [str(n * 23) for n in range(2, 10)]


def test_an_abstention_is_an_answer_and_a_failure_is_not(octopus: Octopus) -> None:
    answer = octopus.ask("Write me a poem about the sea", context=GraphContext(second_choices=0))
    assert answer.status in ("declined", "unavailable")
    assert answer.reason
    with pytest.raises(InputError, match="empty"):
        octopus.ask(" ")
    with pytest.raises(InputError, match="thread"):
        octopus.ask("What is 17 * 23?", context=GraphContext(approve=True))
    with pytest.raises(SpecError, match="nowhere"):
        Octopus.load("nowhere")


def test_a_person_is_asked(octopus: Octopus) -> None:
    context, asked = GraphContext(approve=True), []

    async def person(question: dict[str, Any]) -> str:
        asked.append(question["kind"])
        return "y"

    assert octopus.ask("What is 17 * 23?", context=context, person=person).text.startswith("391")
    assert asked == ["approve"]
    waiting = octopus.ask("What is 17 * 23?", context=context, thread="waits")
    assert waiting.status == "asked"
    assert octopus.ask("y", thread="waits").text.startswith("391")


def test_a_file_and_a_folder_are_loaded(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL)
    with Octopus.load(tmp_path / "small.yaml") as octopus:
        assert octopus.ask("What is the derivative of x^4?").path == ["maths"]
    new_project(tmp_path / "project")
    with Octopus.load(tmp_path / "project") as octopus:
        assert octopus.ask("What is the derivative of x^4?").text.startswith("4*x^3")


def test_callables_are_workers(mine: Octopus) -> None:
    assert {question: mine.ask(question).text for question in SAID} == SAID
    assert [token for _, token, _ in mine.spec.edges] == ["<nexa_0>", "<nexa_1>", "<nexa_2>"]


async def test_callables_are_workers_of_async_code(mine: Octopus) -> None:
    answers = await asyncio.gather(*map(mine.aask, SAID))
    assert [answer.text for answer in answers] == list(SAID.values())


def test_a_wrong_graph_is_named() -> None:
    with pytest.raises(SpecError, match="'chef'"):
        Octopus.of(chef=("Recipes.", 3))
    with pytest.raises(SpecError, match="waiter"):
        Octopus.of(chef=("Recipes.", my_function), generalist="waiter")


def test_examples_and_a_generalist_are_options() -> None:
    with Octopus.of(
        chef=("Recipes.", lambda query: "Stir it."),
        other=("Everything else.", my_function),
        examples={"chef": [BREAD]},
        generalist="other",
        name="kitchen",
    ) as octopus:
        assert octopus.ask(BREAD).text == "Stir it."
        assert octopus.graph.compile(name=octopus.spec.name).get_name() == "kitchen"


@pytest.fixture(params=["memory", "sqlite"])
def saver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    if request.param == "memory":
        yield InMemorySaver()
    else:
        with SqliteSaver.from_conn_string(str(tmp_path / "own.sqlite")) as sqlite:
            yield sqlite


def test_threads_are_kept_where_one_likes(saver: Any) -> None:
    with Octopus.load("mmlu", checkpointer=saver) as octopus:
        octopus.ask("What is the derivative of x^4?", thread="own")
        assert octopus.ask("And its second derivative?", thread="own").text.startswith("12*x^2")
        assert len(octopus.messages("own")) == 4
    assert saver.get_tuple({"configurable": {"thread_id": "own"}})


class Own(MessagesState):
    """The state of a graph that is not ours."""

    visits: int


def around(octopus: Octopus, saver: Any) -> Any:
    """Somebody's own graph, with the Octopus as a node."""
    builder = StateGraph(Own)
    builder.add_node("count", lambda state: {"visits": state.get("visits", 0) + 1})
    builder.add_node("experts", octopus.graph.compile())
    builder.add_edge(START, "count")
    builder.add_edge("count", "experts")
    builder.add_edge("experts", END)
    return builder.compile(checkpointer=saver)


def ask(text: str) -> dict[str, Any]:
    return {"messages": [HumanMessage(text)]}


THREAD: Any = {"configurable": {"thread_id": "1"}}


def test_threads_are_closed_with_the_loop_or_the_process_that_opened_them(tmp_path: Path) -> None:
    code = (
        "import asyncio; from app import Octopus\n"
        "octopus = Octopus.of(fx=('Rates.', lambda text: 'one'), law=('Courts.', lambda text: 'two'))\n"
        "for _ in range(2): asyncio.run(octopus.aask('Rates of the dollar?', thread='t'))\n"
        "octopus.ask('Rates of the euro?', thread='t')\n"
        "print(len(octopus.messages('t')))"
    )
    environment = {**os.environ, "OCTOPUS_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "6\n", "")


def test_embedding_needs_three_lines() -> None:
    builder = StateGraph(MessagesState)
    octopus = Octopus.of(fx=("Exchange rates.", my_function), chef=("Recipes.", law))
    builder.add_node("experts", octopus.graph.compile())
    builder.add_edge(START, "experts")
    graph: Any = builder.compile()
    assert graph.invoke(ask(DOLLARS))["messages"][-1].text == f"Rates: {DOLLARS}"


def test_it_is_a_node_of_a_graph_that_is_invoked(mine: Octopus, saver: Any) -> None:
    graph = around(mine, saver)
    for question, said in (
        (BREAD, "Knead it."),
        (CONTRACT, f"Law: {CONTRACT}"),
        (DOLLARS, f"Rates: {DOLLARS}"),
    ):
        assert graph.invoke(ask(question), THREAD)["messages"][-1].text == said
    assert graph.get_state(THREAD).values["visits"] == 3
    modes = {
        part["type"]
        for part in graph.stream(ask(BREAD), THREAD, stream_mode=["updates", "messages"], version="v2")
    }
    assert modes == {"updates", "messages"}


async def test_it_is_a_node_of_a_graph_that_is_awaited(mine: Octopus) -> None:
    graph = around(mine, InMemorySaver())
    for question, said in (
        (BREAD, "Knead it."),
        (CONTRACT, f"Law: {CONTRACT}"),
        (DOLLARS, f"Rates: {DOLLARS}"),
    ):
        assert (await graph.ainvoke(ask(question), THREAD))["messages"][-1].text == said
    parts = graph.astream(ask(BREAD), THREAD, stream_mode=["updates", "messages"], version="v2")
    assert {part["type"] async for part in parts} == {"updates", "messages"}


def test_an_interrupt_goes_through_the_graph_around_it(mine: Octopus, saver: Any) -> None:
    graph = around(mine, saver)
    stopped = graph.invoke(ask(DOLLARS), THREAD, context=GraphContext(approve=True))
    (asked,) = stopped["__interrupt__"]
    assert asked.value["steps"][0]["node"] == "fx"
    done = graph.invoke(Command(resume="law"), THREAD, context=GraphContext(approve=True))
    assert done["messages"][-1].text == f"Law: {DOLLARS}"


async def test_an_interrupt_goes_through_an_awaited_graph(mine: Octopus) -> None:
    graph = around(mine, InMemorySaver())
    stopped = await graph.ainvoke(ask(DOLLARS), THREAD, context=GraphContext(approve=True))
    assert stopped["__interrupt__"]
    done = await graph.ainvoke(Command(resume="y"), THREAD, context=GraphContext(approve=True))
    assert done["messages"][-1].text == f"Rates: {DOLLARS}"


def test_the_parts_are_exported() -> None:
    assert {GraphSpec.__name__, build_graph.__name__, RedisSaver.__name__} == {
        "GraphSpec",
        "build_graph",
        "RedisSaver",
    }


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = (
        "import sys, app\n"
        "heavy = {'langgraph', 'langchain_core', 'numpy', 'pydantic', 'redis', 'app.octopus'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""


def test_workers_are_given_models_and_the_router_stays_trained(tmp_path: Path) -> None:
    with serving(ChatServer()) as chat:
        (tmp_path / "models.yaml").write_text(f"biology: openai:file@{chat.url}")
        given = {"biology": f"openai:bio@{chat.url}", "*": f"openai:rest@{chat.url}"}
        for models in (given, tmp_path / "models.yaml"):
            with Octopus.load("mmlu", models=models, settings=Settings.read({})) as octopus:
                answer = octopus.ask("Why do leaves change colour?")
                assert (answer.text, answer.hops[0]["calibrated"]) == ("Forty-two.", True)
    assert [body["model"] for _, body in chat.requests] == ["bio", "file"]
    with pytest.raises(SpecError, match="there is no worker 'lawn' in graph mmlu"):
        Octopus.load("mmlu", models={"lawn": "auto"})
