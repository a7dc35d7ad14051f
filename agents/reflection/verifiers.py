"""Verify drafts by computation: substitution by SymPy, units by Pint, and JSON schemas."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agents.reflection.types import Verdict, Verifier
from tools.declaration import ToolError
from tools.reading import UnreadError, read_arguments
from tools.registry import function
from tools.sandbox import Sandbox

_NUMBER = r"[-+]?\d[\d,]*(?:\.\d+)?(?:/\d+)?"
_ASSIGNMENT = re.compile(rf"\b([a-zA-Z])\s*=\s*({_NUMBER})(?![\w^*(])")
_RESULT = re.compile(rf"(?<![\w.]){_NUMBER}")
_QUANTITY = re.compile(rf"({_NUMBER}(?:e[-+]?\d+)?)\s*([A-Za-zµ°][\w°µ/^*·]*)")
_RELATIVE = 1e-3  # answers in prose are rounded
# JSON Schema allows unknown keywords, and ignores them: a misspelt one would check nothing.
_STRICT = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "urn:strict",
    "$dynamicAnchor": "meta",
    "$ref": "https://json-schema.org/draft/2020-12/schema",
    "unevaluatedProperties": False,
}


@dataclass(frozen=True, slots=True)
class SympyVerifier:
    """Substitute a draft's solutions into the question's equations, or repeat its calculation."""

    sandbox: Sandbox

    async def verify(self, question: str, draft: str, most: int) -> Verdict:
        """Judge a draft; what is left after substitution is the feedback.

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
    """Convert the quantities of question and draft to the unit asked for, and compare them."""

    sandbox: Sandbox

    async def verify(self, question: str, draft: str, most: int) -> Verdict:
        """Judge a draft.

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


@dataclass(frozen=True, slots=True)
class SchemaVerifier:
    """Check that a draft is JSON of a schema (draft 2020-12).

    Raises:
        ValueError: the schema is wrong, or has an unknown keyword, which would not be checked.
    """

    schema: Mapping[str, Any]

    def __post_init__(self) -> None:
        from jsonschema.exceptions import SchemaError, ValidationError
        from jsonschema.validators import Draft202012Validator

        try:
            Draft202012Validator.check_schema(self.schema)
            Draft202012Validator(_STRICT).validate(self.schema)
        except (SchemaError, ValidationError) as error:
            raise ValueError(f"wrong schema at {error.json_path}: {error.message}") from error

    async def verify(self, question: str, draft: str, most: int) -> Verdict:
        """Judge a draft; the feedback lists each fault with its place.

        Raises:
            ValueError: the schema refers to one that is not within it.
        """
        from jsonschema.validators import Draft202012Validator
        from referencing import Registry
        from referencing.exceptions import Unresolvable

        try:
            value = json.loads(draft)
        except json.JSONDecodeError as error:
            return Verdict(0.0, False, f"the answer is not JSON: {error}")
        try:
            found = list(Draft202012Validator(self.schema, registry=Registry()).iter_errors(value))
        except Unresolvable as error:
            raise ValueError(f"the schema refers to {error.ref!r}, which is not within it") from error
        faults = [f"{fault.json_path}: {fault.message}" for fault in found]
        return Verdict(1 / (1 + len(faults)), not faults, "; ".join(faults))


def _solutions(draft: str, symbols: set[str]) -> Iterator[dict[str, str]]:
    """Yield the values of the unknowns; a second value for a symbol begins another solution."""
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


def verifier_of(wanted: str | dict[str, Any], sandbox: Sandbox) -> Verifier:
    """Return what a spec names: `sympy`, `units`, or a JSON schema."""
    if isinstance(wanted, dict):
        return SchemaVerifier(wanted)
    return SympyVerifier(sandbox) if wanted == "sympy" else UnitVerifier(sandbox)
