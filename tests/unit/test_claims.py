"""One rule says what may be said of a difference."""

import numpy as np
import pytest

from monkey_transfer.claims import FEWEST_GROUPS, claim, spread
from monkey_transfer.metrics.bootstrap import Replicates
from monkey_transfer.metrics.curves import Estimate


def difference(low: float, high: float) -> Estimate:
    """One whose 95 % interval is nearly that."""
    return Estimate((low + high) / 2, np.linspace(low, high, 1001))


@pytest.mark.parametrize(
    "low, high, apart, groups, verdict",
    [
        (1.0, 3.0, 1.5, 10, "higher"),
        (-3.0, -1.0, 1.5, 10, "lower"),
        (1.0, 3.0, 2.5, 10, "undecided"),  # two seeds of one arm differ by more
        (-3.0, -1.0, 2.5, 10, "undecided"),
        (-1.0, 3.0, 0.5, 10, "undecided"),
        (0.0, 0.0, 0.0, 10, "undecided"),
        (1.0, 3.0, np.nan, 10, "one seed"),
        (1.0, 3.0, 1.5, FEWEST_GROUPS - 1, "too few groups"),
        (np.nan, np.nan, 1.5, 10, "undecided"),
    ],
)
def test_verdicts(low, high, apart, groups, verdict):
    found = claim(difference(low, high), apart, groups)
    assert found["verdict"] == verdict
    np.testing.assert_allclose([found["low"], found["high"]], [low, high], atol=0.11)


def test_the_spread_is_that_of_the_arm_whose_seeds_differ_most():
    def runs(*values: float) -> list[Replicates]:
        return [Replicates(value, np.zeros(2), np.zeros(2)) for value in values]

    assert spread(runs(1.0, 2.0, 4.0), runs(7.0, 5.0)) == 3.0
    assert np.isnan(spread(runs(1.0, 2.0), runs(7.0)))
    assert np.isnan(spread(runs(7.0), runs(1.0, 2.0)))
