"""How well predicted values agree with labelled ones, in the values' own unit.

*Limits of agreement* are those of Bland and Altman, "Agreement between methods of measurement with multiple
observations per individual" (J. Biopharmaceutical Statistics 2007), where the true value varies: every group (a
patient, a video) has pairs of its own, as many as it happens to have. The variance of the differences d, prediction
minus label, is that of a one-way analysis with random groups, in which

    d = bias + what the group has in common + what is left

have the mean squares MS_between and MS_within, over k groups with n_g pairs each, N in all:

    m = (N - sum of n_g^2 / N) / (k - 1)
    deviation^2 = max(0, (MS_between - MS_within) / m) + MS_within

and the limits are bias -+ 1.96 deviations. The bias is the mean over all pairs. Where every group has one pair, this is
the plain standard deviation. That what groups have in common is taken for no less than nothing is the usual reading.

*ICC* is the intraclass correlation of McGraw and Wong, "Forming inferences about some intraclass correlation
coefficients" (Psychological Methods 1996): two-way, absolute agreement, single measurement, their ICC(A,1). A value is
mean + row + column + rest; a row is what was measured (one angle in one picture), the two columns are label and
prediction. With MS of rows, columns and the rest, over N rows,

    ICC = (MS_rows - MS_rest) / (MS_rows + MS_rest + 2 / N x (MS_columns - MS_rest))

It is a share of variance: of people who are all alike it is small, however small the errors are. Rows of one group are
not independent, which its value passes over; its interval does not, since groups are what is resampled.
"""

import numpy as np

from monkey_transfer.metrics.bootstrap import Statistic

# So many standard deviations to either side hold 95 % of what is normally distributed.
_HOLD_95 = 1.96
# What is left of numbers that cancel out, as a part of them.
_ROUNDING = 1e-12


def agreement(label: np.ndarray, prediction: np.ndarray, group: np.ndarray, groups: int) -> Statistic:
    """The statistic of how pairs agree, for :func:`monkey_transfer.metrics.bootstrap.replicate`.

    Metrics are ``bias`` (mean of prediction minus label), ``deviation``, ``lower_limit`` and ``upper_limit`` (of
    agreement, 95 %), ``icc``, ``mae`` (mean absolute error) and ``rms`` (root mean square error), of which see the
    module's text, and ``undefined`` (percent of labels beside which there is no prediction; they count nowhere else). A
    group of weight two counts like two groups. NaN where a number is undefined: without a pair, a deviation of less
    than two groups, an ICC of less than two pairs or of values that are all equal.

    Parameters
    ----------
    label, prediction : (labels,) numbers in one unit; NaN where nothing is predicted. Of angles that go round, counted
        the short way (:func:`monkey_transfer.metrics.angles.angle_pairs`).
    group : (labels,) the place of each one's group among ``groups``, some of which may have none.
    """
    labelled, known = np.bincount(group, minlength=groups), np.isfinite(prediction)
    label, prediction, group = label[known], prediction[known], group[known]
    difference, mean = prediction - label, (prediction + label) / 2
    # Squares of what is near nothing lose no digits.
    off, middle = (values.sum() / max(1, len(values)) for values in (difference, mean))

    def summed(values: np.ndarray) -> np.ndarray:
        return np.bincount(group, values, groups)

    count, total = summed(np.ones(len(difference))), summed(difference - off)
    sums = np.column_stack(
        [
            *(count, count > 0, count**2),
            *(total, total**2 / np.maximum(count, 1), summed((difference - off) ** 2)),
            *(summed(mean - middle), summed((mean - middle) ** 2)),
            *(summed(np.abs(difference)), summed(difference**2), labelled),
        ]
    )

    def statistic(weights: np.ndarray) -> dict[str, np.ndarray]:
        n, k, n_squared, d, between, d_squared, m, m_squared, absolute, squared, asked = (weights @ sums).T
        with np.errstate(invalid="ignore", divide="ignore"):
            bias = off + d / n
            deviation = np.sqrt(_variance(n, k, n_squared, between - d**2 / n, d_squared - between))
            of_rows = 2 * (m_squared - m**2 / n) / _positive(n - 1)
            of_the_rest = (d_squared - d**2 / n) / 2 / _positive(n - 1)
            of_columns = n * bias**2 / 2
            whole = of_rows + of_the_rest + 2 / n * (of_columns - of_the_rest)
            # Values that are all equal have a variance of rounding errors.
            some = whole > _ROUNDING * ((m_squared + d_squared) / n + bias**2)
            icc = np.where(some, (of_rows - of_the_rest) / whole, np.nan)
            return {
                "bias": bias,
                "deviation": deviation,
                "lower_limit": bias - _HOLD_95 * deviation,
                "upper_limit": bias + _HOLD_95 * deviation,
                "icc": icc,
                "mae": absolute / n,
                "rms": np.sqrt(squared / n),
                "undefined": 100 * (1 - n / asked),
            }

    return statistic


def _variance(
    n: np.ndarray, k: np.ndarray, n_squared: np.ndarray, between: np.ndarray, within: np.ndarray
) -> np.ndarray:
    """(resamples,) of a difference, from sums of squares between and within groups: see the module's text."""
    of_groups = _positive(k - 1)
    pairs_of_a_group = (n - n_squared / n) / of_groups
    left = np.where(n > k, np.maximum(0, within) / np.maximum(n - k, 1), 0)
    return np.maximum(0, (between / of_groups - left) / pairs_of_a_group) + left


def _positive(freedom: np.ndarray) -> np.ndarray:
    return np.where(freedom > 0, freedom, np.nan)
