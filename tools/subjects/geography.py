"""Look up countries and cities, and compute distances, from GeoNames and CLDR."""

from __future__ import annotations

import math

from tools.declaration import ToolError, cue, tool
from tools.subjects.gazetteer import City as Place
from tools.subjects.gazetteer import cities, countries, find_city, fold, state_names
from tools.types import City, Country, State

_MEAN_RADIUS_KM = 6371.0088
_KM_PER_MILE = 1.609344
_POPULATIONS_OF = "2025, CLDR 48"
_CITIES_OF = "GeoNames, 2026"


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
    asks="capital, capital city",
    examples=("capital of Texas", "What is the capital of the state of Georgia?", "capital city of Ontario"),
    words="state, province, city, name",
)
def state_capital(state: State) -> str:
    """Names the capital of a state of the USA or a province of Canada.

    Args:
        state: the state or province.

    Returns:
        The capital.

    Raises:
        ToolError: if it has none.
    """
    found = state_names()[fold(state)]
    if not found.capital:
        raise ToolError(f"{found.name} has no capital of its own.")
    return f"{found.capital} (of {found.name}, {found.country})"


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
    """Gives the population of a country, as CLDR has it.

    Args:
        country: the country.

    Returns:
        The number of people, with the year of the list.
    """
    return f"{int(_fact(country, 'population')):,} ({_POPULATIONS_OF})"


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
        The number of people, with the city that was meant and the year of the list.
    """
    place = _place(city)
    return f"{place.population:,} ({place.label}; {_CITIES_OF})"


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
    asks="which country, what country, where is, where's",
    examples=("Which country is Lima in?", "in what country is Marrakesh", "Where is Lisbon?"),
    words="city, town, located, situated, lie, found, belong",
)
def country_of(city: City) -> str:
    """Names the country of a city.

    Args:
        city: a city of at least 15,000 people.

    Returns:
        The country, and the state in the USA and Canada.
    """
    place = _place(city)
    country = countries()[place.country]["name"]
    return f"{country} ({place.name} is in {place.state or country})"


@tool(
    asks="is",
    cues={"country": cue("in", needed=True)},
    examples=("Is Lyon in France?", "is Munich in Austria", "Is the city of Kyoto in Japan?"),
    words="city, town, located, situated",
)
def is_in_country(city: City, country: Country) -> str:
    """Tells whether a city is in a country.

    Args:
        city: a city of at least 15,000 people.
        country: the country.

    Returns:
        A sentence that begins with yes or no.
    """
    place, name = _place(city), countries()[country]["name"]
    if place.country == country:
        return f"Yes, {place.name} is in {name}."
    there = [one for one in cities()[fold(place.name)] if one.country == country]
    if there:
        return f"Yes, {there[0].label} is in {name}; {place.label} is larger."
    return f"No, {place.name} is in {countries()[place.country]['name']}."


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
        The distance in kilometres and miles, on a sphere of the Earth's mean radius (within 0.5 %), and
        the cities that were meant.

    Source: the haversine formula.
    """
    first, second = _place(start), _place(end)
    here, there = math.radians(first.latitude), math.radians(second.latitude)
    across = math.radians(second.longitude - first.longitude)
    haversine = (
        math.sin((there - here) / 2) ** 2 + math.cos(here) * math.cos(there) * math.sin(across / 2) ** 2
    )
    kilometres = 2 * _MEAN_RADIUS_KM * math.asin(math.sqrt(haversine))
    miles = kilometres / _KM_PER_MILE
    return f"{kilometres:,.0f} km ({miles:,.0f} miles) as the crow flies from {first.label} to {second.label}"


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
