"""Check that a synthesis is kept on disk, batch by batch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from training.rows.synthesis_log import Synthesis, finish, resume


def batch(number: int, *nodes: str | None) -> dict[str, Any]:
    rows = [{"query": f"{number} {k}", "node": node} for k, node in enumerate(nodes)]
    return {"batch": number, "rows": rows, "counts": {"made": 3}, "calls": 1, "read": 200, "written": 50}


def test_a_line_that_was_cut_off_is_made_again(tmp_path: Path) -> None:
    assert resume(tmp_path, {"seed": 0}) == {}
    log = tmp_path / "batches.jsonl"
    whole = json.dumps(batch(0, "chef")) + "\n"
    log.write_text(whole + json.dumps(batch(1, "vet"))[:-5])
    assert list(resume(tmp_path, {"seed": 0})) == [0]
    assert log.read_text() == whole
    log.write_text('{"batch": 0')
    assert resume(tmp_path, {"seed": 0}) == {} and log.read_text() == ""


def test_what_was_made_is_counted_and_priced(tmp_path: Path) -> None:
    made = Synthesis()
    for number, nodes in enumerate([("chef", "chef"), (None,), ("vet",)]):
        made.add(batch(number, *nodes))
    assert [made.kept(node) for node in ("chef", "vet", "none")] == [2, 1, 1]
    finish(made, tmp_path, (2.0, 10.0))
    told = json.loads((tmp_path / "synthesis.json").read_text())
    assert told["by_node"] == {"chef": 2, "none": 1, "vet": 1}
    assert told["counts"] == {"made": 9} and told["calls"] == 3
    assert told["dollars"] == (600 * 2 + 150 * 10) / 1e6
    assert len((tmp_path / "rows.jsonl").read_text().splitlines()) == 4
