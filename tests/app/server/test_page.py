"""What the page is made of: its files, the graphs to draw, the turns of a thread; Markdown as safe HTML."""

from __future__ import annotations

import re
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.server.page import MOST_TEX, mathml, render
from tests.app.server.live import Live

WEB = Path("app/server/web")


def test_the_page_may_load_and_reach_only_its_own_server(live: Live) -> None:
    with live.http(None) as client:
        for path in ("/", "/web/main.js", "/web/style.css", "/web/octopus.svg"):
            reply = client.get(path)
            assert reply.status_code == 200
            policy = reply.headers["content-security-policy"]
            assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
            assert "require-trusted-types-for 'script'" in policy and "frame-ancestors 'none'" in policy
            assert reply.headers["x-content-type-options"] == "nosniff"
            again = client.get(path, headers={"If-None-Match": reply.headers["etag"]})
            assert again.status_code in (200, 304)
        for path in ("/web/nothing.js", "/web/../pyproject.toml", "/web/%2e%2e/page.py", "/web//etc/passwd"):
            assert client.get(path).status_code in (401, 404), path
        assert client.post("/render", json={"text": "x"}).status_code == 401


def test_the_page_names_no_other_place() -> None:
    for file in WEB.iterdir():
        places = re.findall(r"https?://[^\s\"')]+", file.read_text())
        assert set(places) <= {"http://www.w3.org/2000/svg"}, file
    named = re.findall(r'(?:src|href)="(/[^"]*)"', (WEB / "index.html").read_text())
    imported = {
        name for file in WEB.glob("*.js") for name in re.findall(r'from "\./(\S+)";', file.read_text())
    }
    assert {Path(name).name for name in named} | imported == {
        file.name for file in WEB.iterdir() if file.name != "index.html"
    }


def test_markdown_is_rendered_within_bounds(live: Live) -> None:
    with live.http() as client:
        reply = client.post("/render", json={"text": "*b*\n\nc"})
        assert reply.json()["blocks"][1] == {"html": "<p>c</p>\n", "line": 2}
        assert client.post("/render", json={"text": "x" * 32_000}).status_code == 200
        assert client.post("/render", json={"text": "x" * 32_001}).status_code == 400


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
