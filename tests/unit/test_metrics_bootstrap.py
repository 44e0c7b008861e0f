import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from monkey_transfer.metrics import bootstrap
from monkey_transfer.metrics.bootstrap import Replicates, interval, jackknife_weights, replicate, resampled_weights


def mean_of(values):
    def statistic(weights):
        with np.errstate(invalid="ignore"):
            return {"mean": weights @ values / weights.sum(axis=1)}

    return statistic


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_every_resample_draws_as_many_groups_as_there_are(groups, resamples, seed):
    weights = np.concatenate(list(resampled_weights(groups, resamples, seed)))
    assert weights.shape == (resamples, groups)
    assert (weights.sum(axis=1) == groups).all()


def test_resamples_do_not_depend_on_how_many_are_made_at_once(monkeypatch):
    together = np.concatenate(list(resampled_weights(30, 100, 7)))
    monkeypatch.setattr(bootstrap, "_WEIGHTS_AT_ONCE", 90)
    np.testing.assert_array_equal(np.concatenate(list(resampled_weights(30, 100, 7))), together)
    assert not np.array_equal(np.concatenate(list(resampled_weights(30, 100, 8))), together)


def test_the_jackknife_leaves_each_group_out_once():
    np.testing.assert_array_equal(np.concatenate(list(jackknife_weights(5))), 1 - np.eye(5))


def test_many_groups_are_left_out_in_blocks(monkeypatch):
    monkeypatch.setattr(bootstrap, "_JACKKNIFE_BLOCKS", 4)
    weights = np.concatenate(list(jackknife_weights(10)))
    assert len(weights) == 4
    assert ((1 - weights).sum(axis=0) == 1).all()


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_intervals_agree_with_scipy(method):
    values = np.random.default_rng(1).exponential(size=40)
    found = replicate({"arm": mean_of(values)}, 40, 3000, seed=2)["arm"]["mean"]
    own = stats.bootstrap(
        (values,), np.mean, n_resamples=0, method=method, bootstrap_result=_Distribution(found.resampled)
    ).confidence_interval
    np.testing.assert_allclose(interval(found, method=method), own, rtol=1e-10)


class _Distribution:
    def __init__(self, resampled):
        self.bootstrap_distribution = resampled


def test_bca_moves_towards_the_long_tail():
    values = np.random.default_rng(1).exponential(size=40)
    found = replicate({"arm": mean_of(values)}, 40, 3000, seed=2)["arm"]["mean"]
    assert interval(found, method="bca") > interval(found, method="percentile")


def test_differences_are_paired():
    values = np.random.default_rng(3).normal(size=50)
    found = replicate({"a": mean_of(values + 1), "b": mean_of(values)}, 50, 500, seed=0)
    paired = found["a"]["mean"].minus(found["b"]["mean"])
    np.testing.assert_allclose(paired.resampled, 1)
    low, high = interval(found["a"]["mean"])
    assert high - low > 0.2


def test_undefined_resamples_are_left_out():
    found = Replicates(2.0, np.array([1.0, np.nan, 2.0, 3.0]), np.array([2.0, 2.0]))
    assert interval(found, level=1.0, method="percentile") == (1, 3)


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_what_never_varies_has_no_width(method):
    assert interval(Replicates(5.0, np.full(100, 5.0), np.full(10, 5.0)), method=method) == (5, 5)


def test_one_group_says_nothing_about_others():
    found = replicate({"arm": mean_of(np.array([3.0]))}, 1, 100, seed=0)["arm"]["mean"]
    assert found.value == 3
    assert np.isnan(interval(found)).all()


def test_an_undefined_value_has_no_interval():
    assert np.isnan(interval(Replicates(np.nan, np.ones(10), np.ones(3)))).all()


def test_over_seeds_the_interval_is_that_of_the_mean_run():
    rng = np.random.default_rng(0)
    a, b = rng.normal(3, 1, 200), rng.normal(5, 1, 200)
    runs = replicate({"a": mean_of(a), "b": mean_of(b), "mean": mean_of((a + b) / 2)}, 200, 500, seed=0)
    found = bootstrap.over_seeds([runs["a"]["mean"], runs["b"]["mean"]])
    assert found["mean"] == pytest.approx(runs["mean"]["mean"].value)
    assert (found["low"], found["high"]) == pytest.approx(interval(runs["mean"]["mean"]))
    assert (found["seeds"], found["least"], found["largest"]) == (2, pytest.approx(a.mean()), pytest.approx(b.mean()))
    assert found["sd"] == pytest.approx(abs(a.mean() - b.mean()) / np.sqrt(2))
    assert np.isnan(bootstrap.over_seeds([runs["a"]["mean"]])["sd"])
