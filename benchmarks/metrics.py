"""``python -m benchmarks.metrics``: what the bootstrap of Table 1 costs, against a plain loop over people.

Times are processor time of one core, so that a busy machine does not change them. The plain loop is timed
on a few resamples; how far its numbers are from ours there is printed beside. The last line is its time
over ours for Table 1.
"""

import resource
import time
from collections.abc import Callable, Sequence

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks import plain
from benchmarks.simulated import arms
from monkey_transfer.metrics.bootstrap import Statistic, resampled_weights
from monkey_transfer.metrics.headline import headline, pck_scores, table_one
from monkey_transfer.metrics.matching import Matched

PlainStatistic = Callable[[Sequence[Sequence[plain.Joint]], Sequence[int]], dict[str, float]]

SKILLS = {"baseline": 0.5, "benchmark": 1.5, "transfer": 2.0}
PEOPLE, RESAMPLES, PLAIN_RESAMPLES, GROWTH_RESAMPLES = 1_000, 10_000, 5, 300
GROWTH = (1_000, 3_000, 10_000, 30_000)


def main() -> None:
    print(f"{RESAMPLES:,} paired resamples of {PEOPLE:,} people x 16 joints x {len(SKILLS)} arms, one core")
    compare("PCKh", pck_scores, plain.pck_scores)
    ratio = compare("Table 1", headline, plain.headline)
    print(f"  memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB at most, imports included")
    print(f"growth of Table 1, {GROWTH_RESAMPLES} resamples of {len(SKILLS)} arms")
    for people in GROWTH:
        spent = growth(people)
        each = 1e6 * spent / GROWTH_RESAMPLES / people
        print(f"  {people:6,} people {spent:6.2f} s   {each:.2f} us a person and resample")
    print(f"ratio {ratio:.0f}")


def compare(name: str, statistic_of: Callable[[Matched], Statistic], plain_statistic: PlainStatistic) -> float:
    """Print our time, the plain loop's and by how much the numbers differ; return plain time over ours."""
    simulated = arms(PEOPLE, SKILLS, np.random.default_rng(0))
    start = time.process_time()
    table_one(simulated, RESAMPLES, statistic_of=statistic_of)
    ours = time.process_time() - start

    weights = next(resampled_weights(PEOPLE, PLAIN_RESAMPLES, seed=1))
    draws = [np.repeat(np.arange(PEOPLE), row).tolist() for row in weights]
    people = {arm: plain.by_person(matched) for arm, matched in simulated.items()}
    start = time.process_time()
    expected = {arm: [plain_statistic(joints, drawn) for drawn in draws] for arm, joints in people.items()}
    loop = (time.process_time() - start) * RESAMPLES / PLAIN_RESAMPLES

    worst = max(
        plain.largest_difference(statistic_of(matched)(weights), expected[arm]) for arm, matched in simulated.items()
    )
    print(f"  {name:8} {ours:6.2f} s   plain loop {loop:5.0f} s   ratio {loop / ours:4.0f}   differing by {worst:.0e}")
    return loop / ours


def growth(people: int) -> float:
    """Seconds for the resamples of that many people."""
    statistics = [headline(matched) for matched in arms(people, SKILLS, np.random.default_rng(2)).values()]
    start = time.process_time()
    for weights in resampled_weights(people, GROWTH_RESAMPLES, seed=0):
        for statistic in statistics:
            statistic(weights)
    return time.process_time() - start


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
