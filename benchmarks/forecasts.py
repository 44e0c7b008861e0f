"""``python -m benchmarks.forecasts``: what a learning curve promises of twice the people, where the truth is known.

An arm learns three numbers of people, each twice the one before, with three seeds, tested on the same people; the
curve is asked for twice the largest. Two studies are simulated: 100 frames of ten groups, which learns up to 100
frames, and 1,000 people, which learns up to 1,000. A seed's people and its own luck scatter as in
:mod:`benchmarks.learning_curves`, twice as much with few frames, where frames of one group are alike as well.

The true curves are power laws that level sooner or later, saturating exponentials, an S, a straight line over the
logarithm of the number of people, a level one, and such lines with a kink at the middle or the largest number, from
where they rise more or less steeply, once by 3 and once by 10 points over what is learnt. Twice the people bring 0.2 to
1.5 times what the line through the curve says; so did the steps that were measured on photographs (docs/metrics.md).

One line for each curve: of the power law, the last slope and the forecast the share of 95 % intervals that hold the
true gain in %, and their mean width in points. The last line is the coverage of the forecast over all curves of both
studies, which should lie within 90 to 97 %. ``--trials`` sets how many studies are simulated of each curve and rise.
"""

import argparse
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from scipy.special import expit
from threadpoolctl import threadpool_limits

from benchmarks.learning_curves import EQUAL, HARD, JOINTS, LUCK, SEEDS
from monkey_transfer.metrics.bootstrap import Replicates, resampled_weights
from monkey_transfer.metrics.curves import Draws, draws
from monkey_transfer.metrics.extrapolation import RULES, fit, forecast

TRIALS, RESAMPLES = 50, 500
SCORE, RISES = 45.0, (3.0, 10.0)  # with the most people, and by how much they are better than the fewest; percent


class Tested(NamedTuple):
    """Who is learnt and tried, and how much chance there is: standard deviations of the logit of a hit.

    ``of_seeds`` is what a seed's people do and once more what else the seed does to a network; ``group`` how hard a
    group is, ``luck`` a network's luck with it.
    """

    sizes: tuple[int, int, int]
    groups: int
    frames: int
    of_seeds: float
    group: float
    luck: float


STUDIES = {
    "100 frames of 10 groups": Tested((25, 50, 100), 10, 10, 2 * EQUAL[0], 0.5, 0.25),
    "1,000 people": Tested((250, 500, 1000), 1000, 1, EQUAL[0], 0.0, 0.0),
}


def kinked(at: float, times: float) -> Callable[[np.ndarray], np.ndarray]:
    """A line over the logarithm that is so many times as steep from there on."""
    return lambda people: np.log(np.minimum(people, at)) + times * np.log(np.maximum(people / at, 1))


# Of the number of people over the most that are learnt; up to a scale and a shift.
CURVES: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "power law, exponent 0.1": lambda people: -(people**-0.1),
    "power law, exponent 0.3": lambda people: -(people**-0.3),
    "power law, exponent 0.6": lambda people: -(people**-0.6),
    "power law, exponent 1": lambda people: -(people**-1),
    "exponential, soon": lambda people: -np.exp(-people / 0.3),
    "exponential": lambda people: -np.exp(-people / 0.6),
    "exponential, late": lambda people: -np.exp(-people / 1.2),
    "S": lambda people: 1 / (1 + (2 * people) ** -1.5),
    "line": np.log,
    "level": np.zeros_like,
    "flatter from the middle": kinked(0.5, 0.4),
    "steeper from the middle": kinked(0.5, 2.0),
    "flatter from the largest": kinked(1.0, 0.4),
    "steeper from the largest": kinked(1.0, 1.5),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trials", type=int, default=TRIALS)
    trials = parser.parse_args().trials
    print(
        f"{len(RISES) * trials:,} studies of {SEEDS} seeds for each curve, asked for twice the people. Share of 95 % "
        "intervals that hold the true gain, %; mean width, points"
    )
    print(f"{'':28}" + "".join(f"{rule:>16}" for rule in (*RULES, "forecast")))
    held = []
    for name, tested in STUDIES.items():
        print(name)
        rng = np.random.default_rng(0)
        weights = np.concatenate(list(resampled_weights(tested.groups, RESAMPLES, seed=0)))
        of_study = []
        for curve, shape in CURVES.items():
            true = [_scores(shape, rise) for rise in RISES]
            found = [_asked(one, tested, weights, trial, rng) for one in true for trial in range(trials)]
            print(f"  {curve:26}{_written(found)}", flush=True)
            of_study += found
        print(f"  {'all':26}{_written(of_study)}")
        held += [intervals[-1][0] for intervals in of_study]
    print(f"coverage {100 * np.mean(held):.1f}")


def _written(found: list[list[tuple[bool, float]]]) -> str:
    means = np.mean(found, axis=0)
    return "".join(f"{100 * held:8.1f} ({width:5.1f})" for held, width in means)


def _scores(shape: Callable[[np.ndarray], np.ndarray], rise: float) -> np.ndarray:
    """In percent, of a quarter of the most people, of half, of these, and of twice as many."""
    height = shape(np.array([0.25, 0.5, 1, 2]))
    risen = height[2] - height[0]
    return SCORE + (rise / risen if risen else 0) * (height - height[2])


def _asked(
    true: np.ndarray, tested: Tested, weights: np.ndarray, seed: int, rng: np.random.Generator
) -> list[tuple[bool, float]]:
    """Of one study by each rule, the forecast last: whether the interval holds the true gain, and its width."""
    drawn = draws(_simulated(true, tested, weights, rng), tested.groups, seed)
    known = {size: drawn["arm", size] for size in tested.sizes}
    most = tested.sizes[-1]
    fitted = [fit(rule, known) for rule in RULES]
    gains = [*(Draws.of(curve.score(2 * most) - curve.score(most)) for curve in fitted), forecast(known, 2 * most)]
    bounds = [gain.interval() for gain in gains]
    return [(low <= true[3] - true[2] <= high, high - low) for low, high in bounds]


def _simulated(
    true: np.ndarray, tested: Tested, weights: np.ndarray, rng: np.random.Generator
) -> dict[tuple[str, int], list[Replicates]]:
    """The scores, in percent of joints, of every seed at every number of people, on one set of test people."""
    people = tested.groups * tested.frames

    def of_groups(deviation: float) -> np.ndarray:
        return np.repeat(rng.normal(0, deviation, tested.groups), tested.frames)

    def score(skill: float) -> Replicates:
        chances = expit(skill - hard + rng.normal(0, LUCK, people) + of_groups(tested.luck))
        hits = (rng.binomial(JOINTS, chances) * 100 / JOINTS).reshape(tested.groups, tested.frames).mean(axis=1)
        return Replicates(float(hits.mean()), weights @ hits / tested.groups)

    hard = rng.normal(0, HARD, people) + of_groups(tested.group)
    draw = rng.normal(0, tested.of_seeds, SEEDS)
    skills = _skills(true[:3], tested)
    return {
        ("arm", size): [score(skill + of_draw + rng.normal(0, tested.of_seeds)) for of_draw in draw]
        for size, skill in zip(tested.sizes, skills, strict=True)
    }


def _skills(scores: np.ndarray, tested: Tested) -> np.ndarray:
    """The logits of an average hit for which the expected shares of hits are ``scores``, in percent."""
    nodes, shares = np.polynomial.hermite_e.hermegauss(60)
    skills = np.linspace(-4, 4, 801)
    deviations = HARD, LUCK, tested.group, tested.luck, tested.of_seeds, tested.of_seeds
    expected = expit(skills[:, None] + np.linalg.norm(deviations) * nodes) @ shares / shares.sum()
    return np.interp(scores / 100, expected, skills)


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
