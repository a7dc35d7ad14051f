"""The types of parameters. A name per meaning, so that each is read from text by one parser of its own."""

from __future__ import annotations

from typing import NewType

Expression = NewType("Expression", str)
"""A formula such as `x^3 + 2x`, in the grammar of `tools.expressions`."""

Polynomial = NewType("Polynomial", str)
"""An expression with at least one variable."""

Equation = NewType("Equation", str)
"""Two expressions with `=` between them."""

Variable = NewType("Variable", str)
"""One symbol, such as `x`."""

Point = NewType("Point", str)
"""An expression without symbols, such as `2`, `pi/2` or `oo`."""

Calculation = NewType("Calculation", str)
"""An expression of numbers with at least one operation, such as `2 + 3*4`."""

Order = NewType("Order", int)
"""How often to apply an operation: second derivative, third root. At least 1."""

Number = NewType("Number", float)
"""A real number without a unit."""

Integer = NewType("Integer", int)
"""A whole number."""

Percent = NewType("Percent", float)
"""A percentage: 4.5 stands for 4.5 %."""

Money = NewType("Money", float)
"""An amount of one currency, which is the user's own."""

Years = NewType("Years", float)
"""A length of time in years."""

Days = NewType("Days", int)
"""A length of time in days."""

Months = NewType("Months", int)
"""A length of time in months of the calendar."""

Quantity = NewType("Quantity", str)
"""A number with a unit, such as `5 kg`; the unit in Pint's spelling."""

Unit = NewType("Unit", str)
"""A unit in Pint's spelling, such as `metre / second`."""

Date = NewType("Date", str)
"""A calendar date, ISO 8601: `2024-02-29`."""

ClockTime = NewType("ClockTime", str)
"""A time of day, `HH:MM` on the 24-hour clock."""

Zone = NewType("Zone", str)
"""A time zone of the IANA database, such as `Asia/Tokyo`."""

Country = NewType("Country", str)
"""A country, as its ISO 3166 two-letter code."""

City = NewType("City", str)
"""A city with its country, such as `Paris, FR`."""

Formula = NewType("Formula", str)
"""A chemical formula such as `Ca(OH)2`."""

Reaction = NewType("Reaction", str)
"""A chemical equation: formulas with `+` and `->` between them."""

Constant = NewType("Constant", str)
"""The name of a physical constant, a key of `tools.subjects.constants.CONSTANTS`."""

Element = NewType("Element", str)
"""The symbol of a chemical element, such as `Fe`."""

Text = NewType("Text", str)
"""Text that is data, as the user wrote it in quotes."""

Digits = NewType("Digits", str)
"""A numeral in some base, such as `ff` or `1011`."""

Base = NewType("Base", int)
"""The base of a numeral, 2 to 36."""

SourceBase = NewType("SourceBase", int)
"""The base in which a numeral is written, 2 to 36."""

RomanNumeral = NewType("RomanNumeral", str)
"""A Roman numeral, such as `MCMXCIV`."""

Frequency = NewType("Frequency", int)
"""How often a year: 12 for monthly."""

Numbers = list[float]
"""A list of real numbers."""

Integers = list[int]
"""A list of whole numbers."""

Matrix = list[list[float]]
"""A matrix by rows."""

Equations = list[str]
"""A system of equations."""
