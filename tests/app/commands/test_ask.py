"""`octopus ask`: words, standard input, what is printed and how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from agents.errors import InputError
from agents.generation import Generation
from app.commands.options import context_of
from graphs.state import GraphContext
from tests.app.conftest import SMALL, Octopus
from tests.loopback import ChatServer
from tests.replies import Reply

QUESTION = "Tell me the result of derivative of x^3 when x is 2?"


def test_no_option_leaves_the_context_to_the_defaults() -> None:
    assert context_of(None, reflection=None, policy=None, experts=None) == GraphContext(
        generation=Generation(max_tokens=1024)
    )


def test_options_reach_the_context() -> None:
    context = context_of(None, approve=True, policy="cheap", experts=3, reflection="basic")
    assert context is not None
    assert (context.policy, context.experts, context.reflection) == ("cheap", 3, "basic")
    assert context.approve and context.ask_user


@pytest.mark.parametrize(
    ("name", "value"), [("policy", "dear"), ("experts", 0), ("experts", 99), ("reflection", "deep")]
)
def test_a_wrong_option_is_named(name: str, value: str | int) -> None:
    with pytest.raises(InputError, match=f"--{name} {value!r}"):
        context_of(None, approve=False, **{name: value})


def test_json_for_machines(octopus: Octopus) -> None:
    result = octopus("ask", QUESTION, "--json")
    values = json.loads(result.out)
    (hop,) = values["hops"]
    assert values["answer"].startswith("12\n")
    assert (hop["token"], hop["node"], hop["status"]) == ("<nexa_4>", "math", "answered")
    assert hop["evidence"]["result"] == 12
    assert 0 < hop["probability"] <= 1
    assert result.err == ""


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (("ask", "What", "is", "2", "+", "3?"), "5"),
        (("What is 2 + 3?",), "5"),
        (("2+3",), "5"),
        (("ask", "-5 + 3"), "-2"),
        (("-5 + 3",), "-2"),
        (("ask", "-7", "mod", "3"), "2"),
        (("ask", "--", "-7", "mod", "3"), "2"),
        (("ask", "what", "is", "-5", "+", "3", "-t", "dashes"), "-2"),
        (("ask", "-tdashes", "-(2+3)"), "-5"),
    ],
)
def test_words_are_a_question(octopus: Octopus, arguments: tuple[str, ...], answer: str) -> None:
    quiet = ("-q", *arguments) if arguments[0] != "ask" else ("ask", "-q", *arguments[1:])
    assert octopus(*quiet) == (0, f"{answer}\n", "")
    assert f"\n{answer}\n" in octopus(*arguments).out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("what", "is", "2?"), "To ask it: octopus ask what is '2?'"),
        (("rout",), "Did you mean `route`?"),
        (("ask", "-x", "2"), "No such option: -x. A question that begins so follows `--`."),
        (("ask", "--jsn", "2"), "--json"),
        (("ask", "2", "--graph"), "--graph"),
        (("ask", "-q", "-v", "2 + 2?"), "-q and -v contradict each other. Choose one."),
    ],
)
def test_a_slip_is_named(octopus: Octopus, arguments: tuple[str, ...], said: str) -> None:
    result = octopus(*arguments)
    assert (result.code, result.out) == (2, "")
    assert said in result.err


def test_help_is_a_command_too(octopus: Octopus) -> None:
    result = octopus("help")
    assert result == octopus("--help") == octopus("-h")
    assert (result.code, "Exit codes: 0 answered" in result.out) == (0, True)
    assert octopus("help", "threads", "list") == octopus("threads", "list", "--help")
    assert octopus("help", "nonsense").code == 2


def test_each_thing_is_said_once(octopus: Octopus) -> None:
    shown = octopus("ask", "What is the capital of Kenya, and what is 17 * 23?").out.splitlines()
    assert len(shown) == len(set(shown))
    assert sum("Nairobi" in line for line in shown) == sum("391" in line for line in shown) == 1
    full = octopus("ask", "-v", QUESTION).out
    for text in (
        f"  query   {QUESTION}",
        "  choices math 0.",
        "  by      t",
        "  outcome answered in ",
        '"x^3"',
    ):
        assert text in full


def test_a_graph_that_abstains_exits_with_four(octopus: Octopus, tmp_path: Path) -> None:
    spec = tmp_path / "strict.yaml"
    spec.write_text(SMALL.replace("generalist: cooking", "octopus: {threshold: 0.99}"))
    result = octopus("ask", "-q", "Who won the war of the roses?", "--graph", spec)
    assert (result.code, result.out) == (4, "")
    assert "Say more" in result.err
    assert octopus("ask", "Who won the war of the roses?", "--graph", spec) == result
    rows = b'{"query": "Who won the war of the roses?"}\n'
    routed = octopus("route", "--graph", spec, "--input", "-", stdin=rows)
    assert (routed.code, json.loads(routed.out)["node"]) == (0, None)


def test_a_model_cannot_steer_the_terminal(octopus: Octopus, small: Path, server: ChatServer) -> None:
    server.words = ["\x1b[31mred", " :warning:\x07\r", " \x9b2Jend"]
    out = octopus("ask", "-q", "How do I bake bread?", "--graph", small).out
    assert out == "[31mred :warning: 2Jend\n"


@pytest.mark.parametrize("arguments", [(), ("--approve",)])
def test_ctrl_c_ends_the_question(small: Path, server: ChatServer, home: Path, arguments: tuple[str]) -> None:
    server.words, server.pace = [f"word{n} " for n in range(400)], 0.05
    command = [sys.executable, "-m", "app.cli", "ask", "How do I bake?", "-g", str(small), *arguments]
    environment = {**os.environ, "OCTOPUS_HOME": str(home)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    # A shell's background job ignores SIGINT, and so would what is started in it.
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(command, env=environment, text=True, preexec_fn=heard, **pipes) as process:  # type: ignore[call-overload]
        shown = process.stderr.readline() if arguments else process.stdout.read(200)
        assert "cooking" in shown
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        assert "Traceback" not in process.stderr.read()
    assert server.left == len(server.requests) == int(not arguments)


def test_a_question_from_standard_input(octopus: Octopus) -> None:
    for arguments in ((), ("-",)):
        assert "\n12\n" in octopus("ask", *arguments, stdin=QUESTION.encode()).out
    result = octopus("ask", "-", stdin=b"\xff\xfe?")
    assert (result.code, result.out) == (2, "")
    assert "octopus: standard input is not UTF-8 at byte 0." in result.err


@pytest.mark.parametrize("question", ["", "  ", "\udcff?"])
def test_what_is_not_a_question_is_bad_input(octopus: Octopus, question: str) -> None:
    result = octopus("ask", question)
    assert result.code == 2
    assert result.err.startswith("octopus: the query is ")


def test_text_of_the_model_is_not_markup(octopus: Octopus, small: Path, server: ChatServer) -> None:
    server.words = ["a[0] ", "[bold]b[/bold] ", "[/c]"]
    assert "a[0] [bold]b[/bold] [/c]" in octopus("ask", "How do I bake bread?", "--graph", small).out


def test_a_step_is_approved_or_not(octopus: Octopus) -> None:
    approved = octopus("ask", QUESTION, "--approve", stdin=b"y\n")
    assert "Go on? [y/n/another node]" in approved.err
    assert "\n12\n" in approved.out
    for answer in (b"n\n", b""):
        refused = octopus("ask", QUESTION, "--approve", "--json", stdin=answer)
        told = json.loads(refused.out)
        assert (told["answer"], told["status"], told["failure"]["code"]) == (None, "declined", "not_approved")
    other = json.loads(octopus("ask", QUESTION, "--approve", "--json", stdin=b"physics\n").out)
    assert other["hops"][0]["node"] == "physics"
    assert other["hops"][0]["reason"] == "You chose physics."


def test_parameters_reach_the_model(octopus: Octopus, small: Path, server: ChatServer) -> None:
    server.replies = [Reply("one two three", others=["four five"])] * 2
    given = ("-p", "temperature=0", "-p", "n=2", "-p", "stop=five")
    result = octopus("ask", "-q", "-g", small, *given, "How do I bake bread?")
    assert result.out == "one two three\n\nOr:\nfour \n"
    (_, body) = server.requests[0]
    assert (body["temperature"], body["n"], body["stop"]) == (0, 2, ["five"])
    assert 1024 in (body.get("max_tokens"), body.get("max_completion_tokens"))
    cut = octopus("ask", "-q", "-g", small, "-p", "max_tokens=2", "How do I bake bread?")
    assert (cut.out, cut.code) == ("one two\n", 0)
    assert cut.err.startswith("The answer ends at its limit of tokens; ")


@pytest.mark.parametrize(
    ("parameter", "why"),
    [
        ("temperature", "NAME=VALUE"),
        ("temperature=9", "less than or equal to 2"),
        ("heat=1", "Known are max_tokens,"),
        ("top_logprobs=2", "It needs logprobs: true."),
    ],
)
def test_a_wrong_parameter_is_named(octopus: Octopus, parameter: str, why: str) -> None:
    result = octopus("ask", "-p", parameter, "2 + 2")
    assert (result.code, result.out) == (2, "")
    assert parameter in result.err
    assert why in result.err
