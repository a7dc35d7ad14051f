"""Compute interest, loans and cash flows on numpy-financial."""

from __future__ import annotations

from itertools import pairwise

from tools.declaration import ToolError, cue, tool
from tools.subjects.formatting import money, number
from tools.types import Frequency, Money, Numbers, Percent, Years

_RATE = cue("at, rate, interest, interest rate, with", after="interest, rate, apr, per year")
_YEARS = cue("over, for, in, after, term")
_WORDS = (
    "interest, rate, annual, annually, yearly, per year, per annum, p a, a year, year, apr, term, "
    "fixed, nominal, pa, period"
)
MAX_YEARS = 200


@tool(
    asks=(
        "monthly payment, loan payment, mortgage payment, monthly mortgage, monthly instalment, emi, "
        "monthly installment, pay per month, monthly repayment, pay each month"
    ),
    examples=(
        "monthly payment on a $250,000 loan at 4.5% over 30 years",
        "What is the mortgage payment for 300000 at 6 percent for 15 years?",
        "EMI for a loan of 20000 dollars, 8% interest, 5 years",
    ),
    cues={
        "principal": cue("loan of, on, borrow, for, mortgage of", after="loan, mortgage"),
        "rate": _RATE,
        "years": _YEARS,
    },
    words=f"{_WORDS}, loan, mortgage, car, home, house, borrow, monthly, month, each, per",
    refuses="payment of #, # monthly, # payment, can i borrow, i can borrow, to get #",
    libraries="numpy_financial",
)
def loan_payment(principal: Money, rate: Percent, years: Years) -> str:
    """Computes the monthly payment of a loan or mortgage with equal payments at the end of each month.

    Args:
        principal: the amount borrowed.
        rate: the nominal interest rate per year in percent, compounded monthly.
        years: the term in years.

    Returns:
        The payment per month, in the currency of the principal.

    Raises:
        ToolError: if a value is out of range.
    """
    import numpy_financial

    _check(rate, years)
    months = round(12 * years)
    return money(-float(numpy_financial.pmt(rate / 1200, months, principal)))


@tool(
    asks=(
        "compound interest, compounded, future value, grow to, worth, compound growth, invest, "
        "investment, grow"
    ),
    examples=(
        "$1,000 at 5% compounded annually for 10 years",
        "future value of 5000 dollars at 3% compounded monthly over 4 years",
        "compound interest on 2000 at 6 percent compounded quarterly for 3 years",
    ),
    cues={
        "principal": cue("on, of, invest, investing, deposit"),
        "rate": _RATE,
        "years": _YEARS,
        "frequency": cue("compounded, compounding, compound", after="compounding", needed=True),
    },
    words=(
        f"{_WORDS}, balance, amount, money, deposit, account, savings, investing, future, value, "
        "total, final, become, becomes, end"
    ),
    refuses="need, needs, must, should, have, get, want, wanted",
)
def compound_growth(principal: Money, rate: Percent, years: Years, frequency: Frequency | None = None) -> str:
    """Computes what an amount grows to with compound interest, and the interest earned.

    Args:
        principal: the amount at the beginning.
        rate: the nominal interest rate per year in percent.
        years: for how many years.
        frequency: how often a year the interest is compounded; once if left out.

    Returns:
        The final amount, and the interest in it; it says so if the frequency was left out.

    Raises:
        ToolError: if a value is out of range.
    """
    _check(rate, years)
    times = frequency or 1
    final = principal * (1 + rate / 100 / times) ** (times * years)
    assumed = "" if frequency else ", compounded once a year"
    return f"{money(final)} (of which {money(final - principal)} is interest{assumed})"


@tool(
    asks="simple interest",
    examples=(
        "simple interest on $1,000 at 5% for 3 years",
        "What's the simple interest for 500 at 4 percent over 18 months?",
    ),
    cues={"principal": cue("on, of, for"), "rate": _RATE, "years": _YEARS},
    words=f"{_WORDS}, loan, deposit, earned",
    refuses="is #, was #, to get #, gives #",
)
def simple_interest(principal: Money, rate: Percent, years: Years) -> str:
    """Computes simple interest, which is not compounded.

    Args:
        principal: the amount.
        rate: the interest rate per year in percent.
        years: for how many years.

    Returns:
        The interest alone.

    Raises:
        ToolError: if a value is out of range.
    """
    _check(rate, years)
    return money(principal * rate / 100 * years)


@tool(
    asks="npv, net present value",
    examples=(
        "NPV of -1000, 500, 600, 300 at 8%",
        "What is the net present value of cash flows -200, 90, 90, 90 at a 5 percent discount rate?",
    ),
    cues={"rate": _RATE},
    words="cash, flows, cashflows, discount, discounted, rate, flow",
    libraries="numpy_financial",
)
def npv(rate: Percent, cash_flows: Numbers) -> str:
    """Computes the net present value of cash flows at the ends of periods; the first is today.

    Args:
        rate: the discount rate per period in percent.
        cash_flows: the flows, negative for payments.

    Returns:
        The net present value.

    Raises:
        ToolError: if the rate is out of range.
    """
    import numpy_financial

    _check(rate, 1)
    return money(float(numpy_financial.npv(rate / 100, cash_flows)))


@tool(
    asks="irr, internal rate of return",
    examples=("IRR of -1000, 400, 400, 400", "internal rate of return of cash flows -500, 200, 250, 300"),
    words="cash, flows, cashflows, flow",
    libraries="numpy_financial",
)
def irr(cash_flows: Numbers) -> str:
    """Computes the internal rate of return of cash flows at the ends of periods; the first is today.

    Args:
        cash_flows: the flows, the first negative, with exactly one change of sign.

    Returns:
        The rate per period in percent.

    Raises:
        ToolError: if the rate is not unique or there is none.
    """
    import numpy_financial

    signs = [flow > 0 for flow in cash_flows if flow]
    if sum(left != right for left, right in pairwise(signs)) != 1:
        raise ToolError("The flows must change their sign once: else there is no single rate of return.")
    return f"{number(round(100 * float(numpy_financial.irr(cash_flows)), 4))}% per period"


def _check(rate: float, years: float) -> None:
    if not 0 <= rate <= 1000:
        raise ToolError(f"The rate must be 0 to 1000 percent, not {rate:g}.")
    if not 0 < years <= MAX_YEARS:
        raise ToolError(f"The time must be more than 0 and at most {MAX_YEARS} years, not {years:g}.")
