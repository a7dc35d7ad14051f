"""Make rows with a chat model.

The model is scripted: what is under test is what becomes of its replies, good and bad ones, and a model small
enough to run here would give bad ones only. One test goes through a real server on loopback.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.outputs import ChatResult
from typer.testing import CliRunner

from agents.errors import InputError, ModelUnavailableError
from agents.octopus.conversation.human_turns import clean_turns
from agents.types import Choice, Decision, FunctionalToken, NodeName
from app.cli import cli
from tests.loopback import ChatServer, serving
from training.rows.filters import Leaks
from training.rows.synthesis import ChatReply, SynthesisSettings, synthesize
from training.rows.synthesis_log import Synthesis
from training.rows.synthesis_prompts import Messages, read_list

WORKERS = {
    "chef": ("Answers questions on cooking.", ("How long do I boil an egg?",)),
    "vet": ("Answers questions on sick animals.", ("Why does my cat sneeze?",)),
}
SETTINGS = SynthesisSettings(per_worker=5, rounds=4, batch=3, languages=("English", "German"))


@dataclass
class ScriptedChat:
    """Write queries that name their worker, sort by that name, and rewrite by a prefix.

    Attributes:
        made: replies to the next calls for queries, instead of its own.
        fails_at: the call at which the server goes away.
    """

    made: list[list[str]] = field(default_factory=list)
    fails_at: int | None = None
    calls: list[tuple[Messages, float, int]] = field(default_factory=list)

    async def __call__(self, messages: Messages, temperature: float, seed: int) -> ChatReply:
        if len(self.calls) == self.fails_at:
            raise ModelUnavailableError("gone")
        self.calls.append((messages, temperature, seed))
        (_, system), (_, user) = messages
        asked = [json.loads(line.split(". ", 1)[1]) for line in user.splitlines() if line[:1].isdigit()]
        if system.startswith("You sort"):
            reply = [next((name for name in WORKERS if name in query), "none") for query in asked]
        elif system.startswith("You rewrite"):
            reply = [f"Explain: {query}" for query in asked]
        else:
            reply = self.made.pop(0) if self.made else self._queries(user, seed)
        return ChatReply(f"Here you are:\n```json\n{json.dumps(reply)}\n```", 100, 20)

    @staticmethod
    def _queries(user: str, seed: int) -> list[str]:
        topic = (
            "chef"
            if "cooking" in user and "exist" not in user
            else "vet"
            if "exist" not in user
            else "rocket"
        )
        return [f"{topic} {seed + k} {seed * 7 + k} {seed * 13 + k} please" for k in range(3)]


def routes(queries: Any, *, probability: float = 0.6) -> list[Decision]:
    """Route by the worker's name, without being sure of the rest."""
    found = []
    for query in queries:
        node = NodeName("vet" if "vet" in query else "chef")
        choices = (Choice(FunctionalToken("<nexa_0>"), node, probability),)
        found.append(
            Decision(node, FunctionalToken("<nexa_0>"), probability, query, "", "token", True, choices)
        )
    return found


async def make(out: Path, chat: ScriptedChat, **more: Any) -> Synthesis:
    arguments = {"round_trip": routes} | more
    return await synthesize(WORKERS, chat, out, SETTINGS, **arguments)


async def test_every_worker_and_nobody_get_their_rows(tmp_path: Path) -> None:
    chat = ScriptedChat()
    made = await make(tmp_path, chat)
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert [sum(row["node"] == node for row in rows) for node in ("chef", "vet", None)] == [5, 5, 5]
    assert rows[0]["rewritten"] == f"Explain: {rows[0]['query']}"
    assert {row["language"] for row in rows} == {"English", "German"}
    told = json.loads((tmp_path / "synthesis.json").read_text())
    assert told["tokens"] == {"read": 100 * len(chat.calls), "written": 20 * len(chat.calls)}
    assert told["calls"] == made.calls == len(chat.calls)


async def test_the_temperature_rises_and_kept_rows_become_examples(tmp_path: Path) -> None:
    chat = ScriptedChat()
    made = await make(tmp_path, chat)
    writing = [call for call in chat.calls if call[0][0][1].startswith("You write")]
    temperatures = [temperature for _, temperature, _ in writing]
    assert temperatures == sorted(temperatures) and temperatures[0] < temperatures[-1]
    second = next(user for ((_, _), (_, user)), t, _ in writing if t > temperatures[0] and "cooking" in user)
    assert any(row["query"] in second for row in made.rows if row["node"] == "chef")


@pytest.mark.parametrize("fails_at", [0, 1, 4, 9])
async def test_an_interrupted_run_makes_the_same_rows(tmp_path: Path, fails_at: int) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    await make(whole, ScriptedChat())
    with pytest.raises(ModelUnavailableError):
        await make(broken, ScriptedChat(fails_at=fails_at))
    log = broken / "batches.jsonl"
    if log.exists():  # killed while it wrote a batch
        log.write_text(log.read_text() + '{"batch": 99, "no')
    again = ScriptedChat()
    await make(broken, again)
    for name in ("rows.jsonl", "synthesis.json", "batches.jsonl"):
        assert (broken / name).read_text() == (whole / name).read_text()
    assert len(again.calls) <= json.loads((whole / "synthesis.json").read_text())["calls"]


async def test_another_seed_is_another_run(tmp_path: Path) -> None:
    await make(tmp_path, ScriptedChat())
    with pytest.raises(InputError, match="other settings"):
        await synthesize(WORKERS, ScriptedChat(), tmp_path, SynthesisSettings(seed=1), round_trip=routes)


async def test_bad_queries_are_dropped_and_counted(tmp_path: Path) -> None:
    bad = [
        "chef?",
        "How long do I boil an egg, chef?",
        "the chef knows what the exam asks about eggs",
        "Ask the vet about the broken leg of a dog",
        "What would a chef do with a kilogram of leeks",
    ]
    made = await make(tmp_path, ScriptedChat(made=[bad]), leaks=Leaks(["what the exam asks about eggs"]))
    counts = made.counts
    assert counts["dropped: length"] == 1
    assert counts["dropped: near duplicate"] == 1
    assert counts["dropped: evaluation row"] == 1
    assert counts["dropped: sorted elsewhere"] == 1
    assert counts["made"] == counts["kept"] + sum(
        n for name, n in counts.items() if name.startswith("dropped")
    )
    assert "What would a chef do with a kilogram of leeks" in [row["query"] for row in made.rows]


async def test_what_is_no_text_is_dropped_and_counted(tmp_path: Path) -> None:
    """Reply with half a character, which JSON can spell; a file cannot hold it and the router refuses it."""

    class Broken(ScriptedChat):
        async def __call__(self, messages: Messages, temperature: float, seed: int) -> ChatReply:
            reply = await super().__call__(messages, temperature, seed)
            rewrites = messages[0][1].startswith("You rewrite")
            return ChatReply(
                reply.text.replace("Explain: ", "Explain \\ud83d: ") if rewrites else reply.text, 1, 1
            )

    def strict(queries: Any) -> list[Decision]:
        return routes([clean_turns([query])[-1].text for query in queries])

    good = "What would a chef do with a kilogram of leeks"
    bad = ["What can the chef do with half a \ud83d?", "\x00" * 10]
    made = await make(tmp_path, Broken(made=[[*bad, good]]), round_trip=strict)
    assert made.counts["dropped: not text"] == 2
    kept = next(row for row in made.rows if row["query"] == good)
    assert kept["rewritten"] == good
    assert made.counts["rewrites: unfaithful"] == sum(row["node"] is not None for row in made.rows)
    assert "kilogram of leeks" in (tmp_path / "rows.jsonl").read_text()


async def test_the_router_must_agree(tmp_path: Path) -> None:
    def always_the_vet(queries: Any) -> list[Decision]:
        return routes(["vet"] * len(queries), probability=0.95)

    made = await make(tmp_path, ScriptedChat(), round_trip=always_the_vet)
    assert {row["node"] for row in made.rows} == {"vet"}  # of the rest it is sure that it is wrong
    assert made.counts["dropped: round trip"] > 0


async def test_a_rewrite_that_loses_a_number_is_not_kept(tmp_path: Path) -> None:
    class Forgetful(ScriptedChat):
        async def __call__(self, messages: Messages, temperature: float, seed: int) -> ChatReply:
            reply = await super().__call__(messages, temperature, seed)
            if messages[0][1].startswith("You rewrite"):
                count = len(read_list(reply.text))
                return ChatReply(json.dumps(["Explain something"] * count), 100, 20)
            return reply

    made = await make(tmp_path, Forgetful())
    own = [row for row in made.rows if row["node"]]
    assert own and all(row["rewritten"] == row["query"] for row in own)
    assert made.counts["rewrites: unfaithful"] == len(own)


def test_through_a_server_and_the_command_line(tmp_path: Path) -> None:
    """Check what the server is asked; it replies the same every time, so few rows can be kept."""
    graph = tmp_path / "pets.yaml"
    graph.write_text(
        "masters: {octopus: {neighbours: [fish, birds]}}\nworkers:\n"
        "  fish: {description: Answers questions about keeping fish.}\n"
        "  birds: {description: Answers questions about keeping birds.}\n"
    )
    words = ['["Why do my fish gasp at the surface?",', ' "Can fish live in cold water?"]']
    arguments = ["train", "synthesize", "--graph", str(graph), "--rounds", "1", "--per-worker", "2"]
    with serving(ChatServer(words=words)) as server:
        model = ["--model", f"openai:tiny@{server.url}", "--out", str(tmp_path / "out")]
        result = CliRunner().invoke(cli, [*arguments, *model])
        assert result.exit_code == 0, result.output
        bodies = [body for _, body in server.requests]
    assert bodies[0]["temperature"] == 0.3 and isinstance(bodies[0]["seed"], int)
    assert "keeping fish" in bodies[0]["messages"][-1]["content"]
    told = json.loads((tmp_path / "out" / "synthesis.json").read_text())
    assert told["counts"]["made"] == 6 and told["rows"] == 0
    assert told["counts"]["dropped: sorted elsewhere"] == 6


def test_without_a_server_it_is_an_unavailable_model(tmp_path: Path) -> None:
    arguments = [
        "train",
        "synthesize",
        "--out",
        str(tmp_path),
        "--model",
        "openai:tiny@http://127.0.0.1:9/v1",
    ]
    result = CliRunner().invoke(cli, arguments)
    assert isinstance(result.exception, ModelUnavailableError)


def test_a_failure_of_a_provider_is_an_unavailable_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Overloaded(GenericFakeChatModel):
        def _generate(self, *arguments: Any, **options: Any) -> ChatResult:
            raise OSError("no capacity\nand what else a provider has to say")

    chat = Overloaded(messages=iter(()))
    monkeypatch.setattr("agents.workers.models.clients.ProviderReference.chat", lambda *arguments: chat)
    arguments = ["train", "synthesize", "--out", str(tmp_path), "--model", "provider:someone:some-model"]
    error = CliRunner().invoke(cli, arguments).exception
    assert isinstance(error, ModelUnavailableError)
    assert error.retryable
    assert error.message == "'provider:someone:some-model' failed."


def test_without_a_model_nothing_is_made(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["train", "synthesize", "--out", str(tmp_path)])
    assert isinstance(result.exception, InputError)
