"""Learning curves: joint draws over people and seeds, and the number of people that another curve needs."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from benchmarks import learning_curves
from monkey_transfer.errors import StudyError
from monkey_transfer.metrics.bootstrap import Replicates
from monkey_transfer.metrics.curves import Draws, _rising, draws, equivalent_size
from monkey_transfer.metrics.estimate import FEWEST_EFFECTIVE, estimate

RESAMPLES = 20_000


def run(value: float, resampled=None) -> Replicates:
    return Replicates(value, np.full(RESAMPLES, value) if resampled is None else resampled)


def drawn(value: float, *others: float) -> Draws:
    return Draws(value, np.array([value, *others], float))


def people(scatter: float, seed: int = 0) -> np.ndarray:
    """What resampling people does to a score: exactly that scatter, around exactly zero."""
    found = np.random.default_rng(seed).normal(size=RESAMPLES)
    return scatter * (found - found.mean()) / found.std()


def test_one_seed_is_as_sure_as_its_estimate():
    runs = [run(50.0, 50 + people(2.0))]
    found = draws({("a", 10): runs}, 12)["a", 10]
    expected = estimate(runs, 12)  # 2 x sqrt(12/11), with 11 degrees of freedom
    assert found.value == 50
    assert found.interval() == pytest.approx((expected.low, expected.high), abs=0.15)


def test_seeds_are_as_sure_as_their_estimate():
    # People who are all alike but for a trace, so that seeds are all: their t of two degrees of freedom.
    runs = [run(value, value + people(1e-6)) for value in (48.0, 50.0, 52.0)]
    found = draws({("a", 10): runs}, 100)["a", 10]
    half = stats.t.ppf(0.975, 2) * 2 / np.sqrt(3)
    assert found.interval() == pytest.approx((50 - half, 50 + half), rel=0.03)


def test_every_point_scatters_as_its_own_seeds_do():
    runs = {
        ("a", images): [run(50 + scatter * sign, 50 + people(1e-6)) for sign in (-1, 0, 1)]
        for images, scatter in ((10, 3.0), (1000, 0.5))
    }
    few, many = draws(runs, 100).values()
    assert np.ptp(few.interval()) == pytest.approx(6 * np.ptp(many.interval()), rel=1e-3)


def test_points_of_the_same_people_and_draws_stay_paired():
    on_people = people(5.0)
    one, other = ([run(score + draw, score + draw + on_people) for draw in (-4, 1, 3)] for score in (10, 8))
    a, b = draws({("a", 5): one, ("b", 5): other}, 100).values()
    np.testing.assert_allclose(a.replicates - b.replicates, 2, atol=1e-6)
    assert np.ptp(a.interval()) > 10


def test_what_resampling_people_holds_of_the_seeds_is_not_counted_again():
    # Each seed errs on people of its own: of the variance of their mean, 3/4, nothing is left beside the seeds'.
    values = -1.0, 0.0, 0.0, 1.0
    runs = [run(50 + value, 50 + value + people(np.sqrt(3), place)) for place, value in enumerate(values)]
    found = draws({("a", 10): runs}, 1000)["a", 10].replicates
    only_seeds = stats.t.ppf(0.975, 3) * np.sqrt(2 / 3 / 4)
    assert np.quantile(found, 0.975) - 50 == pytest.approx(only_seeds, rel=0.06)


def test_the_same_seed_draws_the_same():
    runs = {("a", 10): [run(50.0 + value, 50.0 + value + people(1.0)) for value in range(3)]}
    first, again, other = (draws(runs, 100, seed)["a", 10].replicates for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("groups, seeds", [(FEWEST_EFFECTIVE - 1, 3), (100, 2)])
def test_where_no_interval_may_be_printed_none_is_drawn(groups, seeds):
    runs = {
        ("a", images): [run(score + value, score + value + people(1.0)) for value in range(seeds)]
        for images, score in ((100, 40.0), (1000, 60.0))
    }
    found = draws(runs, groups)
    worth = equivalent_size(found["a", 100], {images: point for (_, images), point in found.items()})
    assert found["a", 1000].value == 60 + (seeds - 1) / 2
    assert worth.value == 0  # the curve's own beginning
    assert np.isnan([*found["a", 100].interval(), *worth.interval()]).all()


CURVE = {100: drawn(40, 40), 1000: drawn(60, 60)}


@pytest.mark.parametrize(
    "score, people", [(50, np.sqrt(1e5)), (60, 1000), (40, 0), (39, 0), (60.1, np.inf), (45, 10**2.25)]
)
def test_two_points_are_joined_by_a_line_over_the_logarithm(score, people):
    assert equivalent_size(drawn(score, score), CURVE).value == pytest.approx(people, rel=1e-6)


def test_a_point_of_the_curve_is_worth_its_own_people():
    curve = {size: drawn(score, score) for size, score in {50: 20, 150: 35, 400: 38, 1000: 50}.items()}
    for size in (150, 400, 1000):
        assert equivalent_size(curve[size], curve).value == pytest.approx(size, rel=2e-3)


def test_where_the_curve_falls_it_is_levelled_first():
    np.testing.assert_allclose(_rising(np.array([[3.0, 1, 2, 5], [1, 2, 3, 4]])), [[2, 2, 2, 5], [1, 2, 3, 4]])


def test_bounds_are_infinite_where_the_control_never_gets_there():
    score = drawn(50, *np.linspace(45, 65, 200))
    curve = {size: Draws(point.value, np.full(201, point.value)) for size, point in CURVE.items()}
    found = equivalent_size(score, curve)
    low, high = found.interval()
    assert 100 < low < found.value
    assert np.isinf(high)


def test_one_point_is_no_curve():
    with pytest.raises(StudyError, match="needs two numbers of people, got 1"):
        equivalent_size(drawn(1, 1), {100: drawn(1, 1)})


@given(
    st.lists(st.floats(0, 100), min_size=2, max_size=6),
    st.floats(-10, 110),
    st.floats(0, 20),
)
def test_a_higher_score_is_never_worth_fewer_people(scores, score, more):
    sizes = [50 * 2**place for place in range(len(scores))]
    curve = {size: drawn(value, value) for size, value in zip(sizes, scores, strict=True)}
    low, high = (equivalent_size(drawn(value, value), curve).value for value in (score, score + more))
    assert low <= high
    assert low == 0 or sizes[0] <= low <= sizes[-1] or np.isinf(low)


def test_the_benchmark_says_what_it_found(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["learning_curves", "--trials", "2"])
    learning_curves.main()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + len(learning_curves.SCATTERS) * len(learning_curves.SIZES) + 1
    assert lines[-1] in ("coverage 0.0", "coverage 50.0", "coverage 100.0")
