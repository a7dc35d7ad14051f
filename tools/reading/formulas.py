"""Read formulas, equations, bindings ("x = 2", "when x is 2"), differentials and orders; write formulas.

Ours, because parsers of formulas read a whole text and find some meaning in any: here a formula ends where
the words go on, and what can be read in two ways is refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from tools.declaration import ToolError
from tools.expressions import NAMES, Apply, Literal, Node, Symbol, parse_prefix, symbols
from tools.reading.query import Mention, TokenizedQuery, UnreadError

_LINKS = tuple(
    tuple(link.split())
    for link in ("is equal to", "is", "equals", "=", "->", "approaches", "goes to", "tends to", "becomes")
)
_BEGINNINGS = NAMES.union("+-(|")
_RELATIONS = {
    "more than": ">", "greater than": ">", "bigger than": ">", "larger than": ">", "higher than": ">",
    "less than": "<", "smaller than": "<", "lower than": "<", "fewer than": "<", "equal to": "=",
    "the same as": "=", "equals": "=", "equivalent to": "=", "<": "<", ">": ">",
}  # fmt: skip
_BEFORE_SIGN = frozenset(
    "is are of by to from at and or equals than what's whats calculate compute evaluate solve simplify with "
    "for in over between s plus minus times find factor expand".split()
)
_BEFORE_YOU = frozenset("can could would will do did if".split())
_FUNCTION_NAMES = ("f", "g", "h")
_ORDERS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "twice": 2, "thrice": 3,
    "double": 2, "triple": 3,
}  # fmt: skip
_LEVELS = {"+": 1, "-": 1, "*": 2, "/": 2, "mod": 2, "negative": 3, "^": 4, "factorial": 5}


@dataclass(frozen=True, slots=True)
class Binding:
    """Hold a variable with its value."""

    variable: str
    value: Node


@dataclass(frozen=True, slots=True)
class EquationText:
    """Hold the two sides of an equation."""

    left: Node
    right: Node


def render(node: Node) -> str:
    """Write a tree as text of the grammar, with as few parentheses as it needs."""
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


def read_formulas(query: TokenizedQuery) -> None:
    """Take the longest formulas, and equations and bindings of them."""
    index = 0
    while index < len(query.tokens):
        index = _definition(query, index)
        if index >= len(query.tokens):
            break
        node, end = _formula_at(query, index)
        if node is None:
            index += 1
            continue
        _refuse_dash(query, index)
        index = _take_formula(query, node, index, end)


def _refuse_dash(query: TokenizedQuery, index: int) -> None:
    """Refuse "quick one - 17 * 23": the dash is a sign only after a word that one can follow.

    Raises:
        UnreadError: if it may be either.
    """
    if query.words[index] != "-" or not index or query.adjacent(index) or query.adjacent(index + 1):
        return
    before = query.words[index - 1]
    if query.tokens[index - 1].kind == "name" and before not in _BEFORE_SIGN:
        raise UnreadError(f"The '-' after {before!r} can be a dash or a minus: write -5, without a space.")


def read_orders(query: TokenizedQuery, asks: frozenset[str]) -> None:
    """Take ordinals before a word that asks for the function: "second derivative"."""
    for index, word in enumerate(query.words):
        ordinal = word in ("st", "nd", "rd", "th") and query.adjacent(index)
        first = index - 1 if ordinal else index
        in_figures = ordinal and query.words[first].isdigit()
        value = int(query.words[first]) if in_figures else _ORDERS.get(word)
        following = query.words[index + 1 : index + 3]
        if value is not None and (asks.intersection(following) or word in ("twice", "thrice")):
            query.take("order", value, first, index + 1)


def read_relations(query: TokenizedQuery) -> None:
    """Take "more than", "equal to" and the like."""
    for index in range(len(query.tokens)):
        for phrase, sign in _RELATIONS.items():
            words = phrase.split()
            if query.words_at(index, words):
                query.take("relation", sign, index, index + len(words))


def read_differentials(query: TokenizedQuery) -> None:
    """Take `dx` as the variable x."""
    for index, word in enumerate(query.words):
        if is_differential(word) and query.tokens[index].kind == "name":
            query.take("differential", word[1], index, index + 1)


def is_differential(word: str) -> bool:
    """Return whether a word is `dx` or the like."""
    return len(word) == 2 and word[0] == "d" and word[1] in "xyztuvwrs"


def join_equations(query: TokenizedQuery) -> None:
    """Make one mention of all equations; in a system, the unknowns named beside it are understood."""
    found = [mention for mention in query.mentions if mention.kind in ("equation", "binding")]
    if not found:
        return
    unknowns = frozenset().union(*(_unknowns(mention.value) for mention in found))
    others = [mention for mention in query.mentions if mention not in found]
    if len(found) > 1:
        others = [one for one in others if not (isinstance(one.value, Symbol) and one.value.name in unknowns)]
    texts = [_equation_text(mention.value) for mention in found]
    query.mentions = [*others, Mention("equations", texts, found[0].first, found[-1].end)]


def _unknowns(value: Binding | EquationText) -> frozenset[str]:
    if isinstance(value, Binding):
        return frozenset({value.variable})
    return symbols(value.left) | symbols(value.right)


def _equation_text(value: Binding | EquationText) -> str:
    if isinstance(value, Binding):
        return f"{value.variable} = {render(value.value)}"
    return f"{render(value.left)} = {render(value.right)}"


def _definition(query: TokenizedQuery, index: int) -> int:
    """Step over the `f(x) =` of a definition."""
    name, opening, variable, closing, sign = query.words[index : index + 5]
    if name in _FUNCTION_NAMES and opening + closing + sign == "()=" and len(variable) == 1:
        query.understand(range(index, index + 5))
        return index + 5
    return index


def _formula_at(query: TokenizedQuery, index: int) -> tuple[Node | None, int]:
    if query.words[index] == "u" and query.words[index - 1] in _BEFORE_YOU:
        return None, index
    may_begin = query.tokens[index].kind == "number" or query.words[index] in _BEGINNINGS
    if query.taken[index] or not may_begin or _is_article(query, index):
        return None, index
    stop = next((i for i in range(index, len(query.tokens)) if query.taken[i]), len(query.tokens))
    try:
        node, end = parse_prefix(query.tokens[:stop], index)
    except ToolError as error:
        raise UnreadError(str(error)) from error
    if node is None or end < len(query.tokens):
        return node, end
    if query.words[end - 1] == "!" and end - index != 2 and "!" not in query.words[index : end - 1]:
        raise UnreadError(f"The '!' of {query.source(index, end)!r} can be a factorial or punctuation.")
    return node, end


def _value_at(query: TokenizedQuery, index: int) -> tuple[Node | None, int]:
    """Read one number after an arrow: a formula may follow it, as in `lim x->0 sin(x)/x`."""
    end = index + (2 if query.words[index] in "+-" else 1)
    node, reached = parse_prefix(query.tokens[:end], index)
    return node, reached


def _is_article(query: TokenizedQuery, index: int) -> bool:
    """Return whether `a` is the article: nothing but a space follows, and no operator."""
    if query.words[index] != "a" or query.tokens[index].kind != "name":
        return False
    if index + 1 >= len(query.tokens) or query.tokens[index + 1].kind in ("operator", "superscript"):
        return False
    following, _ = parse_prefix(query.tokens, index + 1)
    if following is not None and symbols(following):
        raise UnreadError("The 'a' before a formula can be a variable or an article.")
    return True


def _take_formula(query: TokenizedQuery, node: Node, index: int, end: int) -> int:
    """Take the formula, or the binding or equation that it begins, and return the index after it."""
    for link in _LINKS:
        after = end + len(link)
        if not query.words_at(end, link) or after >= len(query.tokens):
            continue
        right, right_end = _formula_at(query, after) if link != ("->",) else _value_at(query, after)
        if right is None:
            continue
        if link == ("=",) and query.words[right_end] == "=":
            raise UnreadError(f"{query.source(index, right_end)!r} has more than one '='.")
        if {"mod", "modulo"}.intersection(query.words[index : right_end + 1]):
            raise UnreadError("Equations in modular arithmetic are not read.")
        if isinstance(node, Symbol) and not symbols(right):
            query.take("binding", Binding(node.name, right), index, right_end)
            return right_end
        if link in (("=",), ("equals",), ("is", "equal", "to")):
            query.take("equation", EquationText(node, right), index, right_end)
            return right_end
    if isinstance(node, Symbol) and node.name in _FUNCTION_NAMES:
        raise UnreadError(f"{node.name!r} is the name of a function: write its formula.")
    query.take("formula", node, index, end)
    return end


def _level(node: Node) -> int:
    return _LEVELS.get(node.name, 9) if isinstance(node, Apply) else 9


def _enclose(text: str, needed: bool) -> str:
    return f"({text})" if needed else text
