"""Tell what a turn does: ask for a value, ask for words, or speak to the one who answers.

Closed classes of words decide: a turn that says nothing beside them has no subject of its own. What a turn
does is read from its own words, never from those before.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

from agents.octopus.conversation.speech import asking_for_words, folded, says_only

Act = Literal["question", "explanation", "conversational"]

_SENTENCE = re.compile(r"[^.!?,;:\n。！？，；：؟،।]*[.!?,;:\n。！？，；：؟،।…]*")
_WORDLESS = re.compile(r"[^\w\"'`)\]}”’]*")
# Thanks may go on ("for the help and the tips, that was good"), but not to a request of its own.
_REQUESTS = (
    r"\b(?:please|pls|plz)\b|[.!;:,\n]\s*(?!(?:that|it|this|you|have|bye|see|very|really|much|i(?:'m|'ll)?|we"
    r"|and|but|so|now|then)\b)\w"
    r"|\b(?:and|but|so|now|then),?\s+(?!(?:the|your|for|all|that|this|these|those|an?|my|his|her|their"
    r"|being|everything|i(?:'m|'ll)|have|bye|see|good|\w+ing)\b)\w+ \w|\bi (?:need|want|would|wanna)\b"
)
_THANKS_FOR = re.compile(
    r"(?:many |so much )?(?:thanks?|thank you|thx|ty|cheers)(?: a lot| so much)? for\b"
    rf"(?:(?!{_REQUESTS})[^\d?])*"
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
_A_FEW_WORDS = r"(?: (?!(?:in|into|about|of|for|with|to|on)\b)[^\W\d_]+(?:['-][^\W\d_]+)*){1,4}"
# Of those who talk ("who are you", "what did I ask"), and what is to be said again or made of it.
_ABOUT_US = re.compile(
    r"(?:(?:and|so|but|now|then) )?(?:what(?:'?s| is| was| are) (?:my|your) [^\W\d_]+(?: [^\W\d_]+){0,2}"
    rf"|who (?:are|am|is) (?:you|i)\b|(?:are|were) you(?! able){_A_FEW_WORDS}"
    r"|(?:what|who|where|when|which)\b[^.!?]* (?:did|do|have|had) (?:i|you) (?:just )?"
    r"(?:say|said|ask|asked|tell|told|mean|meant|live)\b[^\d.!?]*|how old (?:am i|are you)"
    rf"|do you (?:have|like|love|speak|sleep|dream|remember|understand|believe|feel){_A_FEW_WORDS}"
    r"|do you know (?:me|my name|who i am)|where (?:am i|are you|do (?:i|you) live)"
    r"|(?:tell|give) (?:me|us) (?:an? |some |another )?(?:\w+ ){1,2}about (?:it|that|this|them)"
    rf"|remember (?:that|this|it)\b[^\d?]*|my name is{_A_FEW_WORDS}|call me{_A_FEW_WORDS}"
    rf"|i(?:'m| am)(?! \w+ing\b){_A_FEW_WORDS}|i(?:'m| am) (?:from|feeling) [^\W\d_]+"
    rf"|i (?:like|love|hate|feel){_A_FEW_WORDS}|i (?:live|work|come|was born) (?:in|from|at) [^\W\d_]+"
    rf"|(?:write|compose|tell|make|sing|draw|give)(?: me| us)? (?:up )?(?:an?|another|one more|some"
    rf"|the) (?:\w+ )?{_WORK}"
    r"(?: (?:about|on|of|for|with) (?:it|that|this|them|those|these|him|her|me|us))?"
    r"|(?:say|write|put|repeat|give|answer|reply|explain|translate|do|respond|speak|talk)?(?: (?:it|that"
    r"|this|me))?"
    rf"(?: (?:again|back))? ?(?:in|into|to|auf|en) {_LANGUAGE}(?: (?:please|pls|bitte|por favor|svp"
    r"|s'il (?:te|vous) plait))?|and|so|then|but)\W*"
)
# A verb behind an article is a noun, and a subject: "what is a will?".
_NOUN = re.compile(
    r"\b(?:an?|the) (?:will|can|must|may|might|should|would|have|has|do|does|get|got|make|want|need|let"
    r"|ask|know|like|think"
    r"|work|find|come|help|wait|stop|chat|check|draft|try|test|i|you|me|my|him|her|it|we|us|no|yes|not|if"
    r"|or|and|so|as)\b"
)
_LIKE_FIVE = re.compile(r"\beli5\b|\blike i'?m (?:5|five)\b")
_ASSENT = (
    r"(?:ok(?:ay|ey)?|alright|all right|well|um+|uh+|hm+|hey|hi|hello|please|pls|plz|thanks|thank you|thx"
    r"|ty|great"
    r"|cool|nice|perfect|oh|ah|sorry|yes|yeah|danke|gracias|merci|bitte|por favor|vale|gut|bueno|bien|alors)"
)
_AND = re.compile(r"(?:and|but|so|now|then|also)[\s,]+(?=(?:what|who|which|how|is|are)\b)", re.IGNORECASE)
_DASH = re.compile(r"^-+\s+")  # between a greeting and a question, no sign
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
_QUOTED = re.compile(
    r"```.*?```|`[^`]*`|\"[^\"]*\"|“[^”]*”|«[^»]*»|(?<!\w)'[^']+'(?!\w)|(?<!\w)‘[^’]*’(?!\w)", re.DOTALL
)
_DECLINED = re.compile(
    r"\b(?:no|without|don't|dont|do not|never|skip|not|no need to|needn't|ohne|sin|sans) (?:any |the |an? )?"
    r"(?:explain|explanations?|explaining|steps|words|erklarung|explicacion|explication)\b"
)
_FIGURE = r"[^?.!]*(?:\d|[=^√∫])"
_START = r"(?:^|[.?!;,:\n]\s*|\b(?:and|but|or|to know|tell me|tell us|know|understand|wonder|me)\s+)"
_ANYWHERE = re.compile(
    r"\b(?:why|how come|explain(?:ed|s|ing)?|explanation|elaborate|step[- ]by[- ]step|with (?:all )?steps"
    r"|how to"
    r"|show (?:me )?(?:your|the|all)? ?(?:work|working|steps|proof)|walk me through|teach (?:me|us|my)"
    r"|help me (?:to )?understand)\b"
)
_PARTICIPLE = (
    r"(?:\w{2,}ed|made|done|built|born|found|known|grown|cut|sent|kept|held|paid|won|fought|bred|caught"
    r"|taught|bought"
    r"|brought|written|taken|given|driven|chosen|frozen|eaten|broken|spoken|proven|drawn|shown|different"
    r"|related"
    r"|possible|similar)"
)
# "How is the weather" wants a value, "how is steel made" an explanation.
_HOW = re.compile(
    rf"{_START}how (?:do|does|did|can|could|would|should|has|have|will|might|must"
    rf"|(?:is|are|was|were)(?=[^?.!]*\b{_PARTICIPLE}\b))\b(?P<rest>.*)",
    re.DOTALL,
)
# "How do you write 255 in binary", "how is it called", "how do I dial Peru, what is the code" want a value.
_SPELT = re.compile(
    r"(?:\W*(?:do|does|you|one|we|i|can|would|could|to|the|number)\b)*\W*"
    rf"(?:write|say|spell|express|represent|dial|call|pronounce)\b(?={_FIGURE})"
    r"|.*\b(?:written|expressed|represented|spelled|spelt|called|abbreviated)\b"
    r"|.*[,;.?]\s*(?:what|which|how (?:many|much))\b",
    re.DOTALL,
)
_WRITTEN = (
    r"(?:poems?|story|stories|jokes?|song|haiku|essay|limerick|rap|letter|e-?mail|tweet|post|blog|article"
    r"|report"
    r"|summary|paragraphs?|speech|sonnet|review|dialogue|code|program|script|function|text|description|proof"
    r"|definition|introduction|problem|question|riddle|quiz|exercise|lyrics|headline|slogan)"
)
_GIVEN = (
    r"(?:examples?|reasons?|tips|advice|ideas|overview|proof|intuition|summary|introduction|definition|hint)"
)
_THE = (
    r"(?:reason|point|purpose|idea|intuition|proof|meaning|definition|best way|connection|relationship|role"
    r"|importance|significance|advantages?|disadvantages?|pros|causes?|consequences?|effects?)"
)
_OPENS = re.compile(
    rf"{_START}(?:please |kindly |(?:can|could|would|will) you |i want you to |i'd like you to )*(?:"
    r"(?:describe|discuss|teach|tutor|prove|disprove|justify|demonstrate|illustrate|outline|interpret"
    r"|critici[sz]e"
    r"|contrast|brainstorm|imagine|recommend|suggest|advise|define|talk about|introduce|paraphrase|rephrase"
    r"|proofread|reword|rewrite (?:this|that|the) (?:\w+ )?(?:sentence|text|paragraph|email|letter))\b"
    r"|tell (?:me|us) (?:more )?(?:about|(?:an?|another) (?:\w+ )?(?:joke|story|riddle))\b"
    r"|(?:show (?:me |us )?(?:that|why|how)|tell (?:me|us) (?:why|how))\b(?! (?:many|much|long|far|old|big"
    r"|tall|often|high|deep))"
    r"|derive (?:the|an?) (?:\w+ )*(?:formula|equation|law|rule|expression|relation|theorem)\b"
    rf"|give (?:me )?(?:an? |some |the )?(?:\w+ )?{_GIVEN} (?:of|for|on|about|to|why|that|how)\b"
    rf"|(?:compare|translate|summari[sz]e|rewrite|what(?:'s| is"
    rf"| are) the differences? between)\b(?!{_FIGURE})"
    r"|(?:write|compose|draft|create|make up|invent)(?: me| us)?(?: down)? (?:an?|some|the|another|one"
    r"|my)?\s*"
    rf"(?:\w+ ){{0,3}}?{_WRITTEN}\b|when (?:would|should|do|does|can|could)\b"
    rf"|what (?:happens|if(?! it (?:is|was|were)\b)|would happen|(?:causes|caused|makes"
    rf"|made)\b(?!{_FIGURE})|do you (?:think"
    r"|know)|does .* (?:mean|do)\b"
    r"|is meant"
    rf"|(?:is |are |'s )?(?:the )?{_THE} )"
    r"|what(?:'s|s| is) an? (?!(?:third|half|quarter|fifth|tenth|dozen|\w+ of)\b)"
    r"(?:(?!(?:in|of|to|per|on|for|than|plus|times)\b)[^\W\d_]+[ -]?){1,3}\W*$"
    r"|what are (?!(?:the|its|their|these|those|all|my)\b)[^\W\d_]+s(?: [^\W\d_]+s)?\W*$)"
)


def act_of(text: str, bare: str = "") -> Act:
    """Return what a turn does; `bare` is the turn without courtesies, if it is known."""
    whole = folded(text)
    asked = folded(bare or without_courtesies(text))
    if any(map(_is_speech, {whole, asked})) or _THANKS_FOR.fullmatch(whole.strip()):
        return "conversational"
    if _ABOUT_US.fullmatch(asked.strip(" .!?¿¡")) or _TO_SOMEBODY.fullmatch(whole):
        return "conversational"
    return "explanation" if _asks_for_words(asked) else "question"


def without_courtesies(text: str) -> str:
    """Return a turn without the greetings, thanks and assent around it; the turn if it says nothing else."""
    sentences = [sentence for sentence in _SENTENCE.findall(text) if sentence]
    kept = list(sentences)
    while kept and is_courtesy(kept[0]):
        kept.pop(0)
    while kept and is_courtesy(kept[-1]):
        kept.pop()
    asked = "".join(kept).strip()
    if kept and kept[0] is not sentences[0]:
        asked = _AND.sub("", asked)
    if len(kept) < len(sentences):
        asked = asked.rstrip(",;: ，；：،")
    if lead := _LEADING.match(asked):
        asked = _DASH.sub("", asked[lead.end() :])
    if trail := _TRAILING.search(asked):
        asked = asked[: trail.start()].rstrip(" ,") + ("?" if "?" in trail["end"] else "")
    return asked or text.strip()


def is_courtesy(text: str) -> bool:
    """Return whether a text greets, thanks or agrees, and asks for nothing."""
    plain = folded(text).strip()
    return bool(_WORDLESS.fullmatch(plain) or _THANKS_FOR.fullmatch(plain)) or says_only(plain, "courtesy")


def _is_speech(plain: str) -> bool:
    """Return whether nothing but speech is said; figures and signs of mathematics are a subject."""
    plain = _LIKE_FIVE.sub("explain", plain)
    if any(unicodedata.category(sign) in ("Nd", "Sm", "Sc") for sign in plain):
        return False
    return not re.search(r"\w", plain) or (not _NOUN.search(plain) and says_only(plain, "speech"))


def _asks_for_words(plain: str) -> bool:
    """Return whether a folded turn wants to be told something that is no value."""
    text = _DECLINED.sub(" ", _QUOTED.sub(" ' ", plain)).strip(" ¿¡")
    if _OPENS.search(text):
        return True
    if how := _HOW.search(text):
        if not _SPELT.match(how["rest"]):
            return True
        text = f"{text[: how.start()]} {how['rest']}"
    return bool(_ANYWHERE.search(text) or asking_for_words().search(text))
