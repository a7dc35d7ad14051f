"""Task graph → spec."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agents.errors import SpecError
from graphs.spec_file import load_spec
from graphs.task_graph import import_task_graph

GRAPH: dict[str, Any] = {
    "nodes": [
        {"id": "Image Caption", "desc": "Says what a picture ${shows}.", "input-type": ["image"]},
        {"id": "Translate", "desc": "", "domain": ["Language", "Travel"]},
        {"id": "octopus", "desc": "A worker with the master's usual name."},
    ],
    "links": [
        {"source": "Image Caption", "target": "Translate", "type": "text"},
        {"source": "Image Caption", "target": "Translate", "type": "again"},
        {"source": "Translate", "target": "Translate"},
    ],
}


def imported(tmp_path: Path, graph: object) -> Path:
    (tmp_path / "my tasks.json").write_text(json.dumps(graph), encoding="utf-8")
    import_task_graph(tmp_path / "my tasks.json", tmp_path / "out" / "spec.yaml")
    return tmp_path / "out" / "spec.yaml"


def test_ids_become_workers_and_the_entry_sees_all(tmp_path: Path) -> None:
    spec = load_spec(imported(tmp_path, GRAPH), environment={})
    assert spec.name == "my_tasks"
    assert spec.entry == "octopus_"
    assert list(spec.workers) == ["Image Caption", "Translate", "octopus"]
    assert list(spec.masters[spec.entry].neighbours) == list(spec.workers)
    caption, translate, _ = spec.workers.values()
    assert caption.description == "Says what a picture ${shows}."
    assert list(caption.neighbours) == ["Translate"]
    assert translate.description == "Translate"


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        ({"nodes": [{"id": "a"}, {"id": "a"}]}, "'a' stands twice"),
        ({"nodes": [{"id": "a"}], "links": [{"source": "a", "target": "b"}]}, "'a' → 'b' names unknown 'b'"),
        ({"nodes": [{"desc": "x"}]}, r"nodes\.0\.id: Field required"),
        ({"nodes": []}, "has no neighbours|is empty"),
        ([], "valid dictionary|object"),
        ({"nodes": [{"id": "a|b"}]}, "cannot name a node"),
    ],
)
def test_faults_are_named_and_nothing_is_written(tmp_path: Path, graph: object, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        imported(tmp_path, graph)
    assert not (tmp_path / "out").exists()


def test_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="cannot be read"):
        import_task_graph(tmp_path / "none.json", tmp_path / "out.yaml")
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(SpecError, match="Invalid JSON"):
        import_task_graph(tmp_path / "bad.json", tmp_path / "out.yaml")
