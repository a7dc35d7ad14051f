"""Complete a turn that names another function: "and the mean?", "its second derivative?".

Functions are named as tools name them.
"""

from __future__ import annotations

import re
from functools import cache

from agents.octopus.conversation.dependent_clauses import EXPLETIVE
from agents.octopus.conversation.slots import figures, kind_of, names_in, phrases_of
from tools import types
from tools.registry import SUBJECTS, functions

_DETERMINER = re.compile(
    r"(?:(?:what(?:'s| is| are| was)|whats|how about|give me|tell me|find|compute|calculate|show me)\s+)?"
    r"(?:(?P<whose>the|its|their|a|an|his|her)\s+)?(?P<noun>.+?)"
    r"(?:\s+(?:of|for) (?:it|them|those|these|that one|this one))?",
    re.IGNORECASE,
)
_MOST_WORDS = 10
_WHAT = re.compile(r"(?:what|which|how|when|where|is|does|convert|in|at)\b", re.IGNORECASE)
_POINTS = re.compile(
    r"\b(?:it|(?<!is )(?<!are )(?<!was )there(?! (?:is|are|was|were)\b)|they|its|their)\b", re.IGNORECASE
)
_ORDER = re.compile(r"(?:(?:the )?)(first|second|third|fourth|fifth)(?: (?:one|derivative))?", re.IGNORECASE)
_ASKS_FOR_NAME = re.compile(r"\b(?:capital|city|who|whose|which|author)\b", re.IGNORECASE)
_ADJECTIVE = r"(?:(?:first|second|third|fourth|fifth|sample|population|partial|arithmetic|weighted)\s+)?"
# What asks in words that are no name of a function.
_NO_NOUN = frozenset(
    "what is|if|find|add|plus|minus|g|grams|day|days|value|number|money|like|solve|how long|add to|from|later"
    "|earlier|after|before|what day|which day|how big|how large|weigh|decode|invest|worth|grow|grow to"
    "|subtract|reduce|increase|decrease|divide|multiply|round|rounded|calculate|compute|evaluate|substitute|plug"
    "|people live|C|P|choose|times|leap|prime|pay with|how far".split("|")
)  # fmt: skip
_KINDS = {
    "formula": (types.Expression, types.Polynomial),
    "equation": (types.Equations,),
    "calculation": (types.Calculation,),
    "list": (types.Numbers, types.Integers),
    "matrix": (types.Matrix, types.Numbers),
    "number": (types.Number, types.Integer),
    "date": (types.Date,),
    "name": (types.Country, types.City, types.Element, types.Formula),
}


def with_name(turn: str, question: str, answer: str) -> str:
    """Return a turn with the name that "it" or "there" points to: of the answer, or else of the question."""
    asks_for_name = _ASKS_FOR_NAME.search(question)
    name = answer if asks_for_name else _asked_of(question, frozenset({"name"}))
    if not name or len(turn.split()) > _MOST_WORDS or EXPLETIVE.search(turn) or not _WHAT.match(turn):
        return ""
    points = list(_POINTS.finditer(turn))
    if len(points) != 1:
        return ""
    (point,) = points
    word = point[0].lower()
    if word == "they" or (word == "their" and asks_for_name):
        return ""
    if word in ("its", "their"):
        return f"{turn[: point.start()]}the{turn[point.end() :].rstrip(' ?.')} of {name}?"
    return turn[: point.start()] + (f"in {name}" if word == "there" else name) + turn[point.end() :]


def names_function(text: str) -> bool:
    """Return whether a text names what tools can be asked for."""
    return _head(text) is not None


def asks_of_names(turn: str) -> bool:
    """Return whether a turn asks for what only countries, cities and elements have: "how big is it?"."""
    return re.search(rf"\b(?:{_of_names()})\b", turn, re.IGNORECASE) is not None


def with_function(body: str, question: str) -> str:
    """Replace the function that is asked for, named as tools name it, and keep what it is asked of."""
    known = _functions()
    found = _DETERMINER.fullmatch(body)
    head = _head(question)
    if head and (order := _ORDER.fullmatch(body)) and head[2].endswith("derivative"):
        return f"{question[: head[0]]}{order[1].lower()} derivative{question[head[1] :]}"
    if found is None:
        return ""
    noun = re.sub(r"\s+", " ", found["noun"]).lower()
    plain = re.sub(rf"^{_ADJECTIVE}", "", noun)
    wanted = known.get(noun) or known.get(plain)
    if not wanted or (head and head[2] == noun):
        return ""
    own = (found["whose"] or "the").lower() != "the"
    if own and noun in _of_cities() and _ASKS_FOR_NAME.search(question):
        return ""  # "and its population": of Kenya, or of the capital that was just named
    asked_of = _asked_of(question, wanted)
    if not asked_of:
        return ""
    if head and re.match(r"\s+(?:of|for|between)\s", question[head[1] :]):
        return f"{question[: head[0]]}{noun}{question[head[1] :]}"
    return f"{noun} of {asked_of}"


def _head(question: str) -> tuple[int, int, str] | None:
    """Return where the function that a question asks for is named, by its longest name."""
    spans = list(re.finditer(rf"\b{_ADJECTIVE}(?P<noun>{_nouns()})\b", question, re.IGNORECASE))
    if not spans:
        return None
    longest = max(spans, key=lambda match: match.end() - match.start())
    return longest.start(), longest.end(), re.sub(r"\s+", " ", longest[0]).lower()


def _asked_of(question: str, wanted: frozenset[str]) -> str:
    """Return what a question is asked of, if a function of arguments of these kinds can be asked it too."""
    found = [slot for slot in figures(question) if slot.kind in _KINDS and slot.kind not in ("date", "name")]
    if found:
        first = found[0].kind
        if (
            first not in wanted
            or any(slot.kind != first for slot in found)
            or (len(found) > 1 and first != "matrix")
        ):
            return ""
        return question[found[0].start : found[-1].end]
    if "name" not in wanted:
        return ""
    for phrase in reversed(phrases_of(question)):
        if kind_of(phrase.text) == "name":
            return phrase.text
    names = names_in(question)
    return names[0].text if len(names) == 1 else ""


@cache
def _functions() -> dict[str, frozenset[str]]:
    """Return the kinds that each function may be asked of, by each of its names."""
    found: dict[str, frozenset[str]] = {}
    for function in functions(*SUBJECTS):
        wanted = {parameter.type for parameter in function.parameters if parameter.required}
        kinds = frozenset(kind for kind, kept in _KINDS.items() if any(one in wanted for one in kept))
        for name in function.asks:
            if name not in _NO_NOUN and kinds:
                bare = name.removeprefix("the ").removesuffix(" of").removesuffix(" for")
                found[bare] = found.get(bare, frozenset()) | kinds
    return found


@cache
def _of_cities() -> frozenset[str]:
    """Return the names of functions that may be asked of a city."""
    asked = [one for one in functions(*SUBJECTS) if any(part.type is types.City for part in one.parameters)]
    return frozenset(name for one in asked for name in one.asks)


@cache
def _of_names() -> str:
    """Return a pattern of what asks for functions that are asked of names alone."""
    asked = [
        one for one in functions(*SUBJECTS) if {part.type for part in one.parameters} <= set(_KINDS["name"])
    ]
    return "|".join(re.escape(name) for one in asked for name in one.asks)


@cache
def _nouns() -> str:
    return "|".join(re.escape(name) for name in sorted(_functions(), key=len, reverse=True))
