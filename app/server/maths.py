"""TeX to MathML, which browsers draw themselves; nothing that could act is let through."""

from __future__ import annotations

import html
from functools import lru_cache
from xml.etree import ElementTree

from latex2mathml.converter import convert_to_element

MOST_CHARACTERS = 4_000

_ELEMENTS = frozenset(
    "math mfrac menclose mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot mrow ms mspace msqrt"
    " mstyle msub msubsup msup mtable mtd mtext mtr munder munderover none".split()
)
_ATTRIBUTES = frozenset(
    "accent accentunder columnalign columnlines columnspacing depth display displaystyle fence form height"
    " largeop linethickness lspace mathcolor mathvariant maxsize minsize movablelimits notation rowlines"
    " rowspacing rspace scriptlevel separator stretchy symmetric voffset width".split()
)


@lru_cache(maxsize=512)
def mathml(tex: str, *, block: bool) -> str:
    """`tex` as a `<math>` element, or as escaped code where it is not understood.

    Args:
        tex: without its delimiters.
        block: on a line of its own.
    """
    if len(tex) <= MOST_CHARACTERS:
        try:
            found = convert_to_element(tex, display="block" if block else "inline")
            return ElementTree.tostring(_cleaned(found), encoding="unicode", short_empty_elements=False)
        except Exception:  # noqa: S110  the converter has no base class of errors, and half-written TeX is usual
            pass
    return f'<code class="tex">{html.escape(tex)}</code>'


def _cleaned(element: ElementTree.Element) -> ElementTree.Element:
    """A copy with known elements and attributes only: TeX has \\href, \\style and the like."""
    name = element.tag.rpartition("}")[2]
    copy = ElementTree.Element(name if name in _ELEMENTS else "mrow")
    copy.attrib = {key: value for key, value in element.attrib.items() if key in _ATTRIBUTES}
    # The converter writes symbols as character references.
    copy.text, copy.tail = html.unescape(element.text or ""), html.unescape(element.tail or "")
    copy.extend(_cleaned(child) for child in element)
    return copy
