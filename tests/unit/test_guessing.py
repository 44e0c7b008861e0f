"""What is guessed of somebody's own data from names alone."""

import re

import pytest
from bad_input import refused
from hypothesis import given
from hypothesis import strategies as st

from monkey_transfer.skeletons import LIMB_JOINTS, SKELETONS
from monkey_transfer.study.guessing import guess_group, guess_joints, guess_landmark

NAMES = {
    "LShoulder": "left_shoulder",
    "shoulder_l": "left_shoulder",
    "R.Knee": "right_knee",
    "right knee": "right_knee",
    "kneeR": "right_knee",
    "knee (L)": "left_knee",
    "LELBOW": "left_elbow",
    "lear": "left_ear",
    "rear": "right_ear",
    "kneel": "left_knee",
    "Left Wrist Joint": "left_wrist",
    "mid hip": "pelvis",
    "head top": "head_top",
    "Neck": "upper_neck",
    "ankle1": "right_ankle",  # of DeepLabCut's own human network
    "RBigToe": "right_foot_index",
    "knee": None,
    "ball": None,
    "left": None,
    "left_right_knee": None,
    "": None,
    "head_left": None,
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_means_a_joint(name):
    assert guess_landmark(name) == NAMES[name]


@given(
    st.sampled_from(LIMB_JOINTS),
    st.sampled_from(["", " ", "_", ".", "-", " ("]),
    st.sampled_from([str.lower, str.upper, str.title, str.capitalize]),
    st.booleans(),
    st.booleans(),
)
def test_a_side_and_a_joint_in_any_spelling(landmark, between, case, short, first):
    side, joint = landmark.split("_")
    parts = [side[0] if short else side, joint]
    assert guess_landmark(case(between.join(parts if first else parts[::-1]))) == landmark


def test_every_joint_of_a_known_set_is_its_own():
    for name in ("lsp_14", "mpii_16", "full_human_14", "macaquepose_17"):
        joints = guess_joints(name, dict.fromkeys(SKELETONS[name].keypoints, 1))
        landmarks = [joints.skeleton.landmark_of[keypoint] for keypoint in joints.keypoints.values()]
        assert landmarks == [landmark for _, landmark in SKELETONS[name].landmarks]
        assert not joints.unread


def test_what_is_not_read_says_why():
    names = ["RKnee", "knee_right", "LKnee", "RHip", "LHip", "head", "neck", "nose", "belt"]
    joints = guess_joints("config.yaml", {**dict.fromkeys(names, 5), "LElbow": 0})
    assert joints.skeleton.name == "lsp_14"  # a head and a neck outweigh the nose
    assert joints.keypoints == {
        "RKnee": "right_knee",
        "LKnee": "left_knee",
        "RHip": "right_hip",
        "LHip": "left_hip",
        "head": "head_top",
        "neck": "neck",
    }
    assert joints.unread == {
        "LElbow": "nobody has it labelled",
        "knee_right": "'RKnee' is taken for right_knee",
        "nose": "lsp_14 has no nose",
        "belt": "its name says no joint",
    }


def test_names_of_which_too_few_are_joints(tmp_path):
    with refused(
        "own data", "names that nobody could guess", "2 could be guessed .*, expected 4 such as .*: copy config"
    ):
        guess_joints(tmp_path / "config.yaml", {"left_knee": 9, "a1": 9, "a2": 9, "nose": 9, "neck": 0})


GROUPS = [
    (
        "recordings of a person",
        ["P01_visit1/a.png", "P01_visit2/a.png", "P02_visit1/a.png"],
        True,
        ["P01", "P01", "P02"],
    ),
    ("recordings of two kinds", ["ann-day2/a.png", "bob cam1/a.png", "ann_cam3/b.png"], True, ["ann", "bob", "ann"]),
    ("videos", ["video00/a.png", "video01/a.png", "video01/b.png"], True, None),
    ("one recording each", ["P01_visit1/a.png", "P02_visit1/a.png"], True, None),
    ("folders", ["x/a.png", "y/a.png", "y/b.png", "z/a.png"], False, "folder"),
    ("folders of a split", ["train/a.png", "val/a.png", "test/b.png", "test/c.png"], False, None),
    (
        "films",
        [f"{film}_{n:03d}.png" for film in ("walk", "run", "sit") for n in (1, 2)],
        False,
        ["walk"] * 2 + ["run"] * 2 + ["sit"] * 2,
    ),
    ("numbers", ["000001.jpg", "000002.jpg", "000003.jpg", "1.jpg", "2.jpg", "3.jpg"], False, None),
    ("one film", [f"im{n:05d}.jpg" for n in range(6)], False, None),
    ("names alone", ["ann.jpg", "bob.jpg", "eve.jpg", "joe.jpg"], False, None),
]


@pytest.mark.parametrize("names, of_videos, groups", [case[1:] for case in GROUPS], ids=[case[0] for case in GROUPS])
def test_who_belongs_together_by_names(names, of_videos, groups):
    guess = guess_group(names, of_videos)
    if isinstance(groups, list):
        rule, why = guess
        assert [re.search(rule, name)[1] for name in names] == groups
        assert groups[0] in why
    else:
        assert (guess and guess[0]) == groups


@given(st.lists(st.tuples(st.sampled_from(["P1", "P10", "ann"]), st.sampled_from("123")), min_size=2, unique=True))
def test_recordings_of_one_person_are_never_parted(recordings):
    names = [f"{person}_session{number}/img.png" for person, number in recordings]
    guess = guess_group(names, True)
    people = [person for person, _ in recordings]
    assert bool(guess) == (len(set(people)) < len(people))
    assert not guess or [re.search(guess[0], name)[1] for name in names] == people
