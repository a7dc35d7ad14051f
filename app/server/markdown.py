"""Markdown to HTML that is safe to show: what a model writes can neither run nor fetch anything.

Raw HTML is escaped, a link has a harmless scheme or is text, and an image is a link: showing it would tell
its server that the answer was read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.amsmath import amsmath_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from typing_extensions import TypedDict

from app.server.maths import mathml


class Block(TypedDict):
    """A paragraph, list, table, …

    Attributes:
        html: of the block.
        line: where it begins, counted from 0; None where that is not known.
    """

    html: str
    line: int | None


def render(text: str) -> list[Block]:
    """The blocks of a Markdown text, in order."""
    parser, env = _parser(), dict[str, Any]()
    blocks = _blocks(parser.parse(text, env))
    return [
        Block(html=parser.renderer.render(tokens, parser.options, env), line=_line(tokens[0]))
        for tokens in blocks
    ]


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    parser = (
        # Tools put what they say on lines of its own.
        MarkdownIt("js-default", {"html": False, "breaks": True})
        .use(dollarmath_plugin, allow_labels=False, allow_space=False, allow_digits=False, double_inline=True)
        .use(amsmath_plugin)
    )
    parser.inline.ruler.before("escape", "math_brackets", _brackets)
    for kind in ("math_inline", "math_inline_double", "math_block", "amsmath"):
        parser.add_render_rule(kind, _maths)
    parser.add_render_rule("image", _image)
    parser.add_render_rule("link_open", _link)
    for kind in ("th_open", "td_open"):
        parser.add_render_rule(kind, _cell)
    return parser


def _blocks(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """Tokens by top-level block."""
    block: list[Token] = []
    for token in tokens:
        block.append(token)
        if token.level == 0 and token.nesting != 1:
            yield block
            block = []


def _line(token: Token) -> int | None:
    return token.map[0] if token.map else None


def _brackets(state: StateInline, silent: bool) -> bool:
    r"""A rule for \(x\) and \[x\], also in the middle of a paragraph, where models like to put them."""
    opening = state.src[state.pos : state.pos + 2]
    if opening not in (r"\(", r"\["):
        return False
    closing, begin = {r"\(": r"\)", r"\[": r"\]"}[opening], state.pos + 2
    end = state.src.find(closing, begin, state.posMax)
    if end < 0 or not state.src[begin:end].strip():
        return False
    if not silent:
        token = state.push("math_inline" if opening == r"\(" else "math_inline_double", "math", 0)
        token.content = state.src[begin:end]
    state.pos = end + 2
    return True


def _maths(renderer: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    return mathml(token.content.strip(), block=token.type != "math_inline")


def _image(renderer: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    opening = Token("link_open", "a", 1, attrs={"href": token.attrs.get("src", "")})
    text = renderer.renderInlineAsText(token.children or [], options, env) or "image"
    label = Token("text", "", 0, content=f"{text} (image)")
    return str(renderer.render([opening, label, Token("link_close", "a", -1)], options, env))


def _link(renderer: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    tokens[index].attrSet("rel", "noopener noreferrer nofollow")
    tokens[index].attrSet("target", "_blank")
    return str(renderer.renderToken(tokens, index, options, env))


def _cell(renderer: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    # The page's Content-Security-Policy refuses style attributes.
    style = str(tokens[index].attrs.pop("style", ""))
    if style:
        tokens[index].attrSet("class", style.replace(":", "-"))
    return str(renderer.renderToken(tokens, index, options, env))
