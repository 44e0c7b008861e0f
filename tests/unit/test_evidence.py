"""What a report keeps of its predictions is enough to compute its numbers again, with nothing of this package."""

import json
import re
import runpy
import subprocess
import sys
from pathlib import Path

import by_hand
import numpy as np
import pandas as pd
import pytest
from scipy.io import savemat

from monkey_transfer.measure.evidence import write_evidence
from monkey_transfer.tell.publish import write_report
from monkey_transfer.tell.reports import opened_report

RECOMPUTE = Path(__file__).parents[2] / "reports" / "recompute.py"
COLUMNS = ["seed", "of", "image_id", "keypoint", "x", "y", "likelihood"]


@pytest.fixture
def three():
    with by_hand.measured() as results:
        yield results


@pytest.fixture
def folder(three, tmp_path):
    write_evidence(three.study, tmp_path)
    return tmp_path


def test_every_prediction_of_every_run(folder):
    """Four or two joints of Ann, Bob and Cid and of one person more, from each of 21 runs and three floors."""
    files = {file.stem: file for file in folder.glob("*.parquet")}
    tables = {name: pd.read_parquet(file) for name, file in files.items() if name not in ("labels", "people")}
    assert set(files) - set(tables) == {"labels", "people"}
    counts = {name: table.groupby("of", observed=True).size().to_dict() for name, table in tables.items()}
    assert counts == {
        "baseline-n2": {"test": 3 * 6, "threshold": 3 * 2},
        "benchmark-n7": {"test": 3 * 10, "threshold": 3 * 4},
        **{f"transfer-n{n}": {"test": 3 * 10, "threshold": 3 * 4} for n in (1, 3)},
        **{f"scratch_control-n{n}": {"test": 3 * 10, "threshold": 3 * 4} for n in (1, 3, 7)},
        # Of everybody's four keypoints, whether labelled or not.
        "mean_pose-n0": {"test": 3 * 12},
    }
    for table in tables.values():
        assert list(table) == COLUMNS
        assert set(table[["x", "y", "likelihood"]].dtypes) == {np.dtype(np.float32)}
        assert set(table["seed"]) == {0, 1, 2}


def test_people_elsewhere_have_files_of_their_own(folder):
    files = {file.stem: pd.read_parquet(file) for file in (folder / "elsewhere").iterdir()}
    assert set(files) == {
        *("baseline-n2", "benchmark-n7", "transfer-n1", "transfer-n3"),
        *(f"scratch_control-n{n}" for n in (1, 3, 7)),
    }
    for table in files.values():
        assert list(table) == [column for column in COLUMNS if column != "likelihood"]
        assert set(table["of"]) == {"elsewhere"}


def test_predictions_are_those_of_the_run(folder):
    """Transfer's second seed has Ann's right wrist at (40, 60) + (6, 8), half sure; its validation person is Eve."""
    table = pd.read_parquet(folder / "transfer-n3.parquet").query("seed == 1")
    rows = table.set_index(["of", "image_id", "keypoint"])
    assert rows.loc[("test", "ann", "right_wrist"), ["x", "y", "likelihood"]].tolist() == [46, 68, 0.5]
    assert set(table.loc[table["of"] == "threshold", "image_id"]) == {"eve"}


def test_labels_and_people(folder):
    labels = pd.read_parquet(folder / "labels.parquet").set_index(["image_id", "keypoint"])
    assert len(labels) == 6 * 4  # and of Max, Eve and Hal
    assert labels.loc[("bob", "left_wrist"), ["x", "y"]].tolist() == [100, 90]
    assert not labels.loc[("cid", "pelvis"), "labelled"]
    people = pd.read_parquet(folder / "people.parquet").set_index("image_id")
    assert set(people.index) == {"ann", "bob", "cid", "max", "eve", "hal"}
    assert people.loc["bob", ["group", "bbox_w", "head_size", "head_segment"]].tolist() == ["bob", 100, 20, 16]
    assert people.loc["max", "group"] == "bob"
    assert np.isnan(people.loc["cid", "head_segment"])


@pytest.mark.parametrize("point", [("transfer", 3), ("scratch_control", 3), ("mean_pose", 0)])
def test_the_score_comes_out_of_the_files(three, folder, point):
    arm, images = point
    joints = pd.read_parquet(folder / f"{arm}-n{images}.parquet").query("of == 'test'")
    joints = joints.astype({"image_id": str, "keypoint": str, "x": float, "y": float})
    labels = pd.read_parquet(folder / "labels.parquet").astype({"image_id": str, "keypoint": str})
    people = pd.read_parquet(folder / "people.parquet")[["image_id", "head_size"]]
    both = labels[labels["labelled"]].merge(joints, on=["image_id", "keypoint"], suffixes=("", "_predicted"))
    both = both[both["keypoint"] != "pelvis"].merge(people, on="image_id")
    off = np.hypot(both["x_predicted"] - both["x"], both["y_predicted"] - both["y"])
    by_seed = (100 * (off / both["head_size"] <= 0.5)).groupby(both["seed"]).mean()
    table = three.table.set_index(["arm", "images", "metric"]).sort_index()
    assert by_seed.mean() == pytest.approx(table.loc[(*point, "pckh"), "value"])


def test_labels_that_may_not_be_shown_are_left_out(three, tmp_path):
    hidden = three.study.profile.model_copy(update={"pictures_in_reports": False})
    write_evidence(by_hand.with_data(three.study, profile=hidden), tmp_path)
    assert not {file.stem for file in tmp_path.glob("*.parquet")} & {"labels", "people"}


# The whole report


def test_a_report_is_whole_and_replaces_what_it_wrote_before(three, tmp_path, monkeypatch):
    monkeypatch.setenv("MONKEY_TRANSFER_REPORTS", str(tmp_path))
    folder = opened_report("by_hand")
    of_other_arms, of_chapter_7 = folder / "predictions" / "old.parquet", folder / "tables" / "rarity_lines.csv"
    for file in (of_other_arms, of_chapter_7):
        file.parent.mkdir()
        file.touch()
    page = write_report(three)
    assert page == folder / "answer.html"
    assert not of_other_arms.exists()
    assert of_chapter_7.is_file()  # chapters are run in any order
    assert "+25.0 [too few groups]" in page.read_text(encoding="utf-8")
    assert (folder / "answer.md").read_text(encoding="utf-8").startswith("# Worked out by hand\n")
    assert (folder / "figures" / "answer.png").is_file()
    assert (folder / "predictions" / "transfer-n3.parquet").is_file()
    assert {file.name for file in (folder / "tables").iterdir()} == {
        *("scores.csv", "comparisons.csv", "equivalents.csv", "pixel_errors.csv", "readings.csv", "elsewhere.csv"),
        "elsewhere_comparisons.csv",
        *("hidden_by_labels.csv", "forecast.csv"),
        *("choice.csv", "angles.csv", "angle_differences.csv"),
        *("paper_comparison.csv", "budgets.csv", "leaks.csv", "left_out.csv", "splits.json", "rarity_lines.csv"),
    }
    scores = pd.read_csv(folder / "tables" / "scores.csv")
    row = scores[(scores["arm"] == "transfer") & (scores["images"] == 3) & (scores["metric"] == "pckh")].iloc[0]
    assert (row["value"], row["pictures"]) == (75, "rendered")
    paper = pd.read_csv(folder / "tables" / "paper_comparison.csv").query("arm == 'benchmark' and metric == 'F1'")
    assert paper["minus_paper"].tolist() == [0.25]
    pixels = pd.read_csv(folder / "tables" / "pixel_errors.csv")
    assert set(pixels["frame"]) == {"original px", "network px"}
    splits = json.loads((folder / "tables" / "splits.json").read_text(encoding="utf-8"))
    assert splits["target"]["test"] == ["cid", "bob", "ann"]
    assert splits["target"]["draws"]["1"]["validation"] == ["eve", "max"]
    assert splits["target"]["draws"]["1"]["train"] == ["gus", "hal", "ian", "jon", "kim", "lea", "dan"]
    assert splits["source"]["draws"]["2"]["train"] == ["m3", "m1"]
    # A script that knows nothing of this package comes to the same numbers, from what the report keeps.
    told = subprocess.run([sys.executable, str(RECOMPUTE), str(folder)], capture_output=True, text=True, check=True)
    numbers, apart = re.fullmatch(
        r"by_hand: (\d+) of \d+ numbers, largest relative difference (.*)\n", told.stdout
    ).groups()
    assert int(numbers) > 100
    assert float(apart) < 1e-5


@pytest.mark.parametrize("extended", [True, False], ids=["LSPET", "LSP"])
def test_labels_that_are_not_published_come_from_a_joints_mat(tmp_path, extended):
    """Of two pictures, the second upside down; a joint of the first was left out, in LSPET another is not labelled."""
    recompute = runpy.run_path(str(RECOMPUTE))
    upright = np.array([[10.0 * number, 200 - 7 * number] for number in range(14)])
    upright[[2, 3, 12, 13]] = [[40, 100], [60, 100], [50, 50], [50, 30]]  # hips, neck, head top
    joints = np.stack([upright, [100, 220] - upright])
    flag = np.ones((2, 14, 1)) if extended else np.zeros((2, 14, 1))
    flag[1, 5] = 0 if extended else 1
    table = np.concatenate([joints, flag], axis=2)
    savemat(tmp_path / "joints.mat", {"joints": table.transpose((1, 2, 0) if extended else (2, 1, 0))})
    first, second = ("im00001", "im00002") if extended else ("im0001", "im0002")
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "left_out.csv").write_text(
        f"data,image_id,keypoint,reason\nelsewhere,{first},right_knee,outside\ntarget,{second},right_knee,outside\n"
    )
    labels, people = recompute["labels_of"](tmp_path, tmp_path / "joints.mat", "elsewhere")
    missing = labels[~labels["labelled"]]
    unlabelled = [(second, "left_ankle")] if extended else []
    assert list(missing[["image_id", "keypoint"]].itertuples(index=False, name=None)) == [
        (first, "right_knee"),
        *unlabelled,
    ]
    assert labels.set_index(["image_id", "keypoint"]).loc[(second, "neck"), ["x", "y"]].tolist() == [50, 170]
    assert people.set_index("image_id")["head_segment"].to_dict() == {first: 20, second: 20}
    assert recompute["tilts"](labels).to_dict() == {first: 0, second: 180}
