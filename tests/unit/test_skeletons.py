"""Keypoint sets must be consistent in themselves and with each other."""

from importlib.metadata import distribution
from itertools import permutations
from pathlib import Path

import pytest
import yaml

from monkey_transfer.errors import StudyError
from monkey_transfer.skeletons import (
    BLAZEPOSE_33,
    FULL_HUMAN_14,
    LIMB_JOINTS,
    LSP_14,
    MACAQUEPOSE_17,
    MPII_16,
    SKELETONS,
    SUPERANIMAL_QUADRUPED_39,
    Skeleton,
    mapping,
)

EVERY = pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS)
EVERY_TWO = pytest.mark.parametrize("a, b", list(permutations(SKELETONS.values(), 2)), ids=lambda s: s.name)


@pytest.mark.parametrize(
    "skeleton, size",
    [
        *((MPII_16, 16), (LSP_14, 14), (FULL_HUMAN_14, 14), (MACAQUEPOSE_17, 17)),
        *(
            (SKELETONS["openmonkeychallenge_17"], 17),
            (SKELETONS["animalpose_20"], 20),
            (SUPERANIMAL_QUADRUPED_39, 39),
            (BLAZEPOSE_33, 33),
        ),
    ],
)
def test_sizes_are_those_in_the_names(skeleton, size):
    assert len(skeleton.keypoints) == size
    assert skeleton.name.endswith(f"_{size}")


@EVERY
def test_keypoints_and_landmarks_are_unique(skeleton):
    assert len(set(skeleton.keypoints)) == len(skeleton.keypoints)
    assert len(skeleton.keypoint_of) == len(skeleton.keypoints)


@EVERY
def test_limbs_join_own_keypoints_and_reach_them_all(skeleton):
    ends = {end for limb in skeleton.limbs for end in limb}
    assert ends == set(skeleton.keypoints)
    assert all(a != b for a, b in skeleton.limbs)
    assert len({frozenset(limb) for limb in skeleton.limbs}) == len(skeleton.limbs)


@EVERY
def test_pairs_are_mirror_pairs(skeleton):
    landmark_of = dict(skeleton.landmarks)
    for right, left in skeleton.pairs:
        assert landmark_of[right].removeprefix("right_") == landmark_of[left].removeprefix("left_")
        assert landmark_of[right].startswith("right_")
        assert landmark_of[left].startswith("left_")
    paired = [keypoint for pair in skeleton.pairs for keypoint in pair]
    assert len(set(paired)) == len(paired)
    # Whatever is in no pair lies in the middle.
    assert {landmark_of[k] for k in set(skeleton.keypoints) - set(paired)} <= {
        "pelvis", "thorax", "upper_neck", "head_top", "nose", "tail", "tail_base", "tail_end", "upper_jaw", "lower_jaw",
        "neck_base", "neck_end", "throat_base", "throat_end", "throat", "withers", "back_base", "back_middle",
        "back_end", "belly_bottom",
    }  # fmt: skip


@EVERY
def test_mirroring_maps_limbs_to_limbs(skeleton):
    mirror = {k: k for k in skeleton.keypoints}
    for right, left in skeleton.pairs:
        mirror[right], mirror[left] = left, right
    limbs = {frozenset(limb) for limb in skeleton.limbs}
    assert {frozenset((mirror[a], mirror[b])) for a, b in skeleton.limbs} == limbs


@EVERY_TWO
def test_mappings_are_one_to_one_and_inverse(a, b):
    there, back = mapping(a, b), mapping(b, a)
    assert back == {target: source for source, target in there.items()}
    assert set(there) <= set(a.keypoints)
    assert set(there.values()) <= set(b.keypoints)


@EVERY_TWO
def test_mappings_compose(a, b):
    for between in SKELETONS.values():
        first, second = mapping(a, between), mapping(between, b)
        composed = {k: second[first[k]] for k in first if first[k] in second}
        assert composed.items() <= mapping(a, b).items()


@EVERY_TWO
def test_mappings_keep_sides(a, b):
    sides_of_a, sides_of_b = dict(a.landmarks), dict(b.landmarks)
    for source, target in mapping(a, b).items():
        assert sides_of_a[source] == sides_of_b[target]


def test_full_human_and_lsp_are_the_same_joints():
    there = mapping(FULL_HUMAN_14, LSP_14)
    assert len(there) == 14
    assert list(there.values()) == list(LSP_14.keypoints)
    assert (there["ankle1"], there["wrist2"]) == ("right_ankle", "left_wrist")
    assert (there["chin"], there["forehead"]) == ("neck", "head_top")


def test_openmonkeychallenge_to_lsp():
    assert mapping(SKELETONS["openmonkeychallenge_17"], LSP_14) == {
        "head": "head_top",
        "neck": "neck",
        **{
            f"{side}_{j}": f"{side}_{j}"
            for side in ("right", "left")
            for j in ("shoulder", "elbow", "wrist", "knee", "ankle")
        },
    }


def test_openmonkeychallenge_hip_is_the_pelvis():
    assert mapping(SKELETONS["openmonkeychallenge_17"], MPII_16)["hip"] == "pelvis"


def test_macaques_share_the_twelve_limb_joints_with_people():
    assert set(mapping(MACAQUEPOSE_17, MPII_16).values()) == set(LIMB_JOINTS)


def test_mpii_order_is_that_of_the_release():
    assert MPII_16.keypoints[0] == "right_ankle"
    assert MPII_16.keypoints[6:10] == ("pelvis", "thorax", "upper_neck", "head_top")
    assert MPII_16.keypoints[15] == "left_wrist"


def test_superanimal_s_order_is_that_of_the_installed_project():
    """Its weights have no names, so that another order would be another animal."""
    file = distribution("deeplabcut").locate_file("deeplabcut/modelzoo/project_configs/superanimal_quadruped.yaml")
    listed = yaml.safe_load(Path(str(file)).read_text(encoding="utf-8"))["bodyparts"]
    assert list(SUPERANIMAL_QUADRUPED_39.keypoints) == listed


def test_quadrupeds_share_with_primates_what_their_authors_named_alike():
    of_limbs = {
        "front_left_thai": "left_shoulder", "front_right_thai": "right_shoulder",
        "back_left_thai": "left_hip", "back_right_thai": "right_hip",
        "back_left_knee": "left_knee", "back_right_knee": "right_knee",
    }  # fmt: skip
    of_heads = {"nose": "nose", "left_eye": "left_eye", "right_eye": "right_eye"}
    of_ears = {"left_earbase": "left_ear", "right_earbase": "right_ear"}
    assert mapping(SUPERANIMAL_QUADRUPED_39, MPII_16) == of_limbs
    assert mapping(SUPERANIMAL_QUADRUPED_39, MACAQUEPOSE_17) == of_limbs | of_heads | of_ears
    of_one_hip = {quadruped: monkey for quadruped, monkey in of_limbs.items() if "hip" not in monkey} | of_heads
    assert mapping(SUPERANIMAL_QUADRUPED_39, SKELETONS["openmonkeychallenge_17"]) == of_one_hip


def test_sets_without_a_common_landmark():
    tail = Skeleton("tail_1", (("tail", "tail"),))
    with pytest.raises(StudyError, match="lsp_14 and tail_1 share no landmark"):
        mapping(LSP_14, tail)
