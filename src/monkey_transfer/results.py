"""From finished runs to the numbers of the report: every value with its interval and its budget."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from monkey_transfer.metrics.bootstrap import over_seeds
from monkey_transfer.metrics.headline import table_one
from monkey_transfer.metrics.matching import Matched, on_shared_keypoints
from monkey_transfer.metrics.pckh import SCORE_NAME
from monkey_transfer.profiles import validation_size
from monkey_transfer.splits import leaks, training_subset
from monkey_transfer.study import MEAN_POSE, Study, matched, mean_pose

RESAMPLES = 2000

# The rows of the paper's Table 1, under the names that metrics have here (docs/metrics.md).
TABLE_ONE_ROWS = {
    "auc": "AUC",
    "best_f1": "F1",
    "best_f1/precision": "precision",
    "best_f1/recall_over_own_correct": "recall (over own correct, as in the paper)",
    "best_f1/rmse_distance": "RMSE at the best F1, px",
}
# arXiv 2412.15966, Table 1: baseline (B), benchmark (BM), transfer (TL).
PAPER_TABLE_ONE = pd.DataFrame(
    {
        "baseline": [0.63, 0.33, 0.21, 0.74, 83.44],
        "benchmark": [0.84, 0.75, 0.69, 0.83, 40.25],
        "transfer": [0.77, 0.82, 0.72, 0.94, 27.83],
    },
    index=pd.Index(TABLE_ONE_ROWS, name="metric"),
)


@dataclass(frozen=True)
class Results:
    """The numbers of a study.

    Attributes
    ----------
    score : name of the profile's PCK score among the metrics.
    matched : seed -> arm -> predictions beside labels, on each arm's own joints; ``mean_pose`` is among the arms.
    values : arm, metric, value, low, high, people, joints, ..., seed, joints_of ('own' or 'shared').
    differences : arm_a, arm_b, metric, difference (a minus b), low, high, ..., seed; on shared joints.
    budgets : what each run was given: pictures, iterations, minutes.
    leaks : how many test people each arm may have seen.
    """

    score: str
    matched: dict[int, dict[str, Matched]]
    values: pd.DataFrame
    differences: pd.DataFrame
    budgets: pd.DataFrame
    leaks: pd.DataFrame

    def spread(self) -> pd.DataFrame:
        """Mean and spread over training seeds of every metric, on each arm's own joints."""
        own = self.values[self.values["joints_of"] == "own"]
        return over_seeds(own[["arm", "metric", "seed", "value"]])


def measure(study: Study, resamples: int = RESAMPLES) -> Results:
    """Measure every arm of a study whose runs are all finished.

    Intervals are of 95 % and come from resampling the test people; arms are compared on the same
    resamples, on the joints that all of them have.
    """
    floor = matched(study, mean_pose(study))
    matches, values, differences = {}, [], []
    for seed in study.profile.seeds:
        arms = {arm: matched(study, study.run(arm, seed).predictions()) for arm in study.profile.arms}
        matches[seed] = {**arms, MEAN_POSE: floor}
        own = table_one(matches[seed], resamples=resamples)
        shared = table_one(on_shared_keypoints(matches[seed]), resamples=resamples)
        values += [own.values.assign(run_seed=seed, joints_of="own")]
        values += [shared.values.assign(run_seed=seed, joints_of="shared")]
        differences.append(shared.differences.assign(run_seed=seed))
    return Results(
        score=SCORE_NAME[study.profile.yardstick],
        matched=matches,
        values=_by_run(values),
        differences=_by_run(differences),
        budgets=budgets(study),
        leaks=_leaks(study),
    )


def budgets(study: Study) -> pd.DataFrame:
    """One row per run: what it started from, what it learnt from, how long, and how that ended."""
    rows = []
    for run in study.runs():
        arm, manifest = study.profile.arm(run.arm), run.manifest()
        outcome = manifest["outcome"]
        rows.append(
            {
                "arm": run.arm,
                "seed": run.seed,
                "init": arm.init,
                "learns": arm.learns,
                "training_pictures": run.images,
                "validation_pictures": validation_size(run.images),
                "batch_size": arm.training.batch_size,
                "iterations": outcome["iterations"],
                "chosen_iteration": outcome["chosen_iteration"],
                "minutes": round(outcome["seconds"] / 60, 1),
                "stopped_by": outcome["stopped_by"],
                "variables_restored": outcome["restored"]["backbone"] + outcome["restored"]["heads"],
                "variables": outcome["restored"]["backbone_total"] + outcome["restored"]["heads_total"],
                "optimizer": outcome["optimizer"],
                "run_digest": manifest["digest"][:12],
                "data_digest": manifest["specification"]["data"][:12],
            }
        )
    return pd.DataFrame(rows)


def budget_in_words(budget: Any) -> str:
    """A row of :func:`budgets` such as '950 pictures, 2400 iterations, 9.5 min'."""
    return f"{budget.training_pictures} pictures, {budget.iterations} iterations, {budget.minutes} min"


def beside_the_paper(results: Results) -> pd.DataFrame:
    """The fifteen numbers of the paper's Table 1, ours (mean over seeds, each arm's own joints), and the difference."""
    spread = results.spread().rename(columns={"mean": "ours"})[["metric", "arm", "ours"]]
    paper = PAPER_TABLE_ONE.reset_index().melt("metric", var_name="arm", value_name="paper")
    table = paper.merge(spread, on=["metric", "arm"])
    table["difference"] = table["ours"] - table["paper"]
    table["metric"] = table["metric"].map(TABLE_ONE_ROWS)
    return table


def comparisons(results: Results) -> pd.DataFrame:
    """Paired differences of the PCK score, one row per pair of arms and seed.

    ``verdict`` is 'higher' where the interval lies above zero, 'lower' where below, else 'undecided'.
    """
    chosen = results.differences[results.differences["metric"] == results.score].copy()
    chosen["verdict"] = "undecided"
    chosen.loc[chosen["low"] > 0, "verdict"] = "higher"
    chosen.loc[chosen["high"] < 0, "verdict"] = "lower"
    return chosen[["arm_a", "arm_b", "seed", "difference", "low", "high", "verdict"]].reset_index(drop=True)


def _by_run(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """One table in which ``seed`` is the training's, and the bootstrap's seed is named so."""
    return pd.concat(tables, ignore_index=True).rename(columns={"seed": "bootstrap_seed", "run_seed": "seed"})


def _leaks(study: Study) -> pd.DataFrame:
    split = study.splits["target"]
    learnt = {
        name: training_subset(split, arm.images) + split.validation if arm.learns == "target" else ()
        for name, arm in study.profile.arms.items()
    }
    return leaks(learnt, split.test, study.target.images)
