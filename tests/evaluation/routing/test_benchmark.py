"""Test `octopus eval routing` on an exam of six questions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agents.errors import InputError
from agents.octopus.encoder.octopus import EncoderOctopus
from evaluation.routing.benchmark import FORMS, evaluate_routing, read_forms
from tests.evaluation.exam import EXAM, exam_rows, write_rows


def test_the_exam_is_read_in_both_forms(data: Path) -> None:
    texts, nodes = read_forms(data)
    assert nodes == ["physics"] * 3 + ["law"] * 3
    assert texts[FORMS[0]][0] == EXAM[0][1]
    assert texts[FORMS[1]][0] == f"{EXAM[0][1]}\nthe first\nthe second\nthe third\nnone of them"


def test_a_limit_takes_the_same_random_rows_each_time(data: Path) -> None:
    first, again = read_forms(data, limit=3), read_forms(data, limit=3)
    assert first == again
    assert len(first[1]) == 3


def test_an_unknown_subject_is_refused(data: Path) -> None:
    write_rows(data / "mmlu" / "test_b.jsonl.gz", [{**exam_rows()[0], "subject": "alchemy"}])
    with pytest.raises(InputError, match="'alchemy'"):
        read_forms(data)


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
