"""``python -m benchmarks.learning_curves``: how often intervals over people and seeds hold the truth.

Two arms learn 100, 300 and 1,000 people with three seeds each and are tested on the same people. The score of the
control follows a power law of the number of people; transfer has the control's score at a known multiple of them,
so the equivalent sample size is that multiple. Seeds scatter in three ways: not at all, equally, and more on few
people; each seed also errs on people of its own. The last line is the coverage of the equivalent sample size at 300
people with equal scatter, which should lie within 93 to 97 %.
"""

import numpy as np
from scipy.special import expit, logit
from threadpoolctl import threadpool_limits

from monkey_transfer.metrics.bootstrap import Replicates, resampled_weights
from monkey_transfer.metrics.curves import equivalent_size, over_people_and_seeds

TRIALS, PEOPLE, JOINTS, SEEDS, RESAMPLES = 1_000, 500, 14, 3, 1_000
SIZES, MULTIPLE = (100, 300, 1_000), 1.6
OWN_PEOPLE = 0.5  # how much a seed's luck with a person moves the logit of a hit
# How much a seed moves the logit of a hit on everybody: 0.08 is about two points of PCK.
SCATTERS = {
    "none": {100: 0.0, 300: 0.0, 1_000: 0.0},
    "equal": {100: 0.08, 300: 0.08, 1_000: 0.08},
    "more on few": {100: 0.16, 300: 0.08, 1_000: 0.04},
}


def true_logit(people_learnt: float) -> float:
    """Of a hit on an average person: an error that falls as a power of the number of people learnt."""
    return float(logit(1 - 0.9 * (people_learnt / 50) ** -0.25))


def main() -> None:
    rng = np.random.default_rng(0)
    weights = np.concatenate(list(resampled_weights(PEOPLE, RESAMPLES, seed=0)))
    print(
        f"{TRIALS:,} trials of {PEOPLE} people and {SEEDS} seeds, {RESAMPLES:,} resamples; transfer is worth "
        f"{MULTIPLE} times its people. Share of 95 % intervals that hold the truth, %:"
    )
    covered = {}
    for name, scatter in SCATTERS.items():
        true = _true_differences(scatter)
        held = {(size, what): 0 for size in SIZES for what in ("difference", "worth")}
        for trial in range(TRIALS):
            estimates = over_people_and_seeds(_simulated(scatter, weights, rng), seed=trial)
            curve = {size: estimates["control", size] for size in SIZES}
            for size in SIZES:
                low, high = estimates["transfer", size].minus(curve[size]).interval()
                held[size, "difference"] += low <= true[size] <= high
                low, high = equivalent_size(estimates["transfer", size], curve).interval()
                beyond = MULTIPLE * size > SIZES[-1]  # then "more than the control learnt" is right
                held[size, "worth"] += np.isinf(high) if beyond else low <= MULTIPLE * size <= high
        for size in SIZES:
            shares = ", ".join(f"{what} {100 * held[size, what] / TRIALS:.1f}" for what in ("difference", "worth"))
            beyond = "  (beyond the control's curve)" if MULTIPLE * size > SIZES[-1] else ""
            print(f"  scatter {name:12} at {size:5,} people: {shares}{beyond}")
        covered[name] = held[300, "worth"]
    print(f"coverage {100 * covered['equal'] / TRIALS:.1f}")


def _simulated(scatter: dict[int, float], weights: np.ndarray, rng: np.random.Generator) -> dict:
    """(arm, size) -> scores of its seeds on one set of people."""
    difficulty = rng.normal(0, 1.2, PEOPLE)
    return {
        (arm, size): [_run(difficulty, size * multiple, scatter[size], weights, rng) for _ in range(SEEDS)]
        for arm, multiple in (("control", 1.0), ("transfer", MULTIPLE))
        for size in SIZES
    }


def _run(
    difficulty: np.ndarray, learnt: float, scatter: float, weights: np.ndarray, rng: np.random.Generator
) -> Replicates:
    """The score, in percent of joints, of one training: a seed shifts all people, and each of them anew."""
    skill = true_logit(learnt) + rng.normal(0, scatter)
    hits = rng.binomial(JOINTS, expit(skill - difficulty + rng.normal(0, OWN_PEOPLE, len(difficulty)))) * 100 / JOINTS
    unused = np.empty(0)
    return Replicates(float(hits.mean()), weights @ hits / len(hits), unused)


def _true_differences(scatter: dict[int, float]) -> dict[int, float]:
    """Expected score of transfer minus that of the control, over people and seeds: a normal mean of the logit."""
    nodes, shares = np.polynomial.hermite_e.hermegauss(80)
    shares = shares / shares.sum()

    def score(learnt: float, spread: float) -> float:
        sd = np.sqrt(1.2**2 + OWN_PEOPLE**2 + spread**2)
        return float(100 * shares @ expit(true_logit(learnt) + sd * nodes))

    return {size: score(size * MULTIPLE, scatter[size]) - score(size, scatter[size]) for size in SIZES}


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
