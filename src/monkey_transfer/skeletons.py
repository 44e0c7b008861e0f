"""Keypoint sets, their limbs and left-right pairs, and the mappings between sets: what ``skeletons.yaml`` lists.

Two keypoints correspond when they are the same anatomical landmark, so a mapping between any two sets follows from the
sets themselves.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from monkey_transfer.errors import StudyError
from monkey_transfer.files import listed

_LISTED = listed(__file__)
# The twelve limb joints; OpenMonkeyChallenge alone has one hip instead of two.
LIMB_JOINTS = tuple(
    f"{side}_{joint}" for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle") for side in ("right", "left")
)


@dataclass(frozen=True)
class Skeleton:
    """A set of keypoints.

    Attributes
    ----------
    name : the name by which profiles refer to it.
    landmarks : (keypoint name in this set, anatomical landmark), in the set's own order.
    """

    name: str
    landmarks: tuple[tuple[str, str], ...]

    @cached_property
    def keypoints(self) -> tuple[str, ...]:
        """Keypoint names in the set's own order."""
        return tuple(self.landmark_of)

    @cached_property
    def keypoint_of(self) -> dict[str, str]:
        """Anatomical landmark -> keypoint name in this set."""
        return {landmark: keypoint for keypoint, landmark in self.landmarks}

    @cached_property
    def landmark_of(self) -> dict[str, str]:
        """Keypoint name in this set -> anatomical landmark."""
        return dict(self.landmarks)

    def only(self, keypoints: Collection[str]) -> "Skeleton":
        """The same set without all other keypoints."""
        return replace(self, landmarks=tuple(pair for pair in self.landmarks if pair[0] in keypoints))

    def renamed(self, names: Mapping[str, str]) -> "Skeleton":
        """The same landmarks under other names; ``names`` leads from those of this set, as far as they change."""
        return replace(
            self, landmarks=tuple((names.get(keypoint, keypoint), mark) for keypoint, mark in self.landmarks)
        )

    @cached_property
    def limbs(self) -> tuple[tuple[str, str], ...]:
        """Pairs of keypoint names to join with a line when a pose is drawn."""
        own = self.keypoint_of
        return tuple((own[a], own[b]) for a, b in _LISTED["limbs"] if a in own and b in own)

    @cached_property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """(right keypoint, left keypoint), which change places when a picture is mirrored."""
        own, rights = self.keypoint_of, (pair for pair in self.landmarks if pair[1].startswith("right_"))
        return tuple((right, own[other_side(landmark)]) for right, landmark in rights if other_side(landmark) in own)


def without_side(landmark: str) -> str:
    """The joint, such as 'knee' of 'right_knee'."""
    return landmark.removeprefix("right_").removeprefix("left_")


def other_side(landmark: str) -> str:
    """'left_knee' of 'right_knee' and the other way round; what is in the middle is its own."""
    side, _, joint = landmark.partition("_")
    return {"right": f"left_{joint}", "left": f"right_{joint}"}.get(side, landmark)


SKELETONS = {
    name: Skeleton(name, tuple((one, one) if isinstance(one, str) else tuple(*one.items()) for one in keypoints))
    for name, keypoints in _LISTED["skeletons"].items()
}
# Keypoint of any set -> anatomical landmark.
LANDMARK_OF = {keypoint: landmark for skeleton in SKELETONS.values() for keypoint, landmark in skeleton.landmarks}
MPII_16 = SKELETONS["mpii_16"]
LSP_14 = SKELETONS["lsp_14"]
FULL_HUMAN_14 = SKELETONS["full_human_14"]
MACAQUEPOSE_17 = SKELETONS["macaquepose_17"]
SUPERANIMAL_QUADRUPED_39 = SKELETONS["superanimal_quadruped_39"]
BLAZEPOSE_33 = SKELETONS["blazepose_33"]


def mapping(source: Skeleton, target: Skeleton) -> dict[str, str]:
    """Keypoint of ``source`` -> keypoint of ``target`` for the landmarks that both have, in source order.

    Raises StudyError when they share none, since nothing could then be compared.
    """
    shared = {kp: target.keypoint_of[landmark] for kp, landmark in source.landmarks if landmark in target.keypoint_of}
    if not shared:
        raise StudyError(f"skeletons {source.name} and {target.name} share no landmark: no mapping between them")
    return shared
