"""Test prompts, letters in replies, reading questions; workers that choose, and the log of their replies."""

from __future__ import annotations

import gzip
import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from agents.errors import InputError, ModelUnavailableError
from agents.types import WorkerAnswer, WorkerRequest
from app.commands.evaluate import cli
from evaluation.multiple_choice import (
    Answerer,
    AnswerLog,
    Question,
    Reply,
    by_letter,
    letter_of,
    prompt,
    read_questions,
    read_shots,
)
from tests.evaluation.exam import EXAM, exam_rows, write_rows

QUESTION = Question("abstract_algebra", "first?\n1\n2\n3\n4", "first?\nA. 1\nB. 2\nC. 3\nD. 4", "math", 0)


@pytest.mark.parametrize(
    ("reply", "choice"),
    [
        ("B", 1),
        (" (C) because", 2),
        ("A.", 0),
        ("The answer is D.", 3),
        ("I think that the correct choice: **B**", 1),
        ("It must be C", 2),
        ("A friend of mine", None),
        ("None of these", None),
        ("", None),
    ],
)
def test_letters_are_read(reply: str, choice: int | None) -> None:
    assert letter_of(reply) == choice


def test_the_prompt_is_that_of_the_paper() -> None:
    text = prompt(QUESTION, {"abstract_algebra": ["Q\nA. 1\nAnswer: A"]})
    assert text.startswith(
        "The following are multiple choice questions (with answers) about abstract algebra.\n\nQ"
    )
    assert text.endswith("first?\nA. 1\nB. 2\nC. 3\nD. 4\nAnswer:")


def test_another_block_takes_the_place_of_the_question() -> None:
    assert prompt(QUESTION, {}, "In other words?").endswith("\n\nIn other words?\nAnswer:")


def test_questions_carry_choices_node_and_answer(data: Path) -> None:
    found = read_questions(data)
    assert len(found) == len(EXAM)
    assert found[0].block.splitlines()[1:] == [
        "A. the first",
        "B. the second",
        "C. the third",
        "D. none of them",
    ]
    assert (found[0].node, found[0].gold) == ("physics", 0)
    assert len(read_questions(data, limit=2)) == 2


def test_shots_are_the_first_of_each_subject(data: Path) -> None:
    shots = read_shots(data, 1)
    assert {subject: len(own) for subject, own in shots.items()} == {
        "high_school_physics": 1,
        "international_law": 1,
    }
    assert shots["international_law"][0].endswith("\nAnswer: A")
    assert read_shots(data, 0) == {}


@pytest.mark.parametrize(
    ("change", "said"),
    [({"choices": ["one"]}, "1 choices, not 4"), ({"answer": "E"}, "'E' is neither a letter nor a place")],
)
def test_a_bad_row_is_refused(data: Path, change: dict[str, object], said: str) -> None:
    write_rows(data / "mmlu" / "test_b.jsonl.gz", [exam_rows()[0] | change])
    with pytest.raises(InputError, match=said):
        read_questions(data)


PLANETS = ("Mars", "Venus", "Saturn", "Neptune", "Jupiter", "Mercury")
COURTS = ("Appeal", "Assizes", "Chancery", "Admiralty", "Probate", "Equity")
SUBJECTS = {"astronomy": ("planet", PLANETS), "international_law": ("court", COURTS)}


def rows_of(subject: str) -> list[dict[str, Any]]:
    """Ask which choice is the first of the list; both subjects ask alike, of other things."""
    kind, things = SUBJECTS[subject]
    rng, rows = random.Random(subject), []
    for k in range(24):
        wrong = rng.sample(things[1:], 3)
        answer = k % 4
        choices = [*wrong[:answer], things[0], *wrong[answer:]]
        question = f"Which {kind} is the best known among lawyers or in the sky number {k} ?"
        rows.append({"subject": subject, "question": question, "choices": choices, "answer": answer})
    return rows


def trained(folder: Path, subject: str) -> Path:
    """Train a model of some thousand parameters to know the rows of `subject` by heart."""
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import WhitespaceSplit
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    from evaluation.multiple_choice import LETTERS, lettered

    every = [row for name in SUBJECTS for row in rows_of(name)]
    words = sorted({word for row in every for word in lettered(row).split()} | {"Answer:", *LETTERS})
    head = "The following are multiple choice questions (with answers) about astronomy international law."
    vocabulary = {word: k for k, word in enumerate(dict.fromkeys(["<unk>", "<end>", *head.split(), *words]))}
    plain = Tokenizer(WordLevel(vocabulary, unk_token="<unk>"))
    plain.pre_tokenizer = WhitespaceSplit()
    make: Any = PreTrainedTokenizerFast
    tokenizer = make(tokenizer_object=plain, unk_token="<unk>", eos_token="<end>", pad_token="<end>")
    torch.manual_seed(0)
    sizes: Any = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
    }
    model: Any = LlamaForCausalLM(
        LlamaConfig(vocab_size=len(vocabulary), max_position_embeddings=256, initializer_range=0.1, **sizes)
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    texts = [f"{lettered(row)}\nAnswer: {LETTERS[row['answer']]}" for row in rows_of(subject)]
    batch = tokenizer(texts, return_tensors="pt", padding=True)
    assert batch["attention_mask"].all(), "all rows are of one length, so that the answer is the last token"
    for _ in range(150):
        logits = model(batch["input_ids"]).logits[:, -2]
        loss: Any = torch.nn.functional.cross_entropy(logits, batch["input_ids"][:, -1])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.mark.train
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")
def test_a_graph_of_specialists_beats_its_best_worker(tmp_path: Path) -> None:
    nodes = {"physics": "astronomy", "law": "international_law"}
    for node, subject in nodes.items():
        trained(tmp_path / node, subject)
    (tmp_path / "mmlu").mkdir()
    with gzip.open(tmp_path / "mmlu" / "test_a.jsonl.gz", "wt") as file:
        file.writelines(json.dumps(row) + "\n" for name in SUBJECTS for row in rows_of(name))
    (tmp_path / "graph.yaml").write_text(
        "masters: {octopus: {neighbours: [physics, law]}}\nworkers:\n"
        "  physics: {description: 'Questions on every planet: Mars, Venus, Saturn.', model: 'hf:physics'}\n"
        "  law: {description: 'Questions on every court of law: appeal, equity.', model: 'hf:law'}\n"
    )
    arguments = ["answers", "--data", str(tmp_path), "--graph", str(tmp_path / "graph.yaml"), "--shots", "0"]
    arguments += ["--by", "likelihood", "--output", str(tmp_path), "--log", str(tmp_path / "log.jsonl")]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    figures = json.loads((tmp_path / "answers.json").read_text())
    graph = figures["systems"]["**graph**"]
    assert graph["right"] > 0.9 and graph["gain"]["low"] > 0
    assert figures["cost"]["at_home"] > 0.9
    assert sum(figures["errors"].values()) == pytest.approx(1 - graph["right"])


@dataclass
class Worker:
    """Give the same answer to everything."""

    given: WorkerAnswer
    asked: int = 0

    async def answer(self, request: WorkerRequest) -> WorkerAnswer:
        self.asked += 1
        return self.given


async def test_a_reply_is_read_with_its_tokens() -> None:
    usage = {"usage": {"input_tokens": 7, "output_tokens": 2}}
    choose = by_letter(Worker(WorkerAnswer("answered", "C, for it is.", evidence=usage)))
    assert await choose("?") == Reply(2, 7, 2)


async def test_who_does_not_answer_does_not_choose() -> None:
    assert await by_letter(Worker(WorkerAnswer("declined", "A")))("?") == Reply(None)
    with pytest.raises(ModelUnavailableError, match="no server"):
        await by_letter(Worker(WorkerAnswer("unavailable", "no server")))("?")


async def test_workers_of_one_key_share_their_replies(tmp_path: Path) -> None:
    first, second = (Worker(WorkerAnswer("answered", letter)) for letter in "AB")
    log = AnswerLog(tmp_path / "new" / "log.jsonl")
    found = [await log.ask(Answerer("same", by_letter(worker)), "?") for worker in (first, second)]
    assert found == [Reply(0), Reply(0)]
    assert (first.asked, second.asked) == (1, 0)
    other = await AnswerLog(tmp_path / "new" / "log.jsonl").ask(Answerer("other", by_letter(second)), "?")
    assert other == Reply(1)


def test_a_broken_log_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"key": 1}\n')
    with pytest.raises(InputError, match=r"log.jsonl:1"):
        AnswerLog(path)
