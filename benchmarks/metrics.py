"""``python -m benchmarks.metrics``: what the bootstrap of Table 1 costs, against a plain loop over people.

Times are processor time of one core, so that a busy machine does not change them. The plain loop does what
a resample is by its definition: it visits the people drawn, one by one, and scores the joints they bring;
it is timed on a few resamples and its time per resample is compared. The last line is its ratio for Table 1.
"""

import resource
import time
from collections.abc import Callable

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.simulated import arms
from monkey_transfer.metrics.bootstrap import resampled_weights
from monkey_transfer.metrics.headline import headline, pck_scores, table_one
from monkey_transfer.metrics.matching import Matched
from monkey_transfer.metrics.pckh import scored

SKILLS = {"baseline": 0.5, "benchmark": 1.5, "transfer": 2.0}
PEOPLE, RESAMPLES, PLAIN_RESAMPLES, GROWTH_RESAMPLES = 1_000, 10_000, 5, 300


def plain_pckh(people: list[list[tuple]], drawn: np.ndarray) -> float:
    """PCKh of the people drawn."""
    hits = joints = 0
    for person in drawn:
        for _, _, correct, is_scored in people[person]:
            if is_scored:
                joints += 1
                hits += correct
    return 100 * hits / joints


def plain_table(people: list[list[tuple]], drawn: np.ndarray) -> dict[str, float]:
    """AUC and, at the best F1, precision, recall and RMSE of the people drawn; confidences are all different."""
    joints = []
    for person in drawn:
        joints.extend(people[person])
    joints.sort(key=lambda joint: -joint[0])
    own = sum(correct for _, _, correct, _ in joints)
    right = ranked = 0
    squares, best = 0.0, {"f1": -1.0}
    for kept, (_, distance, correct, _) in enumerate(joints, start=1):
        right += correct
        ranked += 0 if correct else right
        squares += distance**2
        f1 = 2 * right / (kept + own)
        if f1 > best["f1"]:
            best = {"f1": f1, "precision": right / kept, "recall": right / own, "rmse": (squares / kept) ** 0.5}
    return {"auc": ranked / (own * (len(joints) - own)), "pckh": plain_pckh(people, drawn)} | best


def by_person(arm: Matched) -> list[list[tuple]]:
    """Each person's joints as (confidence, distance, correct, scored)."""
    joints = arm.joints.assign(scored=arm.joints.index.isin(scored(arm.joints).index))
    columns = ["likelihood", "distance", "correct", "scored"]
    return [list(person.itertuples(index=False, name=None)) for _, person in joints.groupby("image_id")[columns]]


def seconds(task: Callable[[], object]) -> float:
    """Processor time of one run."""
    start = time.process_time()
    task()
    return time.process_time() - start


def main() -> None:
    simulated = arms(PEOPLE, SKILLS, np.random.default_rng(0))
    plain = {arm: by_person(matched) for arm, matched in simulated.items()}
    draws = list(np.random.default_rng(1).integers(PEOPLE, size=(PLAIN_RESAMPLES, PEOPLE)))
    print(f"{RESAMPLES:,} paired resamples of {PEOPLE:,} people x 16 joints x {len(SKILLS)} arms, one core")
    for name, plain_metric, statistic_of in (
        ("PCKh", plain_pckh, pck_scores),
        ("Table 1", plain_table, headline),
    ):
        ours = seconds(lambda of=statistic_of: table_one(simulated, RESAMPLES, statistic_of=of))
        loop = seconds(lambda of=plain_metric: [of(arm, drawn) for arm in plain.values() for drawn in draws])
        loop *= RESAMPLES / PLAIN_RESAMPLES
        ratio = loop / ours
        print(f"  {name:8} {ours:7.2f} s   plain loop {loop:9.0f} s   ratio {ratio:.0f}")
    print(f"  memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB at most, imports included")

    print(f"growth of Table 1, {GROWTH_RESAMPLES} resamples of 3 arms")
    for people in (1_000, 3_000, 10_000, 30_000):
        larger = {arm: headline(matched) for arm, matched in arms(people, SKILLS, np.random.default_rng(2)).items()}

        def resample(groups: int = people, statistics: dict = larger) -> None:
            for weights in resampled_weights(groups, GROWTH_RESAMPLES, seed=0):
                for statistic in statistics.values():
                    statistic(weights)

        spent = seconds(resample)
        print(f"  {people:6,} people {spent:7.2f} s   {1e6 * spent / GROWTH_RESAMPLES / people:.2f} us a person")
    print(f"ratio {ratio:.0f}")


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
