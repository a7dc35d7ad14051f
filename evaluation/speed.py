"""Measure what a decision costs, as ratios from one run, so that the machine does not matter.

Kinds of calls are interleaved (A B A B …) and the ratio of each query is taken within a few milliseconds of
itself; the median over queries and rounds is reported. To choose a next node costs more with more neighbours,
not with more nodes.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from langchain_core.messages import HumanMessage

from agents.octopus.embedding import Encoder
from agents.octopus.encoder.background import load_maps
from agents.octopus.encoder.bm25 import LexicalIndex
from agents.octopus.encoder.heads import Untrained
from agents.octopus.encoder.octopus import EncoderOctopus
from agents.octopus.encoder.zero_shot import Candidate, ZeroShotHead, unit
from agents.octopus.planning.evidence import FEATURES
from agents.octopus.planning.exemplars import Exemplars, NGramIndex
from agents.octopus.planning.next_node import Ranker, TrainedNext
from agents.octopus.planning.path_graph import PathGraph
from agents.octopus.planning.planner import PhrasedQuery, Planner
from agents.octopus.tokens import slot_token
from agents.types import Edge, NodeName, WorkerAnswer, WorkerRequest
from evaluation.report import Report, plain, table, tabulate
from training.planner_models import edge_priors, path_targets

Input = TypeVar("Input")

SMALL, LARGE, LARGE_GRAPH = 17, 10_000, 26_000
_DIMENSION = 384
_EXEMPLARS = 64
_QUERIES = 200
_VERBS = "Find Book Cancel Compare Translate Forecast Convert Rank Archive Share".split()
_THINGS = "flights recipes invoices concerts parcels lectures stocks novels rooms maps".split()
_OF = (
    "for a family|by price|by date|in one city|with a discount|near a station|for a team|at night"
    "|of last year|under a budget"
).split("|")
_AND = (
    "sends a summary|writes a list|asks first|keeps a copy|draws a chart|sets a reminder|checks the weather"
    "|adds notes|shows photos|pays"
).split("|")
_SUBJECTS = "a falling stone|a supply curve|the liver|a sorting algorithm|the Ottoman army".split("|")
_ASKS = (
    "Which statement on {} is correct|What best explains the behaviour of {}|"
    "Which of these would change {} the most|What is least likely to be true of {}"
).split("|")
_TIMES = (
    "after one hour|under pressure|in the long run|if nothing else is known|when conditions are reversed"
).split("|")


def queries(number: int = _QUERIES) -> list[str]:
    """Return made-up questions with choices, of the length of MMLU's."""
    found = [
        f"{ask.format(subject)} {time}, given that case {k} is typical?\nIt grows slowly at first\n"
        "It does not change at all\nIt falls and then rises again\nNone of these can be decided"
        for k, (ask, subject, time) in enumerate(itertools.product(_ASKS, _SUBJECTS, _TIMES))
    ]
    return list(itertools.islice(itertools.cycle(found), number))


def candidates(number: int) -> list[Candidate]:
    """Return made-up tools, at most 10,000 different ones."""
    words = itertools.islice(itertools.product(_VERBS, _THINGS, _OF, _AND), number)
    return [
        Candidate(f"tool_{k}", f"{verb}s {thing} {of} and {also}.")
        for k, (verb, thing, of, also) in enumerate(words)
    ]


def made_up_octopus(encoder: Encoder, number: int) -> EncoderOctopus:
    """Return a zero-shot Octopus over `number` made-up tools.

    Only the first seventeen are embedded; the others' vectors are random, for embedding them would take
    minutes and the time of a decision does not depend on what they are.
    """
    tools = candidates(number)
    head = ZeroShotHead.build(tools[:SMALL], encoder.embed)
    random = np.random.default_rng(0).normal(size=(max(0, number - SMALL), encoder.dimension))
    random /= np.linalg.norm(random, axis=1, keepdims=True)
    vectors = np.concatenate([head.vectors, random.astype(np.float32)])
    lexical = LexicalIndex.build([f"{tool.name}: {tool.description}" for tool in tools])
    neighbours = [Edge(NodeName(tool.name), slot_token(k)) for k, tool in enumerate(tools)]
    wide = ZeroShotHead(vectors, head.query_centre, lexical, head.maps)
    return EncoderOctopus(neighbours, Untrained.of(wide), encoder)


@dataclass(frozen=True, slots=True)
class Ratio:
    """Hold the median ratio of two kinds of calls, and the median milliseconds of each."""

    ratio: float
    milliseconds: float
    baseline_milliseconds: float


def compare(
    call: Callable[[Input], object],
    baseline: Callable[[Input], object],
    inputs: Sequence[Input],
    rounds: int,
    clock: Callable[[], float] = time.perf_counter,
) -> Ratio:
    """Time `call` and `baseline` on each input in turns, after warming both up."""
    for given in inputs[:5]:
        call(given), baseline(given)
    times = []
    for turn in range(rounds):
        for given in inputs:
            pair = (call, baseline) if turn % 2 == 0 else (baseline, call)
            took = [_seconds(kind, given, clock) for kind in pair]
            times.append(took if turn % 2 == 0 else took[::-1])
    own, other = np.array(times).T
    return Ratio(float(np.median(own / other)), 1000 * float(np.median(own)), 1000 * float(np.median(other)))


def ratio_table(heading: str, ratios: Mapping[str, Ratio]) -> str:
    """Return a Markdown table of ratios with their milliseconds."""
    columns: dict[str, Callable[[Ratio], str]] = {
        "median": lambda own: f"{own.ratio:.3g}",
        "ms": lambda own: f"{own.milliseconds:.2f}",
        "beside ms": lambda own: f"{own.baseline_milliseconds:.2f}",
    }
    return tabulate(heading, ratios, columns)


def _seconds(
    call: Callable[[Input], object], given: Input, clock: Callable[[], float] = time.perf_counter
) -> float:
    start = clock()
    call(given)
    return clock() - start


@dataclass(frozen=True, slots=True)
class GraphCost:
    """Hold LangGraph's own cost: seconds to compile, milliseconds for a run less the decision."""

    workers: int
    compile_seconds: float
    run_milliseconds: float


class _Silent:
    """Answer at once."""

    async def answer(self, request: WorkerRequest) -> WorkerAnswer:
        return WorkerAnswer("answered", "")


def graph_cost(octopus: EncoderOctopus, runs: int = 5) -> GraphCost:
    """Compile a graph of one master over `octopus`'s neighbours and run it."""
    from graphs.build import build_graph
    from graphs.spec import GraphSpec

    workers = {str(n.node): {"description": "Answers at once."} for n in octopus.neighbours}
    master = {"neighbours": {str(n.node): str(n.token) for n in octopus.neighbours}}
    spec = GraphSpec.model_validate(
        {"name": "speed", "entry": "octopus", "masters": {"octopus": master}, "workers": workers}
    )
    start = time.perf_counter()
    graph = build_graph(
        spec,
        octopuses={NodeName("octopus"): octopus},
        workers={name: _Silent() for name in spec.workers},
    ).compile()
    compiled = time.perf_counter() - start
    times = []
    for query in queries(runs + 1):
        start = time.perf_counter()
        asyncio.run(graph.ainvoke({"messages": [HumanMessage(query)]}))
        times.append(time.perf_counter() - start - _seconds(lambda text: octopus.decide([text]), query))
    return GraphCost(len(workers), compiled, 1000 * float(np.median(times[1:])))


def evaluate_speed(octopus: EncoderOctopus, *, rounds: int = 3, large: int = LARGE) -> Report:
    """Compare a decision of `octopus` with the bare encoder, many neighbours with few, and time LangGraph."""
    encoder, texts = octopus.encoder, queries()
    few, many = made_up_octopus(encoder, SMALL), made_up_octopus(encoder, large)
    ratios = {
        f"decision ({len(octopus.neighbours)} neighbours) / bare encoder": compare(
            lambda text: octopus.decide([text]), lambda text: encoder.embed([text]), texts, rounds
        ),
        f"decision with {large:,} neighbours / with {SMALL}": compare(
            lambda text: many.decide([text]), lambda text: few.decide([text]), texts, rounds
        ),
    }
    costs = [graph_cost(made_up_octopus(encoder, workers)) for workers in (SMALL, large // 10, large)]
    parts = [
        ratio_table("ratio", ratios),
        table(
            ("LangGraph, workers", "compile s", "run without decision ms"),
            [[f"{c.workers:,}", f"{c.compile_seconds:.2f}", f"{c.run_milliseconds:.1f}"] for c in costs],
        ),
    ]
    figures = {"ratios": plain(ratios), "langgraph": [plain(cost) for cost in costs]}
    return Report("speed", "\n\n".join(parts), figures)


def decision_ratios(rounds: int = 3, large: int = LARGE_GRAPH) -> dict[str, Ratio]:
    """Compare decisions in a large graph with a small one, and among many neighbours with few."""
    texts = queries(40)
    few = _decision(SMALL, SMALL)
    many = large // 100
    return {
        f"17 neighbours, {large:,} nodes / 18 nodes": compare(_decision(SMALL, large), few, texts, rounds),
        f"{many} neighbours / 17, {large:,} nodes": compare(
            _decision(many, large), _decision(SMALL, large), texts, rounds
        ),
    }


def _decision(neighbours: int, nodes: int) -> Callable[[str], object]:
    """Return what decides at the entry of a made-up planner, on made-up embeddings."""
    planner = made_up_planner(neighbours, nodes)
    entry = planner.graph.nodes[planner.graph.entry]
    vectors = unit(np.random.default_rng(0).normal(size=(3, _DIMENSION)).astype(np.float32))

    def decide(text: str) -> object:
        request = PhrasedQuery(text, vectors[0], (text[:40], text[40:]), vectors[1:])
        return planner.following(request, (), entry)

    return decide


def made_up_planner(neighbours: int, nodes: int) -> Planner:
    """Return a planner with random weights on a ring of `nodes` workers; the entry sees some of them."""
    random = np.random.default_rng(0)
    names = [NodeName(f"tool_{k}") for k in range(nodes)]
    ring = {name: [names[(k + 1) % nodes]] for k, name in enumerate(names)}
    graph = PathGraph.of(
        {NodeName("octopus"): names[:neighbours], **ring}, NodeName("octopus"), [NodeName("octopus")]
    )
    texts = queries(_EXEMPLARS)
    paths = [(1 + k % neighbours,) for k in range(_EXEMPLARS)]

    def normal(*shape: int) -> np.typing.NDArray[np.float32]:
        return random.normal(size=shape).astype(np.float32)

    exemplars = Exemplars(
        unit(normal(_EXEMPLARS, _DIMENSION)),
        NGramIndex.build(texts),
        tuple(paths),
        normal(graph.end + len(graph.edges), _EXEMPLARS),
        path_targets(paths, graph).mean(axis=0).astype(np.float32),
    )
    lexical = LexicalIndex.build([f"{name}: a tool" for name in graph.nodes])
    head = ZeroShotHead(unit(normal(graph.end, _DIMENSION)), normal(_DIMENSION), lexical, load_maps())
    ranker = Ranker(
        normal(len(FEATURES)),
        np.ones(len(FEATURES), dtype=np.float32),
        normal(4, len(FEATURES), 32),
        normal(4, 32),
        normal(4, 32),
    )
    model = TrainedNext(
        graph,
        exemplars,
        normal(graph.end, _DIMENSION + 1),
        edge_priors(paths, graph),
        head,
        ranker,
    )
    return Planner(graph, model, lambda texts: normal(len(texts), _DIMENSION))
