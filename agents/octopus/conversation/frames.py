"""Take the frame off a question: "for my physics homework: …", "as a nurse, …", "quick question - …".

Closed lists of words decide, and words that change what is asked stay: "in base 8", "in Python", "as a
jeweller" (whose ounces are others). What is left must still be read as a whole.
"""

from __future__ import annotations

import re

_FIELD = (
    r"(?:(?:high school|college|elementary|clinical|conceptual|applied|professional|world|international) )?"
    r"(?:economics|physics|chemistry|biology|geography|history|maths?|mathematics|algebra|geometry|calculus"
    r"|trigonometry|statistics|finance|accounting|marketing|psychology|sociology|medicine|nursing|anatomy"
    r"|engineering|science|business|law|politics|philosophy|astronomy|ecology|home economics|personal finance"
    r"|arithmetic|pre-?algebra|linear algebra|public health|education|real estate|woodworking|pe|stats"
    r"|computer science|machine learning|genetics|virology|microbiology|botany|zoology|geology|nutrition"
    r"|macro-?economics|micro-?economics|econometrics|management|public relations|logic|ethics|religion"
    r"|literature|linguistics|archaeology|anthropology|criminology|aviation|agriculture|architecture)"
)
_OCCASION = (
    r"(?:homework|class|course|exam|test|quiz|worksheet|assignment|lesson|project|paper|essay|report|lab"
    r"|thesis|presentation|study|textbook|problem set|budget|taxes|tax return|recipe|cookbook|party|wedding"
    r"|trip|holiday|vacation|garden|kitchen|house|move|job|work|shop|store|office|company|firm|school"
    r"|hospital|clinic|restaurant|bakery|factory|warehouse|league|election|court|farm|gym|blog|spreadsheet"
    r"|invoice|article|newsletter|crossword|quiz night|pub quiz|bet|workout|diary|records|notes|finals"
    r"|midterms?|geometry set|science fair|lab report)"
)
_PERSON = (
    r"(?:nurse|doctor|teacher|student|engineer|cook|chef|baker|carpenter|accountant|lawyer|parent|mother"
    r"|father|mom|mum|dad|runner|cyclist|farmer|gardener|plumber|electrician|mechanic|tailor|builder"
    r"|architect|designer|waiter|waitress|manager|economist|biologist|chemist|physicist|tourist|beginner"
    r"|freelancer|freshman|sophomore|tutor|swimmer|hiker|photographer|scientist|writer|journalist|reporter"
    r"|historian|librarian|cashier|barista|bartender|realtor|coach|retiree|midwife|vet|dentist|welder"
    r"|painter|trucker|landlord|shopkeeper|bookkeeper|researcher|trainee|apprentice|paralegal|judge|clerk)"
)
_OF = r"(?:(?:my|our|the|a|an|his|her|your|this|some)\s+)?"
_PLACED = rf"{_OF}(?:(?:{_FIELD}|law|high|middle|next|final|school|family|small|weekly|monthly)\s+){{0,2}}"
_SIGN = r"\s*(?:[,:;.!?]+|\s[-]+)\s+"
_NEED = (
    r"(?:(?:i|we)\s+(?:need|want|have|must know|need to know|want to know|wanted to know|have to know"
    r"|would like)(?:\s+to\s+(?:know|find|get|convert|have))?\s+)"
)
_ASKING = (
    r"(?:a\s+|one\s+(?:more\s+)?|another\s+|just\s+a\s+|here'?s\s+an?\s+|i\s+have\s+an?\s+|i'?ve\s+got\s+an?\s+)?"
    rf"(?:(?:quick|random|simple|easy|silly|dumb|stupid|small|short|basic|weird|trivia|next|cooking|baking|travel|history"
    rf"|money|units?|conversion|calculator|number|date|{_FIELD})\s+){{0,2}}"
    r"(?:question|q|one|problem|check|calc|trivia|riddle)"
    r"(?:\s+(?:for\s+you|from\s+my\s+\w+|about\s+(?:units|money|dates|numbers|percentages)))?"
)
_ASIDE = (
    r"(?:just\s+curious|out\s+of\s+curiosity|just\s+wondering|help\s+me\s+settle\s+a\s+bet|to\s+settle\s+a\s+bet"
    r"|for\s+fun|just\s+for\s+fun|i\s+forgot|i\s+always\s+forget|asking\s+for\s+a\s+friend|real\s+quick"
    r"|no\s+calculator\s+(?:here|handy)|i'?m\s+bad\s+at\s+math|i\s+suck\s+at\s+math|sanity\s+check)"
)
_FRAMES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # In economics, … For my physics homework: … At a law firm, … From my calculus worksheet: …
        rf"(?:in|for|from|at|on)\s+(?:{_PLACED}{_OCCASION}|{_OF}{_FIELD}){_SIGN}{_NEED}?(?P<rest>.+)",
        rf"(?:in|for|from|at|on)\s+{_PLACED}{_OCCASION}\s+{_NEED}(?P<rest>.+)",
        # Physics: … Maths question: … Hey, one more question. …
        rf"(?:{_FIELD}|{_FIELD}\s+{_OCCASION}|{_OCCASION}|{_ASKING}|{_ASIDE}){_SIGN}(?P<rest>.+)",
        # As a nurse I need … I'm a carpenter. …
        rf"(?:as|i'?m|i\s+am)\s+an?\s+(?:{_FIELD}\s+|school\s+|home\s+)?{_PERSON}(?:{_SIGN}{_NEED}?|\s+{_NEED})(?P<rest>.+)",
        # Doing my taxes, … Studying for an exam: …
        rf"(?:i'?m\s+)?(?:doing|working\s+on|studying\s+for|preparing\s+for|revising\s+for|filling\s+(?:in|out)"
        rf"|planning|writing|checking|grading)\s+{_PLACED}{_OCCASION}{_SIGN}(?P<rest>.+)",
        # My teacher asks: … My boss wants to know …
        rf"(?:my|our|the|a)\s+(?:{_PERSON}|boss|professor|son|daughter|kid|friend|wife|husband|client"
        rf"|customer|neighbou?r|colleague|patient)\s+(?:asks|asked|wants\s+to\s+know|needs\s+to\s+know"
        rf"|is\s+asking|wonders)(?:\s+me)?(?:{_SIGN}|\s+)(?P<rest>.+)",
    )
)
# With these the subject decides what a word means: a logarithm's base, whose calories, which ounces.
_DEPENDS = re.compile(
    r"\b(?:log|logarithm|calories?|cal|gold|silver|troy|karats?|carats?|binary|base|octal|hex|[kmgt]i?b|\w*bytes?|\w*bits?)\b",
    re.IGNORECASE,
)
_MOST = 3


def unframed(turn: str) -> str:
    """Return a question without the frames before it; "" if it has none, or the frame may change it."""
    rest = turn
    for _ in range(_MOST):
        found = next((match for one in _FRAMES if (match := one.fullmatch(rest))), None)
        if found is None:
            break
        rest = found["rest"].strip()
    return "" if rest == turn or _DEPENDS.search(rest) else rest
