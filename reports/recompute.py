"""Compute a report's numbers again from its predictions, without the package that made them.

``python reports/recompute.py reports/demo`` reads the labels and predictions beside the tables, computes scores and
differences from their definitions (docs/metrics.md), and prints how far the report's are from that. Labels that were not
a report's to publish come from the joints.mat of Leeds Sports Pose or its extended set:
``python reports/recompute.py reports/lsp-first --labels lspet/joints.mat --elsewhere lsp/joints.mat``, the second for the
people of the other data set. Only NumPy and pandas are needed, and SciPy for these; there is no resampling, so
intervals are not computed again.
"""

import argparse

from pathlib import Path

import numpy as np
import pandas as pd

NOT_SCORED = {"pelvis", "thorax"}
LSP = (
    "right_ankle right_knee right_hip left_hip left_knee left_ankle right_wrist right_elbow right_shoulder left_shoulder "
    "left_elbow left_wrist neck head_top"
).split()
Labels = tuple[pd.DataFrame, pd.DataFrame]
WITHIN = {"pckh": 0.5, "pckh_by_head_segment": 0.5, "pck_by_torso": 0.2, "pck_by_bbox_length": 0.2}
LENGTH = {"pckh": "head_size", "pckh_by_head_segment": "head_segment", "pck_by_torso": "torso"}
LEAST_OF_EXPECTED = 0.25
UPRIGHT, TILTED = 60, 120  # degrees


def joined(labels: pd.DataFrame, people: pd.DataFrame, predictions: pd.DataFrame, score: str) -> pd.DataFrame:
    """Every labelled joint that was predicted: how far off, in pixels and in lengths, and how sure."""
    length = people.set_index("image_id")[LENGTH.get(score, "bbox_length")]
    tested = labels[labels["labelled"] & labels["image_id"].isin(predictions["image_id"])]
    ratio = (length / people.set_index("image_id")["bbox_length"]).loc[tested["image_id"].unique()].median()
    expected = ratio * people.set_index("image_id")["bbox_length"]
    floor = np.maximum(length, LEAST_OF_EXPECTED * expected)
    both = tested.merge(predictions, on=["image_id", "keypoint"], suffixes=("", "_predicted"))
    distance = np.hypot(both["x_predicted"] - both["x"], both["y_predicted"] - both["y"])
    normalised = distance / both["image_id"].map(length)
    return both.assign(
        distance=distance,
        normalised=normalised,
        floored=distance / both["image_id"].map(floor),
        correct=normalised <= WITHIN[score],
    )


def tilts(labels: pd.DataFrame) -> pd.Series:
    """By image_id, degrees between up and the way from between the hips to the neck; empty where one is never labelled."""
    at = labels[labels["labelled"]].pivot(index="image_id", columns="keypoint", values=["x", "y"])
    neck = next((name for name in ("neck", "upper_neck") if name in at["x"]), None)
    if neck is None or not {"right_hip", "left_hip"} <= set(at["x"]):
        return pd.Series(dtype=float)
    x, y = (at[axis][neck] - (at[axis]["right_hip"] + at[axis]["left_hip"]) / 2 for axis in ("x", "y"))
    return np.degrees(np.arctan2(x, -y)).abs()


def best_threshold(joints: pd.DataFrame) -> float:
    """The confidence from which on F1 of precision and recall over own correct is highest."""
    ranked = joints.sort_values("likelihood", ascending=False)
    own, right = ranked["correct"].sum(), ranked["correct"].cumsum().to_numpy()
    f1 = 2 * right / (np.arange(1, len(ranked) + 1) + own)
    # Equal confidences are kept or dropped together: what counts is where the last of them stands.
    confidence = ranked["likelihood"].to_numpy()
    last = np.append(confidence[1:] != confidence[:-1], True)
    return float(confidence[last][np.argmax(f1[last])]) if own else float("nan")


def scores_of(joints: pd.DataFrame, threshold: float, score: str) -> dict[str, float]:
    """The scores of one network."""
    counted = joints[~joints["keypoint"].isin(NOT_SCORED)]
    steps = WITHIN[score] * np.arange(51) / 50
    heights = [100 * (counted["normalised"] <= step).mean() for step in steps]
    kept = joints[joints["likelihood"] >= threshold]
    right, own, labelled = kept["correct"].sum(), joints["correct"].sum(), len(joints)
    found = {
        score: 100 * counted["correct"].mean(),
        f"{score}/area": np.mean([(a + b) / 2 for a, b in zip(heights, heights[1:], strict=False)]),
        "normalised_mean": joints["floored"].mean(),
        "normalised_median": joints["floored"].sort_values().iloc[(len(joints) - 1) // 2],
        "mean_distance": joints["distance"].mean(),
        "rmse_distance": np.sqrt((joints["distance"] ** 2).mean()),
        "auc": auc(joints),
        "kept": 2 * right / (len(kept) + own) if len(kept) else np.nan,
        "kept/precision": right / len(kept) if len(kept) else np.nan,
        "kept/recall_over_own_correct": right / own if own else np.nan,
        "kept/recall_over_all_labelled": right / labelled,
    }
    return found | {f"{score}@{part:g}": 100 * (counted["normalised"] <= part).mean() for part in (0.1, 0.2)}


def auc(joints: pd.DataFrame) -> float:
    """How often a correct prediction is surer than a wrong one; equally sure counts half."""
    right = joints.loc[joints["correct"], "likelihood"].to_numpy()
    wrong = joints.loc[~joints["correct"], "likelihood"].to_numpy()
    if not len(right) or not len(wrong):
        return float("nan")
    order = np.sort(right)
    above = len(right) - np.searchsorted(order, wrong, side="right")
    beside = np.searchsorted(order, wrong, side="right") - np.searchsorted(order, wrong, side="left")
    return float((above + beside / 2).mean() / len(right))


def labels_of(report: Path, joints_mat: Path | None, role: str) -> Labels:
    """Labels, and lengths of the people: those that the report keeps, or of a joints.mat without what was left out."""
    folder = report / "predictions"
    if joints_mat is None:
        labels, people = (pd.read_parquet(folder / f"{name}.parquet") for name in ("labels", "people"))
        return labels.astype({"image_id": str, "keypoint": str}), people
    from scipy.io import loadmat

    joints = loadmat(joints_mat)["joints"].astype(float)
    extended = joints.shape[:2] == (14, 3)  # (joints, x y labelled, pictures); else (x y hidden, joints, pictures)
    joints = joints.transpose(2, 0, 1) if extended else joints.transpose(2, 1, 0)
    digits = 5 if extended else 4
    labels = pd.DataFrame(
        {
            "image_id": np.repeat([f"im{n:0{digits}d}" for n in range(1, len(joints) + 1)], len(LSP)),
            "keypoint": LSP * len(joints),
            "x": joints[..., 0].ravel(),
            "y": joints[..., 1].ravel(),
            "labelled": (joints[..., 2] == 1).ravel() if extended else True,
        }
    )
    left_out = pd.read_csv(report / "tables" / "left_out.csv", dtype=str).query("data == @role").dropna(subset="keypoint")
    out = pd.MultiIndex.from_frame(left_out[["image_id", "keypoint"]])
    labels["labelled"] &= ~pd.MultiIndex.from_frame(labels[["image_id", "keypoint"]]).isin(out)
    known = labels[labels["labelled"]].groupby("image_id")[["x", "y"]]
    at = labels[labels["labelled"]].pivot(index="image_id", columns="keypoint", values=["x", "y"])
    head = np.hypot(*(at[axis]["head_top"] - at[axis]["neck"] for axis in ("x", "y")))
    people = pd.DataFrame({"bbox_length": (known.max() - known.min()).max(axis=1), "head_segment": head})
    return labels, people.rename_axis("image_id").reset_index()


def networks(folder: Path, known: Labels, score: str) -> dict[tuple[str, int, int], tuple[pd.DataFrame, float]]:
    """(arm, images, seed) -> its joints on the people that it was tried on, and its threshold."""
    found = {}
    for file in sorted(folder.glob("*-n*.parquet")):
        arm, _, images = file.stem.rpartition("-n")
        table = pd.read_parquet(file).astype({"image_id": str, "keypoint": str, "x": float, "y": float})
        if "likelihood" not in table:  # of people on whom no number needs one
            table["likelihood"] = 1.0
        for seed, own in table.groupby("seed"):
            tried, others = (joined(*known, own[(own["of"] == "threshold") == chosen], score) for chosen in (False, True))
            threshold = best_threshold(others) if len(others) else 1.0
            found[arm, int(images), int(seed)] = tried, threshold
    return found


def compared(report: Path, known: Labels, of: str = "") -> None:
    """Print the largest difference between the report's numbers and those computed here."""
    tables, prefix = report / "tables", f"{of}_" if of else ""
    scores = pd.read_csv(tables / f"{of or 'scores'}.csv")
    comparisons = pd.read_csv(tables / f"{prefix}comparisons.csv")
    [score] = set(scores["metric"]) & WITHIN.keys()
    labels, people = known
    turned = labels.assign(tilt=labels["image_id"].map(tilts(labels)))
    runs = networks(report / "predictions" / of, (turned, people), score)
    checked, worst = 0, 0.0
    for (arm, images), rows in scores.groupby(["arm", "images"]):
        of_seeds = [scores_of(*run, score) for (a, n, _), run in runs.items() if (a, n) == (arm, images)]
        for row in rows.itertuples():
            if row.metric in of_seeds[0]:
                value = np.mean([one[row.metric] for one in of_seeds])
                checked, worst = checked + 1, max(worst, relative(row.value, value))
    for pair, rows in comparisons.groupby(["arm_a", "images_a", "arm_b", "images_b"]):
        a, b = ([run for (x, n, _), run in runs.items() if (x, n) == at] for at in (pair[:2], pair[2:]))
        of_seeds = [differences(one, other, score) for one, other in zip(a, b, strict=True)]
        for row in rows.itertuples():
            if row.metric in of_seeds[0]:
                value = np.mean([one[row.metric] for one in of_seeds])
                checked, worst = checked + 1, max(worst, relative(row.difference, value))
    everything = len(scores) + len(comparisons)
    print(
        f"{report.name}{f', {of}' if of else ''}: {checked} of {everything} numbers, largest relative difference {worst:.1e}"
    )


def differences(one: tuple[pd.DataFrame, float], other: tuple[pd.DataFrame, float], score: str) -> dict[str, float]:
    """The scores of the first network minus those of the second, on the joints that both have."""
    shared = set(one[0]["keypoint"]) & set(other[0]["keypoint"])
    pair = [(joints[joints["keypoint"].isin(shared)], threshold) for joints, threshold in (one, other)]
    a, b = (scores_of(*run, score) for run in pair)
    more, less = (more_tilted(joints) for joints, _ in pair)
    return {metric: a[metric] - b[metric] for metric in a} | {f"{score}/tilted - upright": more - less}


def more_tilted(joints: pd.DataFrame) -> float:
    """How much higher the score is among the tilted than among the upright."""
    counted = joints[~joints["keypoint"].isin(NOT_SCORED)]
    tilted, upright = counted["tilt"] > TILTED, counted["tilt"] <= UPRIGHT
    return 100 * (counted.loc[tilted, "correct"].mean() - counted.loc[upright, "correct"].mean())


def relative(found: float, expected: float) -> float:
    """How far a printed number is from the one computed here; two numbers that are undefined agree."""
    if np.isnan(found) and np.isnan(expected):
        return 0.0
    return float(abs(found - expected) / max(abs(expected), 1.0)) if np.isfinite(expected) else float("inf")


def main() -> None:
    """Compare the report that is named, and its people of another data set if their labels are."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("report", type=Path)
    parser.add_argument("--labels", type=Path, help="joints.mat of the target")
    parser.add_argument("--elsewhere", type=Path, help="joints.mat of the other data set")
    asked = parser.parse_args()
    compared(asked.report, labels_of(asked.report, asked.labels, "target"))
    if asked.elsewhere:
        compared(asked.report, labels_of(asked.report, asked.elsewhere, "elsewhere"), "elsewhere")


if __name__ == "__main__":
    main()
