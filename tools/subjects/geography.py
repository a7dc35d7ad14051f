"""Look up countries and cities, and compute distances, from GeoNames."""

from __future__ import annotations

import math

from tools.declaration import ToolError, tool
from tools.subjects.gazetteer import City as Place
from tools.subjects.gazetteer import countries, find_city
from tools.types import City, Country

_MEAN_RADIUS_KM = 6371.0088
_KM_PER_MILE = 1.609344


@tool(
    asks="capital, capital city",
    examples=(
        "What is the capital of Australia?",
        "capital city of Peru",
        "which city is the capital of Kenya",
    ),
    words="country, city, name",
)
def capital(country: Country) -> str:
    """Names the capital of a country.

    Args:
        country: the country.

    Returns:
        The capital.

    Raises:
        ToolError: if it has none.
    """
    return _fact(country, "capital")


@tool(
    asks="population, how many people, how many inhabitants, number of people, inhabitants, people live",
    examples=(
        "population of Brazil",
        "How many people live in Japan?",
        "How many inhabitants does Norway have?",
    ),
    words="country, live, living, there, total, number, people",
)
def country_population(country: Country) -> str:
    """Gives the population of a country, as GeoNames has it.

    Args:
        country: the country.

    Returns:
        The number of people.
    """
    return f"{int(countries()[country]['population'] or 0):,} (GeoNames)"


@tool(
    asks="population, how many people, how many inhabitants, number of people, inhabitants, people live",
    examples=("population of Tokyo", "How many people live in Chicago?", "inhabitants of Lyon"),
    words="city, town, live, living, there, total, number, people",
)
def city_population(city: City) -> str:
    """Gives the population of a city, as GeoNames has it.

    Args:
        city: a city of at least 15,000 people.

    Returns:
        The number of people, with the name and country of the city.
    """
    place = _place(city)
    return f"{place.population:,} ({place.label}; GeoNames)"


@tool(
    asks="currency, money, pay with, legal tender",
    examples=(
        "What currency is used in Japan?",
        "currency of Switzerland",
        "Which money do they use in Thailand?",
    ),
    words="country, used, use, official, pay, kind, sort",
)
def currency(country: Country) -> str:
    """Names the currency of a country with its ISO 4217 code.

    Args:
        country: the country.

    Returns:
        The name and the code.
    """
    return f"{_fact(country, 'currencyname')} ({_fact(country, 'currencycode')})"


@tool(
    asks="continent",
    examples=("Which continent is Egypt in?", "continent of Chile"),
    words="country, located, part, belong, lie",
)
def continent(country: Country) -> str:
    """Names the continent of a country.

    Args:
        country: the country.

    Returns:
        The continent.
    """
    names = {"AF": "Africa", "AS": "Asia", "EU": "Europe", "NA": "North America", "OC": "Oceania",
             "SA": "South America", "AN": "Antarctica"}  # fmt: skip
    return names[_fact(country, "continentcode")]


@tool(
    asks="area, how big, how large, surface area, land area, square kilometres, square kilometers",
    examples=("area of Germany", "How big is Canada?", "What is the surface area of Iceland?"),
    words="country, km, surface, total, size, square, kilometres, kilometers",
)
def area(country: Country) -> str:
    """Gives the area of a country, as GeoNames has it.

    Args:
        country: the country.

    Returns:
        The area in square kilometres.
    """
    return f"{float(_fact(country, 'areakm2')):,.0f} km² (GeoNames)"


@tool(
    asks="calling code, dialing code, dialling code, phone code, country code, phone prefix",
    examples=("calling code of Sweden", "What is the phone code for India?", "dialling code for Ireland"),
    words="country, international, telephone, phone",
)
def calling_code(country: Country) -> str:
    """Gives the international telephone calling code of a country.

    Args:
        country: the country.

    Returns:
        The code with its plus sign.
    """
    return "+" + _fact(country, "phone").lstrip("+")


@tool(
    asks="distance, how far, far apart, great circle distance, great-circle distance",
    examples=(
        "distance between Paris and Rome",
        "How far is Tokyo from Sydney?",
        "great-circle distance from London to New York",
    ),
    words=(
        "between, from, to, away, km, kilometers, kilometres, miles, as the crow flies, air, "
        "straight, line, far"
    ),
    in_order=True,
)
def distance(start: City, end: City) -> str:
    """Computes the great-circle distance between two cities (as the crow flies, not by road).

    Args:
        start: one city of at least 15,000 people.
        end: the other.

    Returns:
        The distance in kilometres and miles, on a sphere of the Earth's mean radius (within 0.5 %).

    Source: the haversine formula.
    """
    first, second = _place(start), _place(end)
    here, there = math.radians(first.latitude), math.radians(second.latitude)
    across = math.radians(second.longitude - first.longitude)
    haversine = (
        math.sin((there - here) / 2) ** 2 + math.cos(here) * math.cos(there) * math.sin(across / 2) ** 2
    )
    kilometres = 2 * _MEAN_RADIUS_KM * math.asin(math.sqrt(haversine))
    return f"{kilometres:,.0f} km ({kilometres / _KM_PER_MILE:,.0f} miles) as the crow flies"


def _fact(country: str, name: str) -> str:
    value = countries()[country].get(name)
    if not value:
        raise ToolError(f"GeoNames has no {name} of {countries()[country]['name']}.")
    return str(value)


def _place(label: str) -> Place:
    place = find_city(label)
    if place is None:
        raise ToolError(f"There is no city {label!r}.")
    return place
