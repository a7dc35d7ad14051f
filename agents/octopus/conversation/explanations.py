"""Recognise turns that ask for words about a subject, not for a value: why, how to, explain, prove, write."""

from __future__ import annotations

import re

from agents.octopus.conversation.speech import asking_for_words

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


def asks_for_words(plain: str) -> bool:
    """Return whether a folded turn wants to be told something that is no value."""
    text = _DECLINED.sub(" ", _QUOTED.sub(" ' ", plain)).strip(" ¿¡")
    if _OPENS.search(text):
        return True
    if how := _HOW.search(text):
        if not _SPELT.match(how["rest"]):
            return True
        text = f"{text[: how.start()]} {how['rest']}"
    return bool(_ANYWHERE.search(text) or asking_for_words().search(text))
