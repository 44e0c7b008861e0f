"""How many training seeds a study would need, from how a difference of two arms scattered in another.

A study of k seeds and m times the test people would have, of the mean difference, the variance ``people / m`` that no
seed lessens, and ``(seed - both * (1 - 1 / m)) / k``: the variances of :class:`Scatter`, which
:func:`monkey_transfer.metrics.estimate.variances` found in the study that was made. Its tests would be those of
:class:`monkey_transfer.metrics.estimate.Estimate`, at a level that its family's correction leaves to each.

*Power* is how often such a study would claim what is so. The mean difference is normal around the true one; its
estimated variance is chi-square with the degrees of freedom that the interval would have, and independent of it, so
the statistic is noncentral t (for the two one-sided tests see Phillips, J. Pharmacokinetics and Biopharmaceutics 1990).
In simulated studies of normal people and seeds that held within 5 points of power from four seeds on; of three it says
up to 11 points too little (0.24 where 0.35 came).
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import stats

from monkey_transfer.metrics.estimate import FEWEST_SEEDS, Variances, combined, freedom_of_tests

# Four studies of five, the usual one (Cohen, "Statistical Power Analysis for the Behavioral Sciences", 1988).
POWER = 0.8
# More are not looked for: nobody trains them.
MOST_SEEDS = 100
# Equal parts of the distribution of an estimated variance, over which power is averaged.
_PARTS = 200


class Scatter(NamedTuple):
    """Variances of a difference of two arms on the test people of a study, who are of so many ``groups``.

    people : of the mean over ever so many seeds, from one such set of people to another.
    seed : of single seeds on the same people.
    both : the part of ``seed`` that is luck with these people, which is less the more people there are.
    """

    people: float
    seed: float
    both: float
    groups: float

    def with_people(self, times: float) -> "Scatter":
        """What it would be on so many times the people."""
        left = self.seed - self.both * (1 - 1 / times)
        return Scatter(self.people / times, left, self.both / times, self.groups * times)

    def with_seeds_scattering(self, times: float) -> "Scatter":
        """What it would be if single seeds scattered so many times as much, as standard deviations go."""
        seed = self.seed * times**2
        return self._replace(seed=seed, both=min(self.both, seed))


def scatter(found: Variances, groups: float, seeds: int) -> Scatter:
    """Of a study with several ``seeds``, from the variances of its mean difference."""
    both = min(found.both, found.seeds)  # where it is more, that is chance
    return Scatter(max(0.0, float(found.people - found.both)), float(found.seeds * seeds), float(both * seeds), groups)


def bounds_of_deviation(seeds: int) -> tuple[float, float]:
    """How many times the standard deviation of that many normal values the true one may be: 95 % bounds, of chi-square.

    Of three it may be half, or six times as much.
    """
    least, most = (float(np.sqrt((seeds - 1) / stats.chi2.ppf(share, seeds - 1))) for share in (0.975, 0.025))
    return least, most


def power_to_find(of: Scatter, difference: float, level: float, seeds: float) -> float:
    """How often studies of so many seeds find a true difference, by a two-sided test at that level.

    ``seeds`` may be infinite.
    """

    def found(error: float, freedom: float, apart: np.ndarray) -> np.ndarray:
        needed = stats.t.ppf(1 - level / 2, freedom) * apart
        return stats.norm.cdf(difference / error - needed) + stats.norm.cdf(-difference / error - needed)

    return _averaged(of, seeds, found)


def power_to_rule_out(of: Scatter, margin: float, level: float, seeds: float) -> float:
    """How often they show a difference that is none to be less than ``margin`` either way, by two one-sided tests."""

    def shown(error: float, freedom: float, apart: np.ndarray) -> np.ndarray:
        left = margin / error - stats.t.ppf(1 - level, freedom) * apart
        return np.maximum(0.0, 2 * stats.norm.cdf(left) - 1)

    return _averaged(of, seeds, shown)


def seeds_needed(power: Callable[[int], float]) -> float:
    """The fewest seeds that give :data:`POWER`, at least :data:`~monkey_transfer.metrics.estimate.FEWEST_SEEDS`.

    Infinite where even :data:`MOST_SEEDS` do not.
    """
    enough = (seeds for seeds in range(FEWEST_SEEDS, MOST_SEEDS + 1) if power(seeds) >= POWER)
    return float(next(enough, np.inf))


def _averaged(of: Scatter, seeds: float, claimed: Callable[[float, float, np.ndarray], np.ndarray]) -> float:
    """The mean, over what a study may estimate its standard error to be, of how often something is claimed.

    ``claimed`` gets the true standard error, the degrees of freedom of the test, and estimates in true ones.
    """
    variance, freedom = combined(Variances(of.people, of.seed / seeds, 0.0), of.groups, seeds)
    if variance == 0:
        return 1.0
    parts = (np.arange(_PARTS) + 0.5) / _PARTS
    apart = np.sqrt(stats.chi2.ppf(parts, freedom) / freedom)
    found = claimed(float(np.sqrt(variance)), float(freedom_of_tests(float(freedom), seeds)), apart)
    return float(found.mean())
