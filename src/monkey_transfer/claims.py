"""What may be said of a difference: one rule, wherever a report calls one arm better than another.

A difference is shown where its interval over people and training seeds excludes zero and it exceeds what two seeds of
one arm differ by, since a network trained anew is also another network. One seed shows nothing, and so do people of
few groups.
"""

from collections.abc import Sequence

import numpy as np

from monkey_transfer.metrics.bootstrap import Replicates
from monkey_transfer.metrics.curves import Estimate

# Resampling few groups gives intervals that are too narrow: of a normal mean over 5 groups, those of 95 % hold the
# truth in 84 % of 4,000 trials, over 10 in 90 %, over 20 in 93 %.
FEWEST_GROUPS = 10


def spread(*arms: Sequence[Replicates]) -> float:
    """The largest difference of two seeds of one of the arms; NaN where an arm has a single seed."""
    values = [[run.value for run in of_seeds] for of_seeds in arms]
    return float(np.max([np.ptp(found) if len(found) > 1 else np.nan for found in values]))


def claim(difference: Estimate, spread: float, groups: int) -> dict[str, float | str]:
    """The columns ``low, high, spread, verdict`` of a table of differences.

    Parameters
    ----------
    difference : of two arms, or of a slope from zero, over people and seeds.
    spread : see :func:`spread`, in the difference's units.
    groups : how many groups (videos, photographs) the test people are of.

    Returns
    -------
    The 95 % interval; ``verdict`` is 'higher' or 'lower' where it excludes zero and the difference exceeds the
    spread, else 'undecided'; 'one seed' where the spread is unknown; 'too few groups' for fewer than FEWEST_GROUPS.
    """
    low, high = difference.interval()
    if groups < FEWEST_GROUPS:
        verdict = "too few groups"
    elif np.isnan(spread):
        verdict = "one seed"
    elif (low > 0 or high < 0) and abs(difference.value) > spread:
        verdict = "higher" if difference.value > 0 else "lower"
    else:
        verdict = "undecided"
    return {"low": low, "high": high, "spread": spread, "verdict": verdict}
