"""One way to make an interval: two groups of numbers worked out by hand, what must hold, and the simulated truth."""

import re
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from benchmarks import coverage, power
from monkey_transfer.metrics.bootstrap import Replicates, resampled_weights
from monkey_transfer.metrics.estimate import (
    FEWEST_EFFECTIVE,
    FEWEST_GROUPS,
    FEWEST_SEEDS,
    MOST_UNDEFINED,
    Variances,
    combined,
    effective_groups,
    estimate,
    freedom_of_tests,
)


def runs(*seeds: tuple[float, list[float]]) -> list[Replicates]:
    return [Replicates(value, np.array(resampled, float)) for value, resampled in seeds]


# Three seeds on two resamples, with 11 groups.
# Means over seeds 9 and 12: variance 2.25, times 11/10 is 2.475, of people.
# Apart from the means -2, 0, 2 and -1, 0, 1: variances 0.25, 0, 0.25, of which the mean over 2 is 1/12, times 11/10
# is 11/120, of both. Values 8, 10, 15: variance 13, over 3, of seeds.
THREE = runs((8, [7, 11]), (10, [9, 12]), (15, [11, 13]))
PEOPLE, BOTH, SEEDS = 2.475, 11 / 120, 13 / 3


def test_three_seeds_worked_out_by_hand():
    found = estimate(THREE, 11)
    variance = PEOPLE - BOTH + SEEDS  # 6.7167
    freedom = variance / ((PEOPLE - BOTH) / 10 + SEEDS / 2)  # 2.7927
    assert (found.value, found.seeds, found.over, found.note) == (11, 3, "people and seeds", "")
    assert found.standard_error == pytest.approx(np.sqrt(variance)) == pytest.approx(2.5917, abs=1e-4)
    assert found.freedom == pytest.approx(freedom) == pytest.approx(2.7927, abs=1e-4)
    half = stats.t.ppf(0.975, freedom) * np.sqrt(variance)
    assert (found.low, found.high) == pytest.approx((11 - half, 11 + half))


def test_one_seed_worked_out_by_hand():
    # Variance 2/3 of 1, 2, 3, times 10/9 is 20/27; Student's t with 9 degrees of freedom is 2.2622 at 97.5 %.
    found = estimate(runs((2.5, [1, 2, 3])), 10)
    assert (found.value, found.freedom, found.seeds, found.over, found.note) == (2.5, 9, 1, "people", "")
    assert found.standard_error == pytest.approx(np.sqrt(20 / 27))
    assert (found.low, found.high) == pytest.approx((2.5 - 2.2622 * 0.86066, 2.5 + 2.2622 * 0.86066), abs=1e-4)


def test_p_values_worked_out_by_hand():
    found = estimate(THREE, 11)
    # 11 / 2.5917 = 4.2444 with sqrt(2.7927 x 2) = 2.3633 degrees of freedom.
    assert found.p_different() == pytest.approx(2 * stats.t.sf(4.2444, 2.3633), abs=1e-5)
    assert found.p_equivalent(12) == pytest.approx(stats.t.sf(1 / 2.5917, 2.3633), abs=1e-5)
    assert found.p_equivalent(9) == pytest.approx(1 - stats.t.sf(2 / 2.5917, 2.3633), abs=1e-5)
    below = estimate([Replicates(-run.value, -run.resampled) for run in THREE], 11)
    assert below.p_different() == found.p_different()
    assert below.p_equivalent(12) == found.p_equivalent(12)


def test_p_values_count_with_no_more_freedom_than_intervals():
    assert freedom_of_tests(100.0, 3) == pytest.approx(np.sqrt(200))
    assert freedom_of_tests(9.0, 20) == 9


def test_over_people_alone_nothing_is_ruled_on():
    found = estimate(THREE[:1], 11)
    assert np.isnan([found.p_different(), found.p_equivalent(2.0)]).all()


def test_the_interaction_goes_from_the_people_and_never_below_nothing():
    assert combined(Variances(3.0, 2.0, 1.0), 11, 5)[0] == 4
    assert combined(Variances(3.0, 2.0, 5.0), 11, 5) == (2, 4)  # seeds alone, with their four degrees of freedom
    assert combined(Variances(3.0, 0.0, 0.0), 11, 5) == (3, 10)  # people alone, with their ten
    assert combined(Variances(3.0, 0.0, 0.0), 11, 1) == (3, 10)


@pytest.mark.parametrize(
    "found, note",
    [
        (estimate(THREE, FEWEST_EFFECTIVE - 0.1), "too few groups"),
        (estimate(THREE[:1], FEWEST_EFFECTIVE - 0.1), "too few groups"),
        (estimate(THREE[: FEWEST_SEEDS - 1], 100), "too few seeds"),
        (estimate(runs((np.nan, [1, 2])), 100), "undefined"),
        (estimate(runs((1, [1, 2]), (np.nan, [1, 2]), (3, [1, 2])), 100), "undefined for 1 of 3 seeds"),
        (estimate(runs((1, [1, 2, np.nan, 4])), 100), "undefined on 25 % of resamples"),
        (estimate(runs((5, [5, 5]), (5, [5, 5]), (5, [5, 5])), 100), "the same on all resamples"),
        (estimate(runs((0.3, [0.1 + 0.2, 0.3])), 100), "the same on all resamples"),
    ],
)
def test_no_interval_is_printed_without_reason(found, note):
    assert found.note == note
    nothing = found.low, found.high, found.standard_error, found.freedom, found.p_different(), found.p_equivalent(1)
    assert np.isnan(nothing).all()


@pytest.mark.parametrize("groups, seeds", [(FEWEST_GROUPS, 1), (FEWEST_GROUPS, FEWEST_SEEDS)])
def test_at_the_fewest_an_interval_is_printed(groups, seeds):
    assert estimate(THREE[:seeds], groups).note == ""


def test_resamples_that_are_undefined_for_any_seed_are_left_out():
    few = int(100 * MOST_UNDEFINED)
    resampled = np.random.default_rng(0).normal(size=(3, 100))
    holes = resampled.copy()
    holes[1, :few] = np.nan
    with_holes, without = (
        estimate([Replicates(value, row) for value, row in zip((1.0, 2.0, 4.0), rows, strict=True)], 50)
        for rows in (holes, resampled[:, few:])
    )
    assert with_holes == without


@settings(deadline=None)
@given(
    st.integers(3, 8),
    st.floats(FEWEST_GROUPS, 500),
    st.floats(0.01, 100),
    st.floats(-100, 100),
    st.integers(0, 2**32 - 1),
)
def test_units_do_not_matter(seeds, groups, scale, shift, seed):
    rng = np.random.default_rng(seed)
    values, resampled = rng.normal(size=seeds), rng.normal(size=(seeds, 30))
    plain = estimate([Replicates(*pair) for pair in zip(values, resampled, strict=True)], groups)
    moved = estimate(
        [Replicates(scale * v + shift, scale * r + shift) for v, r in zip(values, resampled, strict=True)], groups
    )
    assert moved.value == pytest.approx(scale * plain.value + shift, abs=1e-9)
    assert (moved.low, moved.high) == pytest.approx((scale * plain.low + shift, scale * plain.high + shift), abs=1e-6)
    assert moved.freedom == pytest.approx(plain.freedom, rel=1e-6)
    assert min(groups, seeds) - 1 - 1e-9 <= plain.freedom <= max(groups, seeds) - 1 + 1e-9


def test_effective_groups():
    assert effective_groups([7, 7, 7]) == pytest.approx(3)
    assert effective_groups([1, 2, 3]) == pytest.approx(36 / 14)
    assert effective_groups(np.array([100, 0, 0])) == 1


def test_variances_of_the_mean_are_those_of_all_possible_resamples():
    """Of three groups there are 27; the variance times 3/2 is then the sample variance over 3, as for any mean."""
    values = np.array([1.0, 4.0, 10.0])
    everyone = np.array(np.meshgrid(*[range(3)] * 3)).reshape(3, -1)
    found = values[everyone].mean(axis=0).var() * 3 / 2
    assert found == pytest.approx(values.var(ddof=1) / 3) == pytest.approx(7)


def test_the_benchmark_measures_what_estimates_measure():
    rng = np.random.default_rng(0)
    people, seeds = power.People("", np.array([3, 1, 2, 5] * 5)), max(power.SEEDS)
    more = power.simulated(people, power.USUAL, seeds, 4, rng)
    weights = np.concatenate(list(resampled_weights(20, 200, seed=1)))
    joints = power.JOINTS * people.sizes / 100
    found = dict(power.measured(more, people.sizes, weights))[seeds]
    for place in np.ndindex(found.values.shape):
        of_seeds = more[place]
        expected = estimate(
            [Replicates(hits.sum() / joints.sum(), weights @ hits / (weights @ joints)) for hits in of_seeds],
            effective_groups(people.sizes),
        )
        assert found.values[place] == pytest.approx(expected.value)
        assert found.errors[place] == pytest.approx(expected.standard_error)
        assert found.freedom[place] == pytest.approx(expected.freedom)


def test_simulated_arms_are_truly_as_good_as_they_are_said_to_be():
    found = power.simulated(power.MANY, power.CHANCES[4], 20, 100, np.random.default_rng(0))
    differences = 100 * found.sum(axis=-1).mean(axis=(1, 2, 3)) / (power.JOINTS * power.MANY.sizes.sum())
    assert differences == pytest.approx(power.TRUTHS, abs=0.35)  # standard error 0.11


def test_intervals_hold_the_truth_and_seeds_bring_power():
    found = power.outcomes(power.FEWEST, power.USUAL._replace(own_group=0.0), 400, seed=0)
    assert found[2].note == "too few seeds"
    assert found[2].coverage < found[10].coverage
    outcomes = [found[seeds] for seeds in (3, 5, 10, 20)]
    assert all(92 <= outcome.coverage <= 98.5 and outcome.false_claims <= 5 for outcome in outcomes)
    powers = [outcome.found_different for outcome in outcomes]
    assert powers == sorted(powers)
    assert powers[-1] > powers[0] + 10


def test_the_benchmark_says_what_it_found(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["power", "--trials", "3"])
    monkeypatch.setattr(power, "CASES", [power.CASES[0], power.CASES[4]])
    power.main()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + 2 * len(power.SEEDS) + 1
    assert "5 groups of 20          20 seeds: too few groups: no 95 % is printed (" in lines[-2]
    coverages = [float(line.partition("seeds: ")[2].split(";")[0]) for line in lines[2:6]]
    assert re.fullmatch(rf"coverage {min(coverages)} to {max(coverages)}, false claims \d+\.\d", lines[-1]), lines[-1]


def test_the_benchmark_of_every_metric_says_what_it_found(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["coverage", "--trials", "2"])
    monkeypatch.setattr(coverage, "MANY_PEOPLE", 200)
    monkeypatch.setattr(coverage, "RESAMPLES", 20)
    coverage.main()
    found = capsys.readouterr().out
    assert re.search(r"\n  normalised_median +\d+\.0 +\d+\.0 ", found)
    assert re.search(r"\ncoverage (0|50|100)\.0$", found.rstrip())
