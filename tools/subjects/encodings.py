"""Convert between number bases, Roman numerals and encodings of text."""

from __future__ import annotations

import base64
import binascii
import unicodedata
from urllib.parse import quote, unquote

from tools.declaration import ToolError, cue, tool
from tools.types import Base, Digits, Integer, RomanNumeral, SourceBase, Text

_ROMAN = {"M": 1000, "CM": 900, "D": 500, "CD": 400, "C": 100, "XC": 90, "L": 50, "XL": 40, "X": 10, "IX": 9,
          "V": 5, "IV": 4, "I": 1}  # fmt: skip
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
MAX_NUMERAL = 200


@tool(
    examples=(
        "convert 255 to binary",
        "What is 0xff in decimal?",
        "binary 101101 to hex",
        "write 4095 in base 16",
        "convert 1010 from base 2 to base 10",
    ),
    cues={"source": cue("from"), "target": cue("to, in, into, as")},
    words=(
        "convert, number, write, decimal, binary, hexadecimal, octal, representation, notation, "
        "represent, numeral, translate, change, form, system, base"
    ),
)
def convert_base(digits: Digits, target: Base, source: SourceBase | None = None) -> str:
    """Writes a whole number in another base: binary, octal, decimal, hexadecimal or any base from 2 to 36.

    Args:
        digits: the numeral; `0x`, `0b` and `0o` say its base.
        target: the base of the result.
        source: the base of the numeral; if neither it nor a prefix says so, 10, or 16 if it has letters.

    Returns:
        The numeral in the target base, digits beyond 9 as lower-case letters.

    Raises:
        ToolError: if the numeral has other digits than its base, or is too long.
    """
    prefix = {"0x": 16, "0b": 2, "0o": 8}.get(digits[:2].lower())
    if prefix and source and prefix != source:
        raise ToolError(f"{digits!r} is a numeral of base {prefix}, not {source}.")
    letters = frozenset(digits.lower()) - frozenset("0123456789")
    only_hexadecimal = target == 10 and letters and letters <= frozenset("abcdef")
    base = source or prefix or (16 if only_hexadecimal else 10)
    body = digits[2:] if prefix else digits
    if len(body) > MAX_NUMERAL or not (2 <= base <= 36 and 2 <= target <= 36):
        raise ToolError(f"Numerals of up to {MAX_NUMERAL} digits are converted, between the bases 2 and 36.")
    if not body or any(digit not in _DIGITS[:base] for digit in body.lower()):
        raise ToolError(f"{digits!r} is no numeral of base {base}.")
    value, result = int(body, base), ""
    while value or not result:
        value, digit = divmod(value, target)
        result = _DIGITS[digit] + result
    return result


@tool(
    asks="roman, roman numeral, roman numerals",
    examples=(
        "1994 in Roman numerals",
        "convert 49 to a roman numeral",
        "How do you write 2024 in Roman numerals?",
    ),
    words="convert, write, written, number, year, turn, how do you write, how do i write",
)
def to_roman(value: Integer) -> str:
    """Writes a whole number as a Roman numeral.

    Args:
        value: 1 to 3999.

    Returns:
        The Roman numeral.

    Raises:
        ToolError: if the number is out of range.
    """
    if not 1 <= value <= 3999:
        raise ToolError(f"Roman numerals are written for 1 to 3999, not for {str(value)[:30]}.")
    result = ""
    rest: int = value
    for letters, worth in _ROMAN.items():
        count, rest = divmod(rest, worth)
        result += letters * count
    return result


@tool(
    asks="roman, roman numeral, number, numbers, digits, value, decimal, arabic, what is",
    examples=("What number is MCMXCIV?", "convert the Roman numeral XLIX to a number", "value of CDXLIV"),
    words="convert, numeral, mean, numerals, stand, integer",
)
def from_roman(numeral: RomanNumeral) -> int:
    """Reads a Roman numeral.

    Args:
        numeral: in the standard form, such as `MCMXCIV`.

    Returns:
        Its value.

    Raises:
        ToolError: if it is not in the standard form.
    """
    rest, value = numeral.upper(), 0
    for letters, worth in _ROMAN.items():
        while rest.startswith(letters):
            rest, value = rest[len(letters) :], value + worth
    if rest or not 1 <= value <= 3999 or to_roman(Integer(value)) != numeral.upper():
        raise ToolError(f"{numeral[:30]!r} is no Roman numeral in the standard form.")
    return value


@tool(
    asks="base64, base64 encode, base 64",
    examples=('base64 encode "hello world"', "What is 'Octopus' in base64?", 'encode "a b c" as base64'),
    words="encode, encoding, text, string, convert, encoded, word",
)
def to_base64(text: Text) -> str:
    """Encodes text as Base64 (RFC 4648) of its UTF-8 bytes.

    Args:
        text: the text.

    Returns:
        The Base64 text.
    """
    return base64.b64encode(text.encode()).decode()


@tool(
    asks="base64 decode, decode base64, decode base 64, decode",
    examples=('decode base64 "aGVsbG8="', "base64 decode 'T2N0b3B1cw=='"),
    words="text, string, decoded, base64, base, encoded",
)
def from_base64(text: Text) -> str:
    """Decodes Base64 (RFC 4648) to UTF-8 text.

    Args:
        text: the Base64 text.

    Returns:
        The decoded text.

    Raises:
        ToolError: if it is not Base64, or not UTF-8 text.
    """
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ToolError(f"{text[:40]!r} is not the Base64 form of UTF-8 text.") from error


@tool(
    asks="hex, hexadecimal, hex encode",
    examples=('hex encode "hello"', "What are the hex bytes of 'café'?"),
    words="encode, bytes, text, string, convert, utf",
)
def to_hex(text: Text) -> str:
    """Writes the UTF-8 bytes of text in hexadecimal.

    Args:
        text: the text.

    Returns:
        Two hexadecimal digits per byte, with spaces between the bytes.
    """
    return text.encode().hex(" ")


@tool(
    asks="url encode, percent encode, url encoding, urlencode, percent-encode, url-encode",
    examples=('url encode "a b&c"', "percent-encode 'x=1 y=2'"),
    words="text, string, encode, url, -",
)
def url_encode(text: Text) -> str:
    """Percent-encodes text for a URL (RFC 3986).

    Args:
        text: the text.

    Returns:
        The encoded text.
    """
    return quote(text, safe="")


@tool(
    asks="url decode, percent decode, urldecode, percent-decode, url-decode",
    examples=('url decode "a%20b"', "percent-decode 'x%3D1'"),
    words="text, string, decode, url, -",
)
def url_decode(text: Text) -> str:
    """Decodes percent-encoded text of a URL (RFC 3986).

    Args:
        text: the encoded text.

    Returns:
        The text.
    """
    return unquote(text)


@tool(
    asks="unicode, code point, codepoint, ascii code, ascii, unicode code point",
    examples=("unicode code point of 'é'", 'What\'s the ASCII code of "A"?', 'which code point is "€"'),
    words="character, letter, code, value, number, symbol, name",
)
def code_point(text: Text) -> str:
    """Gives the Unicode (ASCII) code point of one character with its name.

    Args:
        text: one character.

    Returns:
        The code point in decimal and as `U+...`, and the name.

    Raises:
        ToolError: if it is not one character.
    """
    if len(text) != 1:
        raise ToolError(f"{text[:20]!r} is not one character.")
    return f"{ord(text)} (U+{ord(text):04X} {unicodedata.name(text, 'without a name')})"
