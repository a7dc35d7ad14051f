"""Parse formulas into trees. Nothing of the text is ever evaluated.

Ours, because parsers of libraries evaluate text or settle on one of two readings.

    sum     = product {("+" | "-") product}
    product = unary {("*" | "/" | mod) unary | power}        juxtaposition multiplies: 2x, 3 sin(x)
    unary   = ("+" | "-") unary | power
    power   = postfix ["^" unary]                            to the right: 2^3^2 = 2^9
    postfix = primary {"!" | superscript}
    primary = number | symbol | constant | "(" sum ")" | "|" sum "|" | function argument

What people read in two ways is refused, with the two ways in the error: `1/2x`, `e^2x`, `2^3!`, `log(x)`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from string import ascii_letters
from typing import TypeAlias

from tools.declaration import ToolError
from tools.lexer import Token, tokenize

MAX_CHARACTERS = 2_000
MAX_DEPTH = 40
MAX_OPERATIONS = 200
MAX_DIGITS = 100

_NAMES = (
    "sin cos tan cot sec csc asin acos atan sinh cosh tanh exp ln log2 log10 sqrt cbrt abs factorial floor "
    "ceiling"
)
_OTHER_NAMES = {"arcsin": "asin", "arccos": "acos", "arctan": "atan", "ceil": "ceiling", "lg": "log10"}
FUNCTIONS = {name: name for name in _NAMES.split()} | _OTHER_NAMES
CONSTANTS = {"pi": "pi", "e": "E", "oo": "oo", "infinity": "oo"}
_GREEK = {"alpha", "beta", "gamma", "theta", "lambda", "mu", "omega", *"αβγθλμω"}
_PRODUCTS = {"xy", "xz", "yz", "xyz"}
CURRENCIES = ("USD", "EUR", "GBP", "JPY", "INR", "CHF", "CNY", "KRW", "CAD", "AUD")
SYMBOLS = frozenset(ascii_letters).difference("eiIE").union(_GREEK, _PRODUCTS, CURRENCIES)
"""The variables, and some of them side by side."""
NAMES = SYMBOLS.union(FUNCTIONS, CONSTANTS, {"log"})
"""The names that may stand in a formula; it takes those of functions in any case."""


class AmbiguousFormulaError(ToolError):
    """Report that a formula can be read in two ways."""


@dataclass(frozen=True, slots=True)
class Literal:
    """Hold a number, in the user's digits."""

    digits: str


@dataclass(frozen=True, slots=True)
class Symbol:
    """Hold the name of a variable."""

    name: str


@dataclass(frozen=True, slots=True)
class Apply:
    """Hold an operator or a function with its arguments, or a constant, which has none."""

    name: str
    arguments: tuple[Node, ...]


Node: TypeAlias = Literal | Symbol | Apply


def parse(text: str) -> Node:
    """Parse a whole text into a tree.

    Raises:
        ToolError: if the text is no formula of the grammar, is too long or nested too deeply.
    """
    if len(text) > MAX_CHARACTERS:
        raise ToolError(f"The formula has {len(text)} characters; at most {MAX_CHARACTERS} are read.")
    tokens = tokenize(text)
    node, end = parse_prefix(tokens, 0)
    if node is None or end < len(tokens):
        offender = text[tokens[end].start :] if end < len(tokens) else text
        raise ToolError(f"Cannot read {offender[:40]!r} in the formula {text[:80]!r}.")
    return node


def parse_prefix(tokens: Sequence[Token], start: int) -> tuple[Node | None, int]:
    """Parse the longest formula that begins at a token: its tree, or None, and the index after it.

    Raises:
        AmbiguousFormulaError: for a formula that can be read in two ways.
        ToolError: for one that is nested too deeply or has a number with too many digits.
    """
    parser = _Parser(tokens, start)
    return parser.sum(), parser.position


def symbols(node: Node) -> frozenset[str]:
    """Return the names of the variables in a tree."""
    if isinstance(node, Symbol):
        return frozenset({node.name})
    if isinstance(node, Apply):
        return frozenset().union(*(symbols(argument) for argument in node.arguments))
    return frozenset()


class _Parser:
    """Descend recursively; a method returns None and stays where it was when its rule does not fit."""

    def __init__(self, tokens: Sequence[Token], position: int) -> None:
        self.tokens = tokens
        self.position = position
        self.depth = 0
        self.operations = 0

    def peek(self, ahead: int = 0) -> Token | None:
        index = self.position + ahead
        return self.tokens[index] if index < len(self.tokens) else None

    def accept(self, *texts: str) -> str | None:
        token = self.peek()
        if token is not None and token.kind in ("operator", "name") and token.text in texts:
            self.position += 1
            return token.text
        return None

    def apply(self, name: str, *arguments: Node) -> Node:
        self.operations += 1
        if self.operations > MAX_OPERATIONS:
            raise ToolError(f"The formula has more than {MAX_OPERATIONS} operations.")
        return Apply(name, arguments)

    def sum(self) -> Node | None:
        left = self.product()
        while left is not None:
            back = self.position
            operator = self.accept("+", "-")
            right = self.product() if operator else None
            if operator is None or right is None:
                self.position = back
                break
            left = self.apply(operator, left, right)
        return left

    def product(self) -> Node | None:
        left = self.unary()
        divided = False
        while left is not None:
            back = self.position
            operator = self.accept("*", "/", "mod")
            right = self.unary() if operator else self.juxtaposed()
            if right is None:
                self.position = back
                break
            if operator is None and divided:
                raise AmbiguousFormulaError("a/b c can be read as (a/b) c or a/(b c): put parentheses.")
            divided = operator == "/"
            left = self.apply(operator or "*", left, right)
        return left

    def juxtaposed(self) -> Node | None:
        """Parse a factor without `*`; two numbers side by side are a list or a slip."""
        token = self.peek()
        if token is None or token.kind == "number" or token.text in ("!", "|"):
            return None
        return self.power()

    def unary(self) -> Node | None:
        back = self.position
        operator = self.accept("+", "-")
        if operator is None:
            return self.power()
        operand = self.nested(self.unary)
        if operand is None:
            self.position = back
            return None
        return self.apply("negative", operand) if operator == "-" else operand

    def nested(self, rule: Callable[[], Node | None]) -> Node | None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ToolError(f"The formula is nested deeper than {MAX_DEPTH} levels.")
        node = rule()
        self.depth -= 1
        return node

    def power(self) -> Node | None:
        base = self.postfix()
        back = self.position
        if base is None or not self.accept("^"):
            return base
        exponent = self.nested(self.unary)
        if exponent is None:
            self.position = back
            return base
        if self.tokens[self.position - 1].text == "!":
            raise AmbiguousFormulaError("a^b! can be read as (a^b)! or a^(b!): put parentheses.")
        if not isinstance(base, Symbol):  # x^2y is x^2 y; but e^2x is often meant for e^(2x)
            self.refuse_run_on_exponent()
        return self.apply("^", base, exponent)

    def refuse_run_on_exponent(self) -> None:
        last, following = self.tokens[self.position - 1], self.peek()
        if last.kind == "number" and following and following.start == last.end and following.text in SYMBOLS:
            written = f"^{last.text}{following.text}"
            raise AmbiguousFormulaError(f"{written!r} can be read in two ways: put parentheses or a space.")

    def postfix(self) -> Node | None:
        node = self.primary()
        while node is not None:
            token = self.peek()
            if token is not None and token.kind == "superscript" and token.text.lstrip("-").isdigit():
                self.position += 1
                node = self.apply("^", node, integer(int(token.text)))
            elif self.accept("!"):
                node = self.apply("factorial", node)
            else:
                break
        return node

    def primary(self) -> Node | None:
        token = self.peek()
        if token is not None and token.kind == "number":
            return self.number(token)
        if token is not None and token.text in ("(", "|"):
            return self.enclosed(token.text)
        if token is None or token.kind != "name":
            return None
        if token.text == "log":
            return self.logarithm()
        if token.text.lower() in FUNCTIONS:
            return self.function(FUNCTIONS[token.text.lower()])
        if token.text in CONSTANTS:
            self.position += 1
            return self.apply(CONSTANTS[token.text])
        if token.text not in SYMBOLS:
            return None
        self.position += 1
        if token.text in _PRODUCTS:
            factors: list[Node] = [Symbol(letter) for letter in token.text]
            return reduce(lambda left, right: self.apply("*", left, right), factors)
        return Symbol(token.text)

    def number(self, token: Token) -> Node:
        mantissa = token.text.lower().partition("e")[0].replace(".", "")
        if len(mantissa) > MAX_DIGITS:
            raise ToolError(f"The number {token.text[:20]!r}... has more than {MAX_DIGITS} digits.")
        self.position += 1
        return Literal(token.text)

    def enclosed(self, opening: str) -> Node | None:
        back = self.position
        self.position += 1
        inner = self.nested(self.sum)
        if inner is None or not self.accept(")" if opening == "(" else "|"):
            self.position = back
            return None
        return inner if opening == "(" else self.apply("abs", inner)

    def function(self, name: str) -> Node | None:
        back = self.position
        self.position += 1
        exponent = self.function_exponent()
        argument = self.argument()
        if argument is None:
            self.position = back
            return None
        node = self.apply(name, argument)
        return node if exponent is None else self.apply("^", node, exponent)

    def function_exponent(self) -> Node | None:
        """Parse the 2 of `sin^2 x`; refuse `sin^-1 x`."""
        token = self.peek()
        if token is not None and token.kind == "superscript":
            self.position += 1
            digits = token.text
        elif token is not None and token.text == "^":
            following = self.peek(1)
            self.position += 2
            digits = following.text if following is not None else ""
        else:
            return None
        if not digits.isdigit():
            raise AmbiguousFormulaError("f^-1(x) can be read as 1/f(x) or as the inverse function.")
        return Literal(digits)

    def argument(self) -> Node | None:
        """Parse what a function applies to: parentheses, or a product without other functions (`sin 2x`)."""
        token = self.peek()
        if token is not None and token.text in ("(", "|"):
            return self.enclosed(token.text)
        argument = self.nested(self.unary)
        while argument is not None:
            token = self.peek()
            if token is None or token.text not in SYMBOLS:
                break
            right = self.power()
            if right is None:
                break
            argument = self.apply("*", argument, right)
        return argument

    def logarithm(self) -> Node | None:
        following = self.peek(1)
        if following is None or not (
            following.text in ("(", "|") or following.text in SYMBOLS or following.kind == "number"
        ):
            return None
        raise AmbiguousFormulaError("log can be read with base e or 10: write ln, log10, log2.")


def integer(value: int) -> Node:
    """Build the tree of a whole number."""
    number = Literal(str(abs(value)))
    return number if value >= 0 else Apply("negative", (number,))
