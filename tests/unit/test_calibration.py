"""A calibrated likelihood is how often the network is right."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_transfer.measure import calibration
from monkey_transfer.measure.calibration import calibrated

RNG = np.random.default_rng(0)
LIKELIHOOD = RNG.uniform(0.01, 0.99, 4000)


def fitted(likelihood, correct):
    """The calibration that held-out joints of those likelihoods, right or wrong, give."""
    joints = pd.DataFrame({"likelihood": likelihood, "correct": correct, "image_id": "ann"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calibration, "matched", lambda study, predictions, people: SimpleNamespace(joints=joints))
        study = SimpleNamespace(held_out=lambda run: None, held_out_predictions=lambda run: None)
        return calibrated(study, "run")


@pytest.mark.parametrize("shift, slope", [(0, 1), (-2, 0.5), (1, 2)])
def test_it_is_the_share_of_joints_that_are_right_where_the_network_says_so(shift, slope):
    odds = shift + slope * np.log(LIKELIHOOD / (1 - LIKELIHOOD))
    right = RNG.uniform(size=len(odds)) < 1 / (1 + np.exp(-odds))
    found = fitted(LIKELIHOOD, right).share(np.array([0.2, 0.5, 0.8]))
    expected = 1 / (1 + np.exp(-(shift + slope * np.log(np.array([0.25, 1, 4])))))
    assert found == pytest.approx(expected, abs=0.04)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=9))
def test_it_keeps_the_order_and_stays_a_share(likelihoods):
    calibrate = fitted(LIKELIHOOD, RNG.uniform(size=len(LIKELIHOOD)) < LIKELIHOOD).share
    found = calibrate(np.sort(likelihoods))
    assert (np.diff(found) >= 0).all()
    assert ((found >= 0) & (found <= 1)).all()


@pytest.mark.parametrize("right, expected", [(True, 3.5 / 4), (False, 0.5 / 4)])
def test_a_network_that_is_always_or_never_right_is_not_said_to_be_certain(right, expected):
    found = fitted(np.array([0.2, 0.5, 0.9]), np.array([right] * 3)).share(np.array([0.1, np.nan, 0.9]))
    np.testing.assert_allclose(found, [expected, np.nan, expected])


def test_likelihoods_that_lead_astray_are_not_turned_round():
    found = fitted(np.array([0.1, 0.2, 0.8, 0.9]), np.array([True, True, False, False]))
    assert (found.slope, found.joints, found.people) == (0, 4, 1)
    assert found.share(np.array([0.1, 0.9])).tolist() == [0.5, 0.5]


def test_where_nobody_is_there_is_no_likelihood():
    share = fitted(LIKELIHOOD, RNG.uniform(size=len(LIKELIHOOD)) < LIKELIHOOD).share
    assert np.isnan(share(np.array([np.nan, np.nan]))).all()
    assert np.isnan(share(np.array([0.5, np.nan]))).tolist() == [False, True]
