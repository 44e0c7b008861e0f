"""The path of the paper's protocol, from MPII's and MacaquePose's own layouts to predictions, in miniature.

The files are written here from rendered people and macaques, so the test needs no photograph.
"""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from matlab import cells, struct
from scipy.io import savemat

from monkey_transfer.datasets.base import Dataset
from monkey_transfer.images import picture_size
from monkey_transfer.measure import results
from monkey_transfer.measure.matched import matched
from monkey_transfer.places import CONFIG
from monkey_transfer.profiles import loading
from monkey_transfer.rendered import rendered_dataset
from monkey_transfer.skeletons import MACAQUEPOSE_17, MPII_16, mapping
from monkey_transfer.study import opening, training
from monkey_transfer.tell import reading
from monkey_transfer.tell.publish import write_report
from monkey_transfer.tell.reports import report_folder

VIDEOS = 3


def write_mpii(folder: Path, people: Dataset) -> None:
    """The release's .mat and images/: one single person in each picture, several pictures of each video."""
    (folder / "images").mkdir(parents=True)
    annolist, sizes = [], people.reference_lengths.query("name == 'head_size'").set_index("image_id")["length"]
    for number, image in enumerate(people.images.itertuples()):
        shutil.copyfile(image.path, folder / "images" / f"{image.image_id}.png")
        joints = people.labels[people.labels["image_id"] == image.image_id].set_index("keypoint")
        points = [
            {"id": float(k), "x": joints.at[name, "x"] + 1, "y": joints.at[name, "y"] + 1, "is_visible": 1.0}
            for k, name in enumerate(MPII_16.keypoints)
            if joints.at[name, "labelled"]
        ]
        side = sizes[image.image_id] / 0.6 / np.sqrt(2)  # of a head box whose diagonal gives the head size
        head = {"x1": 1.0, "y1": 1.0, "x2": 1 + side, "y2": 1 + side, "scale": sizes[image.image_id] / 20}
        objpos = struct({"x": image.width / 2, "y": image.height / 2})
        person = struct({"annopoints": struct({"point": struct(*points)}), "objpos": objpos, **head})
        name = struct({"name": f"{image.image_id}.png"})
        annolist.append(
            {"image": name, "annorect": person, "frame_sec": 1.0, "vididx": float(number % VIDEOS + 1)},
        )
    count = len(annolist)
    activity = {"cat_name": "walking", "act_name": "walking", "act_id": 1.0}
    release = {
        "annolist": struct(*annolist),
        "img_train": np.ones((1, count), np.uint8),
        "version": "12",
        "single_person": cells([np.array([[1]])] * count),
        "act": struct(*[activity] * count).T,
        "video_list": cells([f"video-{number}" for number in range(VIDEOS)]).T,
    }
    savemat(folder / "mpii_human_pose_v1_u12_1.mat", {"RELEASE": struct(release)})


def write_macaquepose(folder: Path, monkeys: Dataset) -> None:
    """The release's annotations.csv and images/: one monkey in each photograph, its box for a mask."""
    (folder / "images").mkdir(parents=True)
    named = mapping(monkeys.skeleton, MACAQUEPOSE_17)
    rows = []
    for image in monkeys.images.itertuples():
        shutil.copyfile(image.path, folder / "images" / f"{image.image_id}.png")
        joints = monkeys.labels[(monkeys.labels["image_id"] == image.image_id) & monkeys.labels["labelled"]]
        position = {named[row.keypoint]: [row.x, row.y] for row in joints.itertuples() if row.keypoint in named}
        pose = [{"name": k.replace("_", " "), "position": position.get(k)} for k in MACAQUEPOSE_17.keypoints]
        x, y, w, h = image.bbox_x, image.bbox_y, image.bbox_w, image.bbox_h
        outline = [{"segment": [[x, y], [x + w, y], [x + w, y + h], [x, y + h]]}]
        rows.append([f"{image.image_id}.png", json.dumps([pose]), json.dumps([outline])])
    with (folder / "annotations.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["image file name", "keypoinbts", "segmentation"], *rows])


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """The profile paper-check, with monkeys held out, on files of the releases' layouts."""
    folder = tmp_path_factory.mktemp("releases")
    write_mpii(folder / "mpii_sample", rendered_dataset("human", 9, 1, folder / "people", 96, 1))
    write_macaquepose(
        folder / "macaquepose_sample" / "v1", rendered_dataset("macaque", 4, 1, folder / "monkeys", 96, 1)
    )
    settings = {"extends": "paper-check", "source": {"test": 1}, "target": {"test": 3}}
    (folder / "miniature.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    for name in ("paper-check", "paper"):
        shutil.copyfile(CONFIG / f"{name}.yaml", folder / f"{name}.yaml")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MONKEY_TRANSFER_DATA", str(folder))
        patch.setenv("MONKEY_TRANSFER_RUNS", str(folder / "runs"))
        patch.setenv("MONKEY_TRANSFER_REPORTS", str(folder / "reports"))
        patch.setattr(opening, "load_profile", lambda name: loading.load_profile(name, folder))
        yield opening.open_study("miniature")


def test_the_releases_are_read_and_split_by_video(opened):
    assert len(opened.target) == 9
    assert opened.target.images["group"].nunique() == VIDEOS
    test, draw = opened.splits["target"].test, opened.draw("target", 0)
    video_of = opened.target.images.set_index("image_id")["group"]
    parts = [set(video_of[list(part)]) for part in (test, draw.validation, draw.train)]
    assert [len(part) for part in parts] == [1, 1, 1]
    assert len(set.union(*parts)) == VIDEOS
    # Every monkey is a picture of its own whose longer side is 640 pixels.
    assert (opened.source.images[["width", "height"]].max(axis=1) == 640).all()


def test_every_arm_sees_pictures_in_its_own_way(opened):
    sizes = {}
    for arm in opened.profile.arms:
        frames = opened.test_frames(arm)
        sizes[arm] = picture_size(frames["path"].iloc[0])
        assert len(frames) == 3
    assert sizes["benchmark"] == (160, 90)
    assert sizes["benchmark_at_its_scale"] == (128, 128)
    heads = opened.test_people.reference_lengths.query("name == 'head_size'").set_index("image_id")["length"]
    at_scale = opened.test_frames("benchmark_at_its_scale").set_index("image_id")["scale"]
    np.testing.assert_allclose(at_scale * heads[at_scale.index], 10)


@pytest.mark.slow
def test_from_the_releases_to_table_one(opened):
    trained = {arm: training.train_arm(opened, arm, 0)[0] for arm in opened.profile.arms}
    assert trained["transfer"].manifest()["outcome"]["restored"]["backbone"] == 260
    predictions = trained["transfer"].predictions()
    assert set(predictions["image_id"]) == set(opened.splits["target"].test)
    assert set(predictions["keypoint"]) == set(MPII_16.keypoints)
    # Joints that the macaque network lacks are absent from its rows.
    assert set(trained["baseline"].predictions()["keypoint"]) == set(mapping(MACAQUEPOSE_17, MPII_16).values())
    assert set(trained["baseline"].predictions("source_test")["image_id"]) == set(opened.splits["source"].test)
    assert matched(opened, predictions, opened.body_yardstick).reference == "mpii_200scale"
    monkeys = reading.monkey_table(opened, trained["baseline"]).set_index("joint")
    assert monkeys.loc["all joints", "monkeys"] == "held out"
    assert "alone_in_picture" in reading.filter_table(opened).to_string()  # how many people each filter leaves

    found = results.measure(opened)
    # The test people are of one video, which allows no interval.
    scores = found.comparisons["metric"] == "pckh"
    assert set(found.comparisons.loc[scores, "note"]) == {"too few groups"}
    assert set(found.comparisons["note"]) <= {"too few groups", "undefined"}
    assert found.comparisons[["low", "high"]].isna().all(axis=None)
    assert write_report(found) == report_folder("miniature") / "answer.html"
    tables = report_folder("miniature") / "tables"
    assert len(pd.read_csv(tables / "paper_comparison.csv")) == 15
    splits = json.loads((tables / "splits.json").read_text(encoding="utf-8"))
    assert splits["target"]["digest"] == opened.splits["target"].digest
    assert splits["target"]["draws"]["0"]["digest"] == opened.draw("target", 0).digest
    assert pd.read_csv(tables / "leaks.csv")["shared_group"].tolist() == [0] * len(trained)
