"""Bias, limits of agreement and ICC: against published numbers, an analysis of variance, and loops."""

from math import sqrt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_tables import values
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from monkey_transfer.metrics.agreement import agreement

# Cardiac output of twelve patients by radionuclide ventriculography and by impedance cardiography, in pairs: Bland and
# Altman (J. Biopharmaceutical Statistics 2007), Table 1.
BY_VENTRICULOGRAPHY = (
    (7.83, 7.42, 7.89, 7.12, 7.88),
    (6.16, 7.26, 6.71, 6.54),
    (4.75, 5.24, 4.86, 4.78, 6.05, 5.42),
    (4.21, 3.61, 3.72, 3.87, 3.92),
    (3.13, 2.98, 2.85, 3.17, 3.09, 3.12),
    (5.92, 6.42, 5.92, 6.27),
    (7.13, 6.62, 6.58, 6.93),
    (4.54, 4.81, 5.11, 5.29, 5.39, 5.57),
    (4.48, 4.92, 3.97),
    (4.22, 4.65, 4.74, 4.44, 4.50),
    (6.78, 6.07, 6.52, 6.42, 6.41, 5.76),
    (5.06, 4.72, 4.90, 4.80, 4.90, 5.10),
)
BY_IMPEDANCE = (
    (6.57, 5.62, 6.90, 6.57, 6.35),
    (4.06, 4.29, 4.26, 4.09),
    (4.71, 5.50, 5.08, 5.02, 6.01, 5.67),
    (4.14, 4.20, 4.61, 4.68, 5.04),
    (3.03, 2.86, 2.77, 2.46, 2.32, 2.43),
    (5.90, 5.81, 5.70, 5.76),
    (5.09, 4.63, 4.61, 5.09),
    (4.72, 4.61, 4.36, 4.20, 4.36, 4.20),
    (3.17, 3.12, 2.96),
    (4.35, 4.62, 3.16, 3.53, 3.53),
    (7.20, 6.09, 7.00, 7.10, 7.40, 6.80),
    (4.50, 4.20, 3.80, 3.80, 4.20, 4.50),
)

degrees = st.floats(-180, 180).map(lambda number: round(number, 3))


@st.composite
def clustered(draw):
    """Labels, predictions and groups, two groups with a pair at least; one group may have none."""
    sizes = draw(st.lists(st.integers(1, 4), min_size=2, max_size=5))
    group = np.repeat(np.arange(len(sizes)), sizes)
    label, prediction = (np.array(draw(st.lists(degrees, min_size=len(group), max_size=len(group)))) for _ in range(2))
    return label, prediction, group, len(sizes) + draw(st.integers(0, 1))


def found(label, prediction, group=None, weights=None) -> dict[str, float]:
    label, prediction = np.asarray(label, float), np.asarray(prediction, float)
    group = np.arange(len(label)) if group is None else np.asarray(group)
    groups = int(group.max()) + 1
    return values(agreement(label, prediction, group, groups), np.ones(groups, int) if weights is None else weights)


def by_loops(label, prediction, group, weights) -> dict[str, float]:
    """The definitions a second time, with every group written out as often as it counts."""
    pairs = []  # of each group that counts its (label, prediction)
    for number, times in enumerate(weights):
        own = [(one, other) for one, other, of in zip(label, prediction, group, strict=True) if of == number]
        pairs += [own] * times if own else []
    rows = [row for own in pairs for row in own]
    n, k = len(rows), len(pairs)
    differences = [predicted - labelled for labelled, predicted in rows]
    bias = sum(differences) / n

    between = within = 0.0
    for own in pairs:
        mean = sum(predicted - labelled for labelled, predicted in own) / len(own)
        between += len(own) * (mean - bias) ** 2
        within += sum((predicted - labelled - mean) ** 2 for labelled, predicted in own)
    within = within / (n - k) if n > k else 0.0
    pairs_of_a_group = (n - sum(len(own) ** 2 for own in pairs) / n) / (k - 1)
    deviation = sqrt(max(0.0, (between / (k - 1) - within) / pairs_of_a_group) + within)

    grand = sum(labelled + predicted for labelled, predicted in rows) / (2 * n)
    columns = [sum(row[column] for row in rows) / n for column in range(2)]
    of_rows = of_rest = 0.0
    for row in rows:
        mean = sum(row) / 2
        of_rows += 2 * (mean - grand) ** 2 / (n - 1)
        for column in range(2):
            of_rest += (row[column] - mean - columns[column] + grand) ** 2 / (n - 1)
    of_columns = n * sum((column - grand) ** 2 for column in columns)
    below = of_rows + of_rest + 2 / n * (of_columns - of_rest)
    return {
        "bias": bias,
        "deviation": deviation,
        "lower_limit": bias - 1.96 * deviation,
        "upper_limit": bias + 1.96 * deviation,
        "icc": (of_rows - of_rest) / below if below and (len(set(rows)) > 1 or bias) else float("nan"),
        "mae": sum(abs(difference) for difference in differences) / n,
        "rms": sqrt(sum(difference**2 for difference in differences) / n),
        "undefined": 0,
    }


def test_the_numbers_of_bland_and_altman():
    """Theirs are of ventriculography minus impedance; total variance 0.98133606."""
    patient = np.repeat(np.arange(12), [len(own) for own in BY_IMPEDANCE])
    ours = found(np.concatenate(BY_IMPEDANCE), np.concatenate(BY_VENTRICULOGRAPHY), patient)
    assert ours["bias"] == pytest.approx(0.6021667, abs=5e-8)
    assert ours["deviation"] == pytest.approx(0.99062408, abs=5e-8)
    assert (ours["lower_limit"], ours["upper_limit"]) == pytest.approx((-1.3394565, 2.5437899), abs=5e-7)
    # Were the patients passed over, it would be 0.9610571.
    assert found(np.concatenate(BY_IMPEDANCE), np.concatenate(BY_VENTRICULOGRAPHY))["deviation"] == pytest.approx(
        0.9610571, abs=5e-8
    )


def test_mean_squares_of_an_analysis_of_variance():
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(8), [1, 2, 3, 4, 5, 6, 7, 2])
    label = rng.normal(40, 20, len(group))
    prediction = label + rng.normal(5, 8, 8)[group] + rng.normal(0, 6, len(group))
    ours = found(label, prediction, group)

    of_groups = anova_lm(ols("d ~ C(group)", pd.DataFrame({"d": prediction - label, "group": group})).fit())["mean_sq"]
    sizes = np.bincount(group)
    pairs_of_a_group = (sizes.sum() - (sizes**2).sum() / sizes.sum()) / 7
    variance = (of_groups["C(group)"] - of_groups["Residual"]) / pairs_of_a_group + of_groups["Residual"]
    assert ours["deviation"] == pytest.approx(sqrt(variance))

    long = pd.DataFrame({"label": label, "prediction": prediction}).melt(ignore_index=False).reset_index()
    mean_square = anova_lm(ols("value ~ C(index) + C(variable)", long).fit())["mean_sq"]
    rows, columns, rest = mean_square["C(index)"], mean_square["C(variable)"], mean_square["Residual"]
    assert ours["icc"] == pytest.approx((rows - rest) / (rows + rest + 2 / len(label) * (columns - rest)))


@settings(deadline=None, max_examples=200)
@given(clustered(), st.data())
def test_a_weighted_group_counts_like_so_many_groups(pairs, data):
    label, prediction, group, groups = pairs
    some = st.lists(st.integers(0, 3), min_size=groups, max_size=groups)
    weights = data.draw(some.filter(lambda weights: sum(np.array(weights)[np.unique(group)]) > 1))
    ours, theirs = values(agreement(*pairs), weights), by_loops(label, prediction, group, weights)
    assert ours == pytest.approx(theirs, rel=1e-6, abs=1e-5, nan_ok=True)


def test_many_weightings_at_once_are_each_its_own():
    rng = np.random.default_rng(1)
    statistic = agreement(rng.normal(0, 9, 40), rng.normal(0, 9, 40), np.arange(40) // 4, 10)
    weights = rng.multinomial(10, [0.1] * 10, 20)
    together = statistic(weights)
    for number, one in enumerate(weights):
        assert values(statistic, one) == pytest.approx({metric: value[number] for metric, value in together.items()})


@settings(deadline=None, max_examples=30)
@given(clustered(), st.floats(-90, 90))
def test_an_offset_moves_the_bias_and_its_limits_and_nothing_else(pairs, offset):
    label, prediction, group, groups = pairs
    before, after = (values(agreement(label, prediction + more, group, groups), [1] * groups) for more in (0, offset))
    for metric in ("bias", "lower_limit", "upper_limit"):
        assert after[metric] - before[metric] == pytest.approx(offset, abs=1e-6)
    assert after["deviation"] == pytest.approx(before["deviation"], abs=1e-6)


@settings(deadline=None, max_examples=30)
@given(clustered())
def test_errors_are_bounded_by_each_other(pairs):
    one = values(agreement(*pairs), [1] * pairs[3])
    assert abs(one["bias"]) <= one["mae"] + 1e-9
    assert one["mae"] <= one["rms"] + 1e-9
    assert np.isnan(one["icc"]) or one["icc"] <= 1 + 1e-9


def test_label_and_prediction_may_change_places():
    label, prediction = [10, 35, 80, 60], [14, 30, 95, 61]
    there, back = found(label, prediction), found(prediction, label)
    assert back["bias"] == -there["bias"]
    assert back["upper_limit"] == -there["lower_limit"]
    assert back["icc"] == pytest.approx(there["icc"])


def test_equal_values_agree_wholly():
    label = [10, 35, 80, 60]
    assert found(label, label, [0, 0, 1, 2]) == {
        **dict.fromkeys(("bias", "deviation", "lower_limit", "upper_limit", "mae", "rms", "undefined"), 0),
        "icc": 1,
    }


def test_an_offset_is_no_perfect_agreement():
    """Consistency would be 1. Rows have a variance of 400, and the two columns one of 10^2 / 2."""
    one = found([0, 20, 40], [10, 30, 50])
    assert one["deviation"] == pytest.approx(0, abs=1e-6)
    assert one["icc"] == pytest.approx(400 / (400 + 50))


def test_of_values_that_have_nothing_in_common_it_is_about_none():
    rng = np.random.default_rng(2)
    assert found(rng.normal(0, 20, 20_000), rng.normal(0, 20, 20_000))["icc"] == pytest.approx(0, abs=0.02)


def test_what_a_group_has_in_common_is_no_less_than_nothing():
    """Two groups of one mean, each with one pair above it and one below: 2, 4 and 1, 5."""
    one = found([0, 0, 0, 0], [2, 4, 1, 5], [0, 0, 1, 1])
    assert one["deviation"] == pytest.approx(sqrt((1 + 1 + 4 + 4) / 2))


def test_labels_without_a_prediction_count_as_undefined_and_nowhere_else():
    one = found([10, 35, 80, 60, 20], [14, 30, np.nan, 95, np.nan], [0, 0, 1, 2, 0])
    assert one.pop("undefined") == pytest.approx(40)
    without = found([10, 35, 60], [14, 30, 95], [0, 0, 1])
    assert without.pop("undefined") == 0
    assert one == pytest.approx(without)


def test_numbers_that_are_undefined():
    nothing = values(agreement(np.empty(0), np.empty(0), np.empty(0, int), 3), [1, 1, 1])
    assert np.isnan([*nothing.values()]).all()
    one_group = found([10, 20], [11, 23], [0, 0])
    assert (one_group["bias"], one_group["mae"]) == (2, 2)
    assert np.isnan([one_group[metric] for metric in ("deviation", "lower_limit", "upper_limit")]).all()
    one_pair = found([10], [11])
    assert np.isnan([one_pair["deviation"], one_pair["icc"]]).all()
    assert np.isnan(found([10, 10], [10, 10])["icc"])
    assert np.isnan(found([0, 1], [1, 0], [0, 1])["icc"])  # all variances that it divides by cancel
    assert np.isnan(found([0.1, 0.1, 7], [0.1, 0.1, 9], weights=[1, 1, 0])["icc"])
