"""Fitting the one number that a wrong formula has: a temperature, a factor, an eps."""

import math
from collections.abc import Callable, Iterator

import numpy as np

from softmax_cli.checking.formulas import Case, FloatArray, Task, deviation

# A wrong formula for each value of a number.
Family = Callable[[Task, float], FloatArray]

# The most entries of one sample, and about how many together, that a number is fitted to.
_MOST, _MANY = 300_000, 20_000
# An error, in units of the bound, that stands for NaN and infinity.
_FAR = 1e12


def fit(case: Case, family: Family, low: float, high: float) -> Iterator[float]:
    """Yield the number between two others for which a family explains a case, if there is one.

    It is found by least squares: the best of some numbers, then of some around it, then by Gauss
    and Newton's steps.
    """
    size = case.actual[0].size
    if case.freedom < 2 or size > _MOST:
        return
    few = slice(max(1, _MANY // size))
    task, actual = case.some(few), case.actual[few]
    bound = case.bound(case.actual)[few]

    def misfit(number: float, scale: FloatArray | float = 0.0) -> FloatArray:
        values = family(task, number)
        error = deviation(values, actual, bound + scale * (np.abs(values) + np.abs(actual)))
        return np.copysign(np.minimum(error, _FAR), values - actual).ravel()

    if (misfit(low) == misfit(high)).all():  # it does not depend on the number
        return
    ends, spaced = (low, high), np.geomspace if low > 0 else np.linspace
    for n in (16, 9, 9):
        numbers = spaced(*ends, n)
        # Relative to the values, so that too much is no worse than too little.
        best = int(np.argmin([np.abs(misfit(each, 1.0)).sum() for each in numbers]))
        ends = numbers[max(best - 1, 0)], numbers[min(best + 1, n - 1)]
    number = float(numbers[best])
    for _ in range(8):
        step = 1e-6 * (abs(number) or 1.0)
        error = misfit(number)
        slope = (misfit(number + step) - error) / step
        better = number - float(slope @ error / (slope @ slope))
        if not low <= better <= high or math.isclose(better, number, rel_tol=1e-12):
            break
        number = better
    for found in shortest(case, family, number):
        # Of one sample some number may fit by chance: it says something if it is round.
        if len(case.z) > 1 or found == float(f"{found:.2g}"):
            yield found


def shortest(case: Case, family: Family, number: float) -> Iterator[float]:
    """Yield the number of fewest digits near this one for which a family explains a case."""
    if case.is_explained_by(family(case, number), fitted=1):
        rounded = (float(f"{number:.{digits}g}") for digits in range(1, 18))
        yield next(each for each in rounded if case.is_explained_by(family(case, each), fitted=1))
