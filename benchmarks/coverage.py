"""``python -m benchmarks.coverage``: how often the 95 % interval of a paired difference holds the true one.

Two simulated arms are compared on 1,000 fresh sets of people. The true differences are those of a much
larger set. The last line is the coverage of the difference in PCKh, which should lie within 93 to 97 %.
"""

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.simulated import arms
from monkey_transfer.metrics.bootstrap import Method, interval, replicate
from monkey_transfer.metrics.headline import headline, summary

SKILLS = {"benchmark": 1.5, "transfer": 2.0}
TRIALS, PEOPLE, RESAMPLES, TRUTH_PEOPLE = 1_000, 100, 1_000, 60_000
METRICS = (
    "pckh",
    "auc",
    "best_f1",
    "best_f1/precision",
    "best_f1/recall_over_own_correct",
    "best_f1/recall_over_all_labelled",
    "best_f1/rmse_distance",
    "mean_distance",
)
METHODS: tuple[Method, ...] = ("percentile", "bca")


def main() -> None:
    rng = np.random.default_rng(0)
    truth = [summary(arm) for arm in arms(TRUTH_PEOPLE, SKILLS, rng).values()]
    true = {metric: truth[0][metric] - truth[1][metric] for metric in METRICS}
    held = {(metric, method): 0 for metric in METRICS for method in METHODS}
    for trial in range(TRIALS):
        statistics = {arm: headline(matched) for arm, matched in arms(PEOPLE, SKILLS, rng).items()}
        first, second = replicate(statistics, PEOPLE, RESAMPLES, seed=trial).values()
        for metric, method in held:
            low, high = interval(first[metric].minus(second[metric]), method=method)
            held[metric, method] += low <= true[metric] <= high

    print(
        f"{TRIALS:,} trials of {PEOPLE} people, {RESAMPLES:,} resamples: share whose 95 % interval holds the truth, %"
    )
    for metric in METRICS:
        shares = "   ".join(f"{method} {100 * held[metric, method] / TRIALS:.1f}" for method in METHODS)
        print(f"  {metric:34} true difference {true[metric]:8.3f}   {shares}")
    print(f"coverage {100 * held['pckh', 'percentile'] / TRIALS:.1f}")


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
