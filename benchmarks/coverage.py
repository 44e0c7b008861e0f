"""``python -m benchmarks.coverage``: how often the 95 % interval over people holds the truth, for every metric.

Two simulated arms of one seed each are tried on 1,000 fresh sets of people. What is true of them is what a much larger
set shows. The last line is the coverage of the difference in PCKh, which
should lie within 93 to 97 %. ``--trials`` sets how many sets of people are simulated.
"""

import argparse
from collections import defaultdict

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.metrics import people_of
from monkey_transfer.metrics.bootstrap import Replicates, replicate
from monkey_transfer.metrics.estimate import estimate
from monkey_transfer.metrics.headline import headline

ARMS = ("benchmark", "transfer")
TRIALS, PEOPLE, RESAMPLES, MANY_PEOPLE = 1_000, 100, 500, 60_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trials", type=int, default=TRIALS)
    trials = parser.parse_args().trials
    truth = {metric: found.value for metric, found in measured(MANY_PEOPLE, resamples=1, seed=0).items()}
    held = defaultdict(list)
    for trial in range(1, trials + 1):
        for metric, found in measured(PEOPLE, RESAMPLES, seed=trial).items():
            interval = estimate([found], PEOPLE)
            if not interval.note:
                held[metric].append(interval.low <= truth[metric] <= interval.high)
    print(
        f"{trials:,} sets of {PEOPLE} people, {RESAMPLES:,} resamples: share of 95 % intervals that hold the truth, %;"
    )
    print("in brackets, where it is not all, the share of sets for which an interval is printed")
    print(f"{'':36}{'transfer':>22}{'its difference':>22}")
    for metric in sorted({metric for _, metric in held}):
        print(f"  {metric:34}" + "".join(_cell(held[what, metric], trials) for what in ("value", "difference")))
    print(f"coverage {100 * np.mean(held['difference', 'pckh']):.1f}")


def measured(people: int, resamples: int, seed: int) -> dict[tuple[str, str], Replicates]:
    """('value', metric) of transfer, and ('difference', metric) of transfer minus the benchmark."""
    matched = people_of(people, seed)
    found = replicate({arm: headline(matched[arm]) for arm in ARMS}, people, resamples, seed)
    benchmark, transfer = (found[arm] for arm in ARMS)
    shared = [metric for metric in transfer if metric in benchmark]
    return {("value", metric): transfer[metric] for metric in shared} | {
        ("difference", metric): transfer[metric].minus(benchmark[metric]) for metric in shared
    }


def _cell(held: list[bool], trials: int) -> str:
    printed = f"({100 * len(held) / trials:.0f})" if len(held) < trials else ""
    return f"{100 * np.mean(held) if held else np.nan:15.1f} {printed:6}"


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
