"""Keypoint sets must be consistent in themselves and with each other."""

from itertools import permutations

import pytest

from monkey_transfer.errors import StudyError
from monkey_transfer.skeletons import (
    FULL_HUMAN_14,
    LIMB_JOINTS,
    LSP_14,
    MACAQUEPOSE_17,
    MPII_16,
    SKELETONS,
    Skeleton,
    mapping,
)

EVERY = pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS)
EVERY_TWO = pytest.mark.parametrize("a, b", list(permutations(SKELETONS.values(), 2)), ids=lambda s: s.name)


@pytest.mark.parametrize(
    "skeleton, size",
    [(MPII_16, 16), (LSP_14, 14), (FULL_HUMAN_14, 14), (MACAQUEPOSE_17, 17), (SKELETONS["openmonkeychallenge_17"], 17)],
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
        "pelvis", "thorax", "upper_neck", "head_top", "nose", "tail"
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


def test_sets_without_a_common_landmark():
    tail = Skeleton("tail_1", (("tail", "tail"),))
    with pytest.raises(StudyError, match="lsp_14 and tail_1 share no landmark"):
        mapping(LSP_14, tail)
