"""Learning curves further out: what is promised of more people by rules fitted to fewer, held against what came.

Two rules. The *power law*, ``error = floor + scale * people ** -exponent`` with the error 100 % less the score
(Cortes et al., NIPS 1993; Figueroa et al., BMC Medical Informatics and Decision Making 2012), is fitted by least
squares with the usual safeguards: no floor below an error of zero, no error that grows with people, an exponent within
:data:`EXPONENTS`. The *last slope* goes on as the curve last rose over the logarithm of the number of people; it has
nothing to fit.

What such a rule claims has the interval of :func:`monkey_transfer.metrics.curves.draws`: it is fitted anew to every
joint draw of the scores. That holds people and seeds, and supposes that the curve has the rule's form. This is what a
number held back tries: laws fitted to few promise too much or too little (Mahmood et al., CVPR 2022; Jain et al., CVPR
2023).
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from monkey_transfer.errors import StudyError
from monkey_transfer.metrics.curves import Draws

# As many as a power law has numbers.
FEWEST_SIZES = 3
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


class LastSlope(NamedTuple):
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


def fit_last_slope(sizes: np.ndarray, scores: np.ndarray) -> LastSlope:
    """Through the scores of the two largest of the ``sizes``; level where the curve falls between them."""
    slope = np.maximum(0, (scores[:, -1] - scores[:, -2]) / np.log(sizes[-1] / sizes[-2]))
    return LastSlope(scores[:, -1] - slope * np.log(sizes[-1]), slope)


Curve = PowerLaw | LastSlope
RULES: Mapping[str, Callable[[np.ndarray, np.ndarray], Curve]] = {
    "power law": fit_power_law,
    "last slope": fit_last_slope,
}


class BackTest(NamedTuple):
    """What a fitted rule says of a number of people that was held back.

    promised : the score there, in percent.
    miss : ``promised`` less what was measured, in points: above zero where it promised too much.
    people : how many it says are needed for what was measured; infinite where it says that no number is enough.
    """

    promised: Draws
    miss: Draws
    people: Draws


def fit(rule: str, known: Mapping[int, Draws]) -> Curve:
    """A rule of :data:`RULES` fitted to the scores of some numbers of people.

    The first curve is that of their values, each other one that of a joint draw.
    """
    sizes = np.array(sorted(known), float)
    return RULES[rule](sizes, np.column_stack([known[int(size)].together for size in sizes]))


def held_against(curve: Curve, people: int, measured: Draws) -> BackTest:
    """What a curve that :func:`fit` gave says of so many people; ``measured`` is of the same call of ``draws``."""
    promised = curve.score(people)
    return BackTest(*map(Draws.of, (promised, promised - measured.together, curve.people(measured.together))))


def _line(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Intercept and slope of least squares along the last axis, neither of them below zero; ``x`` and ``y`` are not."""
    apart = x - x.mean(axis=-1, keepdims=True)
    slope = np.maximum(0, np.sum(apart * y, axis=-1) / np.sum(apart**2, axis=-1))
    intercept = y.mean(axis=-1) - slope * x.mean(axis=-1)
    through_zero = np.sum(x * y, axis=-1) / np.sum(x**2, axis=-1)
    return np.maximum(0, intercept), np.where(intercept < 0, through_zero, slope)
