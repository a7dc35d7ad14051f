"""Write the LaTeX of a question as plain formulas: `\\frac{1}{2}` is `(1/2)`.

Ours, because parsers of LaTeX want a formula alone, and here it stands among words. A command that is not
known stays as it is, so that no tool reads around it.
"""

from __future__ import annotations

import re

_MATH = re.compile(r"\$\$(.+?)\$\$|(?<![\\$\w])\$(?=\S)([^$\n]{1,400}?)(?<=\S)\$(?![\d$])", re.DOTALL)
_WORDS = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{3,}")
_FORMULA = re.compile(r"[\\^_{}=+*/<>-]|^\s*(?:[A-Za-z]|[0-9.]+)\s*$")
_GROUP = r"\{([^{}]*)\}"
_ATOM = re.compile(r"[A-Za-z]|[0-9]+(?:\.[0-9]+)?|\([^()]*\)")
_COMMANDS = {
    "times": "*", "cdot": "*", "ast": "*", "div": "/", "to": "->", "rightarrow": "->", "infty": "∞",
    "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ne": "≠", "neq": "≠", "approx": "≈", "degree": "°",
    "int": "∫", "left": "", "right": "", "displaystyle": "", "quad": "", "qquad": "", "bmod": "mod",
}  # fmt: skip
_NAMES = frozenset(
    "pi alpha beta gamma theta lambda mu omega sin cos tan cot sec csc sinh cosh tanh exp ln log arcsin "
    "arccos arctan lim".split()
)
_STYLES = "text|mathrm|mathbf|mathit|mathsf|operatorname|textbf|textit|mbox|boldsymbol"
_LIMIT = r"(?:\{([^{}]*)\}|(-?\\?[A-Za-z]+|-?[0-9]))"
_MATRIX = re.compile(r"\\begin\{([bpBvV]?matrix)\}(.*?)\\end\{\1\}", re.DOTALL)
_NESTED = 20


def plain_latex(text: str) -> str:
    """Return a text with plain formulas in the place of LaTeX."""
    text = _MATH.sub(_formula, text)
    if "\\" in text:
        text = re.sub(r"\\[()\[\]]", " ", text)
        text = _MATRIX.sub(_matrix, text)
        text = re.sub(rf"\\(?:{_STYLES})\s*{_GROUP}", r"\1", text)
        text = re.sub(r"\\([dtc])frac", r"\\frac", text)
        text = re.sub(r"\\frac\s*\{\s*d([a-z]?)\s*\}\s*\{\s*d\s*([a-z])\s*\}", r"d\1/d\2", text)
        text = re.sub(r"\^\s*(?:\\circ\b|\{\s*\\circ\s*\})", "°", text)
        text = re.sub(rf"\\int\s*_\s*{_LIMIT}\s*\^\s*{_LIMIT}", _integral, text)
        text = re.sub(rf"\\lim\s*_\s*{_GROUP}", r" limit as \1 of ", text)
        text = re.sub(r"\\[,;:!]|\\ (?=\S)", " ", text)
    if "\\" in text or "^{" in text:
        text = _groups(text)
    if "\\" in text:
        text = re.sub(r"\\([A-Za-z]+)", _command, text)
    return text


def _formula(match: re.Match[str]) -> str:
    """Take `$…$` for a formula; amounts of money between two signs are none."""
    inside = match.group(1) or match.group(2)
    if match.group(1) is None and (_WORDS.search(inside) or not _FORMULA.search(inside)):
        return match.group()
    return f" {inside.strip()} "


def _groups(text: str) -> str:
    """Write fractions, roots, powers and binomials, from the innermost braces outwards."""
    for _ in range(_NESTED):
        before = text
        text = re.sub(r"(?<![A-Za-z0-9.^])([0-9]+)\s*\\frac\s*\{([0-9]+)\}\s*\{([0-9]+)\}", r"\1 \2/\3", text)
        text = re.sub(rf"\\frac\s*{_GROUP}\s*{_GROUP}", _fraction, text)
        text = re.sub(r"\\frac\s*([0-9])\s*([0-9])", r"(\1/\2)", text)
        text = re.sub(rf"\\binom\s*{_GROUP}\s*{_GROUP}", r" \1 choose \2 ", text)
        text = re.sub(rf"\\sqrt\s*\[3\]\s*{_GROUP}", r" cbrt(\1)", text)
        text = re.sub(rf"\\sqrt\s*\[([0-9]+)\]\s*{_GROUP}", r"(\2)^(1/\1)", text)
        text = re.sub(rf"\\sqrt\s*{_GROUP}", r" sqrt(\1)", text)
        text = re.sub(r"\\sqrt\s*([0-9]|[A-Za-z](?![A-Za-z]))", r" sqrt(\1)", text)
        text = re.sub(rf"\\pmod\s*{_GROUP}", r" mod \1", text)
        text = re.sub(rf"\^\s*{_GROUP}", lambda match: f"^{_enclosed(match.group(1))}", text)
        if text == before:
            break
    return text


def _fraction(match: re.Match[str]) -> str:
    return f"({_enclosed(match.group(1))}/{_enclosed(match.group(2))})"


def _enclosed(inside: str) -> str:
    inside = inside.strip()
    return inside if _ATOM.fullmatch(inside) else f"({inside})"


def _integral(match: re.Match[str]) -> str:
    lower, upper = match.group(1) or match.group(2), match.group(3) or match.group(4)
    return f" integral from {lower.strip()} to {upper.strip()} of "


def _matrix(match: re.Match[str]) -> str:
    rows = [row.split("&") for row in re.split(r"\\\\", match.group(2)) if row.strip()]
    texts = (", ".join(entry.strip() for entry in row) for row in rows)
    return f"[{', '.join(f'[{text}]' for text in texts)}]"


def _command(match: re.Match[str]) -> str:
    name = match.group(1)
    if name in _NAMES:
        return f" {name} "
    return f" {_COMMANDS[name]} " if name in _COMMANDS else match.group()
