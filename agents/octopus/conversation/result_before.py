"""Read the result before from the assistant's words, and put it where a turn refers to it.

Only what is clear is read: the first line of a computed answer, or an answer that is nothing but a value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from agents.octopus.conversation.dependent_clauses import EXPLETIVE
from agents.octopus.conversation.slots import NUMBER, Kind, figures, is_unit, kind_of, quantities
from tools.reading.normal import normalised

_COMPUTED = re.compile(r"^(?P<result>[^\n]+)\n+Computed with (?P<function>[\w.]+)\(.*\Z", re.DOTALL)
_REMARK = re.compile(r"(?:\s+each)?(?:\s+\([^()]*\))?(?:\s+as the crow flies)?\s*$")
_QUANTITY = re.compile(rf"(?P<number>-?{NUMBER}(?:e[+-]?\d+)?)\s*(?P<unit>\D.*)")
_NO_NUMBER = re.compile(r"encodings\.(?!from_roman)|geography\.calling_code|dates\.convert_time")
_IT = (
    r"(?:it|(?:(?:the|that|this) (?:result|answer|number|value|amount|sum|total|product|difference|date"
    r"|function"
    r"|expression|polynomial|formula|distance|one)|that|this)(?=\W*$|\W+(?:to|by|from|with|and|times|plus"
    r"|minus|in"
    r"|into|at|as|per|off|mod|prime|even|odd|an?|squared|cubed|divided|multiplied|doubled|tripled|halved"
    r"|rounded|raised"
    r"|please|again|away)\b))"
)
_PARTS = {
    "IT": _IT,
    "NUM": rf"(?P<n>-?[$€£]?{NUMBER})",
    "PCT": rf"(?P<p>{NUMBER})\s?(?:%|percent|per cent)",
    "TAX": r"(?:(?:sales )?tax|vat|tip|service|interest|commission|fee)",
    "CUT": r"(?:discount|off|rebate|reduction)",
}
# What is done to a result, and how people say it.
_OPERATIONS = {
    "increase {r} by {p}%": (
        r"(?:add|plus|[+])(?: an?)?(?: TAX of)? PCT(?: TAX)?(?: (?:to|on) IT)?",
        r"(?:with|including) (?:an? )?PCT TAX",
        r"(?:increase|raise) IT by PCT",
    ),
    "decrease {r} by {p}%": (
        r"(?:subtract|minus|less|take off|-)(?: an?)? PCT(?: CUT)?(?: from IT)?",
        r"(?:with|after) (?:an? )?PCT CUT",
        r"(?:decrease|reduce) IT by PCT",
        r"(?:take )?PCT off(?: (?:of )?IT)?",
    ),
    "{r} + {n}": (
        r"(?:add |plus |[+] ?)NUM(?: more)?(?: to IT)?",
        r"NUM more(?: than IT)?",
        r"(?:m[aá]s|加上?) ?NUM",
    ),
    "{r} - {n}": (
        r"(?:subtract |minus |less |take away |- )NUM(?: from IT)?",
        r"take NUM (?:away )?from IT",
        r"NUM less(?: than IT)?",
        r"(?:menos|moins|减去?) ?NUM",
    ),
    "{r} * {n}": (
        r"(?:times |multiplied by |multiply (?:IT )?by |[*×] ?)NUM",
        r"NUM times IT",
        r"(?:mal|(?:multiplicado )?por|fois|multipli[eé] par|乘以?) ?NUM",
    ),
    "{r} / {n}": (
        r"(?:divided by |divide (?:IT )?by |[/÷] ?)NUM",
        r"split IT (?:in|into|by) NUM(?: ways)?",
        r"(?:geteilt durch|dividido (?:por|entre)|divis[eé] par|除以) ?NUM",
    ),
    "2 * {r}": (
        r"doubl(?:e|ing)(?: IT)?",
        r"doubled",
        r"twice IT",
        r"IT doubled",
        r"das doppelte(?: davon)?|el doble(?: de eso)?|le double(?: de [cç]a)?|翻倍|加倍|两倍",
    ),
    "3 * {r}": (r"(?:triple|treble)(?: IT)?", r"tripled", r"three times IT", r"IT tripled"),
    "{r} / 2": (
        r"(?:an? |one )?half(?: of)? IT",
        r"halve(?: IT)?",
        r"halved",
        r"IT halved",
        r"die h[aä]lfte(?: davon)?|la mitad(?: de eso)?|la moiti[eé](?: de [cç]a)?|(?:它的)?一半",
    ),
    "{r} / 3": (r"(?:a |one )third of IT",),
    "{r} / 4": (r"(?:a |one )(?:quarter|fourth) of IT",),
    "{r} / 10": (r"(?:a |one )tenth of IT",),
    "{r} ^ 2": (r"square(?: IT)?", r"squared", r"IT squared", r"its square"),
    "{r} ^ 3": (r"cube(?: IT)?", r"cubed", r"IT cubed", r"its cube"),
    "{r} ^ {n}": (
        r"(?:IT )?(?:raised )?to the power (?:of )?NUM",
        r"raise IT to (?:the power (?:of )?)?NUM",
        r"\^ ?NUM",
    ),
    "{r} mod {n}": (r"mod(?:ulo)? NUM",),
    "square root of {r}": (r"(?:(?:take )?(?:the|its) )?square root",),
    "cube root of {r}": (r"(?:(?:take )?(?:the|its) )?cube root",),
    "factorial of {r}": (r"(?:(?:the|its) )?factorial",),
}
_ROUNDED = re.compile(
    rf"(?:round(?:ed)?(?: {_IT})?(?: off)? )?to (?P<rest>(?:\d+|one|two|three|four) (?:decimals?"
    rf"|decimal places?|places?"
    r"|digits))",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"^[\s¿¡]*(?:(?:and|but|so|now|then|ok|okay|also|y|und|et)[\s,]+|再|然后|那么?|(?:what|how) about\s+)+",
    re.IGNORECASE,
)
_TARGET = re.compile(r"(?:convert(?:ed)? )?(?:in|to|into|as)\s+(?P<to>.+)", re.IGNORECASE)
_MOST_WORDS = 12
_ASKED = re.compile(
    r"^(?:(?:what(?:'s| is| would be| will be)|whats|how much is|give me|tell me|calculate|compute|find)\s+)",
    re.IGNORECASE,
)
_POINTS = re.compile(
    rf"(?<![\w'’]){_IT}(?![\w'’-])(?!\s+(?:true|possible|legal|raining|takes?|costs?|rains?|snows?|time)\b)",
    re.IGNORECASE,
)
_OPERAND = re.compile(r"\b(?:of|to|from|by|and|than|with|for)\s+$", re.IGNORECASE)
_POINTS_TO_SEVERAL = re.compile(r"\b(?:those|these|them)\b(?: numbers| values)?", re.IGNORECASE)
_BEFORE_THAT = re.compile(
    r"(?:^|\b(?:of|to|from|by|is|was|what's|whats|add|convert|double|round|factori[sz]e|factor"
    r"|differentiate|integrate"
    r"|simplify|expand|solve"
    r"|with|at|for|in|than|after|before|multiply|divide|subtract|and|take|express|write|plot|invert"
    r"|transpose))\s+$",
    re.IGNORECASE,
)


_LATER = re.compile(r"\d+ (?:days?|weeks?|months?|years?) (?:after|before|from) [^,.;]+$")
_CLAUSE = re.compile(
    r"[.!?;](?=\s)|(?<=\w)(?=\s+(?:what'?s|what is|how much is|how many \w+ is) (?:that|it)\b)"
    r"|,(?=\s+(?:so\s+|and\s+)?(?:what|whats|how|which|is|convert|give|tell"
    r"|find)\b)",
    re.IGNORECASE,
)
# What makes a value another than the one that is stated: a condition, a change, a comparison.
_CONDITION = re.compile(
    r"\b(?:if|unless|assume|suppose|let|without|except|ignore|only|not|no|never|and|or|but|by|than|more"
    r"|less|over|under"
    r"|about|some|each|per|every|rose|fell|dropped|grew|lost|gained|warmer|colder|hotter|cooler|difference"
    r"|change)\b|n't\b",
    re.IGNORECASE,
)
_OPINION = re.compile(
    r"\b(?:should|would|could|can|do|does|did|i|you|we|he|she|why|with it)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Result:
    """Hold a result: its kind, how a question writes it, and `exact` if it was rounded to be shown."""

    kind: Kind
    text: str
    exact: str = ""

    @property
    def operand(self) -> str:
        """Return it as it stands beside an operator: exactly, if it was rounded only to be shown."""
        own = self.exact or self.text
        return f"({own})" if own.startswith("-") or self.exact else own


def result_of(reply: str) -> Result | None:
    """Return the value that the assistant's words give; None where they give none, or more than one."""
    computed = _COMPUTED.match(reply.strip())
    if computed is None:
        return _value(
            normalised(reply).strip().strip("*$ ").removeprefix("=").strip().rstrip(" ."), names=False
        )
    if "target=10)" in reply:  # of a numeral, in decimal
        return _value(computed["result"], names=True)
    if "\nComputed with" in reply[computed.end("function") :] or _NO_NUMBER.match(computed["function"]):
        return None
    return _value(normalised(computed["result"]).strip(), names=True)


def operation(turn: str, result: Result) -> str:
    """Return what an operation on the result asks: "add 5 to that", "double it"; "" if it is none."""
    bare = _bare(turn)
    if result.kind not in ("number", "quantity", "money"):
        return ""
    for form, patterns in _operations():
        if found := next((match for one in patterns if (match := one.fullmatch(bare))), None):
            of = result.text if form.startswith(("increase", "decrease")) else result.operand
            return form.format(r=of, **found.groupdict())
    rounded = _ROUNDED.fullmatch(bare)
    return f"round {result.text} to {rounded['rest']}" if rounded and result.kind == "number" else ""


@cache
def _operations() -> tuple[tuple[str, tuple[re.Pattern[str], ...]], ...]:
    """Return the operations with their patterns, compiled."""

    def pattern(said: str) -> re.Pattern[str]:
        return re.compile(re.sub(r"[A-Z]{2,}", lambda part: _PARTS[part[0]], said), re.IGNORECASE)

    return tuple((form, tuple(map(pattern, said))) for form, said in _OPERATIONS.items())


def points_back(turn: str) -> bool:
    """Return whether a turn points to a result in words: "half of that", not "times 3"."""
    return _POINTS.search(turn) is not None


def with_result(turn: str, result: Result) -> str:
    """Return a turn with the result where it points to it: "is that prime?", "in km?"; "" if it does not."""
    target = _TARGET.fullmatch(_bare(turn))
    if target and result.kind in ("number", "quantity"):
        to_base = kind_of(target["to"]) == "base" and result.text.isdigit()
        to_unit = is_unit(target["to"]) and result.kind == "quantity"
        return f"convert {result.text} to {target['to']}" if to_base or to_unit else ""
    turn = _LEAD.sub("", turn)
    expletives = [match.span() for match in EXPLETIVE.finditer(turn)]
    several = result.kind in ("list", "matrix")
    pointing = _POINTS_TO_SEVERAL if several else _POINTS
    if several and figures(turn):
        return ""
    points = [
        match
        for match in pointing.finditer(turn)
        if not any(start <= match.start() < end for start, end in expletives)
        and (match[0].lower() not in ("that", "this") or _BEFORE_THAT.search(turn[: match.start()]))
    ]
    if len(points) != 1 or len(turn.split()) > _MOST_WORDS or result.kind == "name":
        return ""
    (point,) = points
    first = point.start() == 0 and point[0].lower() in ("it", "that", "this")
    own = figures(turn[: point.start()]) and not _OPERAND.search(turn[: point.start()])
    if first or own:  # "that", or what the turn itself names: "add 5 to 3 and then double it"
        return ""
    return turn[: point.start()] + result.text + turn[point.end() :]


def within_turn(turn: str) -> str:
    """Return the question that ends a turn, with the value before it: "it weighs 12 lb, what is that in kg?".

    One that repeats every figure that was stated is whole by itself.
    """
    cuts = list(_CLAUSE.finditer(turn))
    if len(cuts) != 1:
        return ""
    said, asks = turn[: cuts[0].start()], turn[cuts[0].end() :].strip()
    values = quantities(said)
    inside = [(value.start, value.end) for value in values]
    other = [slot for slot in figures(said) if not any(a <= slot.start < b for a, b in inside)]
    stated = sorted((*values, *other), key=lambda slot: slot.start)
    between = said
    for slot in stated:
        between = between.replace(slot.text, " ")
    if not stated or len(said.split()) > _MOST_WORDS or _CONDITION.search(between) or _OPINION.search(asks):
        return ""
    numbers, repeated = re.findall(NUMBER, said), re.findall(NUMBER, asks)
    if numbers and asks.endswith("?") and all(one in repeated for one in numbers):
        return asks
    if later := _LATER.search(said):
        return with_result(asks, Result("date", later[0])) if len(stated) == 2 else ""
    return with_result(asks, Result(stated[0].kind, stated[0].text)) if len(stated) == 1 else ""


def _bare(turn: str) -> str:
    """Return a turn without "and", "what is" and signs at its end."""
    return _ASKED.sub("", _LEAD.sub("", turn).rstrip("?.! ").removesuffix("呢"), count=1)


def _value(text: str, *, names: bool) -> Result | None:
    """Return a value that a line gives, without remarks behind it."""
    exact, _, text = _REMARK.sub("", text).rpartition("≈") if names else ("", "", text)
    exact, text = exact.strip(), text.strip()
    if not text or len(text) > 80:
        return None
    if solved := re.fullmatch(rf"[a-z] = (-?{NUMBER})", text):
        text = solved[1]
    text = text.removesuffix(" + C")
    kind = kind_of(text)
    if kind == "number":
        return Result("number", text.replace(",", ""), exact)
    if kind == "money":
        return Result("money", text.replace(",", ""))
    if kind in ("list", "matrix", "formula", "date", "calculation"):
        return Result(kind, text)
    quantity = _QUANTITY.fullmatch(text)
    if quantity and is_unit(unit := re.sub(r" (\S+)\^-1$", r"/\1", quantity["unit"])):
        return Result("quantity", f"{quantity['number'].replace(',', '')} {unit}")
    if names and kind == "name" and text[:1].isupper() and not figures(text):
        return Result("name", text)
    return None
