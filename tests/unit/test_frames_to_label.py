"""From a video that a network watched to a folder of frames to label, and what is said of it."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bad_input import holds, refused
from drawn_videos import write_video
from test_jobs import opened  # noqa: F401

from monkey_transfer.images import read_picture
from monkey_transfer.measure import frames as measured
from monkey_transfer.measure.frames import labelled_frames, standard_of
from monkey_transfer.measure.rare_poses import rarity_of_people
from monkey_transfer.skeletons import MPII_16
from monkey_transfer.study.opening import Study
from monkey_transfer.study.runs import Run
from monkey_transfer.study.watching import Watched
from monkey_transfer.tell import frames, single
from monkey_transfer.videos.labelling import picture_name, write_to_label
from monkey_transfer.videos.reading import Video, open_video

RATE, FRAMES = 4, 16
# Of these frames the network is uncertain, and in these nobody is found.
BLURRED, LOST = 5, (11, 12, 13, 14)
SURE, UNSURE = 0.9, 0.2


def predicted(labels: pd.DataFrame, likelihood) -> pd.DataFrame:
    return labels.loc[labels["labelled"], ["image_id", "keypoint", "x", "y"]].assign(likelihood=likelihood)


@pytest.fixture
def study(opened, monkeypatch) -> Study:  # noqa: F811
    """All joints of its people are labelled; of held-out ones 25 % are right where it says 0.3, and 75 where 0.7."""
    people = replace(opened.target, labels=_filled(opened.target.labels))
    opened = replace(opened, target=people)
    held_out = opened.held_out(opened.runs_of("transfer", 0)[0]).labels
    place = np.arange(len(held_out)) % 8
    found = predicted(held_out, np.where(place < 4, 0.3, 0.7))
    found["x"] += np.where(np.isin(place, (0, 1, 2, 7)), 1000, 0)
    monkeypatch.setattr(Run, "predictions", lambda self, of: found)
    return opened


def _filled(labels: pd.DataFrame) -> pd.DataFrame:
    """Where a joint lies outside the picture it is labelled all the same, in its corner."""
    return labels.fillna({"x": 0.0, "y": 0.0}).assign(labelled=True, visible=True)


@pytest.fixture
def film(tmp_path) -> Video:
    rng = np.random.default_rng(0)
    shown = rng.integers(0, 256, (FRAMES, 48, 64, 3), dtype=np.uint8)
    return open_video(write_video(tmp_path / "walk.mkv", shown, rate=str(RATE)))


def seen(study: Study) -> pd.DataFrame:
    """A test person in each frame, of joints of whom the network is as sure as it ever is, but for some frames."""
    people = study.target.subset(study.target.images["image_id"][:FRAMES]).labels
    frame = np.arange(FRAMES).repeat(16)
    likelihood = np.where(frame == BLURRED, UNSURE, SURE)
    poses = pd.DataFrame({"frame": frame, "keypoint": people["keypoint"], "x": people["x"], "y": people["y"]})
    poses["likelihood"] = likelihood
    poses.loc[np.isin(frame, LOST), ["x", "y", "likelihood"]] = np.nan
    return poses


@pytest.fixture
def watched(study, monkeypatch):
    """What the network sees in every video; ``watched(poses)`` has it see other poses."""

    def watched(poses: pd.DataFrame) -> None:
        monkeypatch.setattr(frames, "watch", lambda *_: Watched(poses, pd.DataFrame(), 0.5, None))

    watched(seen(study))
    return watched


def test_the_chosen_frames_are_there_with_the_poses_seen_in_them_and_why(study, film, watched, tmp_path):
    run = study.runs_of("transfer", 0)[0]
    said = [*frames.choose_frames(study, run, film.path, 5, str(tmp_path / "out"))]
    folder = tmp_path / "out" / "labeled-data" / "walk"
    chosen = pd.read_csv(folder / "chosen_frames.csv").set_index("frame")
    assert chosen["time"].to_dict() == {frame: frame / RATE for frame in chosen.index}
    assert sorted(chosen["rank"]) == [1, 2, 3, 4, 5]
    assert chosen["rank"][BLURRED] == 1
    assert chosen["why"][BLURRED].startswith("uncertain")
    assert chosen["why"].iloc[-1] == "nobody found"
    assert len({*chosen.index} & {*LOST}) == 1
    assert (np.diff(chosen.index) >= RATE / 2).all()

    assert {file.name for file in folder.glob("*.png")} == {*chosen["picture"]}
    for number, frame in enumerate(film):
        if number in chosen.index:
            assert np.array_equal(read_picture(folder / chosen["picture"][number]), frame)
    poses = seen(study)[lambda rows: rows["frame"].isin(chosen.index)]
    machine = pd.read_hdf(folder / "machinelabels-iter0.h5")["DLC_transfer_n20_s0"].stack(
        "bodyparts", future_stack=True
    )
    assert machine.index.get_level_values("bodyparts").tolist() == poses["keypoint"].tolist()
    np.testing.assert_allclose(machine[["x", "y"]], poses[["x", "y"]])
    calibrated = standard_of(study, run).calibration.share(poses["likelihood"].to_numpy())
    np.testing.assert_allclose(machine["likelihood"], calibrated)
    assert 1 - calibrated[poses["frame"] == BLURRED].mean() == pytest.approx(
        chosen["expected_wrong"][BLURRED], abs=1e-3
    )

    first, limits, likelihoods, on = said
    assert first.startswith("walk.mkv: 5 of 16 frames to label, from ")
    assert first.endswith(" and 1 of the 4 in which nobody is found.")
    assert limits.startswith("Uncertain is a frame with more than ")
    assert limits.endswith(
        " body sizes from the nearest that were learnt; one in ten held-out people is beyond either."
    )
    assert likelihoods.startswith("Likelihoods are calibrated on ")
    assert f"cp -rn {folder.parent} '<your project>'/\n" in on
    assert on.endswith("  >>> deeplabcut.label_frames('<your project>/config.yaml', 'walk')")


def test_what_is_there_already_is_not_mixed_with_another_choice(study, film, watched, tmp_path):
    [*_] = frames.choose_frames(study, study.runs_of("transfer", 0)[0], film.path, 2, str(tmp_path / "out"))
    watched(None)
    with refused("video", "frames to label from before", match="labeled-data/walk: is there already"):
        [*_] = frames.choose_frames(study, study.runs_of("transfer", 0)[0], film.path, 2, str(tmp_path / "out"))


def test_a_video_without_anybody_is_refused_after_all_others_are_done(study, film, watched, tmp_path, monkeypatch):
    write_video(tmp_path / "empty.mkv", [*film], rate=str(RATE))
    poses, nobody = seen(study), seen(study).assign(x=np.nan, y=np.nan, likelihood=np.nan)
    by_name = {"walk.mkv": poses, "empty.mkv": nobody}
    monkeypatch.setattr(frames, "watch", lambda _, __, path, ___: Watched(by_name[path.name], nobody, 0.5, None))
    said = []
    with refused(
        "video", "nobody is found, so no frame is chosen", match="empty.mkv: nobody is found in any of its 16"
    ):
        said.extend(frames.choose_frames(study, study.runs_of("transfer", 0)[0], tmp_path, 3, str(tmp_path / "out")))
    assert [folder.name for folder in (tmp_path / "out" / "labeled-data").iterdir()] == ["walk"]


def project_with(study: Study, *numbers: int) -> Study:
    """The study whose target has those frames of the video labelled, as a DeepLabCut project has them."""
    paths = study.target.images["path"].tolist()
    for place, number in enumerate(numbers):
        paths[-1 - place] = f"/somewhere/labeled-data/walk/img{number:03d}.png"
    others = "/somewhere/labeled-data/run/img001.png", "/somewhere/labeled-data/walk/img001labeled.png"
    paths[: len(others)] = others
    return replace(study, target=replace(study.target, images=study.target.images.assign(path=paths)))


def test_frames_that_are_labelled_already_and_their_neighbours_are_not_chosen(study, film, watched, tmp_path):
    assert labelled_frames(study.target, film) == []
    labelled = project_with(study, BLURRED, 9)
    assert labelled_frames(labelled.target, film) == [BLURRED, 9]
    first, *_ = frames.choose_frames(labelled, study.runs_of("transfer", 0)[0], film.path, 9, str(tmp_path / "out"))
    chosen = pd.read_csv(tmp_path / "out" / "labeled-data" / "walk" / "chosen_frames.csv")
    assert not {4, 5, 6, 8, 9, 10} & {*chosen["frame"]}
    assert " Labelled already: 2. 9 were asked for, but the others are within 0.5 seconds of these, or of" in first
    everywhere = project_with(study, *range(FRAMES))
    with refused("video", "every frame is near a labelled one", match="every frame that shows somebody is within"):
        [*_] = frames.choose_frames(everywhere, study.runs_of("transfer", 0)[0], film.path, 9, str(tmp_path / "new"))


def test_how_unusual_a_pose_is_is_its_rarity_and_by_the_held_out_people_whether_it_is(study, monkeypatch):
    run = study.runs_of("transfer", 0)[0]
    learnt = study.target.subset(study.draw("target", 0).training_subset(20))
    people = replace(study.test_people, labels=predicted(study.test_people.labels, SURE))
    monkeypatch.setattr(measured, "_AT_ONCE", 3)
    standard = standard_of(study, run)
    found = standard.measured(people)
    expected = rarity_of_people(study.test_people, learnt, [mark for _, mark in MPII_16.landmarks])
    pd.testing.assert_series_equal(found["rarity"].sort_index(), expected.sort_index(), check_names=False)
    held_out = replace(study.held_out(run), labels=study.held_out_predictions(run))
    assert standard.limits["rarity"] == standard.measured(held_out)["rarity"].quantile(0.9)


def test_where_too_few_were_learnt_rarity_is_not_known_and_that_is_said(study, film, watched, tmp_path):
    _, limits, *_ = frames.choose_frames(study, study.runs_of("transfer", 0, 6)[0], film.path, 3, str(tmp_path / "out"))
    assert limits.endswith(
        "as uncertain. How far poses are from those that were learnt is not known, since too few of these are here."
    )
    chosen = pd.read_csv(tmp_path / "out" / "labeled-data" / "walk" / "chosen_frames.csv").set_index("frame")
    assert chosen["rarity"].isna().all()
    assert chosen["rank"][BLURRED] == 1


def test_joints_that_few_have_are_left_out_of_distances_on_both_sides(study):
    learnt = study.target.subset(study.target.images["image_id"][:40])
    hidden = learnt.labels["keypoint"].eq(MPII_16.keypoint_of["right_wrist"]) & learnt.labels["image_id"].isin(
        learnt.images["image_id"][:21]
    )
    labels = learnt.labels.assign(labelled=~hidden, x=learnt.labels["x"].mask(hidden))
    marks = {mark for _, mark in MPII_16.landmarks}
    assert {*measured._landmarks(replace(learnt, labels=labels), marks)} == marks - {"right_wrist", "left_wrist"}
    assert measured._landmarks(learnt, {"right_knee", "right_hip", "upper_neck"}) == ["upper_neck"]


@pytest.mark.parametrize(
    "frames, number, name", [(1, 0, "img0"), (10, 9, "img9"), (11, 9, "img09"), (100, 7, "img07"), (101, 7, "img007")]
)
def test_pictures_are_numbered_as_by_deeplabcut(frames, number, name):
    assert picture_name(Video(Path("walk.mp4"), 64, 48, 25, frames, True), number) == f"{name}.png"


def test_where_a_frame_cannot_be_read_nothing_is_left(study, film, tmp_path):
    chosen = pd.DataFrame({"frame": [0, FRAMES - 1], "picture": ["img00.png", "img15.png"]})
    longer = replace(film, frames=FRAMES + 1)
    with pytest.raises(Exception, match="cannot be decoded"):
        write_to_label(tmp_path / "out" / "walk", longer, seen(study), chosen, "DLC")
    assert [*(tmp_path / "out").iterdir()] == []


@pytest.mark.parametrize(
    "what, words",
    [
        ("no frame to label", ("walk.mp4", "0", "")),
        ("a number of frames to label that is none", ("walk.mp4", "ten", "")),
        ("no video to label frames of", ("", "5", "")),
        ("a run that is not there", ("walk.mp4", "", "")),
    ],
)
def test_words_that_name_nothing_are_refused_before_data_are_opened(what, words, monkeypatch, tmp_path):
    monkeypatch.setenv("MONKEY_TRANSFER_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(single, "open_study", lambda name: pytest.fail("data were opened"))
    monkeypatch.setattr(sys, "argv", ["frames", "--", "smoke", "transfer", "10", "", *words])
    with pytest.raises(SystemExit) as ended:
        frames.main()
    told = str(ended.value).removeprefix("error: ")
    if what == "a run that is not there":  # as of every other command
        assert told.endswith("make run PROFILE=smoke ARM=transfer IMAGES=10 SEED=0 trains it")
    else:
        holds("command line", what, told)
