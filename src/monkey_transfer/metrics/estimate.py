"""How sure a number is, within both people and training seeds: the one way an interval is made.

People and seeds are crossed: every seed's network is tried on the same test people. Three variances of the mean over
k seeds follow from the replicates, as in an analysis of variance (Searle, Casella and McCulloch, "Variance
Components", 1992, chapter 4):

- *people*: of the mean over seeds from resample to resample, times G / (G - 1) for G groups;
- *seeds*: of the k seeds' values, over k. A seed is a draw of training people, a beginning and an order of pictures;
- *both*: how seeds differ on different people, which the other two hold once each, so that one of them is too many.

The variance is ``max(0, people - both) + seeds``. What is too many goes from the people's part, which is well known;
taken from that of a few seeds it leaves, by chance, nothing (coverage 88 %). An interval is value +- t x standard
error, and t's degrees of freedom lie between G - 1 and k - 1 by the shares that people and seeds have:
``1 / freedom = share of people / (G - 1) + share of seeds / (k - 1)``. Satterthwaite (Biometrics Bulletin 1946)
squares the shares; for three seeds, whose share is itself a guess, that covers 92 %. ``benchmarks.power`` measures
how often the intervals hold the truth.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from monkey_transfer.metrics.bootstrap import Replicates

# Intervals of one network's score of 70 % hold it in 92 % over five single people, in 93 % over ten (of 80 %, in 91).
# Those of differences hold 94 to 97 % from ten groups on, of any sizes (``benchmarks.power``).
FEWEST_GROUPS = 10
# Ten groups of unequal sizes tell as much as fewer equal ones (:func:`effective_groups`), of which so few are enough:
# intervals of differences hold 94 to 97 % with five groups already (``benchmarks.power``).
FEWEST_EFFECTIVE = 8
# Of two seeds they hold 91 % where seeds outweigh people (``benchmarks.power``).
FEWEST_SEEDS = 3
# Leaving out resamples on which a metric is undefined makes people look more alike than they are.
MOST_UNDEFINED = 0.05


class Variances(NamedTuple):
    """Of the mean over seeds: numbers, or arrays of one shape. See the module's text; for one seed, people alone."""

    people: np.ndarray | float
    seeds: np.ndarray | float
    both: np.ndarray | float


class Estimate(NamedTuple):
    """A number and how sure it is, in the metric's unit.

    ``value`` is the mean over ``seeds`` training seeds; ``low`` and ``high`` are its 95 % bounds, ``standard_error``
    has ``freedom`` degrees of freedom: all NaN where ``note`` says why there are none. ``over`` is what the interval
    holds: 'people and seeds', or 'people' for one seed.
    """

    value: float
    low: float
    high: float
    standard_error: float
    freedom: float
    seeds: int
    over: str
    note: str

    def p_different(self) -> float:
        """Two-sided p-value against zero; NaN over people alone, and where there is no interval."""
        return 2 * self._beyond(abs(self.value))

    def p_equivalent(self, margin: float) -> float:
        """p-value against a true value of at least ``margin`` either way; NaN likewise.

        The larger of two one-sided t tests (Schuirmann, J. Pharmacokinetics and Biopharmaceutics 1987).
        """
        return self._beyond(margin - abs(self.value))

    def _beyond(self, distance: float) -> float:
        """How often chance alone goes so far to one side."""
        if self.over == "people" or self.note:
            return float("nan")
        return float(stats.t.sf(distance / self.standard_error, freedom_of_tests(self.freedom, self.seeds)))


def estimate(runs: Sequence[Replicates], groups: float) -> Estimate:
    """A metric, or the paired difference of two arms, over people and training seeds.

    Parameters
    ----------
    runs : one per training seed, all from the same resamples of people. For a difference, the paired ones seed by
        seed, since both arms of a seed learn the same people.
    groups : of how many groups the people are, :func:`effective_groups`.
    """
    values = np.array([run.value for run in runs])
    value, over = float(values.mean()), "people and seeds" if len(runs) > 1 else "people"
    note = _obstacle(values, _defined(runs), groups)
    if not note:
        variance, freedom = combined(variances(runs, groups), groups, len(runs))
        if variance > 1e-18 * max(1.0, value**2):  # what is left of equal numbers by rounding is no variance
            error, half = float(np.sqrt(variance)), float(np.sqrt(variance) * stats.t.ppf(0.975, freedom))
            return Estimate(value, value - half, value + half, error, float(freedom), len(runs), over, "")
        note = "the same on all resamples"
    nan = float("nan")
    return Estimate(value, nan, nan, nan, nan, len(runs), over, note)


def combined(variances: Variances, groups: float, seeds: float) -> tuple[np.ndarray | float, np.ndarray | float]:
    """Variance of the mean over ``seeds`` seeds and its degrees of freedom: see the module's text."""
    if seeds == 1:
        return variances.people, groups - 1
    of_people = np.maximum(0.0, variances.people - variances.both)
    variance = of_people + variances.seeds
    with np.errstate(invalid="ignore", divide="ignore"):
        freedom = variance / (of_people / (groups - 1) + variances.seeds / (seeds - 1))
    return variance, freedom


def freedom_of_tests(freedom: np.ndarray | float, seeds: float) -> np.ndarray | float:
    """Degrees of freedom of p-values: fewer than an interval's, since that number is itself a guess.

    Where seeds happen to look alike it is too large, which matters most far out in the tails, where corrected tests
    decide: the geometric mean of it and the seeds' own keeps what they claim falsely within the level.
    """
    return np.minimum(freedom, np.sqrt(freedom * (seeds - 1)))


def effective_groups(sizes: Sequence[float] | np.ndarray) -> float:
    """How many groups of equal size tell as much as ones of so many joints: (sum)^2 / sum of squares (Kish 1965)."""
    sizes = np.asarray(sizes, float)
    return float(sizes.sum() ** 2 / np.sum(sizes**2))


def variances(runs: Sequence[Replicates], groups: float) -> Variances:
    """Of the mean over seeds, of what :func:`estimate` takes; resamples on which a seed has no number are left out."""
    values = np.array([run.value for run in runs])
    resampled = np.stack([run.resampled for run in runs])[:, _defined(runs)]
    seeds, few = len(values), groups / (groups - 1)
    mean = resampled.mean(axis=0)
    people = mean.var() * few
    if seeds == 1:
        return Variances(people, 0.0, 0.0)
    both = (resampled - mean).var(axis=1).mean() / (seeds - 1) * few
    return Variances(people, values.var(ddof=1) / seeds, both)


def _defined(runs: Sequence[Replicates]) -> np.ndarray:
    """(resamples,) whether all seeds have a number."""
    return np.isfinite([run.resampled for run in runs]).all(axis=0)


def _obstacle(values: np.ndarray, defined: np.ndarray, groups: float) -> str:
    """Why no interval is printed; empty if one is."""
    if not np.isfinite(values).all():
        of = "" if len(values) == 1 else f" for {np.sum(~np.isfinite(values))} of {len(values)} seeds"
        return f"undefined{of}"
    if groups < FEWEST_EFFECTIVE:
        return "too few groups"
    if 1 < len(values) < FEWEST_SEEDS:
        return "too few seeds"
    if np.mean(~defined) > MOST_UNDEFINED:
        return f"undefined on {np.mean(~defined):.0%} of resamples".replace("%", " %")
    return ""
