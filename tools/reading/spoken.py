"""Put numbers and operators in the place of words: "two million", "x squared", "square root of 16".

Ours, because libraries for numbers in words guess where one number ends, and none reads formulas in words.
What is clear only with parentheses, which nobody hears, is refused.
"""

from __future__ import annotations

from decimal import Decimal

from tools.expressions import FUNCTIONS, SYMBOLS
from tools.lexer import Token, TokenKind
from tools.reading.formulas import is_differential
from tools.reading.query import TokenizedQuery, UnreadError

# "Which one", "a quick one": no number.
_BEFORE_PRONOUN = frozenset("which this that each quick easy simple hard tricky another next last".split())
_UNITS = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
        "sixteen seventeen eighteen nineteen".split()
    )
}
_TENS = {
    word: 10 * value
    for value, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2)
}
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_OPERATORS = {
    "plus": "+", "minus": "-", "times": "*", "multiplied by": "*", "divided by": "/", "modulo": "mod",
    "to the power of": "^", "to the power": "^", "raised to the power of": "^", "raised to the power": "^",
    "raised to": "^", "squared": "^ 2", "cubed": "^ 3", "infinity": "oo", "infinite": "oo",
    "positive infinity": "oo", "negative infinity": "- oo", "minus infinity": "- oo",
}  # fmt: skip
_FUNCTIONS = {
    "square root of": "sqrt", "cube root of": "cbrt", "sine of": "sin", "cosine of": "cos",
    "natural log of": "ln", "natural logarithm of": "ln", "log base 2 of": "log2", "log base 10 of": "log10",
    "absolute value of": "abs", "factorial of": "factorial", "sqrt of": "sqrt", "sin of": "sin",
    "cos of": "cos", "tan of": "tan", "ln of": "ln", "exponential of": "exp", "square root": "sqrt",
    "cube root": "cbrt",
}  # fmt: skip
_PHRASES = {tuple(phrase.split()): text for phrase, text in (_OPERATORS | _FUNCTIONS).items()}
_LONGEST_PHRASE = max(map(len, _PHRASES))
_ORDINALS = {"fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10}


def respell_numbers(query: TokenizedQuery) -> None:
    """Put one number token in the place of every number in words or digits with a scale word."""
    index = 0
    while index < len(query.tokens):
        value, end = _digits_with_scale(query, index) or _number_words(query, index)
        if value is not None:
            put(query, index, end, str(value), "number")
        index += 1


def respell_formulas(query: TokenizedQuery) -> None:
    """Put the grammar's tokens in the place of words, throughout the question."""
    index = 0
    while index < len(query.tokens):
        _differential(query, index) or _ordinal_power(query, index) or _phrase(query, index)
        _times_sign(query, index)
        _factorial(query, index)
        index += 1
    for position in range(len(query.tokens)):
        _refuse_two_readings(query, position)


def _digits_with_scale(query: TokenizedQuery, index: int) -> tuple[Decimal | int, int] | None:
    """Read `1.5 million`, `250k`."""
    token, scale = query.tokens[index], query.words[index + 1]
    factor = _SCALES.get(scale) or (100 if scale == "hundred" else None)
    if scale == "k" and query.adjacent(index + 1):
        factor = 1000
    if token.kind != "number" or factor is None:
        return None
    value = Decimal(token.text) * factor
    return (int(value) if value == value.to_integral_value() else value), index + 2


def _number_words(query: TokenizedQuery, index: int) -> tuple[int | None, int]:
    """Read a number in words that begins here: its value and the index after it."""
    total, group, end, seen = 0, 0, index, False
    last_scale = 10**18
    room = 10**3  # what may still be added to the group: less than the last part
    while end < len(query.tokens):
        word = query.words[end]
        if word == "one" and query.words[end - 1] in _BEFORE_PRONOUN:
            break
        if word in _UNITS and _UNITS[word] < room:
            group, room = group + _UNITS[word], 0
        elif word in _TENS and room > 10:
            group, room = group + _TENS[word], 10
        elif word == "hundred" and group < 10 and (group or not seen):
            group, room = (group or 1) * 100, 100
        elif word in _SCALES and (group or _is_one(query, end, seen)) and _SCALES[word] < last_scale:
            total, last_scale = total + (group or 1) * _SCALES[word], _SCALES[word]
            group, room = 0, 10**3
        elif seen and word in ("-", "and") and _continues(query, end, room):
            end += 1
            continue
        else:
            break
        seen, end = True, end + 1
    return (total + group, end) if seen else (None, index)


def _is_one(query: TokenizedQuery, index: int, seen: bool) -> bool:
    """Return whether a scale stands for one of it: "a million"."""
    return not seen and query.words[index - 1] == "a"


def _continues(query: TokenizedQuery, index: int, room: int) -> bool:
    """Return whether the word after `-` (twenty-five) or `and` (a hundred and five) is of the same number."""
    following = query.words[index + 1]
    if query.words[index] == "-":
        return room == 10 and following in _UNITS and query.adjacent(index) and query.adjacent(index + 1)
    after_hundred = query.words[index - 1] in ("hundred", *_SCALES)
    return after_hundred and (following in _UNITS or following in _TENS)


def _refuse_two_readings(query: TokenizedQuery, index: int) -> None:
    """Refuse what is clear only with parentheses, which nobody hears: "square root of 16 plus 9"."""
    tokens, words = query.tokens, query.words
    is_power, is_function = words[index] == "^", words[index] in FUNCTIONS
    if not (is_power or is_function) or not query.is_spoken(index):
        return
    end = index + 2
    while end < len(tokens) and (tokens[end].text in SYMBOLS or tokens[end].kind == "superscript"):
        end += 1
    binary = words[end] in ("+", "-", "*", "/", "^")
    if is_function and words[index + 1] != "(" and binary:
        raise UnreadError(f"It is not clear where {query.source(index, end)!r} ends: put parentheses.")
    negative = words[index - 2] == "-" and tokens[index - 1].kind == "number"
    follows = index > 2 and (tokens[index - 3].kind == "number" or tokens[index - 3].text in SYMBOLS)
    if is_power and negative and not follows:
        raise UnreadError("A power of a negative number needs parentheses.")


def _phrase(query: TokenizedQuery, index: int) -> bool:
    """Respell the longest phrase for an operator or a function that begins here."""
    for length in range(_LONGEST_PHRASE, 0, -1):
        text = _PHRASES.get(tuple(query.words[index : index + length]))
        if text is not None:
            put(query, index, index + length, text)
            if query.words[index + 1] == "of" and text in ("sqrt", "cbrt"):
                query.replace(index + 1, index + 2, ())
            return True
    return False


def _ordinal_power(query: TokenizedQuery, index: int) -> bool:
    """Respell `to the 4th (power)`, `to the fourth`."""
    if query.words[index : index + 2] != ["to", "the"] or index + 2 >= len(query.tokens):
        return False
    number, end = query.tokens[index + 2], index + 3
    if query.words[index + 2] in _ORDINALS:
        digits = str(_ORDINALS[query.words[index + 2]])
    elif number.kind == "number" and query.adjacent(end) and query.words[end] in ("st", "nd", "rd", "th"):
        digits, end = number.text, end + 1
    else:
        return False
    put(query, index, end + (query.words[end] == "power"), f"^ {digits}")
    return True


def _differential(query: TokenizedQuery, index: int) -> bool:
    """Respell `d/dx`, `dy/dx`, `d^2/dx^2` as "derivative" or "second derivative", and `dx`."""
    lead, *rest = query.words[index : index + 7]
    if lead not in ("d", "dy", "df", "∂"):
        return False
    if rest[0] == "/" and is_differential(rest[1]):
        put(query, index, index + 3, f"derivative {rest[1]}")
        return True
    ordinal = {"2": "second", "3": "third"}.get(rest[1])
    if (
        ordinal
        and (rest[0], *rest[2::2]) == ("^", "/", "^")
        and rest[1] == rest[5]
        and is_differential(rest[3])
    ):
        put(query, index, index + 7, f"{ordinal} derivative {rest[3]}")
        return True
    return False


def _factorial(query: TokenizedQuery, index: int) -> None:
    """Respell `7 factorial`."""
    follows_number = index and query.tokens[index - 1].kind == "number"
    if query.words[index] == "factorial" and follows_number and query.words[index + 1] != "(":
        put(query, index, index + 1, "!")


def _times_sign(query: TokenizedQuery, index: int) -> None:
    """Respell `3 x 4`: an x between two numbers, with spaces, multiplies."""
    between = query.tokens[max(index - 1, 0) : index + 2]
    numbers = len(between) == 3 and between[0].kind == between[2].kind == "number"
    if numbers and query.words[index] == "x" and not (query.adjacent(index) or query.adjacent(index + 1)):
        put(query, index, index + 1, "*")


def put(query: TokenizedQuery, first: int, end: int, text: str, kind: TokenKind | None = None) -> None:
    """Put the tokens of a text in the place of some of a question."""
    start, stop = query.tokens[first].start, query.tokens[end - 1].end
    query.replace(first, end, [Token(kind or _kind(part), part, start, stop) for part in text.split()])


def _kind(text: str) -> TokenKind:
    return "number" if text[0].isdigit() or text[0] == "." else "operator" if text in "+-*/^!()" else "name"
