"""`octopus eval routing`, on an exam of six questions."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from agents.errors import InputError
from agents.octopus.encoder.octopus import EncoderOctopus
from evaluation.conversations.dialogues import evaluate_dialogues
from evaluation.metrics import NONE
from evaluation.routing.benchmark import FORMS, check_nodes, octopus_predictions, plain, read_exam
from evaluation.routing.report import evaluate_routing
from tests.evaluation.answers.exam import EXAM, exam_rows, write_rows


def test_the_exam_is_read_in_both_forms(data: Path) -> None:
    exam = read_exam(data)
    assert exam.nodes == ["physics"] * 3 + ["law"] * 3
    assert exam.texts[FORMS[0]][0] == EXAM[0][1]
    assert exam.texts[FORMS[1]][0] == f"{EXAM[0][1]}\nthe first\nthe second\nthe third\nnone of them"


def test_a_limit_takes_the_same_random_rows_each_time(data: Path) -> None:
    first, again = read_exam(data, limit=3), read_exam(data, limit=3)
    assert first == again
    assert len(first.nodes) == 3


def test_an_unknown_subject_is_refused(data: Path) -> None:
    write_rows(data / "mmlu" / "test_b.jsonl.gz", [{**exam_rows()[0], "subject": "alchemy"}])
    with pytest.raises(InputError, match="'alchemy'"):
        read_exam(data)


def test_predictions_are_the_routes(octopus: EncoderOctopus) -> None:
    queries = [["Which court settles disputes over a treaty?"], ["How high does a ball rise?"], ["zzz qqq"]]
    predictions = octopus_predictions(octopus, queries)
    routes = octopus.decide_all(queries)
    names = check_nodes(octopus, [])
    for row, route in enumerate(routes):
        assert (names[predictions.chosen[row]] if predictions.chosen[row] != NONE else None) == route.node
        assert predictions.scores[row].max() == pytest.approx(route.choices[0].probability)
    assert names[predictions.chosen[0]] == "law"
    assert names[predictions.chosen[1]] == "physics"


def test_a_graph_without_the_nodes_is_refused(octopus: EncoderOctopus) -> None:
    with pytest.raises(InputError, match="'alchemy'"):
        check_nodes(octopus, ["law", "alchemy"])


@pytest.mark.usefixtures("few_rows")
def test_the_report_holds_tables_figures_and_a_picture(
    octopus: EncoderOctopus, data: Path, tmp_path: Path
) -> None:
    steps: list[float] = []
    report = evaluate_routing(octopus, octopus, data, baselines=False, advance=steps.append)
    assert sum(steps) == pytest.approx(1.0)
    assert "| **Octopus** | with choices |" in report.markdown
    report.write(tmp_path / "report")
    figures = json.loads((tmp_path / "report" / "routing.json").read_text())
    assert figures["mmlu"]["octopus"]["question"]["rows"] == 6
    assert figures["mmlu"]["octopus"]["question"]["accuracy"] >= 0.5
    assert set(figures["natural"]) == {"word problems", "Python stubs", "medical cases"}
    assert figures["languages"]["English"]["rows"] == 4
    assert (tmp_path / "report" / "routing-confusion.png").read_bytes().startswith(b"\x89PNG")


def test_dialogues_tell_follow_ups_from_changes(octopus: EncoderOctopus) -> None:
    opening = "Which force keeps the planets in orbit around the sun?"
    rows = [
        {"turns": [opening, "and why is that?"], "nodes": ["physics", "physics"]},
        {
            "turns": [opening, "May a country leave an international treaty that it signed?"],
            "nodes": ["physics", "law"],
        },
    ]
    found = evaluate_dialogues(octopus, rows)
    assert found["octopus"].recognised_follow_ups == found["octopus"].recognised_changes == 1.0
    assert found["octopus"].changes == found["last turn only"].changes == 1.0
    assert found["octopus"].follow_ups == 1.0
    assert found["last turn only"].recognised_changes is None


def test_figures_become_json_values() -> None:
    assert plain({"a": 0.123456, "b": None, "c": {"d": 3}}) == {"a": 0.1235, "b": None, "c": {"d": 3}}
    assert np.isclose(plain(1 / 3), 0.3333)
