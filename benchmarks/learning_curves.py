"""``python -m benchmarks.learning_curves``: how often the interval of an equivalent sample size holds the true one.

Two arms learn 100, 300 and 1,000 people with three seeds each and are tested on the same people. The score of the
control follows a power law of the number of people; transfer has the control's score at a known multiple of them,
so the equivalent sample size is that multiple. The last line is the coverage at 300 people, which should lie within
93 to 97 %.
"""

import numpy as np
from scipy.special import expit, logit
from threadpoolctl import threadpool_limits

from monkey_transfer.metrics.bootstrap import Replicates, resampled_weights
from monkey_transfer.metrics.curves import equivalent_size, over_people_and_seeds

TRIALS, PEOPLE, JOINTS, SEEDS, RESAMPLES = 1_000, 500, 14, 3, 1_000
SIZES, MULTIPLE = (100, 300, 1_000), 1.6
SEED_SCATTER = 0.08  # of the logit of a hit: about two points of PCK


def true_logit(people_learnt: float) -> float:
    """Of a hit on an average person: an error that falls as a power of the number of people learnt."""
    return float(logit(1 - 0.9 * (people_learnt / 50) ** -0.25))


def main() -> None:
    rng = np.random.default_rng(0)
    held = dict.fromkeys(SIZES, 0)
    bounded = dict.fromkeys(SIZES, 0)
    weights = np.concatenate(list(resampled_weights(PEOPLE, RESAMPLES, seed=0)))
    for trial in range(TRIALS):
        difficulty = rng.normal(0, 1.2, PEOPLE)
        runs = {
            (arm, size): [_run(difficulty, size * multiple, weights, rng) for _ in range(SEEDS)]
            for arm, multiple in (("control", 1.0), ("transfer", MULTIPLE))
            for size in SIZES
        }
        estimates = over_people_and_seeds(runs, seed=trial)
        curve = {size: estimates["control", size] for size in SIZES}
        for size in SIZES:
            low, high = equivalent_size(estimates["transfer", size], curve).interval()
            true = MULTIPLE * size
            held[size] += low <= true <= high or (true > SIZES[-1] and np.isinf(high))
            bounded[size] += bool(np.isfinite(high))
    print(
        f"{TRIALS:,} trials of {PEOPLE} people and {SEEDS} seeds, {RESAMPLES:,} resamples; the truth is {MULTIPLE} "
        "times the people:"
    )
    for size in SIZES:
        print(
            f"  at {size:5,} people: interval holds the truth in {100 * held[size] / TRIALS:.1f} %, "
            f"has an upper bound in {100 * bounded[size] / TRIALS:.1f} %"
        )
    print(f"coverage {100 * held[300] / TRIALS:.1f}")


def _run(difficulty: np.ndarray, learnt: float, weights: np.ndarray, rng: np.random.Generator) -> Replicates:
    """The score, in percent of joints, of one training: a seed shifts all people, chance each joint."""
    skill = true_logit(learnt) + rng.normal(0, SEED_SCATTER)
    hits = rng.binomial(JOINTS, expit(skill - difficulty)) * 100 / JOINTS
    unused = np.empty(0)
    return Replicates(float(hits.mean()), weights @ hits / len(hits), unused)


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
