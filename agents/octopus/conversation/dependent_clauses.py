"""Find clauses that depend on another one, by anaphora or ellipsis.

"And when was it written?" is anaphoric, "and of Peru?" elliptic. What leans on an antecedent cannot be asked
by itself; what leaves something out can be completed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

# Expletives and cataphora, which point to nothing before.
EXPLETIVE = re.compile(
    r"\bwhat (?:time|day|date|year) is it\b|\b(?:does|did|will|would) it (?:take|cost)\b|\bis it (?:true"
    r"|possible|legal|ok)\b|\bhow far is it from\b(?=.*\bto\b)|\bdo they \w+ in\b|\bit(?:'s|’s| is) (?:\d"
    r"|noon|midnight)|\b(?:this|these|that"
    r"|those)\s+(?:\w+\s+){0,2}\w+\s*:",
    re.IGNORECASE,
)
_PRONOUN = re.compile(
    r"\b(?:it|they|them|he|him|she|they're|it's|he's|she's|itself|themselves|this|these|those|ones?|theirs"
    r"|hers|former|latter|respectively|instead|therefore|thus|hence|else)\b|\b(?:of|for|in|to|from|with"
    r"|about|by|at|is|was|does|do|did|after|before|than)\s+that\b|\bthat\s*(?:[?.!,]|$)",
    re.IGNORECASE,
)
_ONE_AS_NUMBER = re.compile(
    r"\bone (?:of|in|mole|hundred|thousand|million|half|third|hour|day|year|foot|mile|pound|plus)\b", re.I
)
_POSSESSIVE = re.compile(r"\b(?:its|their|his|her)\b", re.IGNORECASE)
_POINTING_NOUN = re.compile(
    r"\bthe (?:result|results|answer|answers|same|latter|former|other|others|rest|above|following|previous"
    r"|remaining|resulting|corresponding|two|three|equation|expression|function|statement|statements"
    r"|passage|text|given)\b|\bhow (?:do|can|could|would) (?:we|you|i) (?:know|tell|prove)\b\s*[?.]?$"
    r"|\bthere\s*[?.!]*$|\bwhich\s*[?.!]*$|\beach (?:side|one|case|step|part|of)\b|^how (?:many"
    r"|much)(?: \w+)?\s*\??$|^(?:explain|describe|state|define|name|list|show|give)\s+\w+\s*[.?!]?$"
    r"|\b(?:another|each|both|any|all|none|some) of\s+(?:the|them|these|those)\b|\b(?:true|false"
    r"|correct)\s*[?.]?$",
    re.IGNORECASE,
)
_ANCHOR = re.compile(
    r"\d|\b(?:of|in|for|from|on|between|by|as|with|to|into|about|that|which|who|using|under|a|an)\b"
    r"|(?<=\s)[A-Z]",
    re.ASCII,
)
_DEFINITE = re.compile(r"\bthe\b", re.IGNORECASE)
_OPENING = re.compile(
    r"^\W*(?:(?:please|also|then|and|what|who|which|where|when|why|how|is|are|was|were|do|does|did|has|have"
    r"|can|could|would|the|a|an|'s|s|many|much|find|give|tell|me|compute|calculate|name|list|explain"
    r"|describe|state)\b\W*)*",
    re.IGNORECASE,
)
_BARE_COUNT = re.compile(
    r"\bhow (?:many|much) (?:more |fewer |less )?(?:are|is|were|was|will|would|do|did|remain)\b(?!.*\d)", re.I
)
_VARIABLE = re.compile(r"(?<![A-Za-z'’])([b-hj-z])(?![A-Za-z'’])")
_OPERATION = re.compile(
    r"deriv|differenti|integra|factor|expan|simplif|limit|solv|root|slope|polynomial|dx\b|equation|=",
    re.IGNORECASE,
)
_PREPOSITION = r"(?:of|for|in|to|from)"
_NAME = r"(?:the\s+)?[A-Z][\w'’.-]*(?:\s+(?:of|and|the)?\s*[A-Z][\w'’.-]*){0,3}"
_SHORT = rf"(?:{_NAME}|[\w'’.^+-]+(?:\s+[\w'’.^+-]+)?)"
_LIKE_THE_LAST = re.compile(rf"(?P<preposition>{_PREPOSITION})\s+(?P<object>{_SHORT})\s*\??", re.ASCII)
_ABOUT = re.compile(rf"(?:what|how) about\s+(?:{_PREPOSITION}\s+)?(?P<object>{_SHORT})\s*\??", re.IGNORECASE)
_TERM = r"[\w^()+*/=.-]*[\d(][\w^()+*/=.-]*"  # a number or formula
_THING = rf"(?:{_NAME}|{_TERM}(?:,?\s+(?:and\s+)?{_TERM})*)"
_WITHIN = r"(?:\s+(?:from \S+ to \S+|at \S+))?"
_OF = re.compile(rf"(?P<head>the (?:\w+ ){{0,2}}?\w+)\s+of\s+(?P<object>{_THING}){_WITHIN}\s*[?.]?")
_ASKED_OF = re.compile(
    r"(?P<asking>.*?\b(?:what(?:'s|’s|s| is| are| was| were)|who(?:'s|’s| is| was)|find|give|tell me"
    r"|give me|name|compute|calculate|determine))\s+"
    rf"(?P<head>the (?:\w+ ){{0,2}}?\w+)\s+of\s+{_THING}{_WITHIN}\s*[?.]?",
    re.IGNORECASE,
)
_FORMULA = re.compile(r"[\d.()]+(?:\s*(?:[-+*/^×÷%]|mod)\s*[\d.()]+)+\s*\??")
_ASKED_FORMULA = re.compile(
    rf"(?P<asking>.*?\b(?:what(?:'s|’s|s| is)|how much is|compute|calculate))\s+{_FORMULA.pattern}",
    re.IGNORECASE,
)
# Of two things together: "the ratio of the mass of A and the mass of B".
_RELATION = re.compile(
    r"\b(?:sum|product|ratio|difference|relation|relationship|relations|average|mean|comparison|distance"
    r"|combination|union|intersection|gcd|lcm|mixture|war|treaty|border|history|role|similarity"
    r"|similarities|differences|alliance)\b",
    re.IGNORECASE,
)


def leans(part: str, before: Sequence[str]) -> bool:
    """Return whether `part` needs what is said outside of it: an antecedent, a result, a variable.

    Args:
        part: a clause.
        before: the parts before it; none for the first, in which a definite noun may be known to all.
    """
    text = _ONE_AS_NUMBER.sub(" 1 ", EXPLETIVE.sub(" ", part))
    if _PRONOUN.search(text) and (before or _begins_with_pronoun(text)):
        return True
    if not before:
        return False
    return (
        bool(_POINTING_NOUN.search(text) or _BARE_COUNT.search(text))
        or _owned_by_another(text)
        or (bool(_DEFINITE.search(text)) and not _ANCHOR.search(_OPENING.sub("", text).strip()))
        or _shares_variable(text, before)
    )


def _begins_with_pronoun(text: str) -> bool:
    found = _PRONOUN.search(text)
    return found is not None and not text[: found.start()].strip(" ,.!?")


def _owned_by_another(text: str) -> bool:
    """Return whether a possessive has no noun before it in the clause."""
    found = _POSSESSIVE.search(text)
    if found is None:
        return False
    return not re.search(r"\w{3,}", _OPENING.sub("", text[: found.start()]))


def _shares_variable(text: str, before: Sequence[str]) -> bool:
    """Return whether an equation before gives a variable its value: "solve 2x = 6, and what is x + 1?"."""
    if _OPERATION.search(text):
        return False
    own = set(_VARIABLE.findall(text))
    return any(own & set(_VARIABLE.findall(part)) for part in before if "=" in part)


def completed(before: str, elliptic: str, *, strong: bool = True) -> str | None:
    """Return the question that `elliptic` stands for after the question `before`; None if that is unclear.

    Args:
        before: the part before, a full question.
        elliptic: what follows the coordinator, e.g. "of Peru?", "what about Peru?", "the currency of Japan".
        strong: whether a comma or the end of a sentence stands between them; "of" by itself needs one.
    """
    text = elliptic.strip()
    if about := _ABOUT.fullmatch(text):
        return _with_last_object(before, rf"{_PREPOSITION}", about["object"])
    if strong and (like := _LIKE_THE_LAST.fullmatch(text)):
        return _with_last_object(before, like["preposition"], like["object"])
    asked, own = _ASKED_OF.fullmatch(before.strip()), _OF.fullmatch(text)
    if asked and own and not _RELATION.search(asked["head"]):
        return f"{asked['asking']} {text}"
    if strong and _FORMULA.fullmatch(text) and (formula := _ASKED_FORMULA.fullmatch(before.strip())):
        return f"{formula['asking']} {text}"
    return None


def _with_last_object(before: str, preposition: str, name: str) -> str | None:
    """Return `before` with the object of its last preposition replaced, where that object ends it."""
    found = re.fullmatch(rf"(?P<asking>.+\b{preposition})\s+{_SHORT}\s*(?P<end>\??)", before.strip())
    if found is None or _RELATION.search(before):
        return None
    return f"{found['asking']} {name}?"
