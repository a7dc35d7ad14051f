"""Number bases, Roman numerals and encodings: values computed apart from the functions, and refusals."""

from __future__ import annotations

from typing import Any

import pytest

from tools.declaration import ToolError
from tools.subjects import encodings


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("convert_base", {"digits": "0", "target": 2}, "0"),
        ("url_encode", {"text": "ä/ß"}, "%C3%A4%2F%C3%9F"),
        ("convert_base", {"digits": "0xff", "target": 2}, "11111111"),
        ("from_roman", {"numeral": "MCMXCIV"}, 1994),
        ("to_roman", {"value": 1994}, "MCMXCIV"),
        ("from_base64", {"text": "T2N0b3B1cw=="}, "Octopus"),
        ("code_point", {"text": "é"}, "233 (U+00E9 LATIN SMALL LETTER E WITH ACUTE)"),
    ],
)
def test_value(name: str, arguments: dict[str, Any], result: Any) -> None:
    assert getattr(encodings, name)(**arguments) == result


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("from_roman", {"numeral": "IIII"}, "standard form"),
        ("from_base64", {"text": "!"}, "not the Base64"),
        ("to_roman", {"value": 4000}, "1 to 3999"),
        ("convert_base", {"digits": "0xff", "target": 10, "source": 2}, "base 16, not 2"),
        ("code_point", {"text": "ab"}, "not one character"),
    ],
)
def test_refusal(name: str, arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ToolError, match=text):
        getattr(encodings, name)(**arguments)
