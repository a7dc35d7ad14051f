"""Split compound queries: "What is the capital of Kenya, and what is 3^7 mod 10?" has two parts.

Syntax proposes. A query is cut only before what opens a main clause of its own (a question with inversion, a
request), never inside quotation marks, brackets or code; a clause that leans on another ("and when was it
written?") stays with it, and a query that begins with a statement, a condition or a case is whole. So "rock
and roll", "between 3 and 5" and word problems are not cut. Whether the parts stand is then for routing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from agents.octopus.conversation.dependent_clauses import completed, leans

_LONGEST = 150  # words; longer texts are cases, sources and programs
_MOST_PARTS = 8

_AUX = (
    r"(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may|might|must|isn't|aren't"
    r"|don't|doesn't|didn't|can't)"
)
_DEGREE = (
    r"(?:many|much|far|long|old|big|large|tall|fast|high|deep|heavy|hot|cold|wide|often|soon|likely|do you)"
)
_POLITE = (
    r"(?:(?:please|kindly|also|then|next|finally|lastly|first|second|secondly|third|thirdly|now|so|ok|okay"
    r"|hi|hey|hello|thanks|well|and|plus|additionally|besides|after that)[,:!]?\s+)*"
)
_ASKING = (
    r"(?:(?:can|could|would|will) you(?: please)?\s+|i(?:'d| would) like (?:you )?to\s+|i (?:want"
    r"|need) (?:you )?to\s+(?=\w+\s+\S)|(?:please )?(?:tell|show|give) me(?: please)?,?\s+|do you know\s+"
    r"|i(?:'d| would) like to know\s+|would you mind\s+)?"
)
_VERBS = (
    "add approximate balance calculate calc compute convert count decode define derive describe determine "
    "differentiate diagonalize divide encode estimate evaluate expand explain factor factorise factorize "
    "find give graph hash identify integrate invert list multiply name outline plot predict prove recommend "
    "reverse round rewrite show simplify solve sort state subtract suggest summarise summarize tell "
    "translate transpose work write"
)
_VERB = "(?:" + "|".join(_VERBS.split()) + ")"
_NO_OBJECT = r"(?!\s+(?:at|for|in|by|with|on|from|to|and|or|as|it|its|them|this|that|these|those)\b)"

_WH_QUESTION = re.compile(
    rf"(?:(?:what|who|which|where|when|why|how)(?:'s|’s|s| {_AUX})\s+\S|(?:what|which"
    rf"|whose)\s+(?:\S+\s+){{1,4}}?{_AUX}\s+\S|how {_DEGREE}\b\s+\S|who(?:m)?\s+(?!and\b|or\b)\w+\s+\S"
    rf"|which\s+(?:\w+\s+){{1,3}}\w+\s+\S|(?:in|on|at|by|from|to|of|for) (?:what|which|how many"
    rf"|how much)\s+(?:\w+\s+){{1,3}}?{_AUX}\s+\S)",
    re.IGNORECASE,
)
_YES_NO = re.compile(rf"{_AUX}\s+(?:the|an?|there|any|all|most|some|\d|[A-Z])", re.ASCII)
_REQUEST = re.compile(rf"{_VERB}\b{_NO_OBJECT}\s+\S+", re.IGNORECASE)
_NUMBERING = r"(?:\(?\d{1,2}[.)]\s+)?"
_LEAD = re.compile(_NUMBERING + _POLITE + _ASKING + _POLITE, re.IGNORECASE)
_CUT = re.compile(
    r"(?P<end>[?!;]+[\"”')]*|\.(?=\s)|\n)?(?P<comma>\s*,)?\s+(?P<join>(?:(?:and|also|then|plus|as well as"
    r"|&)[,:]?\s+)*)",
    re.IGNORECASE,
)
_SHIELDED = re.compile(
    r"```.*?```|`[^`]*`|\"[^\"]*\"|“[^”]*”|«[^»]*»|(?<!\w)'[^']+'(?!\w)|(?<!\w)‘[^’]*’(?!\w)|\([^()]*\)"
    r"|\[[^\[\]]*\]|\{[^{}]*\}",
    re.DOTALL,
)
_CODE = re.compile(
    r"```|^\s*(?:def|class|import|from \w+ import|for .*:$|if .*:$|#include|public|SELECT)\b|[{};]\s*$", re.M
)
_OPEN_PAIR = re.compile(
    r"\b(?:between|both|either|neither|whether)\b(?!.*\b(?:and|or|nor)\b)", re.IGNORECASE | re.S
)
_INFINITIVE = re.compile(
    rf"\b(?:to|can|must|should|will|could|may|might|that|which|who|how do|how does|how did|does|do"
    rf"|did)\s+(?:\w+\s+){{0,2}}?(?:{_VERB}|read|make|get|take|be|do|have|use|open|run|build|print|return"
    rf"|store|search|learn|help|grow|move)\b",
    re.IGNORECASE,
)
_SEQUENCE = re.compile(
    _NUMBERING + r"(?:(?:and|also|then|next|now|plus|finally|lastly|secondly|thirdly|additionally)[,:]?\s+)*",
    re.I,
)
_RELATIVE = frozenset({"who", "whom", "whose", "which", "where", "that"})
_INTERROGATIVE = _RELATIVE | {"what", "when", "why", "how"}


@dataclass(frozen=True)
class _Piece:
    """Hold where a piece of the query stands, and what it says as a question of its own.

    Attributes:
        asks: the piece, with what it leaves out put back.
        elliptic: whether something was.
    """

    start: int
    end: int
    asks: str
    elliptic: bool = False


def parts_of(query: str) -> tuple[str, ...]:
    """Return the parts of `query` in order, each a question or request of its own; one if it is whole.

    What an elliptic part leaves out ("and of Peru?") is put back from the part before.
    """
    if _CODE.search(query) or len(query.split()) > _LONGEST or _is_list(query):
        return (query,)
    pieces = [piece for piece in _pieces(query) if not _LEAD.fullmatch(piece.asks + " ")]
    if len(pieces) < 2 or not _opens(pieces[0].asks) or leans(pieces[0].asks, ()):
        return (query,)
    parts: list[_Piece] = []
    for piece in pieces:
        if not parts or not leans(piece.asks, [part.asks for part in parts]):
            parts.append(piece)
        elif parts[-1].elliptic:  # one more step back than can be put together
            return (query,)
        else:
            start = parts[-1].start
            parts[-1] = _Piece(start, piece.end, _tidy(query[start : piece.end]))
    whole = not 1 < len(parts) <= _MOST_PARTS
    return (query,) if whole else tuple(part.asks for part in parts)


def _pieces(query: str) -> Iterator[_Piece]:
    """Cut the query before every main clause, and before what completes the one before it."""
    shielded = _SHIELDED.sub(lambda match: "\0" * len(match[0]), query)
    numbered = re.match(_NUMBERING, query)
    start, completing = numbered.end() if numbered else 0, ""
    for cut in _CUT.finditer(shielded):
        left, right = shielded[start : cut.start()], shielded[cut.end() :]
        if not (cut["end"] or cut["comma"] or cut["join"]) or not left.strip() or not right.strip():
            continue
        end = cut.end("end") if cut["end"] else cut.start()
        asks = completing or _tidy(query[start:end])
        opens = _opens(right) and _may_part(left, right, cut)
        completes = "" if opens else _completed(asks, right, cut)
        if opens or completes:
            yield _Piece(start, end, asks, bool(completing))
            sequence = _SEQUENCE.match(right)
            start, completing = cut.end() + (sequence.end() if sequence else 0), completes
    yield _Piece(start, len(query), completing or _tidy(query[start:]), bool(completing))


def _is_list(query: str) -> bool:
    """Return whether there are lines that are no questions: choices, statements, a source, a program."""
    lines = [line.strip() for line in query.splitlines() if line.strip()]
    return len(lines) > 1 and not all(line.endswith("?") for line in lines)


def _opens(text: str) -> bool:
    """Return whether `text` begins with a main clause that asks for something."""
    lead = _LEAD.match(text)
    rest = text[lead.end() :] if lead else text
    asked = bool(lead and re.search(r"\b(?:you|me|know)\b", lead[0]))
    opened = _WH_QUESTION.match(rest) or _REQUEST.match(rest) or _REQUEST.match(text.lstrip())
    return bool(opened or _YES_NO.match(rest[:1].lower() + rest[1:]) or (asked and len(rest.split()) > 1))


def _may_part(left: str, right: str, cut: re.Match[str]) -> bool:
    """Return whether what opens `right` cannot be coordinated with something inside `left`."""
    if cut["end"]:
        return True
    if _OPEN_PAIR.search(left):
        return False
    word = re.match(r"\W*(\w+)", right)
    first = word[1].casefold() if word else ""
    lead = _LEAD.match(left)
    rest = left[lead.end() :] if lead else left
    said = re.findall(r"[a-z]+", rest.casefold())
    if first in _RELATIVE and (not cut["join"] or _RELATIVE & set(said[1:])):
        return False  # "the man who sings and who dances", "the house, which is tall"
    if first in _INTERROGATIVE:  # "and why" asks about what was said before
        return first != "why" and first not in said[1:]
    joined = bool(cut["comma"] and cut["join"])
    if re.match(_AUX + r"\b", right, re.IGNORECASE):  # "which city is big and is the capital"
        subject = re.match(_AUX + r"\s+(?:\d|(?-i:[A-Z]))", right, re.IGNORECASE)
        return bool(re.match(_AUX + r"\b", rest, re.IGNORECASE) or (subject and cut["join"])) or (
            joined and said[:1] not in (["what"], ["which"], ["who"])
        )
    request = _REQUEST.match(rest) or (lead and re.search(r"\b(?:you|me)\b", lead[0]))
    return joined or (bool(request) and not _INFINITIVE.search(rest))


def _completed(before: str, right: str, cut: re.Match[str]) -> str:
    """Return what `right` asks, with what it leaves out; "" if that is not simple."""
    if not (cut["end"] or cut["join"]):
        return ""
    tail = re.split(r"(?<=[?!;])|\.\s|,?\s+and\s+", right, maxsplit=1, flags=re.IGNORECASE)[0]
    return completed(before, tail, strong=bool(cut["end"] or cut["comma"])) or ""


def _tidy(text: str) -> str:
    return text.strip().strip(",;").strip()
