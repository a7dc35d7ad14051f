"""Serve the page at `/`: static files, and HTML of the Markdown that it shows; all else is the public API.

What a model writes can neither run nor fetch anything: raw HTML is escaped, a link has a harmless scheme or
is text, and an image is a link, because showing it would tell its server that the answer was read. TeX
becomes MathML, which browsers draw themselves.
"""

from __future__ import annotations

import asyncio
import html
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any
from xml.etree import ElementTree

from fastapi import APIRouter, FastAPI
from fastapi.responses import FileResponse, Response
from latex2mathml.converter import convert_to_element
from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.amsmath import amsmath_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from pydantic import BaseModel, Field
from starlette.staticfiles import StaticFiles
from typing_extensions import TypedDict

from app.server.dependencies import Chatter
from app.server.middleware import PAGE_PATHS

MOST_TEX = 4_000  # characters of one formula

_ELEMENTS = frozenset(
    "math mfrac menclose mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot mrow ms mspace msqrt"
    " mstyle msub msubsup msup mtable mtd mtext mtr munder munderover none".split()
)
_ATTRIBUTES = frozenset(
    "accent accentunder columnalign columnlines columnspacing depth display displaystyle fence form height"
    " largeop linethickness lspace mathcolor mathvariant maxsize minsize movablelimits notation rowlines"
    " rowspacing rspace scriptlevel separator stretchy symmetric voffset width".split()
)


class Block(TypedDict):
    """Hold a paragraph, a list, a table or another block.

    Attributes:
        html: safe to show.
        line: where the block begins in the text, counted from 0; None if that is not known.
    """

    html: str
    line: int | None


def render(text: str) -> list[Block]:
    """Return the blocks of a Markdown text, in order."""
    parser, env = _parser(), dict[str, Any]()
    blocks = _blocks(parser.parse(text, env))
    return [
        Block(html=parser.renderer.render(tokens, parser.options, env), line=_line(tokens[0]))
        for tokens in blocks
    ]


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    parser = (
        # Tools put each thing that they say on a line of its own.
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
    """Group tokens by top-level block."""
    block: list[Token] = []
    for token in tokens:
        block.append(token)
        if token.level == 0 and token.nesting != 1:
            yield block
            block = []


def _line(token: Token) -> int | None:
    return token.map[0] if token.map else None


def _brackets(state: StateInline, silent: bool) -> bool:
    r"""Read \(x\) and \[x\], also in the middle of a paragraph, where models like to put them."""
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


@lru_cache(maxsize=512)
def mathml(tex: str, *, block: bool) -> str:
    """Return `tex` as a `<math>` element, or as escaped code if it is not understood.

    Args:
        tex: a formula without its delimiters.
        block: whether it stands on a line of its own.
    """
    if len(tex) <= MOST_TEX:
        try:
            found = convert_to_element(tex, display="block" if block else "inline")
            return ElementTree.tostring(_cleaned(found), encoding="unicode", short_empty_elements=False)
        except Exception:  # noqa: S110  the converter has no base class of errors, and half-written TeX is usual
            pass
    return f'<code class="tex">{html.escape(tex)}</code>'


def _cleaned(element: ElementTree.Element) -> ElementTree.Element:
    r"""Copy known elements and attributes only: TeX has \href, \style and the like."""
    name = element.tag.rpartition("}")[2]
    copy = ElementTree.Element(name if name in _ELEMENTS else "mrow")
    copy.attrib = {key: value for key, value in element.attrib.items() if key in _ATTRIBUTES}
    # The converter writes symbols as character references.
    copy.text, copy.tail = html.unescape(element.text or ""), html.unescape(element.tail or "")
    copy.extend(_cleaned(child) for child in element)
    return copy


_WEB = Path(__file__).parent / "web"
_HEADERS = {
    # Nothing from elsewhere, nothing inline, and HTML only where markdown.js makes it of the server's.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'; trusted-types octopus-markdown",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
router = APIRouter(tags=["Page"])


class Markdown(BaseModel):
    """Hold a text to show; its limit keeps rendering within seconds."""

    text: Annotated[str, Field(max_length=32_000)]


class _Files(StaticFiles):
    def file_response(self, *arguments: Any, **more: Any) -> Response:
        response = super().file_response(*arguments, **more)
        response.headers.update(_HEADERS)
        return response


def install(app: FastAPI) -> None:
    """Serve the page."""
    app.include_router(router)
    app.mount(PAGE_PATHS[1], _Files(directory=_WEB), name="web")


@router.get("/", include_in_schema=False)
async def page() -> Response:
    """Return the page itself."""
    return FileResponse(_WEB / "index.html", headers=_HEADERS)


@router.post("/render")
async def rendered(body: Markdown, caller: Chatter) -> dict[str, list[Block]]:
    """Return Markdown as blocks of safe HTML, with the line where each begins; formulas are MathML."""
    return {"blocks": await asyncio.to_thread(render, body.text)}
