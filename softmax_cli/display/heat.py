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
    """Return a Rich style for a value on a scale from -largest to largest; none for exactly 0."""
    if value == 0 or largest == 0 or not math.isfinite(value):
        return ""
    # The square root lifts the small ones off the middle.
    share = math.sqrt(min(abs(value) / largest, 1.0))
    end = _POSITIVE if value > 0 else _NEGATIVE
    red, green, blue = (z + round(share * (full - z)) for z, full in zip(_ZERO, end, strict=True))
    # Perceived brightness after ITU-R BT.601.
    text = _BLACK if 0.299 * red + 0.587 * green + 0.114 * blue > 128 else _WHITE
    return f"{text} on #{red:02x}{green:02x}{blue:02x}"
