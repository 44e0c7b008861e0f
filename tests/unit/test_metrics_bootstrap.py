import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from monkey_transfer.metrics import bootstrap
from monkey_transfer.metrics.bootstrap import Replicates, replicate, resampled_weights


def mean_of(values):
    return lambda weights: {"mean": weights @ values / weights.sum(axis=1)}


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_every_resample_draws_as_many_groups_as_there_are(groups, resamples, seed):
    weights = np.concatenate(list(resampled_weights(groups, resamples, seed)))
    assert weights.shape == (resamples, groups)
    assert (weights.sum(axis=1) == groups).all()


def test_every_group_is_drawn_as_often_as_any_other():
    weights = np.concatenate(list(resampled_weights(5, 40_000, 0)))
    # Multinomial: mean 1, variance 4/5, covariances -1/5.
    np.testing.assert_allclose(weights.mean(axis=0), 1, atol=0.02)
    np.testing.assert_allclose(np.cov(weights.T), np.eye(5) - 1 / 5, atol=0.02)


def test_resamples_do_not_depend_on_how_many_are_made_at_once(monkeypatch):
    together = np.concatenate(list(resampled_weights(30, 100, 7)))
    monkeypatch.setattr(bootstrap, "_WEIGHTS_AT_ONCE", 90)
    np.testing.assert_array_equal(np.concatenate(list(resampled_weights(30, 100, 7))), together)
    assert not np.array_equal(np.concatenate(list(resampled_weights(30, 100, 8))), together)


def test_the_value_is_that_of_all_people_and_replicates_those_of_the_resamples(monkeypatch):
    monkeypatch.setattr(bootstrap, "_WEIGHTS_AT_ONCE", 12)  # of the four groups three resamples at once
    values = np.array([1.0, 2.0, 4.0, 9.0])
    found = replicate({"arm": mean_of(values)}, 4, 10, seed=3)["arm"]["mean"]
    assert found.value == 4.0
    weights = np.concatenate(list(resampled_weights(4, 10, seed=3)))
    np.testing.assert_array_equal(found.resampled, weights @ values / 4)


def test_all_arms_and_metrics_see_the_same_resamples():
    values = np.random.default_rng(3).normal(size=50)
    found = replicate({"a": mean_of(values + 1), "b": mean_of(values)}, 50, 500, seed=0)
    difference = found["a"]["mean"].minus(found["b"]["mean"])
    np.testing.assert_allclose([difference.value, *difference.resampled], 1)
    assert np.ptp(found["a"]["mean"].resampled) > 0.2


def test_a_difference_is_the_first_minus_the_second():
    found = Replicates(5.0, np.array([4.0, 7.0])).minus(Replicates(2.0, np.array([1.0, np.nan])))
    assert found.value == 3.0
    np.testing.assert_array_equal(found.resampled, [3.0, np.nan])
