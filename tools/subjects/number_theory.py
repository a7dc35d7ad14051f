"""Find divisors, primes and remainders of whole numbers, and count choices."""

from __future__ import annotations

import math

from tools.declaration import ToolError, cue, tool
from tools.subjects.symbolic import numeric, plain
from tools.types import Calculation, Integer, Integers

MAX_FACTORED_DIGITS = 40
MAX_COUNT = 5_000


@tool(
    asks=(
        "gcd, gcf, hcf, greatest common divisor, greatest common factor, highest common factor, "
        "largest common divisor, greatest common denominator"
    ),
    examples=("gcd of 12 and 18", "What is the greatest common divisor of 84 and 36?", "hcf(24, 60, 36)"),
    words="numbers, integers",
)
def gcd(numbers: Integers) -> int:
    """Finds the greatest common divisor (highest common factor) of whole numbers.

    Args:
        numbers: two or more whole numbers.

    Returns:
        The largest whole number that divides all of them.
    """
    return math.gcd(*numbers)


@tool(
    asks="lcm, least common multiple, lowest common multiple, smallest common multiple",
    examples=(
        "lcm of 4 and 6",
        "What is the least common multiple of 12, 15 and 20?",
        "lowest common multiple 8, 14",
    ),
    words="numbers, integers",
)
def lcm(numbers: Integers) -> int:
    """Finds the least common multiple of whole numbers.

    Args:
        numbers: two or more whole numbers.

    Returns:
        The smallest positive whole number that all of them divide.
    """
    return math.lcm(*numbers)


@tool(
    asks=(
        "prime factors, prime factorization, prime factorisation, factorize, factorise, factor, prime "
        "decomposition, factorization"
    ),
    examples=("prime factors of 360", "What is the prime factorization of 1001?", "factorize 97531"),
    words="number, integer, into, primes, break, down",
    libraries="sympy",
)
def prime_factors(value: Integer) -> str:
    """Factors a whole number into primes.

    Args:
        value: a whole number from 2 on, of at most 40 digits.

    Returns:
        The product of prime powers, such as `2^3 * 3^2 * 5`.

    Raises:
        ToolError: if the number is out of range.
    """
    import sympy

    if value < 2 or value >= 10**MAX_FACTORED_DIGITS:
        raise ToolError(
            f"Numbers from 2 to {MAX_FACTORED_DIGITS} digits are factored, not {str(value)[:50]}."
        )
    powers = sympy.factorint(value)
    return " * ".join(
        f"{prime}^{power}" if power > 1 else str(prime) for prime, power in sorted(powers.items())
    )


@tool(
    asks="prime, prime number, primality",
    examples=("Is 97 prime?", "check whether 221 is a prime number", "is 7919 a prime"),
    words="number, check, whether, if, or, not, composite",
    libraries="sympy",
)
def is_prime(value: Integer) -> str:
    """Tells whether a whole number is prime.

    Args:
        value: the whole number, of at most 100 digits.

    Returns:
        A sentence that begins with yes or no.
    """
    import sympy

    prime = value > 1 and sympy.isprime(value)
    return f"Yes, {value} is prime." if prime else f"No, {value} is not prime."


@tool(
    asks="divisors, factors, divisors of",
    examples=("divisors of 28", "What are all the factors of 36?", "list the divisors of 100"),
    words="all, list, positive, number",
    libraries="sympy",
)
def divisors(value: Integer) -> list[int]:
    """Lists the divisors of a whole number.

    Args:
        value: a whole number from 1 to 10^15.

    Returns:
        Its positive divisors in ascending order.

    Raises:
        ToolError: if the number is out of range.
    """
    import sympy

    if not 1 <= value <= 10**15:
        raise ToolError(f"Divisors are listed for 1 to 10^15, not for {str(value)[:50]}.")
    return [int(one) for one in sympy.divisors(value)]


@tool(
    asks="remainder",
    examples=("remainder when 17 is divided by 5", "What's the remainder of 100 divided by 7?"),
    words="dividing, division, leaves, left, over",
    libraries="sympy",
    cues={"dividend": cue("dividing, when, of"), "divisor": cue("divided by, by", needed=True)},
)
def remainder(dividend: Integer, divisor: Integer) -> int:
    """Finds the remainder of a division of whole numbers.

    Args:
        dividend: what is divided.
        divisor: by what; not zero.

    Returns:
        The remainder, with the sign of the divisor.

    Raises:
        ToolError: if the divisor is zero.
    """
    if divisor == 0:
        raise ToolError("The remainder of a division by zero is undefined.")
    return dividend % divisor


@tool(
    asks="divisible, multiple of, divides",
    examples=("is 1000 divisible by 8", "Is 24 a multiple of 7?"),
    cues={"divisor": cue("divisible by, by, multiple of", needed=True)},
    words="number, evenly, exactly, check, whether",
)
def is_divisible(value: Integer, divisor: Integer) -> str:
    """Tells whether a whole number is divisible by another: whether it is a multiple of it.

    Args:
        value: the number.
        divisor: by what; not zero.

    Returns:
        A sentence that begins with yes or no.

    Raises:
        ToolError: if the divisor is zero.
    """
    if divisor == 0:
        raise ToolError("No number is divisible by zero.")
    quotient, rest = divmod(value, divisor)
    if rest:
        return f"No, the remainder of {value} divided by {divisor} is {rest}."
    return f"Yes, {value} = {divisor} * {quotient}."


@tool(
    asks="mod, modulo, modulus",
    examples=("3^200 mod 13", "What is 7 to the power of 100 modulo 11?", "25 mod 7"),
    libraries="sympy",
)
def modular(calculation: Calculation) -> int | str:
    """Computes a remainder or a modular power, such as 7^100 mod 11, also for very large exponents.

    Args:
        calculation: `a mod m` or `a^b mod m`.

    Returns:
        The remainder.

    Raises:
        ToolError: if the modulus is zero or a number is out of range.
    """
    return plain(numeric(calculation))


@tool(
    asks="inverse, modular inverse, multiplicative inverse, modular multiplicative inverse, invert",
    examples=("inverse of 3 mod 11", "What is the modular inverse of 7 modulo 26?"),
    cues={"value": cue("of, invert"), "modulus": cue("mod, modulo, modulus", needed=True)},
)
def modular_inverse(value: Integer, modulus: Integer) -> int:
    """Finds the inverse of a whole number modulo another.

    Args:
        value: the number.
        modulus: the modulus, at least 2.

    Returns:
        The number from 1 to `modulus` - 1 whose product with `value` is 1 modulo `modulus`.

    Raises:
        ToolError: if there is none, because the two have a common factor.
    """
    if modulus < 2 or math.gcd(value, modulus) != 1:
        raise ToolError(f"{value} has no inverse modulo {modulus}: they have a common factor.")
    return pow(value, -1, modulus)


@tool(
    asks=(
        "choose, how many ways to choose, combinations, ncr, binomial coefficient, ways to choose, C, "
        "ways to pick, combination, ways to select"
    ),
    examples=(
        "10 choose 3",
        "How many ways to choose 3 items from 10?",
        "number of combinations of 52 cards taken 5 at a time",
    ),
    cues={
        "n": cue("from, of, out of, from a set of, among", after="choose"),
        "k": cue("choose, choosing, pick, select, taken, taking", after="at a time"),
    },
    words=(
        "how many, number of, items, objects, things, people, cards, elements, set, different, ways, "
        "there, group"
    ),
    in_order=True,
)
def combinations(n: Integer, k: Integer) -> int:
    """Counts the combinations: the ways to choose k of n things when order does not matter (n choose k).

    Args:
        n: how many things there are, at most 5000.
        k: how many are chosen.

    Returns:
        n! / (k! (n - k)!).

    Raises:
        ToolError: if a number is out of range.
    """
    _check_count(n, k)
    return math.comb(n, k)


@tool(
    asks="permutations, npr, permutation, ways to arrange, ordered ways, P, arrangements",
    examples=(
        "permutations of 10 items taken 3 at a time",
        "nPr of 8 and 2",
        "How many ways to arrange 3 out of 7 books?",
    ),
    cues={
        "n": cue("from, of, out of, among", after="permute"),
        "k": cue("taken, taking, arrange", after="at a time"),
    },
    words=(
        "how many, number of, items, objects, things, people, elements, set, different, ways, there, books"
    ),
    in_order=True,
)
def permutations(n: Integer, k: Integer) -> int:
    """Counts the permutations: the ordered ways to take k of n things.

    Args:
        n: how many things there are, at most 5000.
        k: how many are taken.

    Returns:
        n! / (n - k)!.

    Raises:
        ToolError: if a number is out of range.
    """
    _check_count(n, k)
    return math.perm(n, k)


def _check_count(n: int, k: int) -> None:
    if not 0 <= k <= n <= MAX_COUNT:
        raise ToolError(f"k of n things are counted for 0 <= k <= n <= {MAX_COUNT}, not k = {k}, n = {n}.")
