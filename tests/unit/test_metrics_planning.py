"""How many seeds: power against scipy's noncentral t and simulated studies, and what must hold whatever scatters."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from monkey_transfer.metrics.bootstrap import Replicates
from monkey_transfer.metrics.estimate import Variances, combined, freedom_of_tests, variances
from monkey_transfer.metrics.planning import (
    MOST_SEEDS,
    POWER,
    Scatter,
    bounds_of_deviation,
    power_to_find,
    power_to_rule_out,
    scatter,
    seeds_needed,
)

LEVEL = 0.01
# What scatters: of people 0.55 points on these, of a seed 1.1, of which 0.45 is luck with these people.
USUAL = Scatter(people=0.3, seed=1.2, both=0.2, groups=1000)
VARIANCES = st.floats(0.001, 9)
SCATTERS = st.builds(Scatter, VARIANCES, VARIANCES, st.just(0.0), st.integers(10, 3000).map(float))


def needed(of: Scatter, margin: float, power=power_to_find) -> float:
    return seeds_needed(lambda seeds: power(of, margin, LEVEL, seeds))


def test_parts_of_a_study_worked_out_by_hand():
    # Of four seeds' mean: people 2, of which 0.5 is both's, and 3 of seeds. A single seed scatters four times as much.
    assert scatter(Variances(2.0, 3.0, 0.5), 50, 4) == (1.5, 12, 2, 50)
    # What both hold is at most what seeds scatter, and the people's part no less than none.
    assert scatter(Variances(2.0, 0.3, 2.5), 50, 4) == (0, 1.2, 1.2, 50)


def test_as_many_people_and_seeds_give_the_variance_that_was_seen():
    runs = [Replicates(float(value), np.array([value - 1.5, value + 0.4, value + 0.9 * value])) for value in (1, 2, 4)]
    found = scatter(variances(runs, 20), 20, 3)
    seen, _ = combined(variances(runs, 20), 20, 3)
    assert found.people + found.seed / 3 == pytest.approx(seen)


def test_more_people_lessen_their_own_part_and_each_seeds_luck_with_them():
    assert USUAL.with_people(1) == USUAL
    twice = USUAL.with_people(2)
    assert twice == pytest.approx((0.15, 1.1, 0.1, 2000))
    assert twice.with_people(2) == pytest.approx(USUAL.with_people(4))


def test_seeds_that_scatter_more_do_so_in_what_people_do_not_lessen():
    # Ten times: a variance of 120, of which 0.2 is still luck with the people. A tenth: all of it is.
    assert USUAL.with_seeds_scattering(10) == pytest.approx((0.3, 120, 0.2, 1000))
    assert USUAL.with_seeds_scattering(0.1) == pytest.approx((0.3, 0.012, 0.012, 1000))


@pytest.mark.parametrize("seeds, bounds", [(3, (0.521, 6.285)), (5, (0.599, 2.874)), (10, (0.688, 1.826))])
def test_bounds_of_a_standard_deviation_are_those_of_textbooks(seeds, bounds):
    assert bounds_of_deviation(seeds) == pytest.approx(bounds, abs=5e-4)


def test_of_many_estimated_deviations_the_bounds_hold_the_true_one():
    seen = np.random.default_rng(0).normal(0, 2, (20_000, 3)).std(axis=1, ddof=1)
    low, high = (times * seen for times in bounds_of_deviation(3))
    assert np.mean((low <= 2) & (high >= 2)) == pytest.approx(0.95, abs=0.005)


@pytest.mark.parametrize("seeds", [3, 5, 8])
def test_where_seeds_alone_scatter_it_is_the_power_of_a_t_test(seeds):
    error, freedom = np.sqrt(1.2 / seeds), seeds - 1
    beyond = stats.t.isf(LEVEL / 2, freedom)
    expected = stats.nct.sf(beyond, freedom, 2 / error) + stats.nct.cdf(-beyond, freedom, 2 / error)
    assert power_to_find(Scatter(0, 1.2, 0, 500), 2, LEVEL, seeds) == pytest.approx(expected, abs=3e-3)


def simulated(of: Scatter, seeds: int, difference: float, margin: float) -> tuple[float, float]:
    """In which share of normal studies a difference is found, and in which it is shown to be less than the margin."""
    rng, trials, k = np.random.default_rng(0), 20_000, seeds
    values = difference + rng.normal(0, np.sqrt(of.people), (trials, 1)) + rng.normal(0, np.sqrt(of.seed), (trials, k))

    def estimated(variance: float, freedom: float) -> np.ndarray:
        return variance * rng.chisquare(freedom, trials) / freedom

    both = estimated(of.both / k, (of.groups - 1) * (k - 1))
    people = estimated(of.people + of.both / k, of.groups - 1)
    variance, freedom = combined(Variances(people, values.var(axis=1, ddof=1) / k, both), of.groups, k)
    mean, error, freedom = np.abs(values.mean(axis=1)), np.sqrt(variance), freedom_of_tests(freedom, k)
    found = 2 * stats.t.sf(mean / error, freedom) <= LEVEL
    return float(found.mean()), float((stats.t.sf((margin - mean) / error, freedom) <= LEVEL).mean())


@pytest.mark.parametrize("seeds", [6, 12])
@pytest.mark.parametrize("of", [USUAL, Scatter(0.1, 2.0, 0.2, 40), Scatter(0.02, 0.9, 0.4, 500)])
def test_power_is_that_of_simulated_studies(of, seeds):
    found, _ = simulated(of, seeds, difference=2, margin=2)
    _, ruled_out = simulated(of, seeds, difference=0, margin=2)
    assert power_to_find(of, 2, LEVEL, seeds) == pytest.approx(found, abs=0.05)
    assert power_to_rule_out(of, 2, LEVEL, seeds) == pytest.approx(ruled_out, abs=0.05)


@pytest.mark.parametrize("power", [power_to_find, power_to_rule_out])
def test_the_number_needed_is_the_first_that_is_enough(power):
    of = Scatter(0.05, 1.2, 0.2, 1000)
    seeds = int(needed(of, 2, power))
    assert 3 < seeds < MOST_SEEDS
    assert power(of, 2, LEVEL, seeds) >= POWER > power(of, 2, LEVEL, seeds - 1)


def test_three_seeds_are_the_fewest_and_more_than_a_hundred_are_not_looked_for():
    assert needed(Scatter(0, 0, 0, 100), 2) == 3
    assert needed(Scatter(0, 400, 0, 100), 2) == np.inf
    assert power_to_find(Scatter(0, 400, 0, 100), 2, LEVEL, np.inf) == 1


def test_what_people_scatter_no_seed_takes_away():
    of = Scatter(1.0, 1.0, 0, 1000)
    endless = power_to_find(of, 2, LEVEL, np.inf)
    assert endless == pytest.approx(stats.norm.sf(stats.norm.isf(LEVEL / 2) - 2), abs=0.01)
    assert needed(of, 2) == np.inf
    assert needed(of.with_people(8), 2) < MOST_SEEDS


@settings(deadline=None, max_examples=20)
@given(SCATTERS, st.floats(0.1, 8), st.floats(1, 3), st.sampled_from([power_to_find, power_to_rule_out]))
def test_a_larger_margin_needs_no_more_seeds(of, margin, times, power):
    assert needed(of, margin * times, power) <= needed(of, margin, power)


@settings(deadline=None, max_examples=20)
@given(SCATTERS, st.floats(0.1, 8), st.floats(1, 3), st.sampled_from([power_to_find, power_to_rule_out]))
def test_more_people_need_no_more_seeds_and_more_scatter_no_fewer(of, margin, times, power):
    usual = needed(of, margin, power)
    assert needed(of.with_people(times), margin, power) <= usual
    assert needed(of.with_seeds_scattering(times), margin, power) >= usual


@settings(deadline=None)
@given(SCATTERS, st.floats(0, 8), st.integers(3, 60), st.sampled_from([power_to_find, power_to_rule_out]))
def test_power_is_a_share(of, margin, seeds, power):
    assert 0 <= power(of, margin, LEVEL, seeds) <= 1
