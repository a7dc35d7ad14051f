"""Write a question as tools and routing read it: without Markdown, LaTeX and signs that only look different.

Ours, because what is safe depends on the reading: Unicode's NFKC turns x² into x2 and 1½ into 11⁄2, and
removers of Markdown take `2**10` apart. What stands in quotes is data and stays as it is.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from tools.reading.latex import plain_latex

_PLAIN = re.compile(r"[A-Za-z0-9 .,?!;:()/=%'&@^-]*")
_PASSES = 8
_MOST_CHARACTERS = 8_000
_QUOTES = str.maketrans("“”„‟«»″〝〞＂‘’‚‛′＇", '"' * 10 + "'" * 6)
_FENCE = re.compile(r"```.*?```", re.DOTALL)
_CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_CALCULATED = re.compile(
    r"(?=.*[0-9+*/^=])(?:[0-9\s+*/^=().,%!|<>-]|(?<![A-Za-z])[A-Za-z](?![A-Za-z])|pi|sqrt|sin|cos|tan|ln|exp)+"
)
_QUOTED = re.compile(r'"[^"]*"|(?<!\w)\'[^\']*\'(?!\w)|`[^`]*`')
_FIRST_HOLDER = 0xE000
_HOLDERS = re.compile(r"[\uE000-\uF8FF]")

_LINK = re.compile(r"!?\[([^\[\]\n]{1,300})\]\((?:https?://|www\.|mailto:|/|#)[^()\s]*\)")
_RULE = re.compile(r"^[ \t]*([-*_])(?:[ \t]*\1){2,}[ \t]*$", re.MULTILINE)
_QUOTATION = re.compile(r"^[ \t]*(?:>[ \t]+)+", re.MULTILINE)
_HEADING = re.compile(r"^[ \t]{0,3}#{1,6}[ \t]+", re.MULTILINE)
_FUNCTION = r"(?:sin|cos|tan|cot|sec|csc|ln|log|exp|sqrt|cbrt|abs|pi)\b"
_BULLET = re.compile(rf"^[ \t]*(?:[-*+][ \t]+(?!{_FUNCTION})(?=[^\W\d_]{{2}})|[•‣▪◦●][ \t]*)", re.MULTILINE)
# An emphasis begins after a space or an opening sign and not after a factor: `2 **10`, `(a)**2`.
_STARRED = re.compile(
    r"(?<![\w)\]*\\])(?<![\d)]\s)(\*{1,3})(?=[^\s*])((?:[^*\n]|\*(?!\*)){1,200}?)(?<=[^\s*])\1(?![\w*(])(?!\s[\d(])"
)
_UNDERLINED = re.compile(
    r"(?<![^\s(])_(?=[A-Za-z]{2})([A-Za-z]+|[A-Za-z][^\n_]{0,200} [^\n_]{0,200}?[^\s_])_(?=[\s.,?!;:)]|$)"
)
_ESCAPED = re.compile(r"(?<!\\)\\+([*_$#%&~>])")
_TAGS = re.compile(
    r"(?:\s#(?![0-9a-fA-F]{3,8}\b|include|define|pragma|if|end|import|region)[^\W\d_]\w{2,})+\s*$"
)

_INVISIBLE = re.compile(
    r"[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufe00-\ufe0f\u20e3]"
)
# The joiners are spelling between letters of Persian and of the scripts of India.
_JOINERS = re.compile(r"(?<![^\W\d_A-Za-z])[\u200c\u200d]|[\u200c\u200d](?![^\W\d_A-Za-z])")
_EMOJI = re.compile(
    "[\U0001f000-\U0001faff\U000e0000-\U000e007f\u2600-\u27bf\u2b00-\u2bff\u2300-\u23ff\u2139\u203c\u2049\u3030]"
)
_SUPERSCRIPT = re.compile(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻]+")
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_VULGAR = re.compile(r"[¼-¾⅐-⅞↉]")
_SQUARED = re.compile(r"[\u3300-\u33ff]")
_GROUPED = re.compile(r"(?<![\d.,])\d{1,3}(?:[\u00a0\u2009\u202f]\d{3})+(?!\d)")
_DIGIT = re.compile(r"[^\W_A-Za-z0-9]")
_SIGNS = {
    "×": "*", "✕": "*", "✖": "*", "∗": "*", "∙": "*", "⋅": "*", "÷": "/", "➗": "/", "∕": "/", "⁄": "/",
    "−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "‒": "-", "➖": "-", "➕": "+", "º": "°", "˚": "°",
    "∛": " cbrt ", "，": ", ", "、": ", ", "；": "; ", "。": ". ", "،": ", ", "؛": "; ", "؟": "?", "٪": "%",
    "٫": ".", "٬": ",",
}  # fmt: skip
_SIGN = re.compile("|".join(_SIGNS))
_DOT = re.compile(r"·(?![0-9]*[A-Z])")  # not that of CuSO4·5H2O
_SPACES = re.compile(r"[\u00a0\u2000-\u200a\u202f\u205f\u3000]")


@lru_cache(maxsize=1024)
def normalised(text: str) -> str:
    """Return a text with plain signs: no Markdown, LaTeX, emoji or invisible marks, and the digits 0 to 9.

    The result is its own normal form. Code and what stands in quotes stay as they are, and so does a text of
    more than 8,000 characters, which is a document and no question.
    """
    if len(text) > _MOST_CHARACTERS:
        return text
    if _PLAIN.fullmatch(text) and text.lstrip()[:1] != "-":
        return text.strip()
    for _ in range(_PASSES):
        before, text = text, _pass(text)
        if text == before:
            break
    return text


def _pass(text: str) -> str:
    held: list[str] = []

    def hold(match: re.Match[str]) -> str:
        held.append(match.group())
        return chr(_FIRST_HOLDER + len(held) - 1)

    text = _HOLDERS.sub(" ", text).translate(_QUOTES)
    text = _FENCE.sub(hold, text)
    text = _QUOTED.sub(hold, _CODE.sub(_code, text))
    text = _characters(_markdown(plain_latex(text)))
    # What was held may hold something itself: a fence in quotes.
    while held:
        text = text.replace(chr(_FIRST_HOLDER + len(held) - 1), held.pop())
    return text.strip()


def _code(match: re.Match[str]) -> str:
    """Write code without its marks if it is calculated, else in quotes: it may be the data of a question."""
    code = match.group(1)
    if _CALCULATED.fullmatch(code):
        return code
    return match.group() if '"' in code else f'"{code}"'


def _markdown(text: str) -> str:
    text = _LINK.sub(r"\1", text)
    for pattern in (_RULE, _QUOTATION, _HEADING, _BULLET, _TAGS):
        text = pattern.sub("", text)
    text = _STARRED.sub(_emphasised, text)
    text = _UNDERLINED.sub(r"\1", text)
    return _ESCAPED.sub(r"\1", text)


def _emphasised(match: re.Match[str]) -> str:
    """Take one star for emphasis only around words: `2 *pi* r` is a product."""
    marks, inside = match.groups()
    words = re.match(rf"(?!{_FUNCTION})[^\W\d_]{{2}}", inside)
    return match.group() if marks == "*" and not words else inside


def _characters(text: str) -> str:
    if text.isascii():
        return text
    text = _JOINERS.sub("", _INVISIBLE.sub("", text))
    text = _GROUPED.sub(lambda match: re.sub(r"\D", "", match.group()), text)
    text = _SIGN.sub(lambda match: _SIGNS[match.group()], text)
    text = _EMOJI.sub(" ", _DOT.sub("*", text))
    text = _VULGAR.sub(_fraction, _SUPERSCRIPT.sub(_power, text))
    text = _SQUARED.sub(_square, text)
    text = unicodedata.normalize("NFKC", _SPACES.sub(" ", text))
    return _DIGIT.sub(_digit, text)


def _power(match: re.Match[str]) -> str:
    """Write x² as x^2, with a space behind it if a factor follows."""
    following = match.string[match.end() : match.end() + 1]
    return f"^{match.group().translate(_RAISED)}{' ' if following.isalnum() else ''}"


def _fraction(match: re.Match[str]) -> str:
    """Write ½ as 1/2, 1½ as 1 1/2, and in a product or power as (1/2)."""
    text = unicodedata.normalize("NFKC", match.group()).replace("⁄", "/")
    before, after = match.string[: match.start()], match.string[match.end() :]
    if before[-1:].isdigit():
        return f" {text}"
    factor = re.match(r"\s*[\^(!⁰¹²³⁴-⁹⁻]|[A-Za-z](?![A-Za-z])", after)
    return f"({text})" if factor or before.rstrip()[-1:] in ("/", "^") else text


def _square(match: re.Match[str]) -> str:
    """Write ㎡ as m^2."""
    return re.sub(r"([a-z])([23])$", r"\1^\2", unicodedata.normalize("NFKC", match.group()))


def _digit(match: re.Match[str]) -> str:
    value = unicodedata.decimal(match.group(), None)
    return match.group() if value is None else str(value)
