"""Octopuses on servers: real HTTP, each engine's fields, and a small model that was taught to route."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from agents.errors import InputError, ModelUnavailableError, RoutingError, SpecError
from agents.octopus.causal.grammar import write_call
from agents.octopus.causal.manifest import CallFormat
from agents.octopus.kinds import parse_octopus
from agents.octopus.kinds.served import ServedReference, VllmReference
from agents.octopus.served.octopus import RemoteOctopus
from agents.octopus.served.scorers import FunctionalScorer, RouterPrompt
from agents.octopus.tokens import slot_token
from agents.types import Edge, NodeName, Step
from tests.engines import SPOKEN, EngineServer, TinyEngine, serving_engine
from tests.loopback import free_port
from tests.scripted import ScriptedOctopus, route_to
from tests.tiny_model import make_model, make_tokenizer, teach

pytestmark = [
    pytest.mark.train,
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::UserWarning"),
]

MATHS, PLACES, FOOD = (NodeName(name) for name in ("maths", "places", "food"))
QUERIES = {
    "derivative of x^2": (0, "Differentiate x^2."),
    "capital of Kenya": (1, "Name Kenya's capital."),
    "bake 2 loaves": (2, "How to bake 2 loaves?"),
}
FORMATS = ("vllm", "sglang", "lorax")
FORMAT = CallFormat(before="Query: ", after="\n\nResponse:", most_tokens=48)


def neighbours(count: int = 3) -> list[Edge]:
    names = [MATHS, PLACES, FOOD, *(NodeName(f"more{k}") for k in range(count - 3))]
    return [Edge(name, slot_token(k)) for k, name in enumerate(names[:count])]


@pytest.fixture(scope="module")
def tiny() -> TinyEngine:
    """A base without routes of its own, and an adapter for the master `octopus`."""
    tokenizer = make_tokenizer()
    taught = make_model(tokenizer, width=48)
    rows = [
        (f"Query: {query}\n\nResponse:", f"<nexa_{slot}>{write_call(call)}<nexa_end>")
        for query, (slot, call) in QUERIES.items()
    ]
    rows.append(("Query: derivative of x^2\n\n[Answer of maths: 2x]\n\nResponse:", "<nexa_end>"))
    teach(taught, tokenizer, rows, steps=200)
    return TinyEngine(tokenizer, {"": make_model(tokenizer, width=48, seed=3), "octopus": taught})


def octopus(
    engine: str, *urls: str, timeout: float = 20.0, model: str = "base#{master}", **settings: Any
) -> Any:
    reference = parse_octopus(f"{engine}:{model}@{','.join(urls)}", NodeName("octopus"))
    assert isinstance(reference, ServedReference)
    known = settings.pop("neighbours", neighbours())
    return RemoteOctopus(NodeName("octopus"), known, reference.scorer(FORMAT, timeout), **settings)


def asks(text: str) -> list[HumanMessage]:
    return [HumanMessage(text)]


@pytest.mark.parametrize("engine", FORMATS)
async def test_it_routes_and_rewrites(serve: Any, tiny: TinyEngine, engine: str) -> None:
    remote = octopus(engine, serve(engine).url)
    for query, (slot, call) in QUERIES.items():
        route = await remote.route(asks(query))
        assert route.node == neighbours()[slot].node
        assert route.token == f"<nexa_{slot}>"
        assert route.probability > 0.9
        assert route.rewritten == call
        assert sum(choice.probability for choice in route.choices) == pytest.approx(1)
        ids = tiny.ids(f"Query: {query}\n\nResponse:")
        logprobs = tiny.logprobs(tiny.models["octopus"], ids)
        legal = [math.exp(logprobs[tiny.ids(f"<nexa_{k}>")[0]]) for k in range(3)]
        # LoRAX lists what is most probable; the others are bounded by the last of the list.
        tolerance = 2e-2 if engine == "lorax" else 1e-6
        assert route.probability == pytest.approx(legal[slot] / sum(legal), abs=tolerance)


@pytest.mark.parametrize("engine", FORMATS)
async def test_a_template_is_in_the_call_that_was_trained(serve: Any, engine: str) -> None:
    """As in a local Octopus: training teaches rewrites with the template in them."""
    templated = [replace(one, template="How to {query}?") for one in neighbours()]
    url = serve(engine).url
    route = await octopus(engine, url, neighbours=templated).route(asks("bake 2 loaves"))
    assert route.rewritten == "How to bake 2 loaves?"
    if engine != "lorax":  # there the base chooses no neighbour
        untaught = await octopus(engine, url, model="base", neighbours=templated).route(asks("bake 2 loaves"))
        assert "So the original was sent." in untaught.reason
        assert untaught.rewritten == "How to bake 2 loaves?"


@pytest.mark.parametrize("engine", ["vllm", "sglang"])
async def test_only_neighbours_are_legal(serve: Any, engine: str) -> None:
    """What the model would say is not an edge away: the best of the neighbours is taken."""
    remote = octopus(engine, serve(engine).url, neighbours=neighbours()[1:])
    route = await remote.route(asks("derivative of x^2"))
    assert route.node in (PLACES, FOOD)
    assert {choice.node for choice in route.choices} == {PLACES, FOOD}


@pytest.mark.parametrize("engine", ["vllm", "sglang"])
async def test_a_server_that_ignores_constraints_is_found_out_at_the_start(serve: Any, engine: str) -> None:
    server = serve(engine, obeys=False)
    with pytest.raises(RoutingError, match="not one of 1 legal tokens"):
        await octopus(engine, server.url).route(asks("capital of Kenya"))


async def test_lorax_cannot_be_constrained_so_an_illegal_token_fails(serve: Any) -> None:
    remote = octopus("lorax", serve("lorax").url, neighbours=neighbours()[1:])
    with pytest.raises(RoutingError, match="'<nexa_0>', which is not one of 2 legal tokens"):
        await remote.route(asks("derivative of x^2"))


@pytest.mark.parametrize("engine", FORMATS)
async def test_after_a_step_it_may_stop(serve: Any, engine: str) -> None:
    step = Step(MATHS, "Differentiate x^2.", "2x", "answered")
    route = await octopus(engine, serve(engine).url).route(asks("derivative of x^2"), [step])
    assert (route.node, route.token) == (None, "<nexa_end>")
    assert route.probability > 0.9


@pytest.mark.parametrize(("engine", "status"), [("vllm", 404), ("sglang", 400), ("lorax", 424)])
async def test_an_unknown_adapter_is_refused(serve: Any, engine: str, status: int) -> None:
    remote = octopus(engine, serve(engine).url, model="base#elsewhere")
    with pytest.raises(ModelUnavailableError, match=rf"{status}.*elsewhere.*under these names"):
        await remote.route(asks("capital of Kenya"))


async def test_a_model_without_functional_tokens_says_so(serve: Any, tiny: TinyEngine) -> None:
    unknown = [*neighbours(), Edge(NodeName("far"), slot_token(99))]
    with pytest.raises(ModelUnavailableError, match=r"does not know '<nexa_99>' as one token"):
        await octopus("vllm", serve("vllm").url, neighbours=unknown).route(asks("capital of Kenya"))


async def test_more_candidates_than_vllm_scores_at_once(serve: Any) -> None:
    """Byte tokens stand in for 200 functional tokens: what is under test is the merging of requests."""
    server = serve("vllm")
    tokens = [chr(k) for k in range(33, 127)] + [f"<nexa_{k}>" for k in range(8)] + ["<nexa_end>"]
    tokens += [chr(k) for k in range(0x00, 0x21) if k not in (9, 10, 13)]
    assert 128 < len(tokens) < 256
    functional = VllmReference("base", "", (server.url,)).scorer(FORMAT)
    assert isinstance(functional, FunctionalScorer)
    prompt = RouterPrompt(FORMAT.before, "\u00e9", FORMAT.after)
    found = await functional.engine.score(prompt, tokens)
    sent = [body["logprob_token_ids"] for path, body in server.requests if path == "/v1/completions"]
    assert {len(chunk) for chunk in sent} == {128, len(tokens) - 128}  # at once, so in any order
    assert len(sent) == 2
    logprobs = server.engine.logprobs(server.engine.models[""], server.engine.ids(prompt.text))
    assert found == pytest.approx({token: logprobs[server.engine.ids(token)[0]] for token in tokens})


@pytest.mark.parametrize("engine", FORMATS)
async def test_another_replica_answers(serve: Any, engine: str) -> None:
    dead = f"http://127.0.0.1:{free_port()}"
    failing, garbling = serve(engine, statuses=[500] * 50), serve(engine, garbles='{"odd": 1}')
    slow, well = serve(engine, delay=2.0), serve(engine)
    urls = [dead, failing.url, garbling.url, slow.url, well.url]
    remote = octopus(engine, *urls, timeout=0.5)
    route = await remote.route(asks("capital of Kenya"))
    assert route.node == PLACES
    before = len(failing.requests)
    assert (await remote.route(asks("bake 2 loaves"))).node == FOOD
    assert len(failing.requests) == before  # the one that answered is asked first from then on


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ({"statuses": [500] * 20}, "answers 500"),
        ({"garbles": "{}"}, "malformed reply"),
        ({"garbles": "<html>"}, "malformed reply"),
        ({"delay": 1.0}, "nothing within 0.3 seconds"),
        (None, "nothing answers"),
    ],
)
@pytest.mark.parametrize("engine", FORMATS)
async def test_faults_are_typed_or_the_fallback_decides(
    serve: Any, engine: str, fault: dict[str, Any] | None, why: str
) -> None:
    url = f"http://127.0.0.1:{free_port()}" if fault is None else serve(engine, **fault).url
    with pytest.raises(ModelUnavailableError, match=why) as raised:
        await octopus(engine, url, timeout=0.3).route(asks("capital of Kenya"))
    assert raised.value.retryable
    embedded = ScriptedOctopus([route_to("places", "<nexa_1>")])
    remote = octopus(engine, url, timeout=0.3, fallback=embedded)
    route = await remote.route(asks("capital of Kenya"))
    assert route.node == PLACES
    assert why in route.reason
    assert "The embedded default decided: places fits." in route.reason


@pytest.mark.parametrize("fault", [{"statuses": [500] * 9}, {"statuses": [400]}, {"garbles": "{}"}, None])
async def test_keys_are_not_told(serve: Any, fault: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCTOPUS_ROUTER_KEY", "scripted")  # the servers say it: "scripted 500"
    url = f"http://127.0.0.1:{free_port()}" if fault is None else serve("vllm", **fault).url
    keyed = url.replace("//", "//user:s3cret@") + "/v1?apiKey=s3cret"
    remote = octopus("vllm", keyed, fallback=ScriptedOctopus([route_to("places", "<nexa_1>")]))
    route = await remote.route(asks("capital of Kenya"))
    assert url in route.reason
    assert "s3cret" not in route.reason
    assert "scripted" not in route.reason
    assert "s3cret" not in str(VllmReference("base", "", (keyed,)))
    with pytest.raises(SpecError) as raised:
        parse_octopus(f"unknown:base@{keyed}", MATHS)
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("engine", FORMATS)
async def test_a_rewrite_without_an_end_sends_the_original(serve: Any, engine: str) -> None:
    """The base was never taught to write calls."""
    remote = octopus(engine, serve(engine).url, model="base", neighbours=neighbours())
    if engine == "lorax":
        with pytest.raises(RoutingError):
            await remote.route(asks("capital of Kenya"))
        return
    route = await remote.route(asks("capital of Kenya"))
    assert route.rewritten == "capital of Kenya"
    assert "So the original was sent." in route.reason


@pytest.mark.parametrize("engine", ["vllm", "sglang"])
async def test_of_a_query_beyond_the_context_both_ends_are_read(serve: Any, engine: str) -> None:
    server = serve(engine)
    query = f"capital of Kenya{'?!' * 400}bake 2 loaves"
    route = await octopus(engine, server.url).route(asks(query))
    assert route.rewritten == query
    assert "So the original was sent." in route.reason
    body = next(body for path, body in server.requests[::-1] if path != "/tokenize")
    read = server.engine.spell(body["input_ids"] if engine == "sglang" else body["prompt"])
    assert read.startswith("Query: capital of Kenya?!")
    assert read.endswith(f"bake 2 loaves\n\nResponse:{route.token}")


@pytest.mark.parametrize("engine", FORMATS)
async def test_where_little_room_is_left_the_call_may_be_as_long_as_that(serve: Any, engine: str) -> None:
    """A whole call of this format, 48 tokens, would not fit; LoRAX does not say how many would."""
    route = await octopus(engine, serve(engine, limit=66).url).route(asks("capital of Kenya"))
    assert route.node == PLACES
    assert route.rewritten == ("capital of Kenya" if engine == "lorax" else "Name Kenya's capital.")
    assert ("422" in route.reason) == (engine == "lorax")


async def test_below_the_threshold_the_cascade_decides(serve: Any) -> None:
    url = serve("vllm").url
    unsure = octopus("vllm", url, model="base", threshold=0.9)
    route = await unsure.route(asks("capital of Kenya"))
    assert (route.node, route.decided_by) == (None, "ask")
    generalist = octopus("vllm", url, model="base", threshold=0.9, generalist=FOOD)
    route = await generalist.route(asks("capital of Kenya"))
    assert (route.node, route.decided_by) == (FOOD, "generalist")


async def test_user_text_cannot_spell_a_functional_token(serve: Any) -> None:
    server = serve("vllm")
    remote = octopus("vllm", server.url)
    await remote.route(asks("capital of Kenya <nexa_2> <|end|>"))
    functional = {server.engine.ids(f"<nexa_{k}>")[0] for k in range(8)}
    for path, body in server.requests:
        if path == "/v1/completions" and body["max_tokens"] == 1:
            assert not functional & set(body["prompt"])
    with pytest.raises(InputError, match="empty"):
        await remote.route(asks("  "))


@pytest.mark.parametrize("engine", FORMATS)
async def test_user_text_cannot_spell_a_control_token(engine: str) -> None:
    tokenizer = make_tokenizer()
    known, odd = ["<s>", "</s>", "<end_of_turn>", "[INST]"], ["<odd:1>"]  # the odd one is on no list
    tokenizer.add_special_tokens({"additional_special_tokens": [*known, *odd]})
    spelt = known if engine == "lorax" else known + odd  # it takes text, and says nothing of its ids
    base = TinyEngine(tokenizer, {"": make_model(tokenizer)})
    with serving_engine(EngineServer(base, SPOKEN[engine])) as server:
        functional = octopus(engine, server.url, model="base").scorer
        with suppress(RoutingError):  # of LoRAX: this model writes anything
            await functional.score(f"What is <b>bold</b>?{''.join(spelt)}", neighbours())
    (asked,) = [body for path, body in server.requests if path != "/tokenize"]
    ids = base.ids(asked["inputs"]) if engine == "lorax" else asked.get("input_ids", asked.get("prompt"))
    assert not {base.ids(token)[0] for token in spelt} & set(ids)
    assert "What is <b>bold</b>?< s >< /s >" in base.spell(ids)


async def test_a_text_with_very_many_brackets_is_not_asked_about(serve: Any) -> None:
    server = serve("vllm")
    await octopus("vllm", server.url).scorer.score("".join(f"<t{k}>" for k in range(99)), neighbours())
    assert len(server.requests) < 20


async def test_the_chosen_node_is_told_before_the_rewrite(serve: Any) -> None:
    server, told = serve("vllm"), []
    remote = octopus("vllm", server.url, on_choice=lambda node: told.append((node, len(server.requests))))
    await remote.route(asks("capital of Kenya"))
    ((node, requests),) = told
    assert node == PLACES
    assert requests < len(server.requests)
