"""A small kitchen of our own: a task graph, requests and their paths."""

from __future__ import annotations

from typing import Any

from agents.octopus.planning.path_graph import PathGraph
from agents.types import NodeName

DOCSTRINGS = {
    "find_recipe": "Finds a recipe for a dish.",
    "buy_food": "Buys ingredients in a shop.",
    "cook_dish": "Cooks a dish by its recipe.",
    "set_timer": "Sets a kitchen timer.",
    "invite_guests": "Invites guests to a dinner by mail.",
    "wash_up": "Washes the dishes.",
}
NEIGHBOURS = {
    "find_recipe": ["buy_food", "cook_dish"],
    "buy_food": ["cook_dish"],
    "cook_dish": ["set_timer", "wash_up", "cook_dish"],
    "set_timer": [],
    "invite_guests": ["find_recipe", "cook_dish"],
    "wash_up": ["invite_guests"],
}
_DISHES = "lentil soup|apple pie|fish stew|mushroom risotto|plum cake|onion tart".split("|")
_FORMS = {
    ("find_recipe", "buy_food"): "Look up a recipe for {} and buy the ingredients.",
    ("find_recipe", "cook_dish"): "Find a recipe for {}, then cook it.",
    ("buy_food", "cook_dish", "wash_up"): "Buy what {} needs, cook it and wash up afterwards.",
    ("cook_dish", "set_timer"): "Cook {} and set the timer to twenty minutes.",
    ("invite_guests", "cook_dish"): "Invite our guests to dinner and cook {} for them.",
    ("wash_up",): "Do the washing up after the {}.",
}
ROWS: list[dict[str, Any]] = [
    {"query": form.format(dish), "path": list(path)} for dish in _DISHES for path, form in _FORMS.items()
]

SPEC = "name: kitchen\nentry: octopus\nmasters:\n  octopus: {neighbours: [%s]}\nworkers:\n" % ", ".join(
    DOCSTRINGS
) + "".join(
    f'  {name}: {{description: "{text}", neighbours: [{", ".join(NEIGHBOURS[name])}]}}\n'
    for name, text in DOCSTRINGS.items()
)


def kitchen() -> PathGraph:
    """The graph; its master sees all workers."""
    names = [NodeName(name) for name in DOCSTRINGS]
    ahead = {NodeName(name): [NodeName(n) for n in after] for name, after in NEIGHBOURS.items()}
    return PathGraph.of({NodeName("octopus"): names, **ahead}, NodeName("octopus"), [NodeName("octopus")])
