"""Numbers as people read them, never a lie: what is not 0 or 1 is not shown so."""

from decimal import Decimal

from softmax_cli.mathematics.exact import Number

_LEAST_SHOWN = Decimal("1e-999999999")


def significant(value: Number, precision: int) -> str:
    """Show a computed value with so many significant digits; zero is ``0``."""
    if value == 0:
        return "0"
    if isinstance(value, float):
        return f"{value:#.{precision}g}".removesuffix(".").replace(".e", "e")
    # abs() would round to a context, and there to 0.
    if value.copy_abs() < _LEAST_SHOWN:
        return "<1e-999999999" if value > 0 else ">-1e-999999999"
    return f"{value:.{precision - 1}e}"


def beside_one(value: Number, rest: Number, precision: int) -> str:
    """Show a value; where rounding would make it 1, by its distance from 1: rest = 1 - value."""
    shown = significant(value, precision)
    if isinstance(value, Decimal) or float(shown) != 1:
        return shown
    if rest == 0:
        return "1"
    if 0 < rest < _LEAST_SHOWN:
        return ">1 - 1e-999999999"
    # The distance itself needs few digits, unless more than the default are asked for.
    digits = precision if precision > 6 else min(precision, 3)
    return f"1 {'-' if rest > 0 else '+'} {f'{rest:.{digits}g}'.removeprefix('-')}"


def entry(value: Number, precision: int) -> str:
    """Show an entry that was compared; one that is not 1 is not rounded to it."""
    shown = significant(value, precision)
    is_rounded = isinstance(value, float) and abs(float(shown)) == 1 != abs(value)
    return repr(float(value)) if is_rounded else shown


def given(value: float) -> str:
    """Show a number of the user's: the shortest digits that read back to it."""
    return repr(float(value)).removesuffix(".0")
