"""What may be said of the primary questions of a study.

Two kinds of claims can be made of a difference: that there is one, and that it is smaller than a margin. Each kind
is a family of as many tests as there are primary questions, corrected by Holm (Scandinavian Journal of Statistics
1979): whatever is true of the questions, and however they hang together, the chance that any test of the family
claims what is not so is at most the level at which it is made. That level is half of 5 % for each of the two
families, so that a study says anything false, of either kind, in at most 5 %.
"""

from collections.abc import Sequence

import numpy as np

from monkey_transfer.metrics.estimate import Estimate

# Of a study, over claims of both kinds.
FALSE_CLAIMS = 0.05
# Of an adjusted p-value, for each kind.
LEVEL = FALSE_CLAIMS / 2


def holm(p_values: Sequence[float] | np.ndarray) -> np.ndarray:
    """p-values adjusted for their number, in the order given.

    NaN stays NaN and does not count: where no verdict is possible nothing can be claimed falsely.
    """
    p = np.asarray(p_values, float)
    adjusted = np.full(p.shape, np.nan)
    order = np.argsort(p)[: np.isfinite(p).sum()]  # NaN is sorted last
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(factors * p[order]))
    return adjusted


def ruling(found: Estimate, p_adjusted: float, p_equivalent_adjusted: float, margin: float) -> str:
    """What may be said of a difference.

    Parameters
    ----------
    found : the difference, in points.
    p_adjusted, p_equivalent_adjusted : :func:`holm` of ``p_different`` and ``p_equivalent`` of all primary questions.
    margin : the smallest difference of interest, in points.

    Returns
    -------
    'higher' or 'lower'; 'no more than 2 points either way'; both, 'higher, but by less than 2 points'; 'undecided';
    'one seed', which shows nothing of another; or the estimate's note where it has no interval.
    """
    if found.note:
        return found.note
    if found.over == "people":
        return "one seed"
    different, small = p_adjusted <= LEVEL, p_equivalent_adjusted <= LEVEL
    if different:
        way = "higher" if found.value > 0 else "lower"
        return f"{way}, but by less than {margin:g} points" if small else way
    return f"no more than {margin:g} points either way" if small else "undecided"
