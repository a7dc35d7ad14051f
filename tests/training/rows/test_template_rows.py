"""Check that made-up rows repeat for a seed, keep held-out templates apart, and agree with the spec."""

from __future__ import annotations

from graphs.assembly import find_spec
from training.rows.template_rows import load_templates, template_rows


def test_rows_are_the_same_for_a_seed() -> None:
    assert template_rows(50, seed=3) == template_rows(50, seed=3)
    assert template_rows(50, seed=3) != template_rows(50, seed=4)


def test_held_out_templates_are_never_trained_on() -> None:
    for own in load_templates().nodes.values():
        assert len(set(own.train) | set(own.held_out)) == len(own.train) + len(own.held_out)


def test_held_out_rows_are_new() -> None:
    trained = {row.query for row in template_rows(3000, seed=0)}
    assert not trained & {row.query for row in template_rows(400, seed=0, held_out=True)}


def test_rewrites_are_the_templates_of_the_workers() -> None:
    workers = find_spec("subjects").workers
    own = load_templates().nodes
    assert {str(name): worker.template for name, worker in workers.items()} == {
        name: part.rewrite for name, part in own.items()
    }


def test_nodes_are_balanced() -> None:
    rows = template_rows(80, seed=0)
    assert {sum(row.node == node for row in rows) for node in load_templates().nodes} == {10}
