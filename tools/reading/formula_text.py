"""Trees of `tools.expressions` as text."""

from __future__ import annotations

from tools.expressions import Apply, Literal, Node, Symbol

_LEVELS = {"+": 1, "-": 1, "*": 2, "/": 2, "mod": 2, "negative": 3, "^": 4, "factorial": 5}


def render(node: Node) -> str:
    """A tree as text of the grammar, with as few parentheses as it needs."""
    if isinstance(node, Literal):
        return node.digits
    if isinstance(node, Symbol):
        return node.name
    texts = [render(argument) for argument in node.arguments]
    levels = [_level(argument) for argument in node.arguments]
    level = _LEVELS.get(node.name)
    if level is None:
        name = {"E": "e"}.get(node.name, node.name)
        return f"{name}({texts[0]})" if texts else name
    if node.name == "negative":
        return f"-{_enclose(texts[0], levels[0] <= level)}"
    if node.name == "factorial":
        return f"{_enclose(texts[0], levels[0] <= level)}!"
    left = _enclose(texts[0], levels[0] < level or (node.name == "^" and levels[0] == level))
    right = _enclose(
        texts[1], levels[1] < level or (levels[1] == level and node.name != "^") or levels[1] == 3
    )
    return f"{left}^{right}" if node.name == "^" else f"{left} {node.name} {right}"


def _level(node: Node) -> int:
    return _LEVELS.get(node.name, 9) if isinstance(node, Apply) else 9


def _enclose(text: str, needed: bool) -> str:
    return f"({text})" if needed else text
