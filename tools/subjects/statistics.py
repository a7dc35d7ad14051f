"""Describe data by mean, spread and correlation, exact in decimals by way of fractions."""

from __future__ import annotations

import statistics as library
from fractions import Fraction

from tools.declaration import ToolError, cue, tool
from tools.subjects.formatting import exact, exact_number, number
from tools.subjects.symbolic import numeric
from tools.types import Numbers, Point

_DATA_WORDS = (
    "numbers, data, set, list, dataset, values, scores, measurements, series, sequence, observations, "
    "grades, marks, ages, heights, weights, temperatures, prices, times, points, results"
)


@tool(
    asks="the mean, mean of, mean for, mean value, arithmetic mean, average, avg",
    examples=("mean of 3, 5, 7 and 9", "What is the average of 10, 20, 60?", "avg 1.5 2.5 4"),
    words=_DATA_WORDS,
)
def mean(numbers: Numbers) -> int | float:
    """Computes the arithmetic mean (average) of numbers.

    Args:
        numbers: two or more numbers.

    Returns:
        Their sum divided by their count.
    """
    return exact_number(library.mean(_exact(numbers)))


@tool(
    asks="median",
    examples=("median of 3, 1, 4, 1, 5", "What's the median of the data set 12, 15, 11, 20?"),
    words=_DATA_WORDS,
)
def median(numbers: Numbers) -> int | float:
    """Computes the median: the middle number, or the mean of the two middle ones.

    Args:
        numbers: two or more numbers.

    Returns:
        The median.
    """
    return exact_number(Fraction(library.median(_exact(numbers))))


@tool(
    asks="mode, most frequent, most common",
    examples=("mode of 1, 2, 2, 3", "Which is the most frequent number in 4 4 5 6 6 6?"),
    words=f"{_DATA_WORDS}, number, value",
)
def mode(numbers: Numbers) -> str:
    """Finds the mode: the number that occurs most often; all of them if there are several.

    Args:
        numbers: two or more numbers.

    Returns:
        The modes, in the order in which they first occur.
    """
    return ", ".join(str(exact_number(one)) for one in library.multimode(_exact(numbers)))


@tool(
    asks="sample standard deviation, sample std, sample stdev, sample sd",
    examples=("sample standard deviation of 2, 4, 4, 4, 5, 5, 7, 9", "sample std of 1 2 3 4"),
    words=_DATA_WORDS,
)
def sample_standard_deviation(numbers: Numbers) -> int | float:
    """Computes the standard deviation of a sample (divisor n - 1).

    Args:
        numbers: two or more numbers.

    Returns:
        The sample standard deviation.
    """
    return number(float(library.stdev(_exact(numbers))))


@tool(
    asks="population standard deviation, population std, population stdev, population sd",
    examples=("population standard deviation of 2, 4, 4, 4, 5, 5, 7, 9", "population std of 1 2 3 4"),
    words=_DATA_WORDS,
)
def population_standard_deviation(numbers: Numbers) -> int | float:
    """Computes the standard deviation of a whole population (divisor n).

    Args:
        numbers: two or more numbers.

    Returns:
        The population standard deviation.
    """
    return number(float(library.pstdev(_exact(numbers))))


@tool(
    asks="standard deviation, std, stdev, std dev",
    examples=("standard deviation of 10, 12, 23, 23, 16", "What's the std of 1, 2, 3, 4?"),
    words=_DATA_WORDS,
)
def standard_deviation(numbers: Numbers) -> str:
    """Computes the standard deviation when it is not said whether the numbers are a sample or a population.

    Args:
        numbers: two or more numbers.

    Returns:
        Both: of a sample (divisor n - 1) and of a population (divisor n).
    """
    return _both(library.stdev(_exact(numbers)), library.pstdev(_exact(numbers)))


@tool(
    asks="sample variance",
    examples=("sample variance of 2, 4, 6, 8", "What is the sample variance of 1.5, 2.5, 4?"),
    words=_DATA_WORDS,
)
def sample_variance(numbers: Numbers) -> int | float:
    """Computes the variance of a sample (divisor n - 1).

    Args:
        numbers: two or more numbers.

    Returns:
        The sample variance.
    """
    return exact_number(library.variance(_exact(numbers)))


@tool(
    asks="population variance",
    examples=("population variance of 2, 4, 6, 8", "What is the population variance of 1.5, 2.5, 4?"),
    words=_DATA_WORDS,
)
def population_variance(numbers: Numbers) -> int | float:
    """Computes the variance of a whole population (divisor n).

    Args:
        numbers: two or more numbers.

    Returns:
        The population variance.
    """
    return exact_number(library.pvariance(_exact(numbers)))


@tool(
    asks="variance, var",
    examples=("variance of 10, 12, 23, 23, 16", "What's the variance of 1, 2, 3, 4?"),
    words=_DATA_WORDS,
)
def variance(numbers: Numbers) -> str:
    """Computes the variance when it is not said whether the numbers are a sample or a population.

    Args:
        numbers: two or more numbers.

    Returns:
        Both: of a sample (divisor n - 1) and of a population (divisor n).
    """
    return _both(library.variance(_exact(numbers)), library.pvariance(_exact(numbers)))


@tool(
    asks="sum, total, add up, add",
    examples=("sum of 4, 8, 15, 16, 23 and 42", "add up 1.5, 2.25 and 3", "What is the total of 12, 30, 7?"),
    words=_DATA_WORDS,
)
def total(numbers: Numbers) -> int | float:
    """Adds up numbers.

    Args:
        numbers: two or more numbers.

    Returns:
        Their sum.
    """
    return exact_number(sum(_exact(numbers), Fraction()))


@tool(
    asks="sum, total, add up, add",
    examples=("sum of 1 to 100", "What is the sum of the numbers from 5 to 15?"),
    cues={"first": cue("of, from", needed=True), "last": cue("to, through, until, up to", needed=True)},
    words="numbers, integers, whole, natural, all, from, through, up",
    libraries="sympy",
)
def sum_of_range(first: Point, last: Point) -> int:
    """Adds up all whole numbers from one to another.

    Args:
        first: the first number.
        last: the last number, at least `first`.

    Returns:
        Their sum.

    Raises:
        ToolError: if the last number is before the first, or one of them is not whole.
    """
    low, high = numeric(first), numeric(last)
    if not (low.is_Integer and high.is_Integer and low <= high):
        raise ToolError(f"There are no whole numbers from {first} up to {last}.")
    return int(low + high) * int(high - low + 1) // 2


@tool(
    asks="range",
    examples=("range of 3, 9, 4, 12", "What is the range of the data set 15, 20, 11?"),
    words=_DATA_WORDS,
)
def value_range(numbers: Numbers) -> int | float:
    """Computes the range of numbers: the largest minus the smallest.

    Args:
        numbers: two or more numbers.

    Returns:
        The range.
    """
    values = _exact(numbers)
    return exact_number(max(values) - min(values))


@tool(
    asks="correlation, correlation coefficient, pearson correlation, pearson",
    examples=(
        "correlation of [1, 2, 3] and [2, 4, 7]",
        "Pearson correlation between [1, 2, 3, 4] and [4, 3, 2, 1]",
    ),
    words=f"{_DATA_WORDS}, between, lists, vectors",
    in_order=True,
)
def correlation(first: Numbers, second: Numbers) -> int | float:
    """Computes Pearson's correlation coefficient of two lists of numbers.

    Args:
        first: the numbers of one variable.
        second: as many of the other.

    Returns:
        The coefficient, from -1 to 1.

    Raises:
        ToolError: if the lists differ in length or one does not vary.
    """
    try:
        return number(library.correlation(first, second))
    except library.StatisticsError as error:
        raise ToolError(f"The correlation is undefined: {error}.") from error


def _exact(numbers: list[float]) -> list[Fraction]:
    return [exact(one) for one in numbers]


def _both(sample: float | Fraction, population: float | Fraction) -> str:
    shown = number(float(sample)), number(float(population))
    return f"{shown[0]} as a sample (divisor n - 1), {shown[1]} as a population (divisor n)"
