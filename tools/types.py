"""Name the types of parameters, one for each meaning: each is read from text by a reader of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NewType

Expression = NewType("Expression", str)
Polynomial = NewType("Polynomial", str)
Variable = NewType("Variable", str)
Point = NewType("Point", str)
Calculation = NewType("Calculation", str)
MoneyCalculation = NewType("MoneyCalculation", str)
Relation = NewType("Relation", str)
Order = NewType("Order", int)
Number = NewType("Number", float)
Integer = NewType("Integer", int)
Percent = NewType("Percent", float)
Money = NewType("Money", float)
Amount = NewType("Amount", str)
Years = NewType("Years", float)
Days = NewType("Days", int)
Months = NewType("Months", int)
Quantity = NewType("Quantity", str)
Mass = NewType("Mass", str)
Length = NewType("Length", str)
Unit = NewType("Unit", str)
Date = NewType("Date", str)
NextDate = NewType("NextDate", str)
LastDate = NewType("LastDate", str)
Now = NewType("Now", str)
Period = NewType("Period", str)
ClockTime = NewType("ClockTime", str)
Zone = NewType("Zone", str)
SourceZone = NewType("SourceZone", str)
Country = NewType("Country", str)
State = NewType("State", str)
City = NewType("City", str)
Formula = NewType("Formula", str)
Reaction = NewType("Reaction", str)
Constant = NewType("Constant", str)
Element = NewType("Element", str)
Text = NewType("Text", str)
Digits = NewType("Digits", str)
Base = NewType("Base", int)
SourceBase = NewType("SourceBase", int)
RomanNumeral = NewType("RomanNumeral", str)
Frequency = NewType("Frequency", int)
Numbers = list[float]
Integers = list[int]
Matrix = list[list[float]]
Equations = list[str]

MEANINGS: Mapping[Any, str] = {
    Expression: "a formula such as `x^3 + 2x`",
    Polynomial: "an expression with at least one variable",
    Variable: "one symbol, such as `x`",
    Point: "an expression without symbols, such as `2`, `pi/2` or `oo`",
    Calculation: "an expression of numbers with at least one operation, such as `2 + 3*4`",
    MoneyCalculation: "a calculation with amounts of one currency: `5 * USD + 7 * USD`",
    Relation: "one of <, > and =",
    Order: "how often to apply an operation: second derivative, third root. At least 1",
    Number: "a real number without a unit",
    Integer: "a whole number",
    Percent: "a percentage: 4.5 stands for 4.5 %",
    Money: "an amount of one currency, which is the user's own",
    Amount: "a number, or an amount with its currency: `49.99 USD`",
    Years: "a length of time in years",
    Days: "a length of time in days",
    Months: "a length of time in months of the calendar",
    Quantity: "a number with a unit, such as `5 kg`; the unit in Pint's spelling",
    Mass: "a quantity of mass, such as `70 kilogram`",
    Length: "a quantity of length, such as `5 foot + 10 inch`",
    Unit: "a unit in Pint's spelling, such as `metre / second`",
    Date: "a calendar date, ISO 8601: `2024-02-29`",
    NextDate: "a date, or the next day of a name such as Christmas or 5 March",
    LastDate: "a date, or the last day of a name such as Christmas or 5 March",
    Now: "the present moment by the clock, ISO 8601 with its zone; no question can set it",
    Period: "in what a length of time is asked: `days`, `weeks`, `months` or `years`",
    ClockTime: "a time of day, `HH:MM` on the 24-hour clock",
    Zone: "`Asia/Tokyo` (of the IANA database), or `UTC+05:30`",
    SourceZone: "the zone that a time of day is in",
    Country: "a country, as its ISO 3166 two-letter code: `KE`",
    State: "a state of the USA or a province of Canada, such as `Oregon`",
    City: "a city with its state, if any, and country, such as `Paris, FR`",
    Formula: "a chemical formula such as `Ca(OH)2`",
    Reaction: "a chemical equation: formulas with `+` and `->` between them",
    Constant: "the name of a physical constant, such as `speed of light`",
    Element: "the symbol of a chemical element, such as `Fe`",
    Text: "text that is data, as the user wrote it",
    Digits: "a numeral in some base, such as `ff` or `1011`",
    Base: "the base of a numeral, 2 to 36",
    SourceBase: "the base in which a numeral is written, 2 to 36",
    RomanNumeral: "a Roman numeral, such as `MCMXCIV`",
    Frequency: "how often a year: 12 for monthly",
    Numbers: "a list of real numbers",
    Integers: "a list of whole numbers",
    Matrix: "a matrix by rows",
    Equations: "equations such as `x + y = 3`",
}
"""What a value of each type is, for people and models."""
