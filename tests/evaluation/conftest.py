"""Make a small folder of public data, and an Octopus with the seventeen nodes of mmlu."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agents.octopus.embedding import Encoder
from agents.octopus.encoder.heads import Untrained
from agents.octopus.encoder.octopus import EncoderOctopus
from agents.octopus.encoder.zero_shot import Candidate, ZeroShotHead
from agents.octopus.tokens import slot_token
from agents.types import Edge, NodeName
from evaluation import task
from tests.evaluation.exam import exam_rows, write_rows
from training.rows.mmlu import SUBJECTS


@pytest.fixture(scope="session")
def octopus(encoder: Encoder) -> EncoderOctopus:
    """Return a zero-shot Octopus over the nodes' names, each described by its subjects."""
    candidates = [
        Candidate(node, f"Answers questions on {', '.join(subjects).replace('_', ' ')}.")
        for node, subjects in SUBJECTS.items()
    ]
    neighbours = [Edge(NodeName(node), slot_token(k)) for k, node in enumerate(SUBJECTS)]
    return EncoderOctopus(neighbours, Untrained.of(ZeroShotHead.build(candidates, encoder.embed)), encoder)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Write exam questions as test, dev and validation rows, and function rows."""
    folder = tmp_path / "data"
    for name in ("test_a", "dev", "val"):
        write_rows(folder / "mmlu" / f"{name}.jsonl.gz", exam_rows())
    functions = [
        {"name": "get_weather", "description": "Weather forecast of a city."},
        {"name": "send_mail", "description": "Sends an e-mail to a person."},
    ]

    def row(key: int, query: str, right: str | None) -> dict[str, Any]:
        truth: list[dict[str, Any]] | None = [{right: {}}] if right else None
        said = [[{"role": "user", "content": query}]]
        return {"id": key, "question": said, "function": functions, "ground_truth": truth}

    fitting = [row(1, "Will it rain in Lima?", "get_weather"), row(2, "Write an e-mail to Bo", "send_mail")]
    write_rows(folder / "bfcl" / "live_multiple_a.jsonl.gz", fitting)
    write_rows(folder / "bfcl" / "live_irrelevance_a.jsonl.gz", [row(3, "Prove Fermat's theorem", None)])
    return folder


@pytest.fixture
def few_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep every tenth row only of our own tasks."""
    folder = tmp_path / "tasks"
    folder.mkdir()
    for path in task.TASKS.iterdir():
        lines = path.read_text(encoding="utf-8").splitlines()
        kept = lines[::10] + lines[1::10] if path.suffix == ".jsonl" else lines
        (folder / path.name).write_text("\n".join(kept) + "\n", encoding="utf-8")
    monkeypatch.setattr(task, "TASKS", folder)
