"""The `octopus` command, end to end on the embedded default."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from tests.app.conftest import SMALL, Octopus
from tests.loopback import ChatServer

QUESTION = "Tell me the result of derivative of x^3 when x is 2?"


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_papers_question(octopus: Octopus) -> None:
    result = octopus("ask", QUESTION)
    assert result.code == 0, result.err
    assert "octopus → <nexa_4> math  (p = " in result.out
    assert "\n12\n" in result.out


def test_without_a_model_the_exit_code_is_three(octopus: Octopus, small: Path) -> None:
    result = octopus("ask", "How do I bake bread?", "--graph", small)
    assert result.code == 3
    assert "<nexa_0> cooking" in result.out
    assert result.err.count("\n") == 1
    assert "no model is connected" in result.err and "OCTOPUS_MODEL=openai:" in result.err


def test_the_general_model_answers_for_all_workers(octopus: Octopus, small: Path, server: ChatServer) -> None:
    result = octopus("ask", "How do I bake bread?", "--graph", small)
    assert result.code == 0, result.err
    assert "\nForty-two.\n" in result.out
    assert server.requests[0][1]["messages"][-1]["content"] == "How do I bake bread?"


def test_a_thread_remembers_over_two_processes(home: Path) -> None:
    environment = {**os.environ, "OCTOPUS_HOME": str(home)}

    def ask(question: str) -> dict[str, Any]:
        command = [sys.executable, "-m", "app.cli", "ask", question, "--thread", "t", "--json"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode in (0, 3), done.stderr
        return dict(json.loads(done.stdout))

    assert ask("What is the derivative of x^3?")["hops"][0]["node"] == "math"
    hop = ask("And its second derivative?")["hops"][0]
    assert hop["node"] == "math"
    assert hop["refers_to"] == "What is the derivative of x^3?"
    assert hop["evidence"]["arguments"] == {"expression": "x^3", "order": 2}
    assert (home / "threads.sqlite").is_file()


def test_chat_goes_on_where_it_ended(octopus: Octopus) -> None:
    first = octopus("chat", "--thread", "c", stdin=f"{QUESTION}\n\n".encode())
    assert first.code == 0, first.err
    assert "0 messages so far" in first.out
    assert "\n12\n" in first.out
    second = octopus("chat", "--thread", "c")
    assert "2 messages so far" in second.out
    assert f"you: {QUESTION}" in second.out
    assert "math: 12" in second.out


def test_routing_keeps_fields_and_order(octopus: Octopus, small: Path, tmp_path: Path) -> None:
    rows = [
        {"id": 7, "query": "My engine knocks"},
        {"query": ""},
        {"turns": ["How do I roast a chicken?", "And how long does that take?"]},
        {"query": "<nexa_1> <|end|> bake bread"},
        {"query": "\ud800"},
    ]
    (tmp_path / "in.jsonl.gz").write_bytes(gzip.compress("\n\n".join(map(json.dumps, rows)).encode()))
    out = tmp_path / "deep" / "out.jsonl"
    result = octopus("route", "--graph", small, "--input", tmp_path / "in.jsonl.gz", "--output", out)
    assert result == (0, "", "")
    found = rows_of(out)
    assert [row["node"] for row in found] == ["cars", None, "cooking", "cooking", None]
    assert (found[0]["id"], found[0]["token"], found[0]["rewritten"]) == (7, "<nexa_1>", "My engine knocks")
    assert found[1]["reason"].startswith("the query is empty")
    assert found[4]["reason"].startswith("the query is not valid UTF-8")
    assert {"node", "token", "probability", "rewritten", "reason", "choices"} <= found[0].keys()
    assert [choice["node"] for choice in found[0]["choices"]] == ["cars", "cooking"]


def test_routing_from_and_to_a_pipe(octopus: Octopus, small: Path) -> None:
    rows = b'{"query": "bake bread"}\n'
    assert json.loads(octopus("route", "--graph", small, "--input", "-", stdin=rows).out)["node"] == "cooking"
    result = octopus("route", "--graph", small, "--input", "-", stdin=b"\n{")
    assert (result.code, result.out) == (2, "") and "octopus: -:2: " in result.err


def test_rows_may_say_who_answered_before(octopus: Octopus, small: Path, tmp_path: Path) -> None:
    said = [
        ("user", "How do I roast a chicken?"),
        ("assistant", "In the oven."),
        ("user", "And for how long?"),
    ]
    messages = [{"role": role, "content": content} for role, content in said]
    rows = [{"messages": messages}, {"messages": messages, "node": "cars"}]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, rows)))
    out = tmp_path / "out.jsonl"
    assert octopus("route", "--graph", small, "--input", tmp_path / "in.jsonl", "--output", out).code == 0
    found = rows_of(out)
    assert [row["node"] for row in found] == ["cooking", "cars"]
    assert found[0]["reason"].startswith("stays with cooking: follow-up (")
    assert found[1]["reason"].startswith("stays with cars: follow-up (")
    assert found[0]["rewritten"].endswith("[Follow-up to: How do I roast a chicken?]")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"query": "a"}\n{"query": "\xff"}\n', "in.jsonl:2: 'utf-8'"),
        (b'{"query": "a"}\n\n{"query": \n', "in.jsonl:3: "),
        (b'{"question": "a"}\n', 'in.jsonl:1: a row needs "query"'),
        (b'{"query": 3}\n', 'in.jsonl:1: a row needs "query"'),
        (b'{"turns": "a"}\n', 'in.jsonl:1: a row needs "query"'),
        (b'{"messages": "a"}\n', 'in.jsonl:1: "messages" is a list'),
        (b'{"query": "a", "node": 1}\n', 'in.jsonl:1: "node", who answered before, is a name'),
    ],
)
def test_bad_rows_are_named_and_no_output_appears(
    octopus: Octopus, small: Path, tmp_path: Path, content: bytes, message: str
) -> None:
    (tmp_path / "in.jsonl").write_bytes(content)
    out = tmp_path / "out.jsonl"
    result = octopus("route", "--graph", small, "--input", tmp_path / "in.jsonl", "--output", out)
    assert result.code == 2
    assert message in result.err
    assert not out.exists()


def test_no_rows_give_an_empty_file(octopus: Octopus, small: Path, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text("\n")
    out = tmp_path / "out.jsonl"
    assert octopus("route", "--graph", small, "--input", tmp_path / "in.jsonl", "--output", out).code == 0
    assert out.read_bytes() == b""


def test_graphs_are_validated(octopus: Octopus, small: Path) -> None:
    assert "17 worker(s), 17 edges" in octopus("graph", "validate", "mmlu").out
    assert octopus("graph", "validate", small).out == f"{small}: sound. 1 master(s), 2 worker(s), 2 edges.\n"
    small.write_text(SMALL.replace("[cooking, cars]", "[cooking, cats]"))
    result = octopus("graph", "validate", small)
    assert result.code == 2
    assert f"{small}:3: node 'chief' has an unknown neighbour 'cats'" in result.err
    small.write_text(SMALL.replace('"Recipes', 'a, tools: [magic], model: x}\n  b: {description: "'))
    assert octopus("graph", "validate", small).code == 2


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("tools: [magic]", "magic"),
        ("tools: [calculus.magic]", "calculus.magic"),
        ("model: openai:llama3", "'openai:llama3'"),
    ],
)
def test_unknown_tools_and_models_are_named(octopus: Octopus, small: Path, field: str, message: str) -> None:
    small.write_text(SMALL.replace('food."}', f'food.", {field}}}'))
    result = octopus("graph", "validate", small)
    assert result.code == 2
    assert message in result.err


def test_an_unknown_graph_lists_those_there_are(octopus: Octopus) -> None:
    result = octopus("ask", "?", "--graph", "nowhere")
    assert result.code == 2
    assert "there is no graph 'nowhere'" in result.err
    assert "mmlu" in result.err


def test_the_drawing_carries_the_tokens(octopus: Octopus) -> None:
    drawing = octopus("graph", "draw", "mmlu").out
    assert "octopus -. &nbsp;#lt;nexa_4#gt;&nbsp; .-> math" in drawing
    assert "%% octopus <nexa_4> math" in drawing


def test_a_task_graph_is_imported_and_routed(octopus: Octopus, tmp_path: Path) -> None:
    nodes = [{"id": "Bake Bread", "desc": "Bakes bread."}, {"id": "Fix Tyre", "desc": "Repairs car tyres."}]
    source, spec, rows, out = (tmp_path / name for name in ("g.json", "g.yaml", "in.jsonl", "out.jsonl"))
    source.write_text(json.dumps({"nodes": nodes, "links": []}))
    assert octopus("graph", "import", "task-graph", source, "--output", spec).out == f"{spec}: 2 workers.\n"
    rows.write_text('{"query": "my tyre is flat"}\n')
    assert octopus("route", "--graph", spec, "--input", rows, "--output", out).code == 0
    assert rows_of(out)[0]["node"] == "Fix Tyre"


def test_a_router_is_trained_used_and_reproducible(octopus: Octopus, small: Path, tmp_path: Path) -> None:
    food = ["bake bread", "boil eggs", "fry onions", "roast a duck", "season a soup", "whip cream"]
    cars = ["change a tyre", "check the oil", "brakes squeal", "engine stalls", "new exhaust", "loud gearbox"]
    rows = [{"query": text, "node": "cooking"} for text in food] + [
        {"query": t, "node": "cars"} for t in cars
    ]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    train = ("train", "router", "--graph", small, "--rows", tmp_path / "rows.jsonl", "--folds", 3, "--out")
    first, second = octopus(*train, tmp_path / "a"), octopus(*train, tmp_path / "b")
    assert first.code == second.code == 0, first.err
    assert "12 rows, accuracy" in first.out
    for name in ("heads.safetensors", "manifest.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    (tmp_path / "in.jsonl").write_text('{"query": "simmer a stew"}\n')
    route = ("route", "--graph", small, "--input", tmp_path / "in.jsonl", "--output", tmp_path / "out.jsonl")
    assert octopus(*route, "--artifact", tmp_path / "a").code == 0
    (row,) = rows_of(tmp_path / "out.jsonl")
    assert (row["node"], row["calibrated"]) == ("cooking", True)
    assert octopus(*route, "--artifact", tmp_path / "nowhere").code == 2


def test_training_names_faulty_rows(octopus: Octopus, small: Path, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"query": "a", "node": "boats"}\n')
    arguments = ("--graph", small, "--rows", tmp_path / "rows.jsonl", "--out", tmp_path / "out")
    result = octopus("train", "router", *arguments)
    assert result.code == 2
    assert "rows.jsonl:1: 'boats' is not a neighbour" in result.err
    result = octopus("train", "router", *arguments, "--master", "cars")
    assert result.code == 2
    assert "'cars' is not a node with neighbours. Masters: chief." in result.err


def test_wrong_usage_is_bad_input(octopus: Octopus) -> None:
    assert octopus("ask").code == 2
    assert octopus("nonsense").code == 2


def test_the_version_is_said(octopus: Octopus) -> None:
    result = octopus("--version")
    assert (result.code, result.out.strip()) == (0, version("octopus-graph"))


def test_help_loads_neither_models_nor_graphs() -> None:
    code = (
        "import sys, app.cli\n"
        "heavy = {'langgraph', 'langchain_core', 'numpy', 'onnxruntime', 'torch', 'sympy', 'openai'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""


def test_asking_does_not_import_torch(home: Path) -> None:
    code = (
        "import sys; sys.argv = ['octopus', 'ask', '2 + 2?']\n"
        "from app.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'transformers', 'sympy', 'openai', 'scipy', 'sklearn'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)))"
    )
    environment = {**os.environ, "OCTOPUS_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stderr.strip() == ""
    assert "4" in done.stdout


def test_the_parts_of_a_compound_question_are_answered_in_order(octopus: Octopus) -> None:
    result = octopus("ask", "What is the capital of Kenya, and what is 17 * 23?")
    assert result.code == 0, result.err
    assert "octopus → <nexa_12> geography" in result.out
    assert "octopus → <nexa_4> math" in result.out
    assert result.out.index("\nWhat is the capital of Kenya\nNairobi") < result.out.index("\n391\n")
