"""Verifiers that compute with tools: substitution by SymPy and units by Pint, in the sandbox."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from agents.reflection.types import Verdict
from tools.errors import ToolError
from tools.reading import UnreadError, read_arguments
from tools.registry import function
from tools.sandbox import Sandbox

_NUMBER = r"[-+]?\d[\d,]*(?:\.\d+)?(?:/\d+)?"
_ASSIGNMENT = re.compile(rf"\b([a-zA-Z])\s*=\s*({_NUMBER})(?![\w^*(])")
_RESULT = re.compile(rf"(?<![\w.]){_NUMBER}")
_QUANTITY = re.compile(rf"({_NUMBER}(?:e[-+]?\d+)?)\s*([A-Za-zµ°][\w°µ/^*·]*)")
_RELATIVE = 1e-3  # answers in prose are rounded


@dataclass(frozen=True, slots=True)
class SympyVerifier:
    """Substitutes a draft's solutions into the equations of the question, or repeats its calculation."""

    sandbox: Sandbox

    async def verify(self, question: str, draft: str, most: int) -> Verdict:
        """The verdict; what is left after substitution is the feedback.

        Raises:
            ValueError: the question has neither equations nor a calculation.
        """
        try:
            return await self._substitute(
                read_arguments(question, function("algebra.solve"))["equations"], draft
            )
        except UnreadError:
            arguments = read_arguments(question, function("arithmetic.evaluate"))
            return await self._compare(str(arguments["calculation"]), draft)

    async def _substitute(self, equations: Sequence[str], draft: str) -> Verdict:
        symbols = set(re.findall(r"\b[a-zA-Z]\b", " ".join(equations)))
        solutions = list(_solutions(draft, symbols))
        if not solutions:
            return Verdict(0.0, False, "no value is given to the unknown: write it as x = 2")
        wrong = []
        for solution in solutions:
            for equation in equations:
                left, right = (_replaced(side, solution) for side in equation.split("="))
                rest = await self.sandbox.call("algebra.simplify", {"expression": f"({left}) - ({right})"})
                if str(rest) != "0":
                    said = ", ".join(f"{name} = {value}" for name, value in solution.items())
                    wrong.append(f"with {said}, the left side of {equation} less the right side is {rest}")
        return Verdict(1 - len(wrong) / (len(solutions) * len(equations)), not wrong, "; ".join(wrong))

    async def _compare(self, calculation: str, draft: str) -> Verdict:
        numbers = _RESULT.findall(draft)
        if not numbers:
            return Verdict(0.0, False, "the answer has no number")
        said = numbers[-1].replace(",", "")
        rest = await self.sandbox.call("algebra.simplify", {"expression": f"({calculation}) - ({said})"})
        right = str(rest) == "0"
        return Verdict(float(right), right, "" if right else f"{calculation} less {said} is {rest}, not 0")


@dataclass(frozen=True, slots=True)
class UnitVerifier:
    """Converts the quantities of question and draft to the unit asked for, and compares them."""

    sandbox: Sandbox

    async def verify(self, question: str, draft: str, most: int) -> Verdict:
        """The verdict.

        Raises:
            ValueError: the question asks for no conversion.
        """
        asked = read_arguments(question, function("units.convert"))
        expected = await self.sandbox.call("units.convert", asked)
        found = _QUANTITY.findall(draft)
        if not found:
            return Verdict(0.0, False, "the answer has no quantity with a unit")
        magnitude, unit = found[-1]
        try:
            given = read_arguments(f"convert {magnitude} {unit} to {unit}", function("units.convert"))
            converted = await self.sandbox.call("units.convert", {**given, "to": asked["to"]})
        except ToolError as error:
            return Verdict(
                0.0, False, f"{magnitude} {unit} is not in a unit of the dimension asked for: {error}"
            )
        except UnreadError:
            return Verdict(0.0, False, f"{unit!r} is not a unit")
        right = _close(float(converted.split()[0]), float(expected.split()[0]))
        return Verdict(float(right), right, "" if right else f"{asked['quantity']} is not {converted}")


def _solutions(draft: str, symbols: set[str]) -> Iterator[dict[str, str]]:
    """Values of the unknowns; a symbol that is given a second value begins another solution."""
    solution: dict[str, str] = {}
    for name, value in _ASSIGNMENT.findall(draft):
        if name not in symbols:
            continue
        if name in solution:
            yield solution
            solution = {}
        solution[name] = value.replace(",", "")
    if solution:
        yield solution


def _replaced(side: str, solution: Mapping[str, str]) -> str:
    for name, value in solution.items():
        side = re.sub(rf"\b{name}\b", f"({value})", side)
    return side


def _close(given: float, expected: float) -> bool:
    return abs(given - expected) <= _RELATIVE * max(abs(expected), 1e-12)
