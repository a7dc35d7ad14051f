"""Name the types of parameters, one for each meaning: each is read from text by a reader of its own."""

from __future__ import annotations

from typing import NewType

Expression = NewType("Expression", str)  # a formula such as `x^3 + 2x`, in the grammar of `tools.expressions`
Polynomial = NewType("Polynomial", str)  # an expression with at least one variable
Variable = NewType("Variable", str)  # one symbol, such as `x`
Point = NewType("Point", str)  # an expression without symbols, such as `2`, `pi/2` or `oo`
Calculation = NewType(
    "Calculation", str
)  # an expression of numbers with at least one operation, such as `2 + 3*4`
MoneyCalculation = NewType(
    "MoneyCalculation", str
)  # a calculation with amounts of one currency: `5 * USD + 7 * USD`
Relation = NewType("Relation", str)  # one of <, > and =
Order = NewType("Order", int)  # how often to apply an operation: second derivative, third root. At least 1
Number = NewType("Number", float)  # a real number without a unit
Integer = NewType("Integer", int)  # a whole number
Percent = NewType("Percent", float)  # a percentage: 4.5 stands for 4.5 %
Money = NewType("Money", float)  # an amount of one currency, which is the user's own
Amount = NewType("Amount", str)  # a number, or an amount with its currency: `49.99 USD`
Years = NewType("Years", float)  # a length of time in years
Days = NewType("Days", int)  # a length of time in days
Months = NewType("Months", int)  # a length of time in months of the calendar
Quantity = NewType("Quantity", str)  # a number with a unit, such as `5 kg`; the unit in Pint's spelling
Mass = NewType("Mass", str)  # a quantity of mass, such as `70 kilogram`
Length = NewType("Length", str)  # a quantity of length, such as `5 foot + 10 inch`
Unit = NewType("Unit", str)  # a unit in Pint's spelling, such as `metre / second`
Date = NewType("Date", str)  # a calendar date, ISO 8601: `2024-02-29`
NextDate = NewType("NextDate", str)  # a date, or the next day of a name such as Christmas or 5 March
LastDate = NewType("LastDate", str)  # a date, or the last day of a name such as Christmas or 5 March
Now = NewType("Now", str)  # the present moment by the clock, ISO 8601 with its zone; no question can set it
Period = NewType("Period", str)  # in what a length of time is asked: `days`, `weeks`, `months` or `years`
ClockTime = NewType("ClockTime", str)  # a time of day, `HH:MM` on the 24-hour clock
Zone = NewType("Zone", str)  # `Asia/Tokyo` (of the IANA database), or `UTC+05:30`
SourceZone = NewType("SourceZone", str)  # the zone that a time of day is in
Country = NewType("Country", str)  # a country, as its ISO 3166 two-letter code
State = NewType("State", str)  # a state of the USA or a province of Canada, such as `Oregon`
City = NewType("City", str)  # a city with its state, if any, and country, such as `Paris, FR`
Formula = NewType("Formula", str)  # a chemical formula such as `Ca(OH)2`
Reaction = NewType("Reaction", str)  # a chemical equation: formulas with `+` and `->` between them
Constant = NewType(
    "Constant", str
)  # the name of a physical constant, a key of `tools.subjects.constants.CONSTANTS`
Element = NewType("Element", str)  # the symbol of a chemical element, such as `Fe`
Text = NewType("Text", str)  # text that is data, as the user wrote it in quotes
Digits = NewType("Digits", str)  # a numeral in some base, such as `ff` or `1011`
Base = NewType("Base", int)  # the base of a numeral, 2 to 36
SourceBase = NewType("SourceBase", int)  # the base in which a numeral is written, 2 to 36
RomanNumeral = NewType("RomanNumeral", str)  # a Roman numeral, such as `MCMXCIV`
Frequency = NewType("Frequency", int)  # how often a year: 12 for monthly
Numbers = list[float]  # a list of real numbers
Integers = list[int]  # a list of whole numbers
Matrix = list[list[float]]  # a matrix by rows
Equations = list[str]  # a system of equations
