"""From finished runs to the numbers of the report: every value with its interval and its budget."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain, combinations
from typing import Any, NamedTuple

import pandas as pd

from monkey_transfer import paper
from monkey_transfer.claims import claim, spread
from monkey_transfer.errors import StudyError
from monkey_transfer.metrics import oks
from monkey_transfer.metrics.bootstrap import Replicates, over_seeds
from monkey_transfer.metrics.curves import over_people_and_seeds
from monkey_transfer.metrics.headline import pck_scores, replicates_of, table_one, tabulated
from monkey_transfer.metrics.matching import Matched, in_frame, on_shared_keypoints
from monkey_transfer.metrics.pckh import SCORE_NAME
from monkey_transfer.near_duplicates import near_duplicates
from monkey_transfer.profiles import ZOO
from monkey_transfer.splits import Learnt, audit, training_subset
from monkey_transfer.study import MEAN_POSE, Study, matched, matched_elsewhere, mean_pose

# Intervals of 95 % from this many resamples of the test people, or of their groups; comparisons rest on more.
RESAMPLES = 2000
COMPARISON_RESAMPLES = 20_000
_INTERVALS: dict[str, Any] = {"level": 0.95, "method": "percentile", "resamples": RESAMPLES, "seed": 0}

# Arms that figures of every arm draw: the paper's three, their controls and the floor. Tables have all arms.
DRAWN = ("baseline", "benchmark", "transfer", "imagenet_control", "scratch_control", MEAN_POSE)

# How an arm can be measured: on all joints it has, on those that all arms have, both in original pixels,
# and on all joints it has in pixels of the framed picture that the network saw.
OWN, SHARED, NETWORK_FRAME = "own joints", "shared joints", "own joints, network frame"


@dataclass(frozen=True)
class Results:
    """The numbers of a study.

    Attributes
    ----------
    score : name of the profile's PCK score among the metrics.
    matched : seed -> arm -> predictions beside labels, on each arm's own joints; ``mean_pose`` is among the arms.
    values : measured_on, seed, arm, metric, value, low, high, people, joints, ...; one row for each run and metric.
    over_seeds : measured_on, arm, metric and the columns of :func:`monkey_transfer.metrics.bootstrap.over_seeds`.
    differences_over_seeds : arm_a, arm_b, metric and the columns of ``over_seeds``, a minus b; on shared joints.
    comparisons : arm_a, arm_b, seeds, difference (a minus b, of the PCK score on shared joints, in points) and the
        columns of :func:`monkey_transfer.claims.claim`; each arm at its largest number of images. ``verdict`` is
        'uninformative' for a pair with a ``benchmark`` whose interval over ``mean_pose`` does not lie above zero.
    groups : how many groups (videos, photographs) the test people are of.
    readings : yardstick, arm and the columns of ``over_seeds``: PCKh on own joints by each head yardstick that the
        target has, since the paper's "head segment length" (section 2.5) can be read either way.
    coco : arm, metric and the columns of ``over_seeds``: COCO's OKS and average precision on own joints, with the
        area of the box for the person's.
    elsewhere : measured_on (own or shared joints), arm, near_duplicates and the columns of ``over_seeds`` of the PCK
        score on the people of another data set; ``near_duplicates`` of them are in what the arm learnt. Empty without
        such a set.
    budgets : what each run was given: pictures, iterations, minutes.
    leaks : how many test people each arm may have seen.
    """

    score: str
    matched: dict[int, dict[str, Matched]]
    values: pd.DataFrame
    over_seeds: pd.DataFrame
    differences_over_seeds: pd.DataFrame
    comparisons: pd.DataFrame
    groups: int
    readings: pd.DataFrame
    coco: pd.DataFrame
    elsewhere: pd.DataFrame
    budgets: pd.DataFrame
    leaks: pd.DataFrame


def measure(study: Study) -> Results:
    """Measure every arm of a study whose runs are all finished.

    Arms are compared on the same resamples of the test people, on the joints that all of them have.
    """
    floor = matched(study, mean_pose(study))
    matches = {
        seed: {arm: matched(study, study.finished(arm, seed).predictions()) for arm in study.profile.arms}
        | {MEAN_POSE: floor}
        for seed in study.profile.seeds
    }
    seen_by = {arm: study.test_frames(arm).set_index("image_id")["scale"] for arm in study.profile.arms}
    people = study.framed("target", study.splits["target"].test, study.profile.picture)
    seen_by[MEAN_POSE] = people.set_index("image_id")["scale"]
    cuts: dict[str, Callable[[Mapping[str, Matched]], Mapping[str, Matched]]] = {
        OWN: dict,
        SHARED: on_shared_keypoints,
        NETWORK_FRAME: lambda arms: {arm: in_frame(found, seen_by[arm]) for arm, found in arms.items()},
    }
    tables = {cut: _tables({seed: of(arms) for seed, arms in matches.items()}) for cut, of in cuts.items()}
    return Results(
        score=SCORE_NAME[study.profile.yardstick],
        matched=matches,
        values=pd.concat([found.values.assign(measured_on=cut) for cut, found in tables.items()], ignore_index=True),
        over_seeds=pd.concat(
            [found.over_seeds.assign(measured_on=cut) for cut, found in tables.items()], ignore_index=True
        ),
        differences_over_seeds=tables[SHARED].differences_over_seeds,
        comparisons=_comparisons(study, matches),
        groups=study.test_groups,
        readings=_readings(study),
        coco=_coco(study, matches),
        elsewhere=pd.DataFrame(_elsewhere(study) if study.elsewhere else ()),
        budgets=budgets(study),
        leaks=_leaks(study),
    )


def pck(arms: Mapping[str, Matched]) -> pd.DataFrame:
    """The PCK scores of arms with their intervals, on the joints that all of them have.

    As :attr:`monkey_transfer.metrics.headline.TableOne.values`.
    """
    return table_one(on_shared_keypoints(arms), RESAMPLES, statistic_of=pck_scores).values


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
                "validation_pictures": study.profile.validation_size(run.arm),
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
    if budget.learns == "nothing":
        return "finished network"
    return f"{budget.training_pictures} pictures, {budget.iterations} iterations, {budget.minutes} min"


def beside_the_paper(results: Results) -> pd.DataFrame:
    """The fifteen numbers of the paper's Table 1 beside ours.

    The paper leaves open in which pixels its RMSE is, so its three are compared twice: with errors in original
    pixels, and in pixels of the picture that the network saw.

    Returns
    -------
    One row per number: ``metric, arm, paper``; then on each arm's own joints, and again on the joints that all
    arms have, our mean over training seeds, its interval, and the difference from the paper.
    """
    quoted = (
        pd.DataFrame(paper.TABLE_ONE)
        .rename_axis("metric")
        .reset_index()
        .melt("metric", var_name="arm", value_name="paper")
    )
    rmse = "best_f1/rmse_distance"
    ours = results.over_seeds.set_index(["measured_on", "metric", "arm"])[["mean", "low", "high"]]

    def beside(rows: pd.DataFrame, measured_on: str, name: str) -> pd.DataFrame:
        keys = [(measured_on, row.metric, row.arm) for row in rows.itertuples()]
        found = ours.reindex(keys).reset_index(drop=True)
        found["minus_paper"] = found["mean"] - rows["paper"].to_numpy()
        return found.add_prefix(f"{name}_")

    again = quoted[quoted["metric"] == rmse].reset_index(drop=True)
    own = pd.concat([quoted, beside(quoted, OWN, "own"), beside(quoted, SHARED, "shared")], axis=1)
    in_network_pixels = pd.concat([again, beside(again, NETWORK_FRAME, "own")], axis=1)
    own["metric"] = own["metric"].map(paper.TABLE_ONE_ROWS | {rmse: "RMSE at the best F1, original px"})
    in_network_pixels["metric"] = "RMSE at the best F1, network px"
    return pd.concat([own, in_network_pixels], ignore_index=True)


def oriented(comparisons: pd.DataFrame, a: str, b: str) -> Any:
    """The row of :attr:`Results.comparisons` as a minus b, whichever way round it has the pair.

    Raises StudyError if it has none.
    """
    row: Any
    for row in comparisons.itertuples(index=False):
        if (row.arm_a, row.arm_b) == (a, b):
            return row
        if (row.arm_a, row.arm_b) == (b, a):
            verdict = {"higher": "lower", "lower": "higher"}.get(row.verdict, row.verdict)
            return row._replace(
                arm_a=a, arm_b=b, difference=-row.difference, low=-row.high, high=-row.low, verdict=verdict
            )
    raise StudyError(f"the comparisons hold no pair of '{a}' and '{b}'")


def footnotes(results: Results) -> list[str]:
    """Why the arms that are marked with * may know the test people."""
    noted = results.leaks[results.leaks["may_have_seen"] > 0]
    return [f"\\* `{row.arm}` may have seen the test people: {row.note}." for row in noted.itertuples()]


def marked(results: Results, arm: str) -> str:
    """The name of an arm, with * where it may have seen the test people (:func:`footnotes`)."""
    noted = results.leaks.loc[results.leaks["may_have_seen"] > 0, "arm"]
    return f"{arm}*" if arm in set(noted) else arm


def _comparisons(study: Study, matches: Mapping[int, Mapping[str, Matched]]) -> pd.DataFrame:
    """See :attr:`Results.comparisons`."""
    score = SCORE_NAME[study.profile.yardstick]
    of_seeds = [
        replicates_of(on_shared_keypoints(arms), COMPARISON_RESAMPLES, _INTERVALS["seed"], pck_scores)
        for arms in matches.values()
    ]
    runs = {
        (arm, 0 if arm == MEAN_POSE else study.profile.arm(arm).largest or 0): [found[arm][score] for found in of_seeds]
        for arm in of_seeds[0]
    }
    rows = []
    for a, b in combinations(runs, 2):
        estimates = over_people_and_seeds({a: runs[a], b: runs[b]})
        difference = estimates[a].minus(estimates[b])
        claimed = claim(difference, spread(runs[a], runs[b]), study.test_groups)
        names = {"arm_a": a[0], "arm_b": b[0], "seeds": len(of_seeds)}
        rows.append({**names, "difference": difference.value, **claimed})
    table = pd.DataFrame(rows)
    floor = oriented(table, "benchmark", MEAN_POSE)
    if floor.verdict != "too few groups" and not floor.low > 0:
        pairs = zip(table["arm_a"], table["arm_b"], strict=True)
        asked_of_it = ["benchmark" in pair and MEAN_POSE not in pair for pair in pairs]
        table.loc[asked_of_it, "verdict"] = "uninformative"
    return table


class _Tables(NamedTuple):
    """What one way of measuring gives, see :class:`Results`."""

    values: pd.DataFrame
    over_seeds: pd.DataFrame
    differences_over_seeds: pd.DataFrame


def _tables(arms_of: Mapping[int, Mapping[str, Matched]]) -> _Tables:
    """Measure the arms of every training seed on the same resamples of people."""
    replicates = {seed: replicates_of(arms, RESAMPLES, _INTERVALS["seed"]) for seed, arms in arms_of.items()}
    by_run = {seed: tabulated(arms, replicates[seed], _INTERVALS) for seed, arms in arms_of.items()}
    runs = {arm: _by_metric([found[arm] for found in replicates.values()]) for arm in next(iter(arms_of.values()))}
    return _Tables(
        _of_all_runs({seed: table.values for seed, table in by_run.items()}),
        _means(runs),
        _differences(runs),
    )


def _readings(study: Study) -> pd.DataFrame:
    rows = []
    for yardstick in study.head_yardsticks:
        for arm in study.profile.arms:
            runs = [matched(study, study.finished(arm, seed).predictions(), yardstick) for seed in study.profile.seeds]
            rows.append({"yardstick": yardstick, "arm": arm, **_score_over_seeds(runs)})
    return pd.DataFrame(rows)


def _score_over_seeds(runs: list[Matched]) -> dict[str, float]:
    """The PCK score of one arm, one run for each seed, by their yardstick: the columns of ``over_seeds``."""
    arms = {str(place): run for place, run in enumerate(runs)}
    found = replicates_of(arms, RESAMPLES, _INTERVALS["seed"], pck_scores)
    return over_seeds([scores[SCORE_NAME[runs[0].reference]] for scores in found.values()])


def _coco(study: Study, matches: Mapping[int, Mapping[str, Matched]]) -> pd.DataFrame:
    """COCO's numbers of people whose box has an area, of arms that have one of COCO's landmarks."""
    boxes = study.test_people.images.set_index("image_id")
    areas = (boxes["bbox_w"] * boxes["bbox_h"])[lambda area: area > 0]

    def measured(found: Matched) -> Matched:
        inside, group = (table["image_id"].isin(areas.index) for table in (found.joints, found.people))
        return replace(found, joints=found.joints[inside], people=found.people[group])

    runs = {}
    for arm in next(iter(matches.values())):
        of_seeds = [measured(arms[arm]) for arms in matches.values()]
        if all(oks.knows(found.joints["keypoint"]) for found in of_seeds):
            runs[arm] = _by_metric(
                [
                    replicates_of({arm: found}, RESAMPLES, _INTERVALS["seed"], lambda of: oks.statistic(of, areas))[arm]
                    for found in of_seeds
                ]
            )
    return _means(runs)


def _elsewhere(study: Study) -> Iterator[dict[str, Any]]:
    found = [
        {arm: matched_elsewhere(study, study.finished(arm, seed)) for arm in study.profile.arms}
        for seed in study.profile.seeds
    ]
    cuts = {OWN: found, SHARED: [on_shared_keypoints(arms) for arms in found]}
    learnt = {name: _learnt_pictures(study, name) for name in study.profile.arms}
    alike = near_duplicates(study.dataset("elsewhere").images["path"], chain.from_iterable(learnt.values()))
    for name in study.profile.arms:
        like_learnt = alike.loc[alike["second"].isin(learnt[name]), "first"].nunique()
        # What a finished network learnt is not here to be looked at.
        known = study.profile.arm(name).learns != "nothing"
        for cut, arms_of_seeds in cuts.items():
            row = {"measured_on": cut, "arm": name, "near_duplicates": like_learnt if known else None}
            yield row | _score_over_seeds([arms[name] for arms in arms_of_seeds])


def _learnt_pictures(study: Study, arm: str) -> set[str]:
    """Paths of the pictures that the arm, or an arm that it started from, learnt."""
    paths: set[str] = set()
    for learnt in (_learnt(study, name) for name in study.profile.lineage(arm)):
        images = study.dataset(learnt.role).images
        paths.update(images.loc[images["image_id"].isin(learnt.image_ids), "path"])
    return paths


def _means(runs: Mapping[str, Mapping[str, list[Replicates]]]) -> pd.DataFrame:
    rows = [
        {"arm": arm, "metric": metric, **over_seeds(found)}
        for arm, metrics in runs.items()
        for metric, found in metrics.items()
    ]
    return pd.DataFrame(rows, columns=None if rows else ["arm", "metric", "mean", "low", "high"])


def _differences(runs: Mapping[str, Mapping[str, list[Replicates]]]) -> pd.DataFrame:
    rows = [
        {
            "arm_a": a,
            "arm_b": b,
            "metric": metric,
            **over_seeds([one.minus(other) for one, other in zip(runs[a][metric], runs[b][metric], strict=True)]),
        }
        for a, b in combinations(runs, 2)
        for metric in runs[a]
        if metric in runs[b]
    ]
    return pd.DataFrame(rows)


def _by_metric(runs: list[Mapping[str, Replicates]]) -> dict[str, list[Replicates]]:
    """The replicates of every metric that all runs of an arm have: a bin of confidences may be empty in one of them."""
    return {metric: [run[metric] for run in runs] for metric in runs[0] if all(metric in run for run in runs)}


def _of_all_runs(tables: Mapping[int, pd.DataFrame]) -> pd.DataFrame:
    """One table in which ``seed`` is the training's, and the bootstrap's seed is named so."""
    return pd.concat(
        [table.rename(columns={"seed": "bootstrap_seed"}).assign(seed=seed) for seed, table in tables.items()],
        ignore_index=True,
    )


def _leaks(study: Study) -> pd.DataFrame:
    """The leak audit, see :func:`monkey_transfer.splits.audit`."""
    arms = {name: _learnt(study, name) for name in study.profile.arms}
    images = {role: study.dataset(role).images for role in ("source", "target")}
    pictures = pd.concat(
        images[learnt.role].loc[images[learnt.role]["image_id"].isin(learnt.image_ids), "path"]
        for learnt in arms.values()
    )
    alike = near_duplicates(study.test_people.images["path"], pictures)
    return audit(arms, study.splits["target"].test, images, alike)


def _learnt(study: Study, name: str) -> Learnt:
    """What an arm learns and what decides when it stops; of a finished network, why it may know the test people."""
    arm = study.profile.arm(name)
    elsewhere = ZOO[arm.zoo].may_know_people if arm.zoo else ""
    if arm.learns == "nothing":
        return Learnt("target", (), arm.parent, elsewhere)
    split = study.splits[arm.learns]
    ids = training_subset(split, arm.largest) + split.validation[: study.profile.validation_size(name)]
    return Learnt(arm.learns, ids, arm.parent, elsewhere)
