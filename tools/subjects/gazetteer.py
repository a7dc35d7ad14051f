"""Read countries, states and cities by name from a compact copy of GeoNames (CC BY 4.0).

The copy is in `geonames/` beside this file: all cities of at least 15,000 people and all countries, with the
fields that the tools use, populations of countries from CLDR, and further names of countries.
`tools.subjects.gazetteer_data` writes it anew. The states of the USA and the provinces of Canada are ours.
"""

from __future__ import annotations

import csv
import gzip
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

_FOLDER = Path(__file__).with_name("geonames")
CITIES, COUNTRIES = _FOLDER / "cities.tsv.gz", _FOLDER / "countries.tsv"
FACTS = "name capital population currencyname currencycode continentcode areakm2 phone".split()
_ALIASES = {
    "uk": "GB", "great britain": "GB", "britain": "GB", "usa": "US", "us": "US", "u s": "US", "u s a": "US",
    "holland": "NL", "the netherlands": "NL", "burma": "MM", "ivory coast": "CI", "czech republic": "CZ",
    "russia": "RU", "turkey": "TR", "uae": "AE", "vatican": "VA", "vatican city": "VA",
    "macau": "MO", "swaziland": "SZ", "cape verde": "CV",
    "east timor": "TL", "dr congo": "CD", "democratic republic of the congo": "CD",
    "republic of the congo": "CG", "congo brazzaville": "CG", "congo kinshasa": "CD", "drc": "CD",
    "america": "US", "macedonia": "MK", "republic of georgia": "GE", "country of georgia": "GE",
    "country georgia": "GE", "bosnia": "BA", "palestine": "PS", "the bahamas": "BS", "the gambia": "GM",
    "the philippines": "PH", "the maldives": "MV",
}  # fmt: skip
NOT_ONE = {
    "congo": "the Republic of the Congo (Brazzaville) or the Democratic Republic of the Congo (Kinshasa)",
    "georgia": "the country of Georgia or the state of Georgia",
    "korea": "South Korea or North Korea",
    "saint martin": "the French or the Dutch part of the island",
    "virgin islands": "those of Britain or of the United States",
    "washington": "Washington, DC or the state of Washington",
}
"""Names that are as often one place's as another's, with what they can be."""


@dataclass(frozen=True, slots=True)
class City:
    """Describe a city: coordinates in degrees, time zone of the IANA database."""

    name: str
    country: str
    state: str
    latitude: float
    longitude: float
    population: int
    zone: str

    @property
    def label(self) -> str:
        """Return the city as an argument: `Paris, FR`, `Portland, Oregon, US`."""
        return ", ".join(filter(None, (self.name, self.state, self.country)))


@dataclass(frozen=True, slots=True)
class State:
    """Describe a state of the USA or a province of Canada."""

    country: str
    code: str
    name: str
    capital: str


_ASCII = {code: None if chr(code) in "'." else " " for code in range(128) if not chr(code).isalnum()}


@lru_cache(maxsize=1 << 14)
def fold(name: str) -> str:
    """Return a name in lower case, without accents and punctuation."""
    lower = name.lower().replace("&", " and ")
    if lower.isascii():  # nearly all of 33,000 cities, which the first question waits for
        return " ".join(lower.translate(_ASCII).split())
    decomposed = unicodedata.normalize("NFKD", lower)
    letters = "".join(
        c if c.isalnum() else " " for c in decomposed if not unicodedata.combining(c) and c not in "'’."
    )
    return " ".join(letters.split())


@cache
def countries() -> dict[str, dict[str, str]]:
    """Read what GeoNames says of each country, by two-letter code; what it does not say is empty."""
    with COUNTRIES.open(encoding="utf-8", newline="") as file:
        return {row["code"]: row for row in csv.DictReader(file, delimiter="\t")}


@cache
def country_codes() -> dict[str, str]:
    """Map folded names to two-letter codes: those of GeoNames and ISO 3166, and common ones."""
    codes = {fold(row["name"]): code for code, row in countries().items()}
    for code, row in countries().items():
        codes.update((name, code) for name in row["other_names"].split("|") if name)
    codes.update((f"st {name[6:]}", code) for name, code in [*codes.items()] if name.startswith("saint "))
    return {name: code for name, code in (codes | _ALIASES).items() if name not in NOT_ONE}


@cache
def states() -> dict[tuple[str, str], State]:
    """Read the states by country and GeoNames' code."""
    with (_FOLDER / "states.tsv").open(encoding="utf-8", newline="") as file:
        return {
            (row["country"], row["admin1"]): State(row["country"], row["code"], row["name"], row["capital"])
            for row in csv.DictReader(file, delimiter="\t")
        }


@cache
def state_names() -> dict[str, State]:
    """Map folded names of states to them."""
    return {fold(state.name): state for state in states().values()} | {
        "d c": states()["US", "DC"],
        "district of columbia": states()["US", "DC"],
    }


@cache
def cities() -> dict[str, tuple[City, ...]]:
    """Read the cities of at least 15,000 people by folded name, the largest first."""
    by_code = {(state.country, state.code): state for state in states().values()}
    found: dict[str, list[City]] = {}
    for line in gzip.decompress(CITIES.read_bytes()).decode().splitlines():
        name, country, state, latitude, longitude, population, zone = line.split("\t")
        state = by_code[country, state].name if state else ""
        city = City(name, country, state, float(latitude), float(longitude), int(population), zone)
        folded = fold(name)
        for key in {folded, folded.removesuffix(" city")}:
            found.setdefault(key, []).append(city)
    return {name: tuple(sorted(rows, key=lambda city: -city.population)) for name, rows in found.items()}


def find_city(label: str) -> City | None:
    """Find the largest city of a label such as `Paris, FR`."""
    name = label.partition(", ")[0]
    return next((city for city in cities().get(fold(name), ()) if city.label == label), None)
