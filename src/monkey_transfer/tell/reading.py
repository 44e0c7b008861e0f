"""The tables of the chapters, as a reader sees them: intervals in brackets, equal digits in a column."""

from typing import Any

import pandas as pd

from monkey_transfer.measure.comparisons import primary
from monkey_transfer.measure.controls import TRIALS
from monkey_transfer.measure.matched import matched_on_source
from monkey_transfer.measure.paper import TABLE_ONE_ROWS
from monkey_transfer.measure.rare_poses import MEASURES, RarePoses
from monkey_transfer.measure.results import Results, beside_the_paper, largest
from monkey_transfer.measure.scores import Point
from monkey_transfer.metrics.error_types import ERROR_TYPES
from monkey_transfer.metrics.matching import CORRECT_WITHIN
from monkey_transfer.metrics.pckh import SCORE_NAME, SCORE_TITLE
from monkey_transfer.places import data_folder
from monkey_transfer.profiles.data import MpiiData
from monkey_transfer.study.opening import Study
from monkey_transfer.study.runs import Run
from monkey_transfer.tell.words import bracketed, rows_of, score_name, score_title, signed


def left_out_table(study: Study) -> pd.DataFrame:
    """How many people and joints of the files are not in the study, and why."""
    table = study.left_out
    what = table["keypoint"].eq("").map({True: "people", False: "joints"})
    counted = table.assign(what=what).groupby(["data", "what", "reason"]).size().rename("number").reset_index()
    return counted if len(counted) else pd.DataFrame([{"data": "source and target", "what": "nothing"}])


def filter_table(study: Study) -> pd.DataFrame:
    """How many people each reading of MPII's list of single people leaves; one line for other data."""
    data = study.profile.target.data
    if not isinstance(data, MpiiData):
        return pd.DataFrame({"filter": ["the target has no list of single people"]})
    from monkey_transfer.datasets.mpii import count_people, read_mpii_people

    return count_people(read_mpii_people(data_folder() / data.folder)).reset_index()


def training_in_words(study: Study, run: Run) -> str:
    """What a finished run started from, what it learnt and how that ended."""
    arm, outcome = study.profile.arm(run.arm), run.manifest()["outcome"]
    if arm.learns == "nothing" and (network := arm.published):
        return (
            f"`{run.arm}` is the finished network `{arm.zoo}` of DeepLabCut's model zoo, a {network.net_type}, trained "
            f"by its authors on {network.trained_on}. Nothing was trained here."
        )
    last = run.learning_curve().iloc[-1]
    why = "Its validation score was best at iteration {}, which was kept"
    if arm.names == "shuffled":
        why = "Names are shuffled in validation too, so its score says little and the last iteration, {}, was kept"
    return (
        f"`{run.arm}` starts from `{arm.init}` and learnt {run.images} pictures of seed {run.seed} in "
        f"{outcome['iterations']} iterations ({outcome['optimizer']}); it ended by {outcome['stopped_by']}. "
        f"{why.format(outcome['chosen_iteration'])}: {outcome['validation_score']:.1f} % correct and an error of "
        f"{outcome['validation_error']:.1f} px in the framed picture; {last['validation_score']:.1f} % and "
        f"{last['validation_error']:.1f} px at the end."
    )


def monkey_table(study: Study, run: Run) -> pd.DataFrame:
    """How a source network does on held-out monkeys: the macaque study's error, by joint and over all joints.

    Distances are divided by the length of the animal's box; 'kept' are the predictions from the profile's
    confidence cut on. Empty where the profile holds no monkeys out.
    """
    if not study.splits["source"].test:
        return pd.DataFrame()
    joints = matched_on_source(study, run).joints
    kept = joints[joints["likelihood"] >= study.profile.confidence_cut]
    rows = {**dict(iter(joints.groupby("keypoint"))), "all joints": joints}
    kept_rows = {**dict(iter(kept.groupby("keypoint"))), "all joints": kept}
    nobody = joints.head(0)
    within = f"within {CORRECT_WITHIN['bbox_length']:g} box lengths, %"
    return pd.DataFrame(
        {
            "joint": [name.replace("_", " ") for name in rows],
            "pictures": study.pictures,
            # Which pictures a finished network held out is not published.
            "monkeys": "possibly seen" if study.profile.arm(run.arm).learns == "nothing" else "held out",
            "labelled": [len(found) for found in rows.values()],
            within: [f"{100 * found['correct'].mean():.1f}" for found in rows.values()],
            "mean distance / box length": [f"{found['normalised'].mean():.3f}" for found in rows.values()],
            "kept": [len(kept_rows.get(name, nobody)) for name in rows],
            "mean distance of those kept": [
                _or_none(kept_rows.get(name, nobody)["normalised"].mean()) for name in rows
            ],
        }
    )


def score_table(study: Study, table: pd.DataFrame) -> pd.DataFrame:
    """Scores of single networks, over test people alone."""
    score = score_name(study.profile)
    names = {score: f"{score_title(study.profile)}, %", f"{score}@0.1": "at 0.1, %", f"{score}@0.2": "at 0.2, %"}
    return _wide(study, table, {name: title for name, title in names.items() if (table["metric"] == name).any()})


def size_table(study: Study, joints: pd.DataFrame) -> pd.DataFrame:
    """The paper's first measure (section 2.1): mean distance over the person's size, of all and of sure predictions."""
    sure = joints[joints["likelihood"] >= study.profile.confidence_cut]
    rows = {"all": joints, f"confidence of at least {study.profile.confidence_cut:g}": sure}
    return pd.DataFrame(
        {
            "predictions": rows.keys(),
            "pictures": study.pictures,
            "joints": [len(found) for found in rows.values()],
            f"mean distance / {study.body_yardstick}": [
                _or_none(found["normalised"].mean()) for found in rows.values()
            ],
        }
    )


def size_scores(results: Results) -> pd.DataFrame:
    """The PCK score of every arm at every number of labelled people."""
    table = results.of_people[results.of_people["metric"] == score_name(results.study.profile)]
    wide = pd.DataFrame(
        {
            "pictures": results.study.pictures,
            "arm": table["arm"].tolist(),
            "labelled people": [f"{people:,}" for people in table["people"]],
            f"{score_title(results.study.profile)}, %": [bracketed(row, row.metric) for row in rows_of(table)],
        }
    )
    return _marked(results, wide)


def arm_table(results: Results) -> pd.DataFrame:
    """Every arm at its largest number of images: PCK, and Table 1's numbers by both ways to a threshold."""
    score = score_name(results.study.profile)
    names = {
        score: f"{score_title(results.study.profile)}, %",
        "auc": "AUC",
        "kept": "F1",
        "kept/precision": "precision",
        "kept/recall_over_own_correct": "recall (own correct)",
        "kept/recall_over_all_labelled": "recall (all labelled)",
        "best_f1": "F1, the paper's way",
    }
    return _marked(results, _wide(results.study, largest(results.table, results.study), names))


def threshold_table(results: Results) -> pd.DataFrame:
    """PCK within smaller parts of the yardstick, and the area under the curve."""
    score = score_name(results.study.profile)
    names = {f"{score}@0.1": "at 0.1, %", f"{score}@0.2": "at 0.2, %"}
    known = set(results.table["metric"])
    names = {name: title for name, title in names.items() if name in known}
    names |= {score: f"{score_title(results.study.profile)}, %", f"{score}/area": "area, %"}
    return _marked(results, _wide(results.study, largest(results.table, results.study), names))


def error_table(results: Results) -> pd.DataFrame:
    """Root mean squares of the error and its mean, of all joints and of those kept, in both frames."""
    names = {
        "rmse_x": "RMSE x",
        "rmse_y": "RMSE y",
        "rmse_distance": "RMSE distance",
        "mean_distance": "mean distance",
        "kept/rmse_distance": "RMSE of those kept",
        "best_f1/rmse_distance": "the same, the paper's way",
    }
    table = largest(results.pixel_errors, results.study)
    parts = [
        _wide(results.study, rows, names).assign(frame=frame) for frame, rows in table.groupby("frame", sort=False)
    ]
    wide = _marked(results, pd.concat(parts, ignore_index=True))
    return wide[["frame", *(column for column in wide if column != "frame")]]


def error_type_table(results: Results) -> pd.DataFrame:
    """What happens to a joint, in percent of all: see :mod:`monkey_transfer.metrics.error_types`."""
    names = {f"errors/{kind}": f"{kind}, %" for kind in ERROR_TYPES}
    return _marked(results, _wide(results.study, largest(results.table, results.study), names))


def coco_table(results: Results) -> pd.DataFrame:
    """COCO's numbers for people."""
    names = {"oks": "mean OKS", "oks_ap": "AP", "oks_ap50": "AP at OKS 0.5", "oks_ap75": "AP at OKS 0.75"}
    if not results.table["metric"].isin(names).any():
        return pd.DataFrame({"COCO's numbers": ["none of its landmarks is labelled"]})
    return _marked(results, _wide(results.study, largest(results.table, results.study), names))


def reading_table(results: Results) -> pd.DataFrame:
    """PCKh by each head yardstick that the target has."""
    table = results.readings
    if table.empty:
        return pd.DataFrame({"head yardsticks": ["none is known for the target"]})
    scores = table[table["metric"] == table["yardstick"].map(SCORE_NAME)]
    names = {SCORE_NAME[yardstick]: f"{SCORE_TITLE[yardstick]}, %" for yardstick in scores["yardstick"].unique()}
    return _marked(results, _wide(results.study, scores, names))


def paper_table(results: Results) -> pd.DataFrame:
    """The paper's Table 1 beside ours: its way to a threshold, each arm's own joints, original pixels."""
    metric_of = {name: metric for metric, name in TABLE_ONE_ROWS.items()}
    rows: list[dict[str, Any]] = []
    for row in rows_of(beside_the_paper(results)):
        ours, digits = bracketed(row, metric_of[row.metric]), 1 if "px" in row.metric else 2
        difference = "undefined" if pd.isna(row.minus_paper) else f"{row.minus_paper:+.{digits}f}"
        rows.append(
            {
                "metric": row.metric,
                "arm": row.arm,
                "paper": f"{row.paper:.2f}",
                "ours": ours,
                "ours - paper": difference,
            }
        )
    return _marked(results, pd.DataFrame(rows))


def elsewhere_table(results: Results) -> pd.DataFrame:
    """Every arm on the people of another data set."""
    study = results.study
    if study.profile.elsewhere is None:
        return pd.DataFrame({"elsewhere": ["the profile names no other data set"]})
    people, yardstick = study.dataset("elsewhere"), study.profile.elsewhere_yardstick
    table = results.elsewhere
    wide = _wide(study, table, {SCORE_NAME[yardstick]: f"{SCORE_TITLE[yardstick]}, %"})
    alike = table.drop_duplicates("arm").set_index("arm")["near_duplicates"]
    wide = wide.assign(
        pictures="rendered" if people.rendered else "photographs",
        **{"near duplicates in what it learnt": wide["arm"].map(alike)},
    )
    return _marked(results, wide).assign(**{"people of": people.name})


def comparison_table(results: Results, rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of the comparisons: primary ones with their ruling, others without."""
    return pd.DataFrame(
        {
            "pictures": results.study.pictures,
            "pair": [f"{row.arm_a} - {row.arm_b}" for row in rows_of(rows)],
            "labelled people": [_people(results, row) for row in rows_of(rows)],
            "difference, points": [signed(row) for row in rows_of(rows)],
            "ruling": [row.ruling or "exploratory" for row in rows_of(rows)],
        }
    )


def ruling_table(results: Results) -> pd.DataFrame:
    """The primary questions: p-values after Holm, of a difference and of one that is too small to matter."""
    rows = primary(results.comparisons)
    if rows.empty:
        return pd.DataFrame({"primary questions": ["the profile asks none"]})
    return pd.DataFrame(
        {
            "question": rows["question"],
            "pair": [f"{row.arm_a} - {row.arm_b}" for row in rows_of(rows)],
            "difference, points": [signed(row) for row in rows_of(rows)],
            "p, difference": [f"{p:.3f}" for p in rows["p"]],
            "p, smaller than the margin": [f"{p:.3f}" for p in rows["p_equivalent"]],
            "ruling": rows["ruling"],
        }
    )


def equivalent_table(results: Results, table: pd.DataFrame) -> pd.DataFrame:
    """:func:`~.controls.equivalents` in words, since the control's curve has a beginning and an end."""
    study = results.study
    control = study.profile.control
    if table.empty:
        return pd.DataFrame({"equivalents": [f"{control} learnt one number of people, so it has no learning curve"]})
    sizes = [images + study.profile.validation_size(control) for images in study.profile.arm(control).sizes]
    needs = [_needed(row, min(sizes), max(sizes)) for row in rows_of(table)]
    return pd.DataFrame(
        {
            "pictures": study.pictures,
            "arm": table["arm"],
            "labelled people": [f"{people:,}" for people in table["people"]],
            f"{control} needs": needs,
        }
    )


def speed_table(study: Study, table: pd.DataFrame) -> pd.DataFrame:
    """:func:`monkey_transfer.measure.controls.speed` for reading."""
    return pd.DataFrame(
        {
            "pictures": study.pictures,
            "arm": table["arm"],
            "images": [f"{images:,}" for images in table["images"]],
            "seeds that reach it": [f"{row.reached} of {row.seeds}" for row in rows_of(table)],
            "iterations": ["never" if pd.isna(number) else f"{number:.0f}" for number in table["iterations"]],
        }
    )


def negative_control(study: Study, swapped: float) -> str:
    """What came of swapping names, in a sentence."""
    pair = f"`transfer` and `{study.profile.control}`"
    if pd.isna(swapped):
        return f"The test people are of too few groups for an interval, so names of {pair} were not swapped."
    return (
        f"With the names of {pair} swapped at random for each person, the interval of their difference over people "
        f"excludes zero in {100 * swapped:.1f} % of {TRIALS:,} trials, where 5 % are due."
    )


def rarity_table(study: Study, rare: RarePoses) -> pd.DataFrame:
    """By how much the advantage of ``transfer`` over its control grows from the most ordinary person to the rarest."""
    slopes = rare.lines[rare.lines["quantity"] == "slope"].rename(columns={"value": "difference"})
    return pd.DataFrame(
        {
            "pictures": study.pictures,
            "rarity by": slopes["measure"].map(MEASURES),
            "advantage grows by, points": [signed(row) for row in rows_of(slopes.assign(metric="pck"))],
        }
    )


def cover_table(study: Study, rare: RarePoses) -> pd.DataFrame:
    """:func:`monkey_transfer.measure.rarity.monkey_cover` for reading."""
    if rare.cover.empty:
        return pd.DataFrame({"cover": ["too few other people or monkeys"]})
    return pd.DataFrame(
        {
            "pictures": study.pictures,
            "tenth": rare.cover["decile"],
            "people": rare.cover["people"],
            "nearest is a monkey": [f"{share:.2f}" for share in rare.cover["monkey_nearer"]],
            "to the nearest person": [f"{distance:.2f}" for distance in rare.cover["to_training"]],
            "to the nearest monkey": [f"{distance:.2f}" for distance in rare.cover["to_monkey"]],
            "of each": rare.cover["drawn"],
        }
    )


def _wide(study: Study, table: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    """A scores table with one row per arm and one column per metric, intervals in brackets."""
    cells = {(row.arm, row.metric): bracketed(row, row.metric) for row in rows_of(table)}
    rows = [
        {
            "arm": arm,
            "pictures": study.pictures,
            **{title: cells.get((arm, metric), "none") for metric, title in names.items()},
        }
        for arm in table["arm"].unique()
    ]
    return pd.DataFrame(rows)


def _marked(results: Results, table: pd.DataFrame) -> pd.DataFrame:
    """The table with * after the names of arms that may have seen the test people."""
    return table.assign(arm=[f"{arm}*" if arm in results.may_have_seen else arm for arm in table["arm"]])


def _people(results: Results, row: Any) -> str:
    ends = Point(row.arm_a, row.images_a), Point(row.arm_b, row.images_b)
    labelled = dict.fromkeys(results.labelled(point) for point in ends)
    return " and ".join(labelled)


def _needed(row: Any, least: int, most: int) -> str:
    def bound(people: float) -> str:
        if people == 0:
            return f"fewer than {least:,}"
        return f"more than {most:,}" if people > most else f"{people:,.0f}"

    found = bound(row.equivalent)
    if pd.isna(row.low):
        return f"{found} [{row.note}]"
    return found if bound(row.low) == bound(row.high) else f"{found} [{bound(row.low)} to {bound(row.high)}]"


def _or_none(number: float) -> str:
    return "none" if pd.isna(number) else f"{number:.3f}"
