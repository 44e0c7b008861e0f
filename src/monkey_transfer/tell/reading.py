"""The tables of the chapters, as a reader sees them: intervals in brackets, equal digits in a column."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from monkey_transfer.measure.comparisons import between, ends_of, of_metric, primary
from monkey_transfer.measure.controls import TRIALS
from monkey_transfer.measure.leaks import why_it_may_know
from monkey_transfer.measure.matched import matched_on_source
from monkey_transfer.measure.paper import TABLE_ONE_ROWS
from monkey_transfer.measure.rare_poses import RarePoses
from monkey_transfer.measure.results import Results, beside_the_paper, shown
from monkey_transfer.measure.scores import Point
from monkey_transfer.metrics.error_types import ERROR_TYPES
from monkey_transfer.metrics.matching import CORRECT_WITHIN
from monkey_transfer.metrics.pckh import SCORE_NAME, SCORE_TITLE
from monkey_transfer.metrics.written import bracketed, digits_of, equivalent, rows_of, signed
from monkey_transfer.places import data_folder
from monkey_transfer.profiles.data import MpiiData
from monkey_transfer.profiles.profile import TILTED_LESS_UPRIGHT
from monkey_transfer.study.opening import Study
from monkey_transfer.study.runs import Run
from monkey_transfer.tell.words import score_name, score_title


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


def training_in_words(study: Study, runs: Sequence[Run]) -> str:
    """What finished runs, one or one for each fold, started from, what they learnt and how that ended."""
    return "\n\n".join(_training_in_words(study, run) for run in runs)


def _training_in_words(study: Study, run: Run) -> str:
    arm, outcome = study.profile.arm(run.arm), run.manifest()["outcome"]
    if arm.learns == "nothing" and (network := arm.published):
        name, net_type = arm.init.removeprefix("zoo:"), arm.training.net_type
        kind = "" if net_type == name else f" a {net_type},"
        return (
            f"`{run.arm}` is the finished network `{name}` of {network.publisher},{kind} trained by its authors on "
            f"{network.trained_on}. Nothing was trained here."
        )
    fold = "" if run.fold is None else f", fold {run.fold},"
    why = "Its validation score was best at iteration {}, which was kept"
    if arm.training.keeps == "last":
        why = "The last iteration, {}, was kept"
    if arm.names == "shuffled":
        why = "Names are shuffled in validation too, so its score says little and the last iteration, {}, was kept"
    said = (
        f"`{run.arm}` starts from `{arm.init}` and learnt {run.images} pictures of seed {run.seed}{fold} in "
        f"{outcome['iterations']} iterations ({outcome['optimizer']}); it ended by {outcome['stopped_by']}. "
        f"{why.format(outcome['chosen_iteration'])}"
    )
    curve = run.learning_curve()
    if curve.empty:
        return f"{said}. Its learning curve was not kept by the report that it was recovered from."
    last = curve.iloc[-1]
    return (
        f"{said}: {outcome['validation_score']:.1f} % correct and an error of {outcome['validation_error']:.1f} px in "
        f"the framed picture; {last['validation_score']:.1f} % and {last['validation_error']:.1f} px at the end."
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
    kept_of = {**dict(iter(kept.groupby("keypoint"))), "all joints": kept}
    rows = [
        {
            "joint": name.replace("_", " "),
            "pictures": study.pictures,
            # Which pictures a finished network held out is not published.
            "monkeys": "possibly seen" if study.profile.arm(run.arm).learns == "nothing" else "held out",
            "labelled": len(found),
            f"within {CORRECT_WITHIN['bbox_length']:g} box lengths, %": f"{100 * found['correct'].mean():.1f}",
            "mean distance / box length": f"{found['normalised'].mean():.3f}",
            "kept": len(kept_of.get(name, ())),
            "mean distance of those kept": _mean_distance(kept_of.get(name, kept.head(0))),
        }
        for name, found in {**dict(iter(joints.groupby("keypoint"))), "all joints": joints}.items()
    ]
    return pd.DataFrame(rows)


def score_table(study: Study, table: pd.DataFrame) -> pd.DataFrame:
    """Scores of single networks, over test people alone."""
    score = score_name(study.profile)
    names = {score: f"{score_title(study.profile)}, %", f"{score}@0.1": "at 0.1, %", f"{score}@0.2": "at 0.2, %"}
    return _wide(study, table, {name: title for name, title in names.items() if table["metric"].eq(name).any()})


def distance_table(study: Study, joints: pd.DataFrame) -> pd.DataFrame:
    """The paper's first measure (section 2.1): mean distance over the person's size, of all and of sure predictions."""
    sure = joints[joints["likelihood"] >= study.profile.confidence_cut]
    return pd.DataFrame(
        {
            "predictions": predictions,
            "pictures": study.pictures,
            "joints": len(found),
            f"mean distance / {study.body_yardstick}": _mean_distance(found),
        }
        for predictions, found in {
            "all": joints,
            f"confidence of at least {study.profile.confidence_cut:g}": sure,
        }.items()
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
    """Every arm as it is shown: PCK, and Table 1's numbers by both ways to a threshold; of own data by ours alone."""
    names = {
        score_name(results.study.profile): f"{score_title(results.study.profile)}, %",
        "auc": "AUC",
        "kept": "F1",
        "kept/precision": "precision",
        "kept/recall_over_own_correct": "recall (own correct)",
        "kept/recall_over_all_labelled": "recall (all labelled)",
        **({} if results.study.profile.own_data else {"best_f1": "F1, the paper's way"}),
    }
    return _of_arms(results, names)


def threshold_table(results: Results) -> pd.DataFrame:
    """PCK within smaller parts of the yardstick, and the area under the curve."""
    score = score_name(results.study.profile)
    smaller = {f"{score}@0.1": "at 0.1, %", f"{score}@0.2": "at 0.2, %"}
    names = {name: title for name, title in smaller.items() if results.table["metric"].eq(name).any()}
    return _of_arms(results, names | {score: f"{score_title(results.study.profile)}, %", f"{score}/area": "area, %"})


def error_table(results: Results) -> pd.DataFrame:
    """Root mean squares of the error and its mean, of all joints and of those kept, in both frames."""
    names = {
        "rmse_x": "RMSE x",
        "rmse_y": "RMSE y",
        "rmse_distance": "RMSE distance",
        "mean_distance": "mean distance",
        "kept/rmse_distance": "RMSE of those kept",
        **({} if results.study.profile.own_data else {"best_f1/rmse_distance": "the same, the paper's way"}),
    }
    table = shown(results.pixel_errors, results.study)
    frames = {frame: _wide(results.study, rows, names) for frame, rows in table.groupby("frame", sort=False)}
    return _marked(results, pd.concat(frames, names=["frame"]).reset_index("frame").reset_index(drop=True))


def error_type_table(results: Results) -> pd.DataFrame:
    """What happens to a joint, in percent of all: see :mod:`monkey_transfer.metrics.error_types`."""
    return _of_arms(results, {f"errors/{kind}": f"{kind}, %" for kind in ERROR_TYPES})


def coco_table(results: Results) -> pd.DataFrame:
    """COCO's numbers for people."""
    names = {"oks": "mean OKS", "oks_ap": "AP", "oks_ap50": "AP at OKS 0.5", "oks_ap75": "AP at OKS 0.75"}
    if not results.table["metric"].isin(names).any():
        return pd.DataFrame({"COCO's numbers": ["none of its landmarks is labelled"]})
    return _of_arms(results, names)


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
    rows = [
        {
            "metric": row.metric,
            "arm": row.arm,
            "paper": f"{row.paper:.2f}",
            "ours": bracketed(row, metric_of[row.metric]),
            "ours - paper": "undefined"
            if pd.isna(row.minus_paper)
            else f"{row.minus_paper:+.{digits_of(metric_of[row.metric])}f}",
        }
        for row in rows_of(beside_the_paper(results))
    ]
    return _marked(results, pd.DataFrame(rows))


NOWHERE = pd.DataFrame({"elsewhere": ["the profile names no other data set"]})


def here_and_elsewhere(results: Results) -> pd.DataFrame:
    """Every arm at every number of images on the people of both data sets."""
    study = results.study
    if study.profile.elsewhere is None:
        return NOWHERE
    people = study.dataset("elsewhere")
    titles, scores = both_data_sets(results, list(study.profile.arms))
    (here, of_here), (there, of_there) = scores.items()
    found = {(row.arm, row.images): row for row in rows_of(of_here)}
    wide = pd.DataFrame(
        {
            "arm": row.arm,
            "pictures": "rendered" if people.rendered else "photographs",
            "labelled": results.labelled(Point(row.arm, row.images)),
            f"{titles[here]} on {here}, %": bracketed(found[row.arm, row.images], row.metric),
            f"{titles[there]} on {there}, %": bracketed(row, row.metric),
            "near duplicates in what it learnt": row.near_duplicates,
        }
        for row in rows_of(of_there)
    )
    known = {arm: "; ".join(why_it_may_know(study, arm, "elsewhere")) for arm in study.profile.arms}
    if any(known.values()):
        wide["may have seen them"] = wide["arm"].map(known).fillna("")
    return wide


def both_data_sets(results: Results, arms: Sequence[str]) -> tuple[dict[str, str], dict[str, pd.DataFrame]]:
    """By the name of the data set, the target's first, the title of the PCK score there and its rows of those arms."""
    profile, people = results.study.profile, results.study.dataset("elsewhere")
    here, there = results.study.target.name, people.name
    if here == there:
        there = f"{there}, elsewhere"
    titles = {here: score_title(profile), there: SCORE_TITLE[profile.elsewhere_yardstick]}
    tables = {
        here: (results.table, score_name(profile)),
        there: (results.elsewhere, SCORE_NAME[profile.elsewhere_yardstick]),
    }
    return titles, {
        name: table[(table["metric"] == score) & table["arm"].isin(arms)] for name, (table, score) in tables.items()
    }


def elsewhere_differences(results: Results) -> pd.DataFrame:
    """What was asked, and ``transfer`` minus its control at every number of people, on the people of both data sets."""
    study = results.study
    if study.profile.elsewhere is None:
        return NOWHERE
    here, there = results.study.target.name, study.dataset("elsewhere").name
    pairs = results.elsewhere_comparisons
    asked = {(*ends_of(question),) for question in study.profile.questions}
    rows = []
    for row in rows_of(pairs):
        ends = Point(row.arm_a, row.images_a), Point(row.arm_b, row.images_b)
        if (row.arm_a, row.arm_b) == ("transfer", study.profile.control) or ends in asked:
            [own] = rows_of(of_metric(between(results.comparisons, *ends), score_name(study.profile)))
            rows.append(
                {
                    "a - b": f"{row.arm_a} - {row.arm_b}",
                    "pictures": study.pictures,
                    "labelled": _people(results, row),
                    f"points on {here}": signed(own),
                    f"points on {there}{', elsewhere' if here == there else ''}": signed(row),
                }
            )
    return pd.DataFrame(rows)


def comparison_table(results: Results, rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of the comparisons: primary ones with their ruling, others without."""
    return pd.DataFrame(
        {
            "pictures": results.study.pictures,
            "pair": [_pair(row) for row in rows_of(rows)],
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
            "pair": [_pair(row) for row in rows_of(rows)],
            "difference, points": [signed(row) for row in rows_of(rows)],
            "p, difference": rows["p"].map(_p_value),
            "p, smaller than the margin": rows["p_equivalent"].map(_p_value),
            "ruling": rows["ruling"],
        }
    )


def _pair(row: Any) -> str:
    """Such as transfer - imagenet_control; of a part of the score, with that part."""
    part = f", {TILTED_LESS_UPRIGHT}" if row.metric.endswith(f"/{TILTED_LESS_UPRIGHT}") else ""
    return f"{row.arm_a} - {row.arm_b}{part}"


def equivalent_table(results: Results, table: pd.DataFrame) -> pd.DataFrame:
    """:func:`monkey_transfer.measure.controls.equivalents` in words, since the control's curve has two ends."""
    study = results.study
    control = study.profile.control
    if table.empty:
        return pd.DataFrame({"equivalents": [f"{control} learnt one number of people, so it has no learning curve"]})
    sizes = [images + study.profile.validation_size(control, images) for images in study.profile.arm(control).sizes]
    return pd.DataFrame(
        {
            "pictures": study.pictures,
            "arm": table["arm"],
            "labelled people": [f"{people:,}" for people in table["people"]],
            f"{control} needs": [equivalent(row, min(sizes), max(sizes)) for row in rows_of(table)],
        }
    )


def speed_table(study: Study, table: pd.DataFrame) -> pd.DataFrame:
    """:func:`monkey_transfer.measure.controls.speed` for reading."""
    return pd.DataFrame(
        {
            "pictures": study.pictures,
            "arm": table["arm"],
            "images": [f"{images:,}" for images in table["images"]],
            "runs that reach it": [f"{row.reached} of {row.runs}" for row in rows_of(table)],
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


def cover_table(study: Study, rare: RarePoses) -> pd.DataFrame:
    """:func:`monkey_transfer.measure.rare_poses.monkey_cover` for reading."""
    if rare.cover.empty:
        return pd.DataFrame({"cover": ["too few other people or monkeys"]})
    return pd.DataFrame(
        {
            "pictures": study.pictures,
            "tenth": rare.cover["decile"],
            "people": rare.cover["people"],
            "nearest is a monkey": rare.cover["monkey_nearer"].map("{:.2f}".format),
            "to the nearest person": rare.cover["to_training"].map("{:.2f}".format),
            "to the nearest monkey": rare.cover["to_monkey"].map("{:.2f}".format),
            "of each": rare.cover["drawn"],
        }
    )


def _of_arms(results: Results, names: dict[str, str]) -> pd.DataFrame:
    """Every arm as it is shown, one column per metric."""
    return _marked(results, _wide(results.study, shown(results.table, results.study), names))


def _wide(study: Study, table: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    """A scores table with one row per arm and one column per metric, intervals in brackets."""
    cells = {(row.arm, row.metric): bracketed(row, row.metric) for row in rows_of(table)}
    return pd.DataFrame(
        {"arm": arm, "pictures": study.pictures}
        | {title: cells.get((arm, metric), "none") for metric, title in names.items()}
        for arm in table["arm"].unique()
    )


def _marked(results: Results, table: pd.DataFrame) -> pd.DataFrame:
    """The table with * after the names of arms that may have seen the test people."""
    return table.assign(arm=[f"{arm}*" if arm in results.may_have_seen else arm for arm in table["arm"]])


def _people(results: Results, row: Any) -> str:
    ends = Point(row.arm_a, row.images_a), Point(row.arm_b, row.images_b)
    return " and ".join(dict.fromkeys(results.labelled(point) for point in ends))


def _p_value(p: float) -> str:
    """With equal digits; a p-value is never zero."""
    if pd.isna(p):
        return "none"
    return f"{p:.3f}" if p >= 0.0005 else "< 0.001"


def _mean_distance(joints: pd.DataFrame) -> str:
    """In units of the yardstick."""
    return f"{joints['normalised'].mean():.3f}" if len(joints) else "none"
