"""Look up physical constants in SI units: the CODATA values of SciPy."""

from __future__ import annotations

from tools.declaration import tool
from tools.types import Constant

CONSTANTS = {
    "speed of light": "speed of light in vacuum",
    "gravitational constant": "Newtonian constant of gravitation",
    "planck constant": "Planck constant",
    "reduced planck constant": "reduced Planck constant",
    "boltzmann constant": "Boltzmann constant",
    "avogadro constant": "Avogadro constant",
    "gas constant": "molar gas constant",
    "elementary charge": "elementary charge",
    "electron mass": "electron mass",
    "proton mass": "proton mass",
    "neutron mass": "neutron mass",
    "standard gravity": "standard acceleration of gravity",
    "stefan boltzmann constant": "Stefan-Boltzmann constant",
    "rydberg constant": "Rydberg constant",
    "faraday constant": "Faraday constant",
    "vacuum permittivity": "vacuum electric permittivity",
    "vacuum permeability": "vacuum mag. permeability",
    "fine structure constant": "fine-structure constant",
    "bohr radius": "Bohr radius",
    "standard atmosphere": "standard atmosphere",
    "atomic mass constant": "atomic mass constant",
    "bohr magneton": "Bohr magneton",
    "wien displacement constant": "Wien wavelength displacement law constant",
}
"""Common names, in lower case and without apostrophes, and those of CODATA."""

ALIASES = {
    "speed of light in vacuum": "speed of light", "light speed": "speed of light",
    "newtons constant": "gravitational constant",
    "universal gravitational constant": "gravitational constant",
    "newtons gravitational constant": "gravitational constant",
    "plancks constant": "planck constant", "reduced plancks constant": "reduced planck constant",
    "boltzmanns constant": "boltzmann constant", "avogadros number": "avogadro constant",
    "avogadro number": "avogadro constant", "avogadros constant": "avogadro constant",
    "universal gas constant": "gas constant", "ideal gas constant": "gas constant",
    "molar gas constant": "gas constant",
    "charge of an electron": "elementary charge", "charge of a proton": "elementary charge",
    "charge of the electron": "elementary charge", "electron charge": "elementary charge",
    "mass of an electron": "electron mass", "mass of the electron": "electron mass",
    "mass of a proton": "proton mass",
    "mass of the proton": "proton mass", "mass of a neutron": "neutron mass",
    "mass of the neutron": "neutron mass",
    "acceleration due to gravity": "standard gravity", "gravitational acceleration": "standard gravity",
    "acceleration of gravity": "standard gravity", "rydbergs constant": "rydberg constant",
    "faradays constant": "faraday constant", "permittivity of free space": "vacuum permittivity",
    "electric constant": "vacuum permittivity", "permeability of free space": "vacuum permeability",
    "wiens constant": "wien displacement constant", "atomic mass unit": "atomic mass constant",
    "fine-structure constant": "fine structure constant",
}  # fmt: skip
"""Other names of the keys of `CONSTANTS`."""


@tool(
    examples=(
        "What is the speed of light?",
        "value of Planck's constant",
        "mass of an electron",
        "How big is the gravitational constant?",
        "Avogadro's number",
    ),
    words=(
        "value, constant, physical, si, units, vacuum, numerical, large, big, fast, standard, earth, "
        "mass, charge, exact"
    ),
    libraries="scipy.constants",
)
def physical_constant(name: Constant) -> str:
    """Gives a physical constant: speed of light, Planck, Boltzmann, Avogadro, masses and charges.

    Args:
        name: a key of `CONSTANTS`.

    Returns:
        The CODATA value with its SI unit, and its uncertainty if it is not exact.
    """
    from scipy.constants import physical_constants

    value, unit, uncertainty = physical_constants[CONSTANTS[name]]
    shown = f"{value:.12g} {unit}".strip()
    return shown if uncertainty == 0 else f"{shown} (± {uncertainty:.2g})"
