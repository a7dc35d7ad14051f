"""How people write units, and Pint's names for them.

A list of our own: Pint reads almost any word as some unit ("at" is a technical atmosphere), which is wrong
in text.
"""

from __future__ import annotations

from functools import cache

_WORDS = """
metre: metre metres meter meters
centimetre: centimetre centimetres centimeter centimeters cm
millimetre: millimetre millimetres millimeter millimeters mm
micrometre: micrometre micrometres micrometer micrometers micron microns μm µm
nanometre: nanometre nanometres nanometer nanometers nm
kilometre: kilometre kilometres kilometer kilometers km kms
inch: inch inches
foot: foot feet ft
yard: yard yards yd yds
mile: mile miles mi
nautical_mile: nmi
light_year: lightyear lightyears ly
parsec: parsec parsecs pc
astronomical_unit: au
gram: gram grams gramme grammes gr
kilogram: kilogram kilograms kilo kilos kg kgs
milligram: milligram milligrams mg
microgram: microgram micrograms mcg μg µg
metric_ton: tonne tonnes
pound: pound pounds lb lbs
ounce: ounce ounces oz
stone: stone stones st
second: second seconds sec secs
millisecond: millisecond milliseconds ms
microsecond: microsecond microseconds
nanosecond: nanosecond nanoseconds
minute: minute minutes min mins
hour: hour hours hr hrs
day: day days
week: week weeks
litre: litre litres liter liters
millilitre: millilitre millilitres milliliter milliliters ml
centilitre: centilitre centilitres centiliter centiliters cl
decilitre: decilitre decilitres deciliter deciliters dl
gallon: gallon gallons gal
quart: quart quarts qt
pint: pint pints
cup: cup cups
fluid_ounce: floz
tablespoon: tablespoon tablespoons tbsp
teaspoon: teaspoon teaspoons tsp
acre: acre acres
hectare: hectare hectares ha
joule: joule joules
kilojoule: kilojoule kilojoules kj
calorie: calorie calories cal
kilocalorie: kilocalorie kilocalories kcal
kilowatt_hour: kwh
watt_hour: wh
electron_volt: electronvolt electronvolts ev
british_thermal_unit: btu btus
watt: watt watts
kilowatt: kilowatt kilowatts kw
megawatt: megawatt megawatts
horsepower: horsepower hp
newton: newton newtons
pascal: pascal pascals
kilopascal: kilopascal kilopascals kpa
hectopascal: hectopascal hectopascals hpa
bar: bar bars
millibar: millibar millibars mbar
atmosphere: atmosphere atmospheres atm
pound_force_per_square_inch: psi
millimeter_Hg: mmhg
degree_Celsius: celsius degc centigrade
degree_Fahrenheit: fahrenheit degf fahrenheits farenheit
kelvin: kelvin kelvins
degree_Rankine: rankine
degree: degree degrees deg °
radian: radian radians rad rads
hertz: hertz hz
kilohertz: kilohertz khz
megahertz: megahertz mhz
gigahertz: gigahertz ghz
mile / hour: mph
kilometre / hour: kph kmh kmph
knot: knot knots kn
mile / gallon: mpg
volt: volt volts
ampere: ampere amperes amp amps
ohm: ohm ohms
coulomb: coulomb coulombs
byte: byte bytes
kilobyte: kilobyte kilobytes
megabyte: megabyte megabytes
gigabyte: gigabyte gigabytes
terabyte: terabyte terabytes
kibibyte: kibibyte kibibytes kib
mebibyte: mebibyte mebibytes mib
gibibyte: gibibyte gibibytes gib
bit: bit bits
mole: mole moles mol mols
millimole: millimole millimoles mmol
"""
_SYMBOLS = {
    "m": "metre", "g": "gram", "s": "second", "h": "hour", "L": "litre", "l": "litre", "J": "joule",
    "W": "watt",
    "N": "newton", "Pa": "pascal", "V": "volt", "A": "ampere", "K": "kelvin", "C": "degree_Celsius",
    "F": "degree_Fahrenheit", "MJ": "megajoule", "MPa": "megapascal", "MW": "megawatt", "kN": "kilonewton",
    "kB": "kilobyte", "KB": "kilobyte", "MB": "megabyte", "GB": "gigabyte", "TB": "terabyte",
    "Ω": "ohm", "t": "metric_ton", "MeV": "megaelectron_volt", "GeV": "gigaelectron_volt",
    "keV": "kiloelectron_volt",
}  # fmt: skip
_PHRASES = {
    "nautical miles": "nautical_mile", "nautical mile": "nautical_mile", "light years": "light_year",
    "light year": "light_year", "astronomical units": "astronomical_unit",
    "astronomical unit": "astronomical_unit",
    "fluid ounces": "fluid_ounce", "fluid ounce": "fluid_ounce", "fl oz": "fluid_ounce",
    "metric tons": "metric_ton", "metric ton": "metric_ton", "metric tonnes": "metric_ton",
    "short tons": "short_ton", "long tons": "long_ton", "kilowatt hours": "kilowatt_hour",
    "kilowatt hour": "kilowatt_hour", "electron volts": "electron_volt", "electron volt": "electron_volt",
    "degrees celsius": "degree_Celsius", "degree celsius": "degree_Celsius", "degrees c": "degree_Celsius",
    "° c": "degree_Celsius", "degrees centigrade": "degree_Celsius", "deg c": "degree_Celsius",
    "degrees fahrenheit": "degree_Fahrenheit", "degree fahrenheit": "degree_Fahrenheit",
    "degrees f": "degree_Fahrenheit", "° f": "degree_Fahrenheit", "deg f": "degree_Fahrenheit",
    "° celsius": "degree_Celsius", "° fahrenheit": "degree_Fahrenheit",
    "degrees farenheit": "degree_Fahrenheit",
}  # fmt: skip
PHRASES = {tuple(phrase.split()): name for phrase, name in _PHRASES.items()}
"""Units of two words, in lower case."""


@cache
def _words() -> dict[str, str]:
    lines = (line.split(":") for line in _WORDS.strip().splitlines())
    return {word: name for name, words in lines for word in words.split()}


def unit_name(word: str) -> str | None:
    """Pint's name of the unit that a word stands for; symbols of one or two letters by their case."""
    return _SYMBOLS.get(word) or _words().get(word.lower())


def names() -> frozenset[str]:
    """All names that this module gives to Pint."""
    return frozenset({*_words().values(), *_SYMBOLS.values(), *PHRASES.values()})
