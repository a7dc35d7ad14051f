"""Compute masses and amounts of substance, balance equations and look up elements.

The atomic masses are those of molmass; a balance is the integer null space of the composition matrix.
"""

from __future__ import annotations

import re
from typing import Any

from tools.declaration import ToolError, tool
from tools.subjects.formatting import number, significant
from tools.types import Element, Formula, Quantity, Reaction

MAX_FORMULA_CHARACTERS = 60
MAX_FORMULAS = 12
_FORMULA = re.compile(
    r"(?:[A-Z][a-z]?[0-9]*|\((?:[A-Z][a-z]?[0-9]*)+\)[0-9]*)+(?:·[0-9]*(?:[A-Z][a-z]?[0-9]*)+)?"
)
_MASS_WORDS = "compound, molecule, substance"


@tool(
    asks="molar mass, molecular weight, molecular mass, formula mass, formula weight, molar weight",
    examples=("molar mass of H2SO4", "What is the molecular weight of Ca(OH)2?", "formula mass NaCl"),
    words=f"{_MASS_WORDS}, gram, grams, g/mol, per, mole",
)
def molar_mass(formula: Formula) -> str:
    """Computes the molar mass (molecular weight) of a chemical formula.

    Args:
        formula: such as `Ca(OH)2` or `CuSO4·5H2O`, with the average isotopes of nature.

    Returns:
        The molar mass in g/mol.

    Raises:
        ToolError: if the formula has an unknown element or is too long.
    """
    return f"{number(round(grams_per_mole(formula), 4))} g/mol"


@tool(
    asks="moles, mol, amount of substance, how many moles, number of moles",
    examples=(
        "How many moles are in 36 g of H2O?",
        "moles in 100 grams of NaCl",
        "convert 5 kg of CO2 to moles",
    ),
    words=f"{_MASS_WORDS}, convert, number, contained, contain",
    libraries="pint",
)
def moles(mass: Quantity, formula: Formula) -> str:
    """Computes the amount of substance of a mass: how many moles of a compound.

    Args:
        mass: a mass.
        formula: the compound.

    Returns:
        The amount in mol.

    Raises:
        ToolError: if the quantity is not a mass.
    """
    return f"{significant(_magnitude(mass, 'gram', 'a mass') / grams_per_mole(formula), 6)} mol"


@tool(
    asks="mass, weigh, weight, how many grams, grams, g",
    examples=("mass of 2 moles of H2O", "How many grams are 0.5 mol of NaCl?", "What does 3 mol CO2 weigh?"),
    words=f"{_MASS_WORDS}, convert, number, weighs, much",
    libraries="pint",
)
def mass_of_moles(amount: Quantity, formula: Formula) -> str:
    """Computes the mass of an amount of substance: how many grams so many moles of a compound weigh.

    Args:
        amount: an amount of substance, in moles.
        formula: the compound.

    Returns:
        The mass in g.

    Raises:
        ToolError: if the quantity is not an amount of substance.
    """
    amount_in_moles = _magnitude(amount, "mole", "an amount of substance")
    return f"{significant(amount_in_moles * grams_per_mole(formula), 6)} g"


@tool(
    asks="balance, balanced, balancing",
    examples=(
        "balance H2 + O2 -> H2O",
        "Balance the equation C3H8 + O2 = CO2 + H2O",
        "balance Fe + O2 -> Fe2O3",
    ),
    words="equation, reaction, chemical, following, coefficients",
    libraries="sympy",
)
def balance(reaction: Reaction) -> str:
    """Balances a chemical equation with the smallest whole coefficients.

    Args:
        reaction: formulas with `+` between them and `->` between the sides; no charges.

    Returns:
        The balanced equation.

    Raises:
        ToolError: if it cannot be balanced, or in more than one way.
    """
    import sympy

    left, right = ([part.strip() for part in side.split("+")] for side in reaction.split("->"))
    formulas = [*left, *right]
    if len(formulas) > MAX_FORMULAS:
        raise ToolError(f"Equations of up to {MAX_FORMULAS} formulas are balanced, not of {len(formulas)}.")
    counts = [atoms(formula) for formula in formulas]
    elements = sorted(set().union(*counts))
    signs = [1] * len(left) + [-1] * len(right)
    matrix = sympy.Matrix(
        [[sign * one.get(e, 0) for sign, one in zip(signs, counts, strict=True)] for e in elements]
    )
    space = matrix.nullspace()
    if len(space) != 1:
        raise ToolError(
            "The equation cannot be balanced." if not space else "It can be balanced in several ways."
        )
    vector = space[0] * sympy.ilcm(*(entry.q for entry in space[0]))
    coefficients = [int(entry / sympy.igcd(*vector)) for entry in vector]
    if any(coefficient <= 0 for coefficient in coefficients):
        raise ToolError("The equation cannot be balanced: a formula would be on the other side or absent.")
    terms = [f"{n} {f}" if n > 1 else f for n, f in zip(coefficients, formulas, strict=True)]
    return f"{' + '.join(terms[: len(left)])} -> {' + '.join(terms[len(left) :])}"


@tool(
    asks="atomic number, protons, how many protons, number of protons",
    examples=(
        "atomic number of iron",
        "What is the atomic number of Au?",
        "how many protons does carbon have",
    ),
    words="element, atom",
)
def atomic_number(element: Element) -> int:
    """Gives the atomic number of a chemical element: the number of its protons.

    Args:
        element: its symbol.

    Returns:
        The atomic number.
    """
    return int(_element(element).number)


@tool(
    asks="atomic mass, atomic weight, relative atomic mass, standard atomic weight",
    examples=("atomic mass of gold", "What is the atomic weight of oxygen?", "atomic mass of Cl"),
    words="element, atom",
)
def atomic_mass(element: Element) -> str:
    """Gives the atomic mass (standard atomic weight) of a chemical element.

    Args:
        element: its symbol.

    Returns:
        The average mass of its atoms in unified atomic mass units.
    """
    return f"{_element(element).mass:.8g} u"


@tool(
    asks="symbol, chemical symbol",
    examples=("chemical symbol of potassium", "What is the symbol for tungsten?"),
    words="element, chemical",
)
def element_symbol(element: Element) -> str:
    """Gives the symbol of a chemical element.

    Args:
        element: the element.

    Returns:
        Its symbol of one or two letters.
    """
    return str(_element(element).symbol)


def grams_per_mole(formula: str) -> float:
    """Return the molar mass of a formula in g/mol."""
    return float(sum(_element(symbol).mass * count for symbol, count in atoms(formula).items()))


def atoms(formula: str) -> dict[str, int]:
    """Count the atoms of each element in a formula.

    Raises:
        ToolError: if it is no formula, has an unknown element or is too long.
    """
    if len(formula) > MAX_FORMULA_CHARACTERS or not _FORMULA.fullmatch(formula):
        raise ToolError(f"{formula[:MAX_FORMULA_CHARACTERS]!r} is no chemical formula.")
    counts: dict[str, int] = {}
    for part in formula.split("·"):
        digits = re.match(r"[0-9]*", part).group()  # type: ignore[union-attr]
        _count(part[len(digits) :], int(digits or 1), counts)
    return counts


def _count(formula: str, times: int, counts: dict[str, int]) -> None:
    for group, group_count, symbol, count in re.findall(
        r"\(([^)]*)\)([0-9]*)|([A-Z][a-z]?)([0-9]*)", formula
    ):
        if group:
            _count(group, times * int(group_count or 1), counts)
        else:
            _element(symbol)
            counts[symbol] = counts.get(symbol, 0) + times * int(count or 1)


def _element(symbol: str) -> Any:
    from molmass import ELEMENTS

    try:
        return ELEMENTS[symbol]
    except KeyError as error:
        raise ToolError(f"There is no element {symbol!r}.") from error


def _magnitude(quantity: str, unit: str, wanted: str) -> float:
    from tools.subjects.units import parse_quantity

    given = parse_quantity(quantity)
    if not given.is_compatible_with(unit):
        raise ToolError(f"{quantity} is not {wanted}.")
    return float(given.to(unit).magnitude)
