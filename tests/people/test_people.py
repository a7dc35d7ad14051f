"""People's conversations, asked of the real server with a model that refuses malformed requests.

`open.jsonl` may be looked at. `sealed.jsonl` may not: no rule is fitted to it, and no test says which fail.
The half of a row is the parity of the SHA-256 of its id.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from app.server.application import create_app
from app.server.settings import ServerSettings
from evaluation.people import MakeServer, ask_people, evaluate_people

HERE = Path(__file__).parent
AT_LEAST = {HERE / "open.jsonl": 0.98, HERE / "sealed.jsonl": 0.92}
if (data := Path(os.environ.get("OCTOPUS_DATA", "")) / "people" / "conversations.jsonl").is_file():
    AT_LEAST[data] = 0.95


def rows_of(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_the_rows_are_of_their_half() -> None:
    halves = [rows_of(HERE / "open.jsonl"), rows_of(HERE / "sealed.jsonl")]
    for parity, rows in enumerate(halves):
        for row in rows:
            assert int(hashlib.sha256(row["id"].encode()).hexdigest(), 16) % 2 == parity
            assert set(row) == {"id", "kind", "turns", "expect"}
            re.compile(row["expect"])
    ids = [row["id"] for rows in halves for row in rows]
    assert len(set(ids)) == len(ids)
    assert {row["kind"] for row in halves[0]} == {row["kind"] for row in halves[1]}


@pytest.fixture
def mmlu(tmp_path: Path) -> MakeServer:
    def make(reference: str) -> FastAPI:
        given = {"OCTOPUS_HOME": str(tmp_path), "OCTOPUS_MODEL": reference}
        return create_app(ServerSettings.read(given, graphs=("mmlu",)))

    return make


@pytest.mark.parametrize("file", AT_LEAST, ids=lambda file: file.stem)
def test_share_of_last_answers_that_are_right(file: Path, mmlu: MakeServer) -> None:
    report = evaluate_people(rows_of(file), mmlu, told=file.stem != "sealed")
    assert min(report.figures["right"]["all"].values()) >= AT_LEAST[file], report.markdown


def test_who_is_told_thanks_knows_for_what(mmlu: MakeServer) -> None:
    rows = [row for row in rows_of(HERE / "open.jsonl") if row["kind"] == "speaking"]
    for one in ask_people(rows, mmlu):
        # The prompt of the worker, and every turn.
        size = {2: "four", 3: "six"}[len(one.row["turns"])]
        assert one.answer == f"MODEL was sent {size} of the messages.", one
