"""Octopuses on servers of plain chat models, which are shown the neighbours under letters."""

from __future__ import annotations

import math
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from agents.errors import ModelUnavailableError, RoutingError
from agents.octopus.causal.manifest import CallFormat
from agents.octopus.kinds import parse_octopus
from agents.octopus.kinds.served import ServedReference
from agents.octopus.served.chat_servers import Alternative, Position, letters_at
from agents.octopus.served.octopus import RemoteOctopus
from agents.octopus.served.scorers import CHOOSE
from agents.octopus.tokens import slot_token
from agents.types import Edge, NodeName
from tests.engines import TinyEngine
from tests.loopback import free_port
from tests.tiny_model import make_model, make_tokenizer, teach

pytestmark = [
    pytest.mark.train,
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::UserWarning"),
]

BEFORE = {"openai": '{"letter":"', "ollama": '"', "llama.cpp": ""}  # what is forced before the letter
FORMATS = ("openai", "ollama", "llama.cpp")


@pytest.fixture(scope="module")
def tiny() -> TinyEngine:
    """Taught no more than to write letters, so that they are among what the servers list."""
    tokenizer = make_tokenizer()
    model = make_model(tokenizer, window=4096, seed=5)
    prompts = [f"?<|end|><|assistant|>{before}" for before in BEFORE.values()]
    teach(model, tokenizer, [(prompt, letter) for prompt in prompts for letter in "ABCDEFGH"], steps=40)
    return TinyEngine(tokenizer, {"": model})


def neighbours(count: int) -> list[Edge]:
    return [
        Edge(NodeName(f"expert{k}"), slot_token(k), "Expert: {query}", f"Knows subject {k}.")
        for k in range(count)
    ]


def octopus(engine: str, url: str, count: int = 3, timeout: float = 20.0) -> RemoteOctopus:
    path = "/v1" if engine == "openai" else ""
    reference = parse_octopus(f"{engine}:base@{url}{path}", NodeName("octopus"))
    assert isinstance(reference, ServedReference)
    return RemoteOctopus(NodeName("octopus"), neighbours(count), reference.scorer(CallFormat(), timeout))


def expected(tiny: TinyEngine, engine: str, query: str, count: int) -> list[float]:
    """The letters' shares, computed on the model itself."""
    shown = [f"{chr(65 + k)}: {n.node}. {n.description}" for k, n in enumerate(neighbours(count))]
    turns = [
        {"role": "system", "content": CHOOSE.format(experts="\n".join(shown))},
        {"role": "user", "content": query},
    ]
    text = tiny.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    logprobs = tiny.logprobs(tiny.models[""], tiny.ids(text + BEFORE[engine]))
    letters = [tiny.ids(chr(65 + k))[0] for k in range(count)]
    assert set(letters) <= set(tiny.top(logprobs, 20)), "the servers list twenty"
    weights = [math.exp(logprobs[letter]) for letter in letters]
    return [weight / sum(weights) for weight in weights]


@pytest.mark.parametrize("engine", FORMATS)
async def test_probabilities_are_the_models_own(serve: Any, tiny: TinyEngine, engine: str) -> None:
    route = await octopus(engine, serve(engine).url).route([HumanMessage("What is a leek?")])
    shares = {c.node: c.probability for c in route.choices}
    wanted = expected(tiny, engine, "What is a leek?", 3)
    assert [shares[NodeName(f"expert{k}")] for k in range(3)] == pytest.approx(wanted)
    assert route.node == max(shares, key=shares.__getitem__)
    assert route.rewritten.startswith("Expert: ")
    assert route.rewritten.count("Expert:") == 1


@pytest.mark.parametrize("engine", FORMATS)
async def test_more_neighbours_than_letters_are_asked_about_in_rounds(serve: Any, engine: str) -> None:
    server = serve(engine)
    route = await octopus(engine, server.url, count=28).route([HumanMessage("What is a leek?")])
    assert route.node is not None
    scored = octopus(engine, server.url, count=28).scorer
    logprobs = await scored.score("What is a leek?", neighbours(28))
    assert len(logprobs) == 28
    assert sum(map(math.exp, logprobs)) == pytest.approx(1)


@pytest.mark.parametrize("engine", ["openai", "ollama"])
async def test_without_log_probabilities_it_votes(serve: Any, engine: str) -> None:
    server = serve(engine, gives_logprobs=False)
    route = await octopus(engine, server.url).route([HumanMessage("What is a leek?")])
    assert route.probability == pytest.approx((5 + 1 / 3) / 6)  # this server samples greedily: five of five
    assert not route.calibrated
    temperatures = [
        body.get("temperature", body.get("options", {}).get("temperature")) for _, body in server.requests
    ]
    assert temperatures.count(1.0) == 5


@pytest.mark.parametrize("engine", FORMATS)
async def test_a_server_that_ignores_constraints_is_found_out(serve: Any, engine: str) -> None:
    with pytest.raises(RoutingError, match="not one of 1 legal tokens"):
        await octopus(engine, serve(engine, obeys=False).url).route([HumanMessage("What is a leek?")])


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ({"statuses": [503] * 9}, "answers 503"),
        ({"garbles": '{"choices": []}'}, "malformed reply"),
        ({"delay": 1.0}, "nothing within 0.3 seconds"),
        (None, "nothing answers"),
    ],
)
@pytest.mark.parametrize("engine", FORMATS)
async def test_faults_are_typed(serve: Any, engine: str, fault: dict[str, Any] | None, why: str) -> None:
    url = f"http://127.0.0.1:{free_port()}" if fault is None else serve(engine, **fault).url
    with pytest.raises(ModelUnavailableError, match=why):
        await octopus(engine, url, timeout=0.3).route([HumanMessage("What is a leek?")])


async def test_unknown_fields_are_refused_by_the_servers(serve: Any) -> None:
    import httpx

    body = {"model": "base", "messages": [], "guided_choice": ["A"]}
    async with httpx.AsyncClient() as client:
        reply = await client.post(f"{serve('openai').url}/v1/chat/completions", json=body)
    assert reply.status_code == 422
    assert "guided_choice" in reply.text


def test_letters_are_found_with_quotes_and_spaces() -> None:
    alternatives = [
        Alternative(token='"A', logprob=math.log(0.5)),
        Alternative(token=" B", logprob=math.log(0.2)),
        Alternative(token="B", logprob=math.log(0.1)),
        Alternative(token="the", logprob=math.log(0.2)),
    ]
    positions = [
        Position(token="\n", logprob=0.0),
        Position(token='"A', logprob=math.log(0.5), top_logprobs=alternatives),
    ]
    found = letters_at(positions, "A", "ABC")
    assert found is not None
    assert {k: math.exp(v) for k, v in found.items()} == pytest.approx({"A": 0.5, "B": 0.3})
    assert letters_at(None, "A", "ABC") is None
    assert letters_at([Position(token="x", logprob=0.0)], "A", "ABC") is None
