"""Readers of formulas, equations, bindings ("x = 2", "when x is 2"), differentials and orders."""

from __future__ import annotations

from dataclasses import dataclass

from tools.errors import ToolError
from tools.expressions import Node, Symbol, parse_prefix, symbols
from tools.reading.formula_text import render
from tools.reading.stream import Mention, Stream, UnreadError

_LINKS = tuple(
    tuple(link.split())
    for link in ("is equal to", "is", "equals", "=", "->", "approaches", "goes to", "tends to", "becomes")
)
_ORDERS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "twice": 2, "thrice": 3,
    "double": 2,
    "triple": 3,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Binding:
    """A variable with its value."""

    variable: str
    value: Node


@dataclass(frozen=True, slots=True)
class EquationText:
    """The two sides of an equation."""

    left: Node
    right: Node


def read_formulas(stream: Stream) -> None:
    """Take the longest formulas, and equations and bindings of them."""
    index = 0
    while index < len(stream):
        index = _definition(stream, index)
        if index >= len(stream):
            break
        node, end = _formula_at(stream, index)
        if node is None:
            index += 1
            continue
        index = _take_formula(stream, node, index, end)


def read_orders(stream: Stream, asks: frozenset[str]) -> None:
    """Take ordinals before a word that asks for the function: "second derivative"."""
    for index, word in enumerate(stream.lower):
        ordinal = word in ("st", "nd", "rd", "th") and stream.adjacent(index)
        first = index - 1 if ordinal else index
        value = (
            int(stream.tokens[first].text) if ordinal and stream.lower[first].isdigit() else _ORDERS.get(word)
        )
        following = stream.lower[index + 1 : index + 3]
        if value is not None and (asks.intersection(following) or word in ("twice", "thrice")):
            stream.take("order", value, first, index + 1)


def read_differentials(stream: Stream) -> None:
    """Take `dx` as the variable x."""
    for index, word in enumerate(stream.lower):
        if (
            len(word) == 2
            and word[0] == "d"
            and word[1] in "xyztuvwrs"
            and stream.tokens[index].kind == "name"
        ):
            stream.take("differential", word[1], index, index + 1)


def join_equations(stream: Stream) -> None:
    """Make one mention of all equations; in a system, the unknowns named beside it are understood."""
    found = [mention for mention in stream.mentions if mention.kind in ("equation", "binding")]
    if not found:
        return
    unknowns = frozenset().union(*(_unknowns(mention.value) for mention in found))
    others = [mention for mention in stream.mentions if mention not in found]
    if len(found) > 1:
        others = [one for one in others if not (isinstance(one.value, Symbol) and one.value.name in unknowns)]
    texts = [_equation_text(mention.value) for mention in found]
    stream.mentions = [*others, Mention("equations", texts, found[0].first, found[-1].end)]


def _unknowns(value: Binding | EquationText) -> frozenset[str]:
    if isinstance(value, Binding):
        return frozenset({value.variable})
    return symbols(value.left) | symbols(value.right)


def _equation_text(value: Binding | EquationText) -> str:
    if isinstance(value, Binding):
        return f"{value.variable} = {render(value.value)}"
    return f"{render(value.left)} = {render(value.right)}"


def _definition(stream: Stream, index: int) -> int:
    """Step over the `f(x) =` of a definition."""
    low = stream.lower[index : index + 5]
    if len(low) == 5 and low[0] in "fgh" and (low[1], low[3], low[4]) == ("(", ")", "=") and len(low[2]) == 1:
        stream.understand(range(index, index + 5))
        return index + 5
    return index


def _formula_at(stream: Stream, index: int) -> tuple[Node | None, int]:
    if stream.taken[index] or _is_article(stream, index):
        return None, index
    stop = next((i for i in range(index, len(stream)) if stream.taken[i]), len(stream))
    try:
        node, end = parse_prefix(stream.tokens[:stop], index)
    except ToolError as error:
        raise UnreadError(str(error)) from error
    exclaims = node is not None and stream.lower[end - 1] == "!" and end == len(stream) and end - index != 2
    if exclaims and "!" not in stream.lower[index : end - 1]:
        raise UnreadError(f"The '!' of {stream.source(index, end)!r} can be a factorial or punctuation.")
    return node, end


def _value_at(stream: Stream, index: int) -> tuple[Node | None, int]:
    """After an arrow the value is one number: a formula may follow it, as in `lim x->0 sin(x)/x`."""
    end = index + (2 if stream.lower[index] in "+-" else 1)
    node, reached = parse_prefix(stream.tokens[:end], index)
    return node, reached


def _is_article(stream: Stream, index: int) -> bool:
    """Whether `a` is the article: nothing but a space follows, and no operator."""
    if stream.lower[index] != "a" or stream.tokens[index].kind != "name":
        return False
    if index + 1 >= len(stream) or stream.tokens[index + 1].kind in ("operator", "superscript"):
        return False
    following, _ = parse_prefix(stream.tokens, index + 1)
    if following is not None and symbols(following):
        raise UnreadError("The 'a' before a formula can be a variable or an article.")
    return True


def _take_formula(stream: Stream, node: Node, index: int, end: int) -> int:
    """Take the formula, or the binding or equation that it begins; the index after it."""
    for link in _LINKS:
        after = end + len(link)
        if not stream.words_at(end, link) or after >= len(stream):
            continue
        right, right_end = _formula_at(stream, after) if link != ("->",) else _value_at(stream, after)
        if right is None:
            continue
        if link == ("=",) and stream.lower[right_end : right_end + 1] == ["="]:
            raise UnreadError(f"{stream.source(index, right_end)!r} has more than one '='.")
        if {"mod", "modulo"}.intersection(stream.lower[index : right_end + 1]):
            raise UnreadError("Equations in modular arithmetic are not read.")
        if isinstance(node, Symbol) and not symbols(right):
            stream.take("binding", Binding(node.name, right), index, right_end)
            return right_end
        if link in (("=",), ("equals",), ("is", "equal", "to")):
            stream.take("equation", EquationText(node, right), index, right_end)
            return right_end
    stream.take("formula", node, index, end)
    return end
