"""Numbers as people read them, never a lie: what is not 0 or 1 is not shown so."""

import math

SMALLEST = 5e-324
SMALLEST_NORMAL = 2.0**-1022
_DEFAULT_PRECISION = 6
_COMPLEMENT_DIGITS = 3


def significant(value: float, precision: int) -> str:
    """Show a computed value with so many significant digits; zero is ``0``."""
    if value == 0:
        return "0"
    if abs(value) < SMALLEST_NORMAL:
        # A subnormal number is a multiple of 2^-1074 and has no more digits than that tells.
        precision = min(precision, max(1, int(math.log10(abs(value) / SMALLEST))))
    return f"{value:#.{precision}g}".removesuffix(".").replace(".e", "e")


def positive(value: float, precision: int, zero: bool = False) -> str:
    """Show a value that is positive unless ``zero``: an underflow or overflow says so."""
    if value == math.inf:
        return ">1.79e+308"
    return "<5e-324" if value == 0 and not zero else significant(value, precision)


def negative(value: float, precision: int, zero: bool = False) -> str:
    """Show a value that is negative unless ``zero``: an underflow or overflow says so."""
    if value == -math.inf:
        return "<-1.79e+308"
    return ">-5e-324" if value == 0 and not zero else significant(value, precision)


def signed(value: float, sign: float, precision: int) -> str:
    """Show a value whose exact one has this sign, or is 0: see `positive` and `negative`."""
    return (negative if sign < 0 else positive)(value, precision, zero=sign == 0)


def probability(value: float, complement: float, precision: int, masked: bool, alone: bool) -> str:
    """Show a probability; where rounding would make it 1, by its distance from 1.

    The distance is shown with 3 digits, or with the precision where that exceeds the default.

    Parameters
    ----------
    value, complement
        y and 1 - y.
    precision
        Significant digits.
    masked
        Whether the class is masked, so that y is exactly 0.
    alone
        Whether every other class is masked, so that y is exactly 1.
    """
    if masked or alone:
        return "0" if masked else "1"
    if complement == 0:
        return ">1 - 5e-324"
    shown = positive(value, precision)
    if not shown.startswith("1"):
        return shown
    return f"1 - {distance(complement, precision)}" if float(shown) == 1 else shown


def entry(value: float, precision: int, sign: float = 0) -> str:
    """Show an entry that was compared; one that is not 1 is not rounded to it.

    Parameters
    ----------
    value
        The entry.
    precision
        Significant digits.
    sign
        That of the exact entry, where an underflow left 0 of it, or rounding made 1 of it.
    """
    if value == 0:
        return signed(value, sign, precision)
    if value == 1 and sign:
        return ">1 - 1.2e-16"
    shown = significant(value, precision)
    return repr(float(value)) if abs(float(shown)) == 1 and abs(value) != 1 else shown


def distance(value: float, precision: int) -> str:
    """Show a distance from 1: with 3 digits, or with all when more than the default are asked."""
    digits = precision if precision > _DEFAULT_PRECISION else min(precision, _COMPLEMENT_DIGITS)
    return f"{value:.{digits}g}"


def given(value: float) -> str:
    """Show a number of the user's: the shortest digits that read back to it."""
    return repr(float(value)).removesuffix(".0")
