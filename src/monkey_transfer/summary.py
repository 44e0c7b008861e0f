"""summary.md and the tables of a report: numbers with their intervals and budgets, for reading."""

from pathlib import Path
from typing import Any

import pandas as pd

from monkey_transfer.controls import QUESTIONS, Controls
from monkey_transfer.controls_summary import (
    SPREAD,
    contrast_table,
    equivalent_table,
    negative_control,
    opening,
    signed,
    spreads,
)
from monkey_transfer.metrics.matching import CORRECT_WITHIN
from monkey_transfer.metrics.pckh import SCORE_TITLE
from monkey_transfer.networks.job import write_json
from monkey_transfer.paper import TABLE_ONE_ROWS
from monkey_transfer.profiles import ZOO, Framing, MpiiData, PersonCrop, ScaledPerson, data_folder
from monkey_transfer.reports import report_folder, save_table
from monkey_transfer.results import (
    COMPARISON_RESAMPLES,
    NETWORK_FRAME,
    OWN,
    RESAMPLES,
    SHARED,
    Results,
    beside_the_paper,
    budget_in_words,
    footnotes,
    marked,
    oriented,
)
from monkey_transfer.runs import Run
from monkey_transfer.study import MEAN_POSE, Study, matched_on_source

_BUDGET_COLUMNS = (
    *("arm", "training_pictures", "seed", "iterations", "minutes", "chosen_iteration", "stopped_by", "optimizer"),
    *("run_digest", "data_digest"),
)
_BRACKETED = ("mean", "low", "high")


def write_results(study: Study, results: Results, controls: Controls) -> Path:
    """Write summary.md, paper_comparison.csv and the other tables of a study; returns the summary's path."""
    folder = report_folder(study.profile.name)
    tables = {
        "values": results.values,
        "over_seeds": results.over_seeds,
        "differences_over_seeds": results.differences_over_seeds,
        "coco": results.coco,
        "elsewhere": results.elsewhere,
        "budgets": results.budgets,
        "comparisons": results.comparisons,
        "leaks": results.leaks,
        "learning_curves": controls.points,
        "contrasts": controls.contrasts,
        "equivalents": controls.equivalents,
        "left_out": study.left_out,
        "../paper_comparison": beside_the_paper(results),
    }
    for name, table in tables.items():
        save_table(study, name, table)
    splits = {role: split.as_dict() for role, split in study.splits.items()}
    write_json(folder / "tables" / "splits.json", splits)
    summary = folder / "summary.md"
    summary.write_text(summary_text(study, results, controls), encoding="utf-8")
    return summary


def summary_text(study: Study, results: Results, controls: Controls) -> str:
    """summary.md: what was compared, with which budget, what came out and where it comes from."""
    profile = study.profile
    kind = "**rendered** pictures: a demonstration, not evidence about photographs" if study.rendered else "photographs"
    lines = [
        f"# {profile.title}",
        "",
        *(f"{place}. {sentence}" for place, sentence in enumerate(opening(study, results, controls), start=1)),
        "",
        f"Profile `{profile.name}`, {len(study.test_people)} test people, the same for every arm, on {kind}. "
        f"Numbers in brackets are 95 % intervals (percentile, {RESAMPLES:,} resamples, comparisons of all arms "
        f"{COMPARISON_RESAMPLES:,}) over the test people, who are resampled in {results.groups} groups: videos, "
        "photographs or single people. Those of paired differences are over seeds of training as well, where there "
        "are several. How often such intervals hold the truth on simulated people is in "
        "`reports/benchmarks/coverage.txt` (people alone) and `reports/benchmarks/learning_curves.txt` (people and "
        "seeds). "
        f"Seeds of training: {', '.join(map(str, profile.seeds))}. PCK is by `{profile.yardstick}`. "
        f"{framing_in_words(study)}{_arms_left_out(study)}",
        "",
        "## What came out",
        "",
        "Every arm at its largest number of people, on the joints that all arms have.",
        "",
        *(f"- {sentence}" for sentence in findings(study, results)),
        "",
        "## The same people, and something else before",
        "",
        "Pairs of arms that learn the same people. 'higher' and 'lower' are said where the interval excludes zero and "
        "two seeds of one arm differ by less. The study asks about `transfer` and "
        f"`{profile.control}`; of many other pairs at 95 % a few exclude zero by chance."
        f"{_not_asked(controls)}",
        "",
        _markdown(contrast_table(study, controls)),
        "",
        "How many labelled people the control needs for what another arm reaches:",
        "",
        _markdown(equivalent_table(study, controls)),
        "",
        negative_control(study, controls),
        "",
        "## Every arm with its budget, at its largest number of people",
        "",
        _markdown(arm_table(study, results)),
        "",
        "`mean_pose` predicts the mean pose of the training people wherever it is asked: the floor. Recall is over "
        "each arm's own correct predictions, as in the paper, so its denominators differ from arm to arm; the last "
        "column is over all labelled joints and can be compared.",
        "",
        "## How far predictions are off",
        "",
        "Root mean squares of the error along x, along y and of the distance, as means over the seeds of training; "
        "what DeepLabCut prints as RMSE is the mean distance. Original pixels are those of the labelled picture, "
        "network pixels those of the framed one.",
        "",
        _markdown(error_table(study, results)),
        "",
        "## Both readings of the paper's head segment length",
        "",
        _markdown(reading_table(study, results)),
        "",
        "## The paper's Table 1 beside ours",
        "",
        "The paper's pictures, networks and budget were others (see notebook 05 for every departure, and for what its "
        "own numbers can carry). Ours are means over the seeds of training.",
        "",
        _markdown(paper_table(results)),
        "",
        "## Paired differences on the joints that all arms have",
        "",
        _markdown(comparison_table(study, results)),
        "",
        "## On people of another data set",
        "",
        _markdown(elsewhere_table(study, results)),
        "",
        "## Could an arm have seen the test people?",
        "",
        _markdown(results.leaks),
        "",
        "## What was left out",
        "",
        _markdown(left_out_table(study)),
        "",
        _markdown(filter_table(study)),
        "",
        "## Where the numbers come from",
        "",
        f"Split of the target: seed {profile.split_seed}, digest `{study.splits['target'].digest[:12]}`. "
        f"Run folders are `runs/{profile.name}/<arm>/n<pictures>-s<seed>`.",
        "",
        _markdown(results.budgets[[*_BUDGET_COLUMNS]]),
        "",
    ]
    return "\n".join(lines)


def _arms_left_out(study: Study) -> str:
    names = ", ".join(f"`{arm}`" for arm in study.profile.arms_left_out)
    return f" Not trained, for want of ImageNet weights: {names}." if names else ""


def _not_asked(controls: Controls) -> str:
    asked = set(zip(controls.contrasts["arm_a"], controls.contrasts["arm_b"], strict=True))
    left = "; ".join(f"{question} ({a} - {b})" for (a, b), question in QUESTIONS.items() if (a, b) not in asked)
    return f" Not asked, since the profile does not train both arms at one number of images: {left}" if left else ""


def framing_in_words(study: Study) -> str:
    """How pictures were framed, and which box that took."""
    own = {name: arm.picture for name, arm in study.profile.arms.items() if arm.picture}
    sentences = [f"Every picture{', of every arm,' if not own else ''} {_framing(study.profile.picture)}."]
    sentences += [f"Arm `{name}` is another: there every picture {_framing(framing)}." for name, framing in own.items()]
    return " ".join(sentences)


def _framing(framing: Framing) -> str:
    box = "a ground-truth box, in the words of top-down benchmarks"
    match framing:
        case PersonCrop():
            return (
                f"is cut to {framing.size} x {framing.size} pixels around the labelled box, the longer side of which "
                f"becomes {framing.person} pixels: {box}"
            )
        case ScaledPerson():
            return (
                f"is cut to {framing.size} x {framing.size} pixels around the labelled box, at the scale at which the "
                f"labelled {framing.yardstick} is {framing.length} pixels: {box}"
            )
    width, height = (framing.size, framing.size) if isinstance(framing.size, int) else framing.size
    return f"is shown whole, letterboxed to {width} x {height} pixels"


def arm_table(study: Study, results: Results) -> pd.DataFrame:
    """One row per arm and seed: its budget, then PCK and Table 1's numbers with their intervals."""
    columns = {
        results.score: f"{SCORE_TITLE[study.profile.yardstick]}, %",
        **TABLE_ONE_ROWS,
        "best_f1/recall_over_all_labelled": "recall over all labelled",
    }
    largest = {arm: study.profile.arm(arm).largest for arm in study.profile.arms}
    headline = results.budgets[results.budgets["training_pictures"] == results.budgets["arm"].map(largest)]
    budgets = {(row.seed, row.arm): budget_in_words(row) for row in headline.itertuples()}
    numbers = _in_brackets(results, OWN)
    rows = [
        {
            "pictures": study.pictures,
            "arm": marked(results, arm),
            "seed": seed,
            "budget": budgets.get((seed, arm), "none"),
            **{name: numbers[(seed, arm, metric)] for metric, name in columns.items()},
        }
        for seed in study.profile.seeds
        for arm in [*study.profile.arms, MEAN_POSE]
    ]
    return pd.DataFrame(rows)


def error_table(study: Study, results: Results) -> pd.DataFrame:
    """RMSE in x, y and of the distance, of what is kept at the best F1 and of all joints, in both frames.

    Means over the seeds of training, with intervals.
    """
    table: dict[Any, Any] = results.over_seeds.set_index(["measured_on", "arm", "metric"])[[*_BRACKETED]].T.to_dict(
        "list"
    )
    columns = {
        "rmse_x": "RMSE x",
        "rmse_y": "RMSE y",
        "rmse_distance": "RMSE distance",
        "rmse_normalised": f"RMSE / {study.profile.yardstick}",
        "mean_distance": "mean distance",
    }
    rows = []
    for frame, cut in {"original px": OWN, "network px": NETWORK_FRAME}.items():
        for arm in [*study.profile.arms, MEAN_POSE]:
            for joints, prefix in {"kept at the best F1": "best_f1/", "all": ""}.items():
                keys = {name: (cut, arm, f"{prefix}{metric}") for metric, name in columns.items()}
                cells = {name: _bracketed(*table[key]) if key in table else "" for name, key in keys.items()}
                rows.append(
                    {"pictures": study.pictures, "frame": frame, "arm": marked(results, arm), "joints": joints, **cells}
                )
    return pd.DataFrame(rows)


def coco_table(study: Study, results: Results) -> pd.DataFrame:
    """COCO's numbers for people, means over the seeds of training, with intervals."""
    names = {"oks": "mean OKS", "oks_ap": "AP", "oks_ap50": "AP at OKS 0.5", "oks_ap75": "AP at OKS 0.75"}
    cells = {(row["arm"], row["metric"]): _bracketed(*row[[*_BRACKETED]]) for _, row in results.coco.iterrows()}
    if not cells:
        return pd.DataFrame({"COCO's numbers": ["none of its landmarks is labelled"]})
    rows = [
        {
            "pictures": study.pictures,
            "arm": marked(results, arm),
            **{name: cells.get((arm, metric), "") for metric, name in names.items()},
        }
        for arm in [*study.profile.arms, MEAN_POSE]
    ]
    return pd.DataFrame(rows)


def elsewhere_table(study: Study, results: Results) -> pd.DataFrame:
    """``Results.elsewhere`` for reading: intervals in brackets."""
    if study.profile.elsewhere is None:
        return pd.DataFrame({"elsewhere": ["the profile names no other data set"]})
    people, score = study.dataset("elsewhere"), SCORE_TITLE[study.profile.elsewhere_yardstick]
    found = {cut: rows.set_index("arm") for cut, rows in results.elsewhere.groupby("measured_on")}
    return pd.DataFrame(
        {
            "pictures": "rendered" if people.rendered else "photographs",
            "people of": people.name,
            "arm": [marked(results, arm) for arm in found[OWN].index],
            "people": len(people),
            **{
                f"{score} on {cut}, %": [_bracketed(*row[[*_BRACKETED]]) for _, row in found[cut].iterrows()]
                for cut in (OWN, SHARED)
            },
            "near duplicates in what it learnt": found[OWN]["near_duplicates"].tolist(),
        }
    )


def reading_table(study: Study, results: Results) -> pd.DataFrame:
    """``Results.readings`` for reading: one column per head yardstick, intervals in brackets."""
    table = results.readings
    if table.empty:
        return pd.DataFrame({"head yardsticks": ["none is known for the target"]})
    written = table.assign(score=[_bracketed(*row[[*_BRACKETED]]) for _, row in table.iterrows()])
    wide = written.pivot(index="arm", columns="yardstick", values="score").loc[list(study.profile.arms)]
    wide.columns = [f"{SCORE_TITLE[str(yardstick)]}, %" for yardstick in wide.columns]
    wide.index = pd.Index([marked(results, str(arm)) for arm in wide.index], name="arm")
    return wide.reset_index().assign(pictures=study.pictures)


def training_in_words(study: Study, run: Run) -> str:
    """What a finished run started from, what it learnt and how that ended."""
    arm, outcome = study.profile.arm(run.arm), run.manifest()["outcome"]
    if arm.learns == "nothing":
        network = ZOO[str(arm.zoo)]
        return (
            f"`{run.arm}` is the finished network `{arm.zoo}` of DeepLabCut's model zoo, a {network.net_type}, trained "
            f"by its authors on {network.trained_on}. Nothing was trained here."
        )
    last = run.learning_curve().iloc[-1]
    why = "Its mean validation error was least at iteration {}, which was kept"
    if arm.names == "shuffled":
        why = "Names are shuffled in validation too, so its error says little and the last iteration, {}, was kept"
    return (
        f"`{run.arm}` starts from `{arm.init}` and learnt {run.images} pictures in {outcome['iterations']} iterations "
        f"({outcome['seconds'] / 60:.1f} min, {outcome['optimizer']}); it ended by {outcome['stopped_by']}. "
        f"{why.format(outcome['chosen_iteration'])}: {outcome['validation_error']:.2f} px in the framed picture, "
        f"{last['validation_error']:.2f} px at the end."
    )


def filter_table(study: Study) -> pd.DataFrame:
    """How many people each reading of MPII's list of single people leaves; one line for other data."""
    data = study.profile.target.data
    if not isinstance(data, MpiiData):
        return pd.DataFrame({"filter": ["the target has no list of single people"]})
    from monkey_transfer.datasets.mpii import count_people, read_mpii_people

    return count_people(read_mpii_people(data_folder() / data.folder)).reset_index()


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
    return pd.DataFrame(
        {
            "pictures": study.pictures,
            # Which pictures a finished network held out is not published.
            "monkeys": "possibly seen" if study.profile.arm(run.arm).learns == "nothing" else "held out",
            "labelled": {name: len(found) for name, found in rows.items()},
            "kept": {name: len(kept_rows.get(name, nobody)) for name in rows},
            "mean distance / box length": {name: found["normalised"].mean() for name, found in rows.items()},
            "of those kept": {name: kept_rows.get(name, nobody)["normalised"].mean() for name in rows},
        }
    ).round(3)


def score_table(study: Study, scores: pd.DataFrame) -> pd.DataFrame:
    """The scores of :func:`~monkey_transfer.results.pck` for reading: one row per arm, intervals in brackets."""
    rows: list[dict[str, Any]] = []
    row: Any
    for row in scores[~scores["metric"].str.contains("/")].itertuples():
        score = _bracketed(row.value, row.low, row.high)
        within = f"joints within {CORRECT_WITHIN[study.profile.yardstick]:g} {study.profile.yardstick}, %"
        rows.append({"pictures": study.pictures, "arm": row.arm, within: score, "people": row.people})
    return pd.DataFrame(rows)


def paper_table(results: Results) -> pd.DataFrame:
    """:func:`~monkey_transfer.results.beside_the_paper` for reading: intervals in brackets."""
    table = beside_the_paper(results)
    ours = {
        f"ours, {name} joints": [
            "" if pd.isna(row[f"{name}_mean"]) else _bracketed(*(row[f"{name}_{part}"] for part in _BRACKETED))
            for _, row in table.iterrows()
        ]
        for name in ("own", "shared")
    }
    table["arm"] = [marked(results, arm) for arm in table["arm"]]
    return table[["metric", "arm", "paper"]].assign(**ours, difference=table["own_minus_paper"].map("{:+.3g}".format))


def comparison_table(study: Study, results: Results) -> pd.DataFrame:
    """``Results.comparisons`` for reading: points of PCK, intervals in brackets."""
    table = results.comparisons
    return pd.DataFrame(
        {
            "pictures": study.pictures,
            "pair": [
                f"{marked(results, a)} - {marked(results, b)}"
                for a, b in zip(table["arm_a"], table["arm_b"], strict=True)
            ],
            "difference": [signed(row) for row in table.itertuples()],
            SPREAD: spreads(table),
            "the first is": table["verdict"],
        }
    )


def left_out_table(study: Study) -> pd.DataFrame:
    """How many people and joints of the files are not in the study, and why."""
    table = study.left_out
    what = table["keypoint"].eq("").map({True: "people", False: "joints"})
    counted = table.assign(what=what).groupby(["data", "what", "reason"]).size().rename("number").reset_index()
    return counted if len(counted) else pd.DataFrame([{"data": "source and target", "what": "nothing"}])


def findings(study: Study, results: Results) -> list[str]:
    """What the intervals of the paired differences say about each pair that the study is about, in words."""
    pairs = [("transfer", arm) for arm in study.profile.arms if arm != "transfer"]
    pairs += [(arm, MEAN_POSE) for arm in study.profile.arms]
    rows = [oriented(results.comparisons, a, b) for a, b in pairs]
    return [_finding(study, results, row) for row in rows] + footnotes(results)


_VERDICTS = {
    "higher": "is better than",
    "lower": "is worse than",
    "undecided": "cannot be told from",
    "one seed": "cannot be judged (one seed of training) against",
    "too few groups": "cannot be judged (test people of too few groups) against",
    "uninformative": f"cannot be judged (`benchmark` is not shown to beat `{MEAN_POSE}`) against",
}


def _finding(study: Study, results: Results, row: Any) -> str:
    seeds = f" ({row.seeds} seeds, two of which differ by up to {row.spread:.1f})" if row.seeds > 1 else ""
    one, other = (f"`{marked(results, arm)}`" for arm in (row.arm_a, row.arm_b))
    score = SCORE_TITLE[study.profile.yardstick]
    return (
        f"{one} {_VERDICTS[row.verdict]} {other}: {signed(row)} points of {score}{seeds}, "
        f"on {len(study.test_people):,} {'rendered ' if study.rendered else ''}test people."
    )


def _bracketed(value: float, low: float, high: float) -> str:
    if pd.isna(value):
        return "undefined"
    digits = 1 if abs(value) >= 2 else 3
    interval = "(no interval)" if pd.isna(low) else f"[{low:.{digits}f}, {high:.{digits}f}]"
    return f"{value:.{digits}f} {interval}"


def _in_brackets(results: Results, measured_on: str) -> dict[tuple[int, str, str], str]:
    """(seed, arm, metric) -> the value with its interval, or why there is none."""
    table = results.values[results.values["measured_on"] == measured_on]
    written = {}
    row: Any
    for row in table.itertuples():
        text = f"undefined ({row.note})" if pd.isna(row.value) else _bracketed(row.value, row.low, row.high)
        written[(row.seed, row.arm, row.metric)] = text
    return written


def _markdown(table: pd.DataFrame) -> str:
    return table.to_markdown(index=False, disable_numparse=True)
