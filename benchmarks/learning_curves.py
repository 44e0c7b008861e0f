"""``python -m benchmarks.learning_curves``: how often intervals of equivalent sample sizes hold the truth.

Two arms learn 100, 300 and 1,000 people with three seeds each and are tested on the same people. The score of the
control follows a power law of the number of people; transfer has the control's score at a known multiple of them,
so the equivalent sample size is that multiple. What a seed does to an arm scatters in four ways: not at all, equally,
more on few people, and in transfer five times as much; the people whom a seed draws do something to both arms, and
each network has its luck with each person. The last line is the coverage of the equivalent sample size at 300 people
with equal scatter, which should lie within 93 to 97 %. ``--trials`` sets how many studies are simulated.
"""

import argparse
from typing import NamedTuple

import numpy as np
from scipy.special import expit, logit
from threadpoolctl import threadpool_limits

from monkey_transfer.metrics.bootstrap import Replicates, resampled_weights
from monkey_transfer.metrics.curves import draws, equivalent_size

TRIALS, PEOPLE, JOINTS, SEEDS, RESAMPLES = 1_000, 500, 14, 3, 1_000
SIZES, MULTIPLE = (100, 300, 1_000), 1.6
HARD, LUCK = 1.2, 0.5  # how hard people are, and a network's luck with one: standard deviations of the logit of a hit


class Scatter(NamedTuple):
    """Standard deviations of the logit of a hit on everybody, for each number of people: 0.08 is about 1.5 points.

    draw : what the people whom a seed draws do to both arms; control, transfer : what the seed does to that arm.
    """

    draw: tuple[float, float, float]
    control: tuple[float, float, float]
    transfer: tuple[float, float, float]


EQUAL, FEW = (0.08, 0.08, 0.08), (0.16, 0.08, 0.04)
SCATTERS = {
    "none": Scatter((0, 0, 0), (0, 0, 0), (0, 0, 0)),
    "equal": Scatter(EQUAL, EQUAL, EQUAL),
    "more on few": Scatter(FEW, FEW, FEW),
    "5 times as much in transfer": Scatter(EQUAL, (0.03, 0.03, 0.03), (0.15, 0.15, 0.15)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trials", type=int, default=TRIALS)
    trials = parser.parse_args().trials
    rng = np.random.default_rng(0)
    weights = np.concatenate(list(resampled_weights(PEOPLE, RESAMPLES, seed=0)))
    print(
        f"{trials:,} studies of {PEOPLE} people and {SEEDS} seeds, {RESAMPLES:,} resamples; transfer is worth "
        f"{MULTIPLE} times its people. Share of 95 % intervals that hold it, %:"
    )
    covered = {}
    for name, scatter in SCATTERS.items():
        held = np.mean([_held(scatter, weights, trial, rng) for trial in range(trials)], axis=0)
        for size, share in zip(SIZES, held, strict=True):
            beyond = "  (beyond the control's curve)" if MULTIPLE * size > SIZES[-1] else ""
            print(f"  scatter {name:28} at {size:5,} people: {100 * share:5.1f}{beyond}", flush=True)
        covered[name] = held[SIZES.index(300)]
    print(f"coverage {100 * covered['equal']:.1f}")


def true_logit(people_learnt: float) -> float:
    """Of a hit on an average person: an error that falls as a power of the number of people learnt."""
    return float(logit(1 - 0.9 * (people_learnt / 50) ** -0.25))


def _held(scatter: Scatter, weights: np.ndarray, seed: int, rng: np.random.Generator) -> list[bool]:
    """For each number of people, whether the interval of what transfer is worth there holds the truth."""
    drawn = draws(_simulated(scatter, weights, rng), PEOPLE, seed)
    curve = {size: drawn["control", size] for size in SIZES}
    held = []
    for size in SIZES:
        low, high = equivalent_size(drawn["transfer", size], curve).interval()
        # Beyond the curve "more than the control learnt" is right.
        held.append(bool(np.isinf(high) if MULTIPLE * size > SIZES[-1] else low <= MULTIPLE * size <= high))
    return held


def _simulated(
    scatter: Scatter, weights: np.ndarray, rng: np.random.Generator
) -> dict[tuple[str, int], list[Replicates]]:
    """The scores, in percent of joints, of every seed of the points of both curves, on one set of people."""
    hard = rng.normal(0, HARD, PEOPLE)
    draw = rng.normal(0, 1, SEEDS)  # nested over sizes: good people at one are good at the next

    def score(skill: float) -> Replicates:
        chances = expit(skill - hard + rng.normal(0, LUCK, PEOPLE))
        hits = rng.binomial(JOINTS, chances) * 100 / JOINTS
        return Replicates(float(hits.mean()), weights @ hits / PEOPLE)

    return {
        (arm, size): [score(true_logit(size * multiple) + of_draw * one + rng.normal(0, of_seed)) for one in draw]
        for arm, multiple, of_arm in (("control", 1.0, scatter.control), ("transfer", MULTIPLE, scatter.transfer))
        for size, of_draw, of_seed in zip(SIZES, scatter.draw, of_arm, strict=True)
    }


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
