"""Complete a turn that leaves something out from the question before: "and of Peru?", "and the mean?".

The new part takes the place of the one of its kind, and only where there is exactly one such place.
"""

from __future__ import annotations

import re

from agents.octopus.conversation.functions_asked import names_function, with_function
from agents.octopus.conversation.slots import (
    NUMBER,
    OF,
    ROMANCE,
    Phrase,
    Slot,
    figures,
    kind_of,
    names_in,
    phrases_of,
    places_in,
    quantities,
    units,
)
from tools.subjects.gazetteer import country_codes, fold

_LONGEST = 300  # characters of a question that is completed
_LEAD = re.compile(
    r"(?:(?:and|n|nd|&|but|or|then|now|also|so|ok(?:ay)?|again|instead|rather|sorry|no|nope|wait|oops|try"
    r"|with(?! respect))[\s,]+"
    r"|(?:what|how) (?:about|of|if it (?:is|was|were))\s+|(?:do )?(?:the )?same(?: (?:question|thing"
    r"|again))?(?: but)?"
    r" (?:for|with|to|of|in)\s+"
    r"|(?:do|try) it(?: again)? (?:for|with)\s+|again (?:for|with)\s+|(?:i meant?|meant)\s+|make (?:it"
    r"|that)\s+"
    r"|(?:y|e|und|et|aber|pero|mais|ou|oder|o)\s+|那么?|还有|和)+",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"(?:[\s,]+(?:instead|then|too|as well|also|again|though|please))*\s*(?:呢|吗)?[\s?.!？。！¿¡]*$",
    re.IGNORECASE,
)
_THE_ONE = re.compile(
    r"(?:the (?:one|ones)|that|la|el|las|los|lo|die|der|das|celle|celui|ceux|quella|quello|a|o)\s+"
    r"(?=(?:of|for|in|de|del|du|des|d'|von|di|do|da)\b)",
    re.IGNORECASE,
)
_NUMBER_WORD = r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
_RELATED = re.compile(r"\b(?:far|distance|between|from|than|versus|vs|compare|when it is)\b", re.IGNORECASE)
_BOUND = re.compile(rf"-?(?:{NUMBER}|pi|e|infinity|oo|∞)(?:\s?/\s?\d+)?", re.IGNORECASE)
_AUXILIARY = re.compile(r"(?:is|was|are|does|do|did|if it is|es|ist|est)\s+", re.IGNORECASE)


def completed_turn(turn: str, question: str) -> str:
    """Return the question that an elliptic turn stands for after `question`; "" where that is not clear."""
    if len(question) > _LONGEST:
        return ""
    turn = turn.strip(" ¿¡")
    lead = _LEAD.match(turn)
    body = _TAIL.sub("", turn[lead.end() :] if lead else turn)
    body = re.sub(r"(?<=\w)['’]s$", "", _THE_ONE.sub("", body))  # "and Portugal's?"
    if not body:
        return ""
    found = (
        _chinese(body, question)
        or with_function(body, question)
        or _with_figure(body, question)
        or _with_phrases(body, question)
        or _with_counted(body, question)
        or (_with_name(body, question) if lead or turn.endswith("?") or _is_plainly_a_name(body) else "")
    )
    return found if found.strip(" ?¿.!").casefold() != turn.strip(" ?.!").casefold() else ""


def _with_figure(body: str, question: str) -> str:
    """Replace the one figure, unit or base of the kind that `body` is."""
    if auxiliary := _AUXILIARY.match(body):
        body = body[auxiliary.end() :]
    kind = kind_of(body)
    if kind in (None, "name", "variable"):
        return ""
    own = _places(kind, question)
    if len(own) == 1:
        return own[0].replaced(question, body)
    return ""


def _places(kind: str, question: str) -> tuple[Slot, ...]:
    """Return where something of this kind stands in a question; for a number, only where it is alone."""
    if kind == "unit":
        return units(question) if quantities(question) else ()
    if kind == "quantity":
        return quantities(question)
    found = figures(question)
    if kind == "number":
        others = [
            slot for slot in found if slot.kind not in ("number", "base", "variable", "frequency", "name")
        ]
        return () if others else tuple(slot for slot in found if slot.kind == kind)
    return tuple(slot for slot in found if slot.kind == kind)


def _with_phrases(body: str, question: str) -> str:
    """Replace the objects of prepositions: "of Peru", "from 1 to 2", "at x = 3"."""
    phrases = phrases_of(body)
    if not phrases or phrases[0].start != 0:
        return ""
    if len(phrases) == 1:
        text = phrases[0].text
        if kind_of(text) in ("unit", "base", "binding") and (found := _with_figure(text, question)):
            return found
    completed = question
    for phrase in phrases:
        changed = _with_object(phrase, body, completed)
        if not changed:
            return _appended(body, phrases, question) or _by_kind(phrases, question)
        completed = changed
    return completed


def _with_object(phrase: Phrase, body: str, question: str) -> str:
    """Replace the object of the last phrase of `question` that begins as this one and is of its kind."""
    word, text = phrase.word, phrase.text
    alike = OF if word in OF else ROMANCE if word in ROMANCE else (word,)
    for own in reversed(phrases_of(question)):
        if own.word not in alike:
            continue
        start, new = own.end - len(own.text), text
        if alike is ROMANCE:  # the preposition agrees with its object: "du Pérou" for "de la France"
            start, new = own.start, body[phrase.start : phrase.end]
        if word == "as" or _is_like(text, own.text):
            return question[:start] + new + question[own.end :]
        number = re.match(r"-?[\d.,]*\d", own.text)
        if number and kind_of(text) == "number" and not figures(own.text[number.end() :]):
            return question[:start] + new + own.text[number.end() :] + question[own.end :]
        return ""
    return ""


def _appended(body: str, phrases: list[Phrase], question: str) -> str:
    """Return a question about one formula with "at x = 3" or "from 0 to 3" behind it."""
    word, text = phrases[0].word, phrases[0].text
    found = figures(question)
    formulas = [slot for slot in found if slot.kind == "formula"]
    if len(formulas) != 1 or any(slot.kind == "binding" for slot in found):
        return ""
    bound = kind_of(text) == "binding" and text[0] in re.findall(r"[A-Za-z]", formulas[0].text)
    bounds = all(_BOUND.fullmatch(end) for one in phrases for end in one.text.split(" and "))
    between = word in ("from", "between") and bounds and not re.search(r"\b(?:from|between)\b", question)
    respect = word == "with respect to"
    if not (bound or between or respect):
        return ""
    end = len(question.rstrip(" ?.!"))
    return f"{question[:end]} {body}{question[end:]}"


def _by_kind(phrases: list[Phrase], question: str) -> str:
    return _with_figure(phrases[0].text, question) if len(phrases) == 1 else ""


def _with_counted(body: str, question: str) -> str:
    """Replace the number of what is counted in both: "four ways?" after "split $84.50 three ways"."""
    counted = re.fullmatch(
        rf"(?:{NUMBER}|{_NUMBER_WORD})\s?%?\s+(?P<what>[^\W\d_]+(?: [^\W\d_]+)?)", body, re.IGNORECASE
    )
    if counted is None:
        return ""
    what = re.escape(counted["what"].removesuffix("s"))
    places = list(re.finditer(rf"\b(?:{NUMBER}|{_NUMBER_WORD})\s?%?\s+{what}s?\b", question, re.IGNORECASE))
    return question[: places[0].start()] + body + question[places[0].end() :] if len(places) == 1 else ""


def _is_plainly_a_name(body: str) -> bool:
    """Return whether a text is a name without a sign of ellipsis: a word, in capitals, or known to tools."""
    own = places_in(body)
    known = len(own) == 1 and own[0].text == body
    return known or " " not in body or all(word[0].isupper() for word in body.split())


def _with_name(body: str, question: str) -> str:
    """Replace the name that is asked about: the object of the last preposition, or the only name."""
    if kind_of(body) != "name" or _RELATED.search(question) or names_function(body):
        return ""
    if re.match(r"the [^\W\dA-Z_]", body) and not places_in(body):  # "the largest city" is no name
        return ""
    for phrase in reversed(phrases_of(question)):
        if _is_like(body, phrase.text):
            return question[: phrase.end - len(phrase.text)] + body + question[phrase.end :]
        if _is_pair(phrase.text):
            return ""
    names = names_in(question) if body[0].isupper() else ()
    own = names if len(names) == 1 else places_in(question) or names[-1:]
    at_end = own and not question[own[-1].end :].strip(" ?.!")
    return own[-1].replaced(question, body) if len(own) == 1 and (at_end or len(names) < 2) else ""


def _chinese(body: str, question: str) -> str:
    """Replace what stands before 的: 秘鲁呢 after 肯尼亚的首都是哪里."""
    name, asked = (
        re.fullmatch(r"([\u4e00-\u9fff]{1,8}?)的?", body),
        re.match(r"[\u4e00-\u9fff]{1,8}?(?=的)", question),
    )
    return name[1] + question[asked.end() :] if name and asked else ""


def _is_like(new: str, old: str) -> bool:
    """Return whether two objects are of one kind; two names together are not one."""
    if _is_pair(new) != _is_pair(old):
        return False
    kinds = kind_of(new), kind_of(old)
    if kinds[0] is None and kinds[1] is None:
        shapes = [re.sub(r"[^\W\d_]+", "w", re.sub(r"\d[\d.,]*", "0", text)) for text in (new, old)]
        return shapes[0] == shapes[1]
    if {"list", "number"} == set(kinds):
        return False
    return (
        kinds[0] == kinds[1]
        or set(kinds) <= {"formula", "calculation", "equation"}
        or set(kinds) <= {"number", "calculation"}
    )


def _is_pair(text: str) -> bool:
    """Return whether a text joins two names, and is not the one of a country."""
    return " and " in text and not figures(text) and fold(text).removeprefix("the ") not in country_codes()
