"""Learning curves further out: what is promised of more people by rules fitted to fewer, held against what came.

Two rules promise a score. The *power law*, ``error = floor + scale * people ** -exponent`` with the error 100 % less
the score (Cortes et al., NIPS 1993; Figueroa et al., BMC Medical Informatics and Decision Making 2012), is fitted by
least squares with the usual safeguards: no floor below an error of zero, no error that grows with people, an exponent
within :data:`EXPONENTS`. The *last slope* goes on as the curve last rose over the logarithm of the number of people; it
has nothing to fit.

What such a rule claims has the interval of :func:`monkey_transfer.metrics.curves.draws`: it is fitted anew to every
joint draw of the scores. That holds people and seeds, and supposes that the curve has the rule's form. This is what a
number held back tries: laws fitted to few promise too much or too little (Mahmood et al., CVPR 2022; Jain et al., CVPR
2023).

So a *forecast* of what more people bring supposes neither. It lies midway between a power law, which levels, and a
straight line over the logarithm of the number of people, which does not, and its interval also holds how far rules of
this kind miss. ``benchmarks.forecasts`` measures how often these intervals hold the truth.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from monkey_transfer.errors import StudyError
from monkey_transfer.metrics.curves import Draws

# As many as a power law has numbers.
FEWEST_SIZES = 3
# How far a forecast misses for each doubling of the people, standard deviation: so many points, and so much of what a
# doubling brought so far. Set once, from steps that were measured on photographs and by benchmarks.forecasts: see
# docs/metrics.md.
MISSED_POINTS, MISSED_SHARE = 0.3, 0.2
_SEED = 2023  # of what is missed
EXPONENTS = 0.01, 5.0
# Of the search for the exponent: so many at once, then as many around the best, and so on.
_TRIED, _ROUNDS = 33, 6


class PowerLaw(NamedTuple):
    """Power laws, see the module's text: arrays of shape (curves,)."""

    floor: np.ndarray
    scale: np.ndarray
    exponent: np.ndarray

    def score(self, people: ArrayLike) -> np.ndarray:
        """In percent, with so many people: (curves,), or (curves, people) of several numbers."""
        return 100 - (self.floor + self.scale * np.power.outer(np.asarray(people, float), -self.exponent)).T

    def people(self, score: np.ndarray) -> np.ndarray:
        """(curves,) how many people each says its ``score`` takes.

        Infinite where it says that no number is enough, 0 where it is level and there already.
        """
        above = 100 - score - self.floor
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            needed = np.exp((np.log(self.scale) - np.log(above)) / self.exponent)
        return np.where(above < 0, np.inf, np.where(self.scale == 0, 0.0, needed))


class Line(NamedTuple):
    """``score = level + slope * log(people)``, at most 100 %: arrays and methods as of :class:`PowerLaw`."""

    level: np.ndarray
    slope: np.ndarray

    def score(self, people: ArrayLike) -> np.ndarray:
        """In percent."""
        return np.minimum(100, self.level + np.multiply.outer(np.log(people), self.slope)).T

    def people(self, score: np.ndarray) -> np.ndarray:
        """How many its score takes."""
        above = score - self.level
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            needed = np.exp(above / self.slope)
        return np.where(self.slope == 0, np.where(above > 0, np.inf, 0.0), needed)


def fit_power_law(sizes: np.ndarray, scores: np.ndarray) -> PowerLaw:
    """By least squares of the error, all sizes alike, with the safeguards of the module's text.

    Parameters
    ----------
    sizes : rising numbers of people, at least :data:`FEWEST_SIZES`; StudyError if there are fewer.
    scores : (curves, sizes) in percent. Where one is NaN its curve is.
    """
    if len(sizes) < FEWEST_SIZES:
        raise StudyError(
            f"a power law needs {FEWEST_SIZES} numbers of people, got {len(sizes)}: give its arm more images"
        )
    most = sizes[-1]
    errors = np.clip(100 - scores, 0, 100)[:, None, :]
    tried = np.tile(np.geomspace(*EXPONENTS, _TRIED), (len(scores), 1))
    rows = np.arange(len(scores))
    for _ in range(_ROUNDS):
        # In units of the most people, so that the number beside the floor is what more people can still take away.
        shape = (sizes / most) ** -tried[:, :, None]
        floor, left = _line(shape, errors)
        missed = np.sum((floor[:, :, None] + left[:, :, None] * shape - errors) ** 2, axis=2)
        best = missed.argmin(axis=1)
        around = [tried[rows, np.clip(best + step, 0, _TRIED - 1)] for step in (-1, 1)]
        found = PowerLaw(floor[rows, best], left[rows, best] * most ** tried[rows, best], tried[rows, best])
        tried = np.geomspace(around[0], around[1], _TRIED, axis=1)
    return found


def fit_last_slope(sizes: np.ndarray, scores: np.ndarray) -> Line:
    """Through the scores of the two largest of the ``sizes``; level where the curve falls between them."""
    slope = np.maximum(0, (scores[:, -1] - scores[:, -2]) / np.log(sizes[-1] / sizes[-2]))
    return Line(scores[:, -1] - slope * np.log(sizes[-1]), slope)


def fit_line(sizes: np.ndarray, scores: np.ndarray) -> Line:
    """By least squares, all sizes alike; level where the curve falls."""
    apart = np.log(sizes) - np.log(sizes).mean()
    slope = np.maximum(0, scores @ apart / np.sum(apart**2))
    return Line(scores.mean(axis=1) - slope * np.log(sizes).mean(), slope)


Curve = PowerLaw | Line
RULES: Mapping[str, Callable[[np.ndarray, np.ndarray], Curve]] = {
    "power law": fit_power_law,
    "last slope": fit_last_slope,
}


def fit(rule: str, known: Mapping[int, Draws]) -> Curve:
    """A rule of :data:`RULES` fitted to the scores of some numbers of people.

    The first curve is that of their values, each other one that of a joint draw.
    """
    return RULES[rule](*_table(known))


def forecast(known: Mapping[int, Draws], people: int) -> Draws:
    """What so many people bring beyond the largest number that was learnt, in points: see the module's text.

    Parameters
    ----------
    known : the scores of at least :data:`FEWEST_SIZES` numbers of people, of one call of ``draws``; StudyError if there
        are fewer.
    people : more than the largest of these. How far a replicate misses is the same for all numbers of them, so that a
        curve as a whole is too high or too low.
    """
    table = _table(known)
    law, line = fit_power_law(*table), fit_line(*table)
    most, score = max(known), known[max(known)].together
    doublings = np.log2(people / most)
    goes_on = line.slope * np.log(people / most)
    midway = (law.score(people) - law.score(most) + goes_on) / 2
    missed = _normal(len(score)) * (MISSED_POINTS * doublings + MISSED_SHARE * goes_on)
    return Draws.of(np.minimum(midway + missed, 100 - score))


def _normal(count: int) -> np.ndarray:
    """Nothing for the first, then the normal distribution's own quantiles in an order that no draws have."""
    order = np.random.default_rng(_SEED).permutation(count - 1)
    return np.append(0, norm.ppf((order + 0.5) / (count - 1)))


def _table(known: Mapping[int, Draws]) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of people, rising, and the scores of every joint draw: (curves, sizes)."""
    sizes = sorted(known)
    return np.array(sizes, float), np.column_stack([known[size].together for size in sizes])


def _line(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Intercept and slope of least squares along the last axis, neither of them below zero; ``x`` and ``y`` are not."""
    apart = x - x.mean(axis=-1, keepdims=True)
    slope = np.maximum(0, np.sum(apart * y, axis=-1) / np.sum(apart**2, axis=-1))
    intercept = y.mean(axis=-1) - slope * x.mean(axis=-1)
    through_zero = np.sum(x * y, axis=-1) / np.sum(x**2, axis=-1)
    return np.maximum(0, intercept), np.where(intercept < 0, through_zero, slope)
