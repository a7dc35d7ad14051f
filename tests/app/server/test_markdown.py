"""Markdown as HTML that is safe to show, and formulas as MathML."""

from __future__ import annotations

import re
import time
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.server.markdown import MOST_TEX, mathml, render


def html(text: str) -> str:
    return "".join(block["html"] for block in render(text))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("**a** ~~b~~", "<p><strong>a</strong> <s>b</s></p>\n"),
        ("one\ntwo", "<p>one<br>\ntwo</p>\n"),
        ("<b>x</b>", "<p>&lt;b&gt;x&lt;/b&gt;</p>\n"),
        ("```py\n<x>\n```", '<pre><code class="language-py">&lt;x&gt;\n</code></pre>\n'),
        ("[a](javascript:x)", "<p>[a](javascript:x)</p>\n"),
        (
            "![a *b*](http://h/p.png)",
            '<a href="http://h/p.png" rel="noopener noreferrer nofollow" target="_blank">a b (image)</a>',
        ),
        ("costs $5 or $6", "<p>costs $5 or $6</p>\n"),
        ("`$x$`", "<p><code>$x$</code></p>\n"),
        ("|a|\n|:-:|\n|b|", '<th class="text-align-center">a</th>'),
    ],
)
def test_markdown(text: str, wanted: str) -> None:
    assert wanted in html(text)


@pytest.mark.parametrize("text", ["$x^2$", r"\(x^2\)", "so $x^2$.", r"so \(x^2\)."])
def test_formulas_in_the_line(text: str) -> None:
    assert '<math display="inline"><mrow><msup><mi>x</mi><mn>2</mn></msup></mrow></math>' in html(text)


@pytest.mark.parametrize(
    "text",
    [
        "$$\nx^2\n$$",
        "so\n\\[ x^2 \\]\nis",
        "- a\n  \\[ x^2 \\]",
        "so $$x^2$$",
        "\\begin{align}x^2\\end{align}",
    ],
)
def test_formulas_of_their_own(text: str) -> None:
    assert '<math display="block">' in html(text)


@pytest.mark.parametrize("text", [r"\\(x\\)", r"\( \)", r"\(x", "$x", r"\[ x"])
def test_what_is_no_formula(text: str) -> None:
    assert "<math" not in html(text)


def test_what_tex_could_do_it_does_not() -> None:
    found = mathml(r"\href{javascript:x}{a} \style{color:red}{b} \text{<script>} \class{c}{d}", block=False)
    assert not re.search(r"href|style=|class=|<script", found.replace("\\", ""))


def test_tex_that_is_not_understood_is_shown_as_it_is() -> None:
    assert mathml(r"\frac{", block=True) == r'<code class="tex">\frac{</code>'
    assert mathml("<" * (MOST_TEX + 1), block=True).startswith('<code class="tex">&lt;&lt;')
    assert mathml("{" * MOST_TEX, block=True).startswith("<code")


def test_lines_of_blocks() -> None:
    assert [block["line"] for block in render("a\n\n- b\n- c\n\n```\nd\n```\n\ne")] == [0, 2, 5, 9]


@given(st.text(alphabet="<>&\"'$\\()[]{}!|`*_-#\n ahref=:/jsx", max_size=80))
def test_whatever_is_written_no_other_element_comes_out(text: str) -> None:
    for name, attributes in re.findall(r"<(\w+)([^>]*)>", html(text)):
        assert name not in {"script", "img", "iframe", "svg", "style", "form", "object", "embed"}
        assert not re.search(r"\s(?:on\w+|style)=", attributes)


@given(st.text(alphabet="\\abcdefghijklmnopqrstuvwxyz{}^_&<>123 ", max_size=60))
def test_whatever_tex_is_written_the_markup_is_whole(tex: str) -> None:
    ElementTree.fromstring(mathml(tex, block=True))


@pytest.mark.parametrize(
    "text", ["*a " * 10_000, "[" * 30_000, "$" * 30_000, "\\(" * 15_000, "> " * 5_000, "`" * 9_999 + "a"]
)
def test_what_is_made_to_take_long_does_not(text: str) -> None:
    begun = time.process_time()
    render(text)
    assert time.process_time() - begun < 10
