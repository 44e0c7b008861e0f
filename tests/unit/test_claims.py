"""What may be said of the primary questions: Holm's correction by hand, and every ruling."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_transfer.measure.claims import LEVEL, holm, ruling
from monkey_transfer.metrics.estimate import Estimate

NAN = float("nan")


@pytest.mark.parametrize(
    "p, adjusted",
    [
        ([0.03], [0.03]),
        ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]),  # 3 x 0.01, 2 x 0.03, and 1 x 0.04 is not below the one before
        ([0.02, 0.02], [0.04, 0.04]),
        ([0.6, 0.5, 0.001], [1, 1, 0.003]),
        ([0.01, NAN, 0.03], [0.02, NAN, 0.03]),
        ([NAN, NAN], [NAN, NAN]),
        ([], []),
    ],
)
def test_holm_by_hand(p, adjusted):
    np.testing.assert_allclose(holm(p), adjusted)


def test_holm_of_many_studies_is_that_of_each():
    p = np.random.default_rng(0).random((20, 3))
    np.testing.assert_array_equal(holm(p), [holm(study) for study in p])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_is_between_no_correction_and_bonferronis(p):
    adjusted = holm(p)
    assert (adjusted >= p).all()
    assert (adjusted <= np.minimum(1, len(p) * np.array(p)) + 1e-12).all()
    assert adjusted.min() == pytest.approx(min(1, len(p) * min(p)))
    order = np.argsort(p)
    assert (np.diff(adjusted[order]) >= 0).all()


def found(value: float, over: str = "people and seeds", note: str = "") -> Estimate:
    return Estimate(value, value - 1, value + 1, 0.4, 6.0, 5, over, note)


@pytest.mark.parametrize(
    "difference, p, p_equivalent, margin, said",
    [
        (found(3.0), LEVEL, 0.9, 2, "higher"),
        (found(-3.0), LEVEL, 0.9, 2, "lower"),
        (found(3.0), LEVEL + 1e-9, 0.9, 2, "undecided"),
        (found(0.2), 0.6, LEVEL, 2.0, "no more than 2 points either way"),
        (found(0.2), 0.6, LEVEL + 1e-9, 2.0, "undecided"),
        (found(0.9), 0.01, 0.01, 1.5, "higher, but by less than 1.5 points"),
        (found(-0.9), 0.01, 0.01, 1.5, "lower, but by less than 1.5 points"),
        (found(3.0, over="people"), NAN, NAN, 2, "one seed"),
        (found(3.0, note="too few groups"), NAN, NAN, 2, "too few groups"),
        (found(3.0, over="people", note="too few groups"), NAN, NAN, 2, "too few groups"),
        (found(3.0, note="too few seeds"), 0.001, 0.001, 2, "too few seeds"),
    ],
)
def test_rulings(difference, p, p_equivalent, margin, said):
    assert ruling(difference, p, p_equivalent, margin) == said
