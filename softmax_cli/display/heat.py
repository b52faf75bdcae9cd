"""Colours for signed numbers: blue below zero, orange above, alike for every kind of sight.

The two hues are the ends of a diverging scale that stays apart under all common kinds of
colour blindness; brightness tells the size, and the minus sign tells the sign without them.
"""

import math

_ZERO = (222, 222, 222)
_POSITIVE = (230, 97, 1)
_NEGATIVE = (33, 102, 172)
_BLACK, _WHITE = "#000000", "#ffffff"
# The same ends, in steps that terminals of 256 colours have.
_POSITIVE_STEPS = ("#dadada", "#ffd7af", "#ffaf87", "#ff875f", "#ff5f00", "#d75f00")
_NEGATIVE_STEPS = ("#dadada", "#afd7ff", "#87afff", "#5f87d7", "#005fd7", "#005faf")


def heat(value: float, largest: float, colours: int) -> str:
    """Return a Rich style for a value on a scale from -largest to largest; none for exactly 0.

    Fewer than 256 colours have no shades: the numbers stand without a background there.
    """
    if value == 0 or largest == 0 or not math.isfinite(value) or colours < 256:
        return ""
    # The square root lifts the small ones off the middle.
    share = math.sqrt(min(abs(value) / largest, 1.0))
    if colours == 256:
        steps = _POSITIVE_STEPS if value > 0 else _NEGATIVE_STEPS
        return _on(steps[min(int(share * len(steps)), len(steps) - 1)])
    end = _POSITIVE if value > 0 else _NEGATIVE
    mixed = (round(zero + share * (full - zero)) for zero, full in zip(_ZERO, end, strict=True))
    return _on("#" + bytes(mixed).hex())


def _on(background: str) -> str:
    red, green, blue = bytes.fromhex(background[1:])
    # Perceived brightness after ITU-R BT.601.
    bright = 0.299 * red + 0.587 * green + 0.114 * blue > 128
    return f"{_BLACK if bright else _WHITE} on {background}"
