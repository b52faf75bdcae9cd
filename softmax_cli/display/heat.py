"""Colours for signed numbers: blue below zero, orange above, alike for every kind of sight.

The two hues are the ends of a diverging scale that stays apart under all common kinds of
colour blindness; brightness tells the size, and the minus sign tells the sign without them.
"""

import math

_ZERO = (222, 222, 222)
_POSITIVE = (230, 97, 1)
_NEGATIVE = (33, 102, 172)
_BLACK, _WHITE = "#000000", "#ffffff"


def heat(value: float, largest: float) -> str:
    """Return a Rich style for a value on a scale that is symmetric around 0.

    Parameters
    ----------
    value
        The number.
    largest
        The magnitude at the ends of the scale. Exactly 0 gets no background.
    """
    if value == 0 or largest == 0 or not math.isfinite(value):
        return ""
    # The square root lifts the small ones off the middle.
    share = math.sqrt(min(abs(value) / largest, 1.0))
    end = _POSITIVE if value > 0 else _NEGATIVE
    red, green, blue = (
        round(zero + share * (full - zero)) for zero, full in zip(_ZERO, end, strict=True)
    )
    # Perceived brightness after ITU-R BT.601.
    bright = 0.299 * red + 0.587 * green + 0.114 * blue > 128
    return f"{_BLACK if bright else _WHITE} on #{red:02x}{green:02x}{blue:02x}"
