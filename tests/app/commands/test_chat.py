"""`octopus chat` at a real pseudo-terminal and on a pipe, with a model server on loopback."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest

from tests.app.conftest import SMALL
from tests.loopback import ChatServer
from tests.slow_model import SlowModel, check_stopped
from tests.slow_model import serving as serving_slow

READY = re.escape("\x1b[?2004h")  # the line editor switches bracketed paste on
ENTER, PASTE, UP, CTRL_C, CTRL_D = "\r", "\x1b[200~{}\x1b[201~", "\x1b[A", "\x03", "\x04"
TRACE = "Traceback (most recent call last):\n  File \"a.py\", line 1\n\n\nKeyError: 'leek'"
LONG = [f"word{n} " for n in range(400)]


@pytest.fixture
def environment(small: Path, server: ChatServer) -> dict[str, str]:
    (small.parent / "other.yaml").write_text(SMALL.replace("cars", "bikes").replace("small", "other"))
    return {**os.environ, "OCTOPUS_HOME": str(small.parent), "TERM": "xterm"}


class Typist:
    """Types in a chat, and reads its screen."""

    def __init__(self, environment: dict[str, str], *arguments: str) -> None:
        command = ["-m", "app.cli", "chat", "-g", f"{environment['OCTOPUS_HOME']}/small.yaml", *arguments]
        self.process: Any = pexpect.spawn(
            sys.executable, command, env=environment, encoding="utf-8", timeout=60, dimensions=(40, 200)
        )
        self.screen = self.ready()

    def ready(self) -> str:
        """What was shown until the next prompt."""
        self.process.expect(READY)
        return str(self.process.before)

    def send(self, *keys: str) -> str:
        """Type a message; what is shown until the next prompt."""
        self.process.send("".join(keys) + ENTER)
        return self.ready()

    def end(self, *keys: str) -> int:
        """Type what ends the chat; its exit code."""
        self.process.send("".join(keys))
        self.process.expect(pexpect.EOF)
        self.process.close()
        return int(self.process.exitstatus)


@pytest.fixture
def chat(environment: dict[str, str]) -> Iterator[Callable[..., Typist]]:
    started: list[Typist] = []

    def start(*arguments: str) -> Typist:
        started.append(Typist(environment, *arguments))
        return started[-1]

    yield start
    for typist in started:
        typist.process.close(force=True)


def asked(server: ChatServer) -> list[str]:
    """The last message of each request, without what it is said to follow up on."""
    last = [str(body["messages"][-1]["content"]) for _, body in server.requests]
    return [text.partition("\n\n[Follow-up")[0] for text in last]


def test_what_is_pasted_is_one_message(chat: Callable[..., Typist], server: ChatServer) -> None:
    typist = chat()
    assert "Thread 'chat'" in typist.screen and "0 messages so far" in typist.screen
    assert "Forty-two." in typist.send(PASTE.format(TRACE.replace("\n", "\r")))
    assert "Forty-two." in typist.send("Eggs:\n\nhow long?")  # Ctrl-J
    assert "Forty-two." in typist.send("Leeks:\x1b\rand how long?")  # Alt-Enter
    assert asked(server) == [TRACE, "Eggs:\n\nhow long?", "Leeks:\nand how long?"]
    assert typist.end(CTRL_D) == 0


def test_what_was_typed_is_there_the_next_day(
    chat: Callable[..., Typist], server: ChatServer, tmp_path: Path
) -> None:
    first = chat()
    first.send("How do I bake bread?")
    assert first.end("/exit", ENTER) == 0
    assert (tmp_path / "history").stat().st_mode & 0o077 == 0
    second = chat()
    assert "cooking: Forty-two." in second.screen
    second.send(UP, UP)
    assert asked(server) == ["How do I bake bread?"] * 2
    assert second.end(CTRL_D) == 0


def test_commands_are_done_and_unknown_ones_are_not_sent(
    chat: Callable[..., Typist], server: ChatServer
) -> None:
    typist = chat("-q")
    shown = typist.send("/help")
    for name in ("/help", "/new", "/threads", "/model", "/graph", "/exit"):
        assert name in shown
    assert "There is no command /threds, and nothing was sent." in typist.send("/threds")
    assert "No thread is kept yet." in typist.send("/threads")
    typist.send("How do I bake bread?")
    typist.send("/new work")
    typist.send("How do I boil eggs?")
    shown = typist.send("/threads")
    assert re.search(r"\* work\s", shown) and re.search(r"  chat\s", shown)
    assert "openai:tiny@" in typist.send("/model")
    assert "No server on this machine has the model 'llama3'" in typist.send("/model llama3")
    assert "'openai:x' is not understood" in typist.send("/model openai:x")
    assert "their tools alone" in typist.send("/model none")
    assert "no model is connected" in typist.send("How do I fry eggs?")
    assert f"openai:tiny@{server.url}." in typist.send(f"/model openai:tiny@{server.url}")
    assert "there is no graph 'nowhere'" in typist.send("/graph nowhere")
    assert ": cooking, bikes." in typist.send(
        "/graph ", str(Path(typist.process.env["OCTOPUS_HOME"]) / "other.yaml")
    )
    typist.send("/new")
    typist.send("/usr/bin/leek: not found")
    typist.send(" /help")
    assert asked(server)[2:] == ["/usr/bin/leek: not found", "/help"]
    assert typist.end("/exit", ENTER) == 0


def test_ctrl_c_stops_the_answer_and_not_the_chat(chat: Callable[..., Typist], server: ChatServer) -> None:
    server.words, server.pace = LONG, 0.05
    typist = chat()
    typist.process.send("How do I bake bread?" + ENTER)
    typist.process.expect("word3 ")  # of 400, as they come
    typist.process.send(CTRL_C)
    shown = typist.ready()
    assert "Stopped." in shown and "word200" not in shown
    server.words, server.pace = ["Forty-two."], 0.0
    assert "Forty-two." in typist.send("How do I boil eggs?")
    assert server.left == 1
    typist.process.send("half a quest" + CTRL_C)  # empties the line
    typist.process.send(CTRL_C)
    assert "Once more Ctrl-C" in typist.ready()
    assert typist.end(CTRL_C) == 0
    assert len(server.requests) == 2


def test_what_is_typed_during_an_answer_is_the_next_message(
    chat: Callable[..., Typist], server: ChatServer
) -> None:
    server.pace = 0.3
    typist = chat("-q")
    typist.process.send("Which leeks?" + ENTER)
    typist.process.expect("Forty")
    typist.process.send("/threads" + ENTER + "And onions?" + ENTER)
    shown = typist.ready() + typist.ready() + typist.ready()
    assert "chat" in shown
    asked = [body["messages"][-1]["content"] for _, body in server.requests]
    assert asked == ["Which leeks?", "And onions?"]


@pytest.mark.parametrize("command", ["chat", "ask", "ask --json"])
def test_ctrl_c_stops_the_model(environment: dict[str, str], command: str) -> None:
    with serving_slow(SlowModel()) as model:
        environment["OCTOPUS_MODEL"] = f"openai:slow@{model.url}"
        name, *options = command.split()
        words = [] if name == "chat" else [*options, "How do I bake bread?"]
        typist: Any = pexpect.spawn(
            sys.executable,
            ["-m", "app.cli", name, "-g", f"{environment['OCTOPUS_HOME']}/small.yaml", *words],
            env=environment,
            encoding="utf-8",
            timeout=60,
        )
        if name == "chat":
            typist.expect(READY)
            typist.send("How do I bake bread?" + ENTER)
        (one,) = model.writing()
        at = time.monotonic()
        typist.send(CTRL_C)
        check_stopped([one], at)
        typist.close(force=True)


def test_a_stopped_question_waits_to_be_sent_again(chat: Callable[..., Typist], server: ChatServer) -> None:
    server.words, server.pace = LONG, 0.05
    first = chat()
    first.process.send("How do I bake bread?" + ENTER)
    first.process.expect("word3 ")
    first.process.send(CTRL_C)
    assert "Stopped." in first.ready()
    assert first.end(CTRL_D) == 0
    server.words, server.pace = ["Forty-two."], 0.0
    second = chat()
    assert "Its last question was interrupted" in second.screen
    assert len(server.requests) == 1
    assert "Forty-two." in second.send("")
    assert asked(server) == ["How do I bake bread?"] * 2
    assert second.end(CTRL_D) == 0


def test_a_step_is_approved_at_the_terminal(chat: Callable[..., Typist], server: ChatServer) -> None:
    typist = chat("--approve")
    assert "<nexa_0> cooking" in typist.send("How do I bake bread?")
    assert "Forty-two." in typist.send("y")
    typist.send("How do I boil eggs?")
    typist.process.send(CTRL_C)
    assert "You did not approve this step." in typist.ready()
    assert asked(server) == ["How do I bake bread?"]
    assert typist.end(CTRL_D) == 0


def test_a_failure_is_said_and_the_chat_goes_on(chat: Callable[..., Typist], server: ChatServer) -> None:
    server.statuses = [500] * 3
    typist = chat("-q")
    assert "its model 'tiny' failed. -v, or the log, says why." in typist.send("How do I bake bread?")
    assert "Forty-two." in typist.send("How do I boil eggs?")
    assert typist.end(CTRL_D) == 0


def piped(environment: dict[str, str], typed: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    spec = f"{environment['OCTOPUS_HOME']}/small.yaml"
    command = [sys.executable, "-m", "app.cli", "chat", "-q", "-g", spec, *arguments]
    return subprocess.run(command, env=environment, input=typed, capture_output=True, text=True, check=False)


def test_on_a_pipe_each_line_is_a_message(environment: dict[str, str], server: ChatServer) -> None:
    done = piped(environment, "How do I bake bread?\n\n/nonsense\n/new b\nHow do I boil eggs?")
    assert asked(server) == ["How do I bake bread?", "How do I boil eggs?"]
    assert done.stdout.count("Forty-two.\n") == 2 and "There is no command /nonsense" in done.stdout
    assert (done.returncode, done.stderr) == (0, "")


def test_on_a_pipe_the_exit_code_is_that_of_the_last(environment: dict[str, str], server: ChatServer) -> None:
    server.statuses = [404]
    assert piped(environment, "How do I bake bread?\nHow do I boil eggs?\n").returncode == 0
    server.statuses = [404]
    done = piped(environment, "How do I fry eggs?\n")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.count("\n") == 1 and "its model 'tiny' is not there." in done.stderr
