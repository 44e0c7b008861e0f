"""``python -m benchmarks.extrapolations``: what a learning curve promises of more people, where the truth is known.

An arm learns 50, 150, 350 and 1,000 people with three seeds, tested on the same people; rules are fitted to the first
three numbers and asked for the fourth. The true curve is a power law, or one until 350 people and steeper from there,
or level. A seed's people and its own luck scatter as in :mod:`benchmarks.learning_curves`, equally at all sizes.

One line for each curve and rule: the share of 95 % intervals that hold the true score, how far the promise was off on
average (points; above zero: too much) and how wide the interval was. The last line is the coverage of the power law
where the curve is one. ``--trials`` sets how many studies are simulated of each curve.
"""

import argparse
from collections.abc import Callable

import numpy as np
from scipy.special import expit
from threadpoolctl import threadpool_limits

from benchmarks.learning_curves import EQUAL, HARD, JOINTS, LUCK, PEOPLE, SEEDS
from monkey_transfer.metrics.bootstrap import Replicates, resampled_weights
from monkey_transfer.metrics.curves import draws
from monkey_transfer.metrics.extrapolation import RULES, fit, held_against

TRIALS, RESAMPLES = 300, 1_000
SIZES = 50, 150, 350, 1_000
OF_SEEDS = EQUAL[0]


def law(people: float) -> float:
    """The score in percent of a power law: an error of 60 % with 50 people, 30 with endlessly many."""
    return 70 - 30 * (people / 50) ** -0.5


CURVES: dict[str, Callable[[float], float]] = {
    "power law": law,
    "steeper after 350": lambda people: law(people) + 6 * max(0.0, np.log(people / 350)),
    "level after 350": lambda people: law(min(people, 350)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trials", type=int, default=TRIALS)
    trials = parser.parse_args().trials
    weights = np.concatenate(list(resampled_weights(PEOPLE, RESAMPLES, seed=0)))
    fitted = ", ".join(map(str, SIZES[:-1]))
    print(
        f"{trials:,} studies of {PEOPLE} people and {SEEDS} seeds; fitted to {fitted} people and asked for "
        f"{SIZES[-1]:,}. Share of 95 % intervals that hold the true score, %; off by, points; width, points:"
    )
    covered = {}
    for name, curve in CURVES.items():
        rng = np.random.default_rng(0)
        found = [_asked(curve, weights, trial, rng) for trial in range(trials)]
        for rule in RULES:
            held, off, width = np.mean([trial[rule] for trial in found], axis=0)
            print(f"  {name:18} {rule:11} {100 * held:5.1f}; {off:+5.1f}; {width:5.1f}", flush=True)
            covered[name, rule] = held
    print(f"coverage {100 * covered['power law', 'power law']:.1f}")


def _asked(
    curve: Callable[[float], float], weights: np.ndarray, seed: int, rng: np.random.Generator
) -> dict[str, tuple[bool, float, float]]:
    """By rule, of one study: whether the interval holds the true score, how far the promise is off, and the width."""
    drawn = draws({("arm", size): of for size, of in _simulated(curve, weights, rng).items()}, PEOPLE, seed)
    known, true = {size: drawn["arm", size] for size in SIZES[:-1]}, curve(SIZES[-1])
    asked = {}
    for rule in RULES:
        promised = held_against(fit(rule, known), SIZES[-1], drawn["arm", SIZES[-1]]).promised
        low, high = promised.interval()
        asked[rule] = low <= true <= high, promised.value - true, high - low
    return asked


def _simulated(
    curve: Callable[[float], float], weights: np.ndarray, rng: np.random.Generator
) -> dict[int, list[Replicates]]:
    """The scores, in percent of joints, of every seed at every number of people, on one set of test people."""
    hard, draw = rng.normal(0, HARD, PEOPLE), rng.normal(0, OF_SEEDS, SEEDS)

    def score(skill: float) -> Replicates:
        hits = rng.binomial(JOINTS, expit(skill - hard + rng.normal(0, LUCK, PEOPLE))) * 100 / JOINTS
        return Replicates(float(hits.mean()), weights @ hits / PEOPLE)

    return {
        size: [score(_skill(curve(size)) + of_draw + rng.normal(0, OF_SEEDS)) for of_draw in draw] for size in SIZES
    }


def _skill(score: float) -> float:
    """The logit of an average hit for which the expected share of hits is ``score`` percent."""
    nodes, shares = np.polynomial.hermite_e.hermegauss(60)
    skills = np.linspace(-4, 4, 801)
    around = np.linalg.norm((HARD, LUCK, OF_SEEDS, OF_SEEDS)) * nodes
    expected = expit(skills[:, None] + around) @ shares / shares.sum()
    return float(np.interp(score / 100, expected, skills))


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
