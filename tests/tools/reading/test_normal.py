"""The normal form of a question: what is mended, what stays, and that it is stable."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tools.reading.normal import normalised


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x² + 2x⁻¹", "x^2 + 2x^-1"),
        ("sin²x", "sin^2 x"),
        ("6.02×10²³", "6.02*10^23"),
        ("½ + ¼", "1/2 + 1/4"),
        ("1½ cups", "1 1/2 cups"),
        ("3/½", "3/(1/2)"),
        ("¾²", "(3/4)^2"),
        ("½x", "(1/2)x"),
        ("½ mile", "1/2 mile"),
        ("H₂O", "H2O"),
        ("CuSO₄·5H₂O", "CuSO4·5H2O"),
        ("3·4", "3*4"),
        ("8÷2−1", "8/2-1"),
        ("２＋２＝？", "2+2=?"),
        ("١٢ + ٣", "12 + 3"),
        ("१२ × ३", "12 * 3"),
        ("1，2、3", "1, 2, 3"),
        ("20 ℃", "20 °C"),
        ("20º C", "20° C"),
        ("5 ㎡", "5 m^2"),
        ("1\u202f000\u202f000", "1000000"),
        ("2\u200b+\u200e2\ufeff", "2+2"),
        ("\ufeff2 + 2", "2 + 2"),
        ("😀 2+2 😀", "2+2"),
        ("2😀2", "2 2"),
        ("2 ➕ 2", "2 + 2"),
        ("can’t “say”", 'can\'t "say"'),
        ("5′10″", "5'10\""),
        ("𝑥 ﬁnd", "x find"),
    ],
)
def test_signs_that_only_look_different(text: str, expected: str) -> None:
    assert normalised(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("**What is the capital of Kenya?**", "What is the capital of Kenya?"),
        ("what is **2+2**?", "what is 2+2?"),
        ("is *this* __bold__?", "is this __bold__?"),
        ("_really_ big", "really big"),
        ("***both***", "both"),
        ("> quote", "quote"),
        ("## What is 2+2?", "What is 2+2?"),
        ("- apples\n- pears", "apples\npears"),
        ("• 1\n• 2", "1\n2"),
        ("see [the docs](https://example.org/a) first", "see the docs first"),
        ("what is `2**10`?", "what is 2**10?"),
        ("base64 of `hello`", 'base64 of "hello"'),
        ("\\$5 + \\$7", "$5 + $7"),
        ("2+2? #maths #help", "2+2?"),
        ("a\n---\nb", "a\n\nb"),
    ],
)
def test_markdown(text: str, expected: str) -> None:
    assert normalised(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"$\frac{3}{4}+\frac{1}{8}$", "(3/4)+(1/8)"),
        (r"\(2\frac{1}{2}\)", "2 1/2"),
        (r"\frac{x+1}{x^{2}}", "((x+1)/(x^2))"),
        (r"\frac{\frac{1}{2}}{3}", "((1/2)/3)"),
        (r"\sqrt{16}", "sqrt(16)"),
        (r"\sqrt[3]{27}", "cbrt(27)"),
        (r"2^{10}", "2^10"),
        (r"e^{2x}", "e^(2x)"),
        (r"$3 \times 4$", "3  *  4"),
        (r"\int_0^1 x^2 dx", "integral from 0 to 1 of  x^2 dx"),
        (r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}", "[[1, 2], [3, 4]]"),
        (r"90^\circ", "90°"),
        (r"is $97$ prime", "is  97  prime"),
    ],
)
def test_latex(text: str, expected: str) -> None:
    assert normalised(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "2**10",
        "2**10 + 3**4",
        "(2)**10 + (3)**4",
        "2 **10** 3",
        "2 *pi* r",
        "5 * 3 * 2",
        "5 *3* 2",
        "snake_case_name and another_one",
        "__import__('os').system('true')",
        "def __init__(self): pass",
        "- 5 + 3",
        "derivative of\n- x^2 + 3",
        "- sin(x)",
        "$5 + $7",
        "costs $5 and then $7",
        "f[0](x)",
        "C# and #fff",
        "```python\nx = a **b** c  # ½\n```",
        "code point of '²'",
        'base64 of "½ **bold**"',
        r"C:\temp\new",
        "a < b > c",
        "[[1, 2], [3, 4]]",
        "what's 5'10\" in cm",
    ],
)
def test_what_stays(text: str) -> None:
    assert normalised(text) == text


@pytest.mark.parametrize(
    "piece", ["*a ", " *a", "½", "\\begin{matrix}", "\\", "`a ", "[a](", '"a', "> ", "^{"]
)
def test_long_text_is_read_quickly(piece: str) -> None:
    started = time.process_time()
    normalised((piece * 8_000)[:8_000])
    assert time.process_time() - started < 2


_PIECES = st.sampled_from(
    [*"x2½²⁻*_`\"'#>$\\{}^-•“’«٣＋😀\u200d\ufe0f\u200b \n()[]a!㎡º…⁄", r"\frac", r"\sqrt", "**", "http://"]
)


@given(st.one_of(st.text(max_size=60), st.lists(_PIECES, max_size=25).map("".join)))
@example('```"```"')
def test_it_is_stable(text: str) -> None:
    once = normalised(text)
    assert normalised(once) == once
