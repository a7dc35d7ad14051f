"""Tell what a turn does: ask for a value, ask for words, or speak to the one who answers.

Closed classes of words decide: a turn that says nothing beside them has no subject of its own. What a turn
does is read from its own words, never from those before.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

from agents.octopus.conversation.explanations import asks_for_words
from agents.octopus.conversation.speech import folded, says_only

Act = Literal["question", "explanation", "conversational"]

_SENTENCE = re.compile(r"[^.!?,;:\n。！？，；：؟،।]*[.!?,;:\n。！？，；：؟،।…]*")
_WORDLESS = re.compile(r"[^\w\"'`)\]}”’]*")
_THANKS_FOR = re.compile(
    r"(?:many |so much )?(?:thanks?|thank you|thx|ty|cheers)(?: a lot| so much)? for\b[^\d?]*"
)
_TO_SOMEBODY = re.compile(
    r"(?:hi|hello|hey|dear|thanks|thank you|thx|good (?:morning|evening|night)|bye|hallo|hola|bonjour|salut"
    r"|danke|gracias|merci|ciao|grazie|ola)\W+[^\W\d_]+\W*"
)
_WORK = (
    r"(?:poems?|story|jokes?|song|haiku|essay|limerick|rap|letter|email|tweet|summary|examples?|sonnet|verse"
    r"|picture)"
)
_LANGUAGE = (
    r"(?:english|spanish|french|german|italian|portuguese|chinese|mandarin|japanese|korean|russian|arabic"
    r"|turkish"
    r"|hindi|vietnamese|dutch|polish|deutsch|englisch|spanisch|franzosisch|espanol|ingles|frances|castellano"
    r"|francais|anglais|allemand|espagnol|chinesisch|italiano|(?:plain|simple) (?:english|terms|words)"
    r"|my language)"
)
# Of those who talk ("who are you", "what did I ask"), and what is to be said again or made of it.
_ABOUT_US = re.compile(
    r"(?:and |so |but )?(?:what(?:'?s| is| was| are) (?:my|your) [^\W\d_]+(?: [^\W\d_]+){0,2}"
    r"|who (?:are|am|is) (?:you|i)\b.*|(?:are|were) you (?!able\b)[^\d]*"
    r"|(?:what|who|where|when|which)\b.* (?:did|do|have|had) (?:i|you) (?:just )?"
    r"(?:say|said|ask|asked|tell|told|mean|meant|live|call|called)\b[^\d]*|how old (?:am i|are you)"
    r"|do you (?:have (?:a|any|feelings)|like|love|speak|sleep|dream|remember|understand|believe|feel"
    r"|know (?:me|my|who i))\b[^\d]*|where (?:do i|am i|are you|do you)\b[^\d]*"
    r"|(?:tell|give) (?:me|us) (?:an? |some |another )?(?:\w+ ){1,2}about (?:it|that|this|them)"
    r"|remember (?:that|this|it)\b[^\d?]*|my name is\b[^\d?]*|call me\b[^\d?]*|i(?:'m"
    r"| am) (?!\w+ing\b)[^\d?]*|i(?:'m| am) feeling[^\d?]*"
    r"|i (?:like|love|hate|live|work|feel|come from|was born in)\b[^\d?]*"
    rf"|(?:write|compose|tell|make|sing|draw|give)(?: me| us)? (?:up )?(?:an?|another|one more|some"
    rf"|the) (?:\w+ )?"
    rf"{_WORK}(?: (?:about|on|of|for|with) (?:it|that|this|them|those|these|him|her|me|us))?"
    r"|(?:say|write|put|repeat|give|answer|reply|explain|translate|do|respond|speak|talk)?(?: (?:it|that"
    r"|this|me))?"
    rf"(?: (?:again|back))? ?(?:in|into|to|auf|en) {_LANGUAGE}(?: (?:please|pls|bitte|por favor|svp"
    r"|s'il (?:te|vous) plait))?)\W*"
)
_LIKE_FIVE = re.compile(r"\beli5\b|\blike i'?m (?:5|five)\b")
_ASSENT = (
    r"(?:ok(?:ay|ey)?|alright|all right|well|um+|uh+|hm+|hey|hi|hello|please|pls|plz|thanks|thank you|thx"
    r"|ty|great"
    r"|cool|nice|perfect|oh|ah|sorry|yes|yeah|danke|gracias|merci|bitte|por favor|vale|gut|bueno|bien|alors)"
)
_AND = re.compile(r"(?:and|but|so|now|then|also)[\s,]+(?=(?:what|who|which|how|is|are)\b)", re.IGNORECASE)
_LEADING = re.compile(
    rf"(?:{_ASSENT}[\s,.!]+)+(?:(?:and|but|so|now|then|also)[\s,]+)?(?=\S)"
    r"(?!(?:in|to|as|is|are|of|means?|with|for|at|from|plus|minus|times)\b)",
    re.IGNORECASE,
)
_TRAILING = re.compile(
    r"(?<=[\w?!.,)\]])[\s,.!]*(?<!say )\b(?:please|pls|plz|thanks?(?: you)?(?: (?:so|very) much"
    r"| a lot)?(?: in advance)?"
    r"|thx|ty|cheers|bitte|danke|por favor|gracias|s['’]il (?:te|vous) pla[iî]t|merci|svp|per favore|grazie"
    r"|obrigad[oa]|lütfen)(?P<end>[\s.!?]*)$",
    re.IGNORECASE,
)


def act_of(text: str) -> Act:
    """Return what a turn does."""
    whole = folded(text)
    asked = folded(without_courtesies(text))
    if any(_is_speech(one) for one in (whole, asked)) or _THANKS_FOR.fullmatch(whole.strip()):
        return "conversational"
    if _ABOUT_US.fullmatch(asked.strip(" .!?¿¡")) or _TO_SOMEBODY.fullmatch(whole):
        return "conversational"
    return "explanation" if asks_for_words(asked) else "question"


def without_courtesies(text: str) -> str:
    """Return a turn without the greetings, thanks and assent around it; the turn if it says nothing else."""
    sentences = [sentence for sentence in _SENTENCE.findall(text) if sentence]
    kept = list(sentences)
    while kept and _is_courtesy(kept[0]):
        kept.pop(0)
    while kept and _is_courtesy(kept[-1]):
        kept.pop()
    asked = "".join(kept).strip()
    if kept and kept[0] is not sentences[0]:
        asked = _AND.sub("", asked)
    if len(kept) < len(sentences):
        asked = asked.rstrip(",;: ，；：،")
    if lead := _LEADING.match(asked):
        asked = asked[lead.end() :]
    if trail := _TRAILING.search(asked):
        asked = asked[: trail.start()].rstrip(" ,") + ("?" if "?" in trail["end"] else "")
    return asked or text.strip()


def _is_courtesy(sentence: str) -> bool:
    plain = folded(sentence).strip()
    return bool(_WORDLESS.fullmatch(plain) or _THANKS_FOR.fullmatch(plain)) or says_only(plain, "courtesy")


def _is_speech(plain: str) -> bool:
    """Return whether nothing but speech is said; figures and signs of mathematics are a subject."""
    plain = _LIKE_FIVE.sub("explain", plain)
    if any(unicodedata.category(sign) in ("Nd", "Sm", "Sc") for sign in plain):
        return False
    return not re.search(r"\w", plain) or says_only(plain, "speech")
