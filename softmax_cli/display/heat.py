"""Colours for signed numbers: blue below zero, orange above, alike for every kind of sight.

The two hues are the ends of a diverging scale that stays apart under all common kinds of
colour blindness; brightness tells the size, and the minus sign tells the sign without them.
"""

import math
from collections.abc import Sequence

NEGATIVE, ZERO, POSITIVE = (33, 102, 172), (222, 222, 222), (230, 97, 1)
_BRIGHTNESS = (0.2126, 0.7152, 0.0722)  # of red, green and blue


def heat(value: float, largest: float) -> str:
    """Return a Rich style for a value on a scale from -largest to largest; none for exactly 0."""
    if value == 0 or largest == 0 or not math.isfinite(value):
        return ""
    # The square root lifts the small ones off the middle.
    share = math.sqrt(min(abs(value) / largest, 1.0))
    end = POSITIVE if value > 0 else NEGATIVE
    colour = [z + round(share * (full - z)) for z, full in zip(ZERO, end, strict=True)]
    return f"{ink(colour)} on #{bytes(colour).hex()}"


def ink(colour: Sequence[int]) -> str:
    """Choose black or white for a text on red, green and blue, by the better contrast."""
    L = sum(share * (part / 255) ** 2.2 for share, part in zip(_BRIGHTNESS, colour, strict=True))
    # The contrasts with black and with white are (L + 0.05)/0.05 and 1.05/(L + 0.05).
    return "#000000" if (L + 0.05) ** 2 > 0.05 * 1.05 else "#ffffff"
