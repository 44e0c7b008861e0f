"""``python -m benchmarks.metrics``: what the resamples of all metrics cost, against a plain loop over people.

Times are processor time of one core, so that a busy machine does not change them. The plain loop is timed
on a few resamples; how far its numbers are from ours there is printed beside. The last line is its time
over ours for all metrics. ``--smallest`` runs every line on few people and says nothing about time.
"""

import argparse
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks import plain
from benchmarks.simulated import HEAD, arms
from monkey_transfer.metrics.bootstrap import Statistic, replicate, resampled_weights
from monkey_transfer.metrics.error_types import ERROR_TYPES
from monkey_transfer.metrics.headline import headline, pck_scores
from monkey_transfer.metrics.matching import Matched

PlainStatistic = Callable[[Sequence[Sequence[plain.Joint]], Sequence[int]], dict[str, float]]

SKILLS = {"baseline": 0.5, "benchmark": 1.5, "transfer": 2.0}
THRESHOLD = 0.5
PLAIN_RESAMPLES = 5


class Size(NamedTuple):
    """How much is tried; ``growth`` are numbers of people."""

    people: int
    resamples: int
    growth: tuple[int, ...]
    growth_resamples: int


FULL = Size(1_000, 2_000, (1_000, 3_000, 10_000, 30_000), 300)
SMALLEST = Size(20, 10, (20,), 10)


def main() -> None:
    parser = argparse.ArgumentParser(description="What the resamples of all metrics cost.")
    parser.add_argument("--smallest", action="store_true", help="on few people, to see that it runs")
    size = SMALLEST if parser.parse_args().smallest else FULL

    print(f"{size.resamples:,} paired resamples of {size.people:,} people x 16 joints x {len(SKILLS)} arms, one core")
    compare("PCKh", size, pck_scores, plain.pck_scores)
    ratio = compare("all", size, headline, lambda people, drawn: plain.headline(people, drawn, THRESHOLD))
    print(f"  memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB at most, imports included")
    print(f"growth of all metrics, {size.growth_resamples} resamples of {len(SKILLS)} arms")
    for people in size.growth:
        spent = growth(people, size.growth_resamples)
        each = 1e6 * spent / size.growth_resamples / people
        print(f"  {people:6,} people {spent:6.2f} s   {each:.2f} us a person and resample")
    print(f"ratio {ratio:.0f}")


def compare(
    name: str, size: Size, statistic_of: Callable[[Matched], Statistic], plain_statistic: PlainStatistic
) -> float:
    """Print our time, the plain loop's and by how much the numbers differ; return plain time over ours."""
    simulated = people_of(size.people, seed=0)
    start = time.process_time()
    statistics = {arm: statistic_of(matched) for arm, matched in simulated.items()}
    replicate(statistics, size.people, size.resamples, seed=0)
    ours = time.process_time() - start

    weights = next(resampled_weights(size.people, PLAIN_RESAMPLES, seed=1))
    draws = [np.repeat(np.arange(size.people), row).tolist() for row in weights]
    people = {arm: plain.by_person(matched) for arm, matched in simulated.items()}
    start = time.process_time()
    expected = {arm: [plain_statistic(joints, drawn) for drawn in draws] for arm, joints in people.items()}
    loop = (time.process_time() - start) * size.resamples / PLAIN_RESAMPLES

    worst = max(plain.largest_difference(statistics[arm](weights), expected[arm]) for arm in simulated)
    print(f"  {name:5} {ours:6.2f} s   plain loop {loop:5.0f} s   ratio {loop / ours:4.0f}   differing by {worst:.0e}")
    return loop / ours


def growth(people: int, resamples: int) -> float:
    """Seconds for the resamples of that many people."""
    statistics = [headline(matched) for matched in people_of(people, seed=2).values()]
    start = time.process_time()
    for weights in resampled_weights(people, resamples, seed=0):
        for statistic in statistics:
            statistic(weights)
    return time.process_time() - start


def people_of(people: int, seed: int) -> dict[str, Matched]:
    """Simulated arms with all that the metrics read: types of errors and floors by lot, boxes of 8 x 4 heads."""
    rng = np.random.default_rng(seed)

    def completed(matched: Matched) -> Matched:
        joints = matched.joints
        wrong = rng.choice(ERROR_TYPES[1:], len(joints))
        floored = joints["normalised"] * rng.choice([1.0, 0.5], len(joints), p=[0.99, 0.01])
        return replace(
            matched,
            joints=joints.assign(floored=floored, error=np.where(joints["correct"], "correct", wrong)),
            people=matched.people.assign(area=8 * HEAD * 4 * HEAD),
            threshold=THRESHOLD,
        )

    return {arm: completed(matched) for arm, matched in arms(people, SKILLS, rng).items()}


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
