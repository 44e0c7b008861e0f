"""``make check``: what is said of somebody's own data, and the profile that is written for them."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from bad_input import holds, refused
from PIL import Image

from monkey_transfer.places import ROOT
from monkey_transfer.profiles.data import SourceData
from monkey_transfer.profiles.loading import load_profile
from monkey_transfer.profiles.profile import Profile
from monkey_transfer.study import opening
from monkey_transfer.study.dividing import Asked, Crowd
from monkey_transfer.study.looking import contents_of, crowd_of, drawn_crowd, stated_minutes
from monkey_transfer.study.opening import open_study
from monkey_transfer.study.runs import runs_of
from monkey_transfer.tell import looking
from monkey_transfer.tell.looking import in_words, look_at_data, look_at_profile
from monkey_transfer.tell.prospects import needed_for_a_ruling

SIZE = 96
# A body: what a user calls each joint, and where it is.
BODY = {
    "LShoulder": (40, 30), "RShoulder": (56, 30), "LElbow": (34, 42), "RElbow": (62, 42), "LWrist": (30, 54),
    "RWrist": (66, 54), "LHip": (42, 55), "RHip": (54, 55), "LKnee": (41, 70), "RKnee": (55, 70), "LAnkle": (40, 86),
    "RAnkle": (56, 86), "tail?": (48, 60),
}  # fmt: skip


def picture(file: Path, seed: int) -> None:
    """Noise, so that no picture is nearly another."""
    file.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)
    Image.fromarray(coarse).resize((SIZE, SIZE), Image.Resampling.NEAREST).save(file)


def pose(seed: int) -> np.ndarray:
    """(joints, 2): the body, a little elsewhere."""
    rng = np.random.default_rng(seed)
    return np.array(list(BODY.values()), float) + rng.uniform(-8, 8, 2) + rng.uniform(-1, 1, (len(BODY), 2))


def write_project(folder: Path, videos: dict[str, int]) -> Path:
    """A DeepLabCut project of so many frames in each video, labelled by ann."""
    for number, (video, frames) in enumerate(videos.items()):
        files = [folder / "labeled-data" / video / f"img{frame}.png" for frame in range(frames)]
        poses = [pose(100 * number + frame).ravel() for frame in range(frames)]
        for frame, file in enumerate(files):
            picture(file, 100 * number + frame)
        table = pd.DataFrame(
            poses,
            pd.MultiIndex.from_tuples([file.relative_to(folder).parts for file in files]),
            pd.MultiIndex.from_product([["ann"], BODY, ["x", "y"]], names=["scorer", "bodyparts", "coords"]),
        )
        table.to_csv(files[0].with_name("CollectedData_ann.csv"))
    (folder / "config.yaml").write_text(yaml.safe_dump({"scorer": "ann", "bodyparts": list(BODY)}))
    return folder


def write_coco(folder: Path, names: list[str]) -> Path:
    """A COCO file of one person in each picture, in the folder beside it."""
    images = [{"id": n, "file_name": name, "width": SIZE, "height": SIZE} for n, name in enumerate(names)]
    for one in images:
        picture(folder / "images" / one["file_name"], one["id"])
    people = [
        {
            "id": n, "image_id": n, "category_id": 1, "iscrowd": 0,
            "keypoints": np.c_[pose(n), np.full(len(BODY), 2)].ravel().tolist(),
        }
        for n in range(len(names))
    ]  # fmt: skip
    people[0]["keypoints"][:6] = [0, 0, 2, 500, 30, 2]
    people[-1]["keypoints"] = people[1]["keypoints"]
    categories = [{"id": 1, "name": "person", "keypoints": list(BODY)}]
    file = folder / "people.json"
    file.write_text(json.dumps({"images": images, "annotations": people, "categories": categories}))
    return file


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch) -> Path:
    """A folder of data, of runs, and of profiles, which has the one that others extend."""
    monkeypatch.setenv("MONKEY_TRANSFER_DATA", str(tmp_path))
    monkeypatch.setenv("MONKEY_TRANSFER_RUNS", str(tmp_path / "runs"))
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "demo.yaml").write_text((ROOT / "config" / "demo.yaml").read_text(encoding="utf-8"))
    return tmp_path


def looked_at(data: Path, folders: Path, capsys) -> tuple[str, Profile]:
    look_at_data(data, folders / "config")
    [name] = {file.stem for file in (folders / "config").glob("my_*.yaml")}
    return capsys.readouterr().out, load_profile(name, folders / "config")


def test_a_project_gets_a_profile_that_fits_it(folders, capsys):
    project = write_project(folders / "gait study", {f"P{n // 2}_visit{n % 2 + 1}": 5 for n in range(24)})
    said, profile = looked_at(project, folders, capsys)
    assert "120 people in 120 pictures; what stays together: 12 groups by '^(.+?)[ _.-]*visit" in said
    assert profile.name == "my_gait_study"
    data = profile.target.data
    assert data.project == "gait study"  # within the folder of data
    assert data.keypoints == {
        name: name.replace("L", "left_").replace("R", "right_").lower() for name in BODY if name != "tail?"
    }
    text = (folders / "config" / "my_gait_study.yaml").read_text()
    assert '# "tail?":   # its name says no joint' in text
    contents = contents_of(data, profile.name)
    assert crowd_of(profile, contents.dataset).lacks(Asked.by(profile)) == ""
    lines = text.splitlines()
    named = [
        int(word)
        for word in said.split("look at its lines ")[1].split(", which are")[0].replace(" and", ",").split(", ")
    ]
    assert all("guess:" in lines[number - 1] for number in named)
    assert len(named) == text.count("guess:") - 1
    assert max(map(len, lines)) <= 120
    assert profile.folds == 5
    assert "Everybody is tested once, in 5 folds." in said
    assert "Its 2 questions can be decided." in said


def test_a_look_says_what_is_odd(folders, capsys):
    file = write_coco(folders / "people", [f"{film}_{n:02d}.png" for film in "abcdefghij" for n in range(6)])
    said, profile = looked_at(file, folders, capsys)
    assert "Left out: 1 joint, the first is left_shoulder of a_00: the joint is at (0, 0), where tools put" in said
    assert "Left out: 1 joint, the first is right_shoulder of a_00: the joint lies outside its picture." in said
    assert "The labels of a_01 and j_05 are the same to the last digit" in said
    assert "| tail?     | not read       |         60 | 100 |" in said
    assert "| LShoulder | left_shoulder  |         59 |  98 |" in said
    assert profile.target.data.images == "people/images"
    assert "10 groups by" in said


@pytest.mark.parametrize("frames, folds", [(4, 5), (8, None)])
def test_a_profile_is_looked_at_as_its_study_divides_it(folders, capsys, monkeypatch, frames, folds):
    project = write_project(folders / "gait", {f"v{n}": frames for n in range(30)})
    _, profile = looked_at(project, folders, capsys)
    assert profile.folds == folds
    monkeypatch.setattr(looking, "load_profile", lambda name: load_profile(name, folders / "config"))
    look_at_profile("my_gait")
    said = capsys.readouterr().out
    assert "source: 800 rendered pictures, drawn when the study begins." in said
    people, asked = crowd_of(profile, contents_of(profile.target.data, "my_gait").dataset), Asked.by(profile)
    assert f"an arm's images {people.most_to_learn(asked)} ({asked.images} asked)" in said
    few = {"data": {"format": "synthetic", "species": "macaque", "images": 9, "size": 32}, "test": 2}
    with_few_monkeys = profile.model_copy(update={"source": SourceData.model_validate(few)})
    monkeypatch.setattr(opening, "load_profile", lambda name: with_few_monkeys)
    splits = [part.splits["target"] for part in open_study("my_gait").parts]
    assert [division.split for division in people.divided(asked)] == splits


def test_what_a_ruling_needs(folders, capsys):
    project = write_project(folders / "gait", {f"v{n}": 8 for n in range(30)})
    _, profile = looked_at(project, folders, capsys)
    people = crowd_of(profile, contents_of(profile.target.data, "my_gait").dataset)
    assert needed_for_a_ruling(profile, people) == []
    silent = {name: arm.model_copy(update={"against": {}}) for name, arm in profile.arms.items()}
    asks, seeds = needed_for_a_ruling(profile.model_copy(update={"seeds": (0,), "arms": silent}), people)
    assert "asks none" in asks
    assert "1 seed does not show what is chance: say seeds: [0, 1, 2]" in seeds
    small = profile.model_copy(update={"target": profile.target.model_copy(update={"test": 16})})
    [groups] = needed_for_a_ruling(small, people)
    assert "holds 2 groups, and there are no intervals below 8: 73 test pictures would hold as many" in groups
    whole = {"folds": 5, "target": profile.target.model_copy(update={"test": None})}
    sizes = {"long": 2000, **{f"short{n}": 20 for n in range(30)}}
    names = [name for name, frames in sizes.items() for _ in range(frames)]
    uneven = Crowd(pd.DataFrame({"image_id": [f"{n:04d}" for n in range(len(names))], "group": names}))
    [unequal] = needed_for_a_ruling(profile.model_copy(update=whole), uneven)
    assert "its test holds 31 groups, which tell as much as 1.7 of equal size, and there are no" in unequal


def test_people_who_do_not_suffice_are_told_last(folders, capsys, monkeypatch):
    project = write_project(folders / "gait", {f"v{n}": 8 for n in range(30)})
    looked_at(project, folders, capsys)
    file = folders / "config" / "my_gait.yaml"
    file.write_text(file.read_text().replace("  test: ", "  test: 9"))
    monkeypatch.setattr(looking, "load_profile", lambda name: load_profile(name, folders / "config"))
    with refused("own data", "a profile that asks for more than there are", match="my_gait, target: .* test pictures"):
        look_at_profile("my_gait")
    assert "The largest that fits, the others as they are asked: test " in capsys.readouterr().out


def test_a_profile_is_never_written_over(folders, capsys):
    project = write_project(folders / "gait", {f"v{n}": 4 for n in range(12)})
    looked_at(project, folders, capsys)
    before = (folders / "config" / "my_gait.yaml").read_text()
    with refused(
        "own data", "a profile that is there already", match="my_gait.yaml: is there already and is not written"
    ):
        look_at_data(project, folders / "config")
    assert (folders / "config" / "my_gait.yaml").read_text() == before


@pytest.mark.parametrize(
    "what, videos, match",
    [
        ("everybody in one video", {"v": 30}, "30 people in 1 group that .* too few for a study"),
        ("a handful of frames", {"v": 2, "w": 3}, "5 people in 2 groups .* too few for a study"),
    ],
)
def test_too_few_people_get_no_profile(folders, what, videos, match):
    with refused("own data", what, match=match):
        look_at_data(write_project(folders / "gait", videos), folders / "config")
    assert not list((folders / "config").glob("my_*"))


@pytest.mark.parametrize(
    "what, path, match",
    [
        ("nothing of that name", "gone", "gone: is not there; expected the folder of a DeepLabCut project"),
        ("a folder that is no project", "config", "config: there is no config.yaml in it; expected the folder"),
        ("a file of another kind", "config/demo.yaml", "demo.yaml: is something else; expected the folder"),
    ],
)
def test_what_is_no_data_set(folders, what, path, match):
    with refused("own data", what, match=match):
        look_at_data(folders / path, folders / "config")


def test_pictures_that_are_nowhere_near(folders):
    file = write_coco(folders / "people", ["a.png", "b.png"])
    (folders / "people" / "images").rename(folders / "elsewhere")
    with refused(
        "COCO file", "its pictures are not near it", match="its first picture, a.png, is not found near it: put"
    ):
        look_at_data(file, folders / "config")


def test_all_formats_are_looked_at(folders):
    """Joints are counted in labels where files name none that are not read."""
    people = drawn_crowd(load_profile("demo", folders / "config").target.data)
    assert people.scored == 1250
    contents = contents_of(load_profile("smoke").target.data, "smoke")
    assert "| left_knee" in "\n".join(in_words(contents))


def test_minutes_are_told_of_measured_networks_alone(folders, monkeypatch):
    monkeypatch.setattr("monkey_transfer.study.looking.visible_gpus", list)
    monkeypatch.setattr("monkey_transfer.study.looking.trainings_at_once", lambda: 2)
    # Six trainings of 200 x 8 pictures of 96 x 96 pixels at 59.6 pictures of 128 x 128 a second.
    demo, smoke = load_profile("demo"), load_profile("smoke")
    assert stated_minutes(demo, runs_of(demo)) == pytest.approx(6 * 1600 * (96 / 128) ** 2 / 59.6 / 60)
    assert stated_minutes(smoke, runs_of(smoke)) is None  # TensorFlow


@pytest.mark.parametrize(
    "what, words, match", [("nothing to look at", ["", ""], "neither"), ("data and a profile", ["x", "demo"], "both")]
)
def test_one_of_two_is_named(what, words, match):
    ran = subprocess.run([sys.executable, "-m", "monkey_transfer.tell.looking", *words], capture_output=True, text=True)
    assert ran.returncode == 1
    assert match in ran.stderr
    holds("command line", what, ran.stderr.strip().removeprefix("error: "))
