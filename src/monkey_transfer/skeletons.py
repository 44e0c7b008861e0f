"""Keypoint sets, their limbs and left-right pairs, and named mappings between sets.

Every set names its keypoints as its source does (with underscores for spaces) and says which
anatomical landmark each of them is. Two keypoints correspond when they are the same landmark, so
a mapping between any two sets follows from the sets themselves.
"""

from dataclasses import dataclass
from functools import cached_property

from monkey_transfer.errors import StudyError

# The twelve limb joints; OpenMonkeyChallenge alone has one hip instead of two.
LIMB_JOINTS = tuple(
    f"{side}_{joint}" for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle") for side in ("right", "left")
)

_LIMBS = (
    ("head_top", "upper_neck"),
    ("upper_neck", "thorax"),
    ("thorax", "pelvis"),
    ("pelvis", "tail"),
    ("nose", "head_top"),
    ("nose", "upper_neck"),
    ("nose", "right_eye"),
    ("nose", "left_eye"),
    ("right_eye", "right_ear"),
    ("left_eye", "left_ear"),
    ("right_shoulder", "left_shoulder"),
    ("right_hip", "left_hip"),
    *(
        (f"{side}_{upper}", f"{side}_{lower}")
        for side in ("right", "left")
        for upper, lower in (
            ("shoulder", "elbow"),
            ("elbow", "wrist"),
            ("shoulder", "hip"),
            ("hip", "knee"),
            ("knee", "ankle"),
        )
    ),
)


@dataclass(frozen=True)
class Skeleton:
    """A set of keypoints.

    Attributes
    ----------
    name : the name by which profiles refer to it.
    landmarks : (keypoint name in this set, anatomical landmark), in the set's own order.
    source : where the order and the meaning of the keypoints are defined.
    """

    name: str
    landmarks: tuple[tuple[str, str], ...]
    source: str

    @cached_property
    def keypoints(self) -> tuple[str, ...]:
        """Keypoint names in the set's own order."""
        return tuple(keypoint for keypoint, _ in self.landmarks)

    @cached_property
    def keypoint_of(self) -> dict[str, str]:
        """Anatomical landmark -> keypoint name in this set."""
        return {landmark: keypoint for keypoint, landmark in self.landmarks}

    @cached_property
    def landmark_of(self) -> dict[str, str]:
        """Keypoint name in this set -> anatomical landmark."""
        return dict(self.landmarks)

    @cached_property
    def limbs(self) -> tuple[tuple[str, str], ...]:
        """Pairs of keypoint names to join with a line when a pose is drawn."""
        own = self.keypoint_of
        return tuple((own[a], own[b]) for a, b in _LIMBS if a in own and b in own)

    @cached_property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """(right keypoint, left keypoint), which change places when a picture is mirrored."""
        own = self.keypoint_of
        return tuple(
            (keypoint, own[landmark.replace("right_", "left_")])
            for keypoint, landmark in self.landmarks
            if landmark.startswith("right_") and landmark.replace("right_", "left_") in own
        )


def _same(names: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, name) for name in names.split())


MPII_16 = Skeleton(
    "mpii_16",
    _same(
        "right_ankle right_knee right_hip left_hip left_knee left_ankle pelvis thorax upper_neck head_top "
        "right_wrist right_elbow right_shoulder left_shoulder left_elbow left_wrist"
    ),
    "MPII Human Pose, README of release v1 (joint ids 0 to 15)",
)
LSP_14 = Skeleton(
    "lsp_14",
    (
        *_same(
            "right_ankle right_knee right_hip left_hip left_knee left_ankle "
            "right_wrist right_elbow right_shoulder left_shoulder left_elbow left_wrist"
        ),
        ("neck", "upper_neck"),
        ("head_top", "head_top"),
    ),
    "Leeds Sports Pose, README of the release",
)
FULL_HUMAN_14 = Skeleton(
    "full_human_14",
    (
        ("ankle1", "right_ankle"),
        ("knee1", "right_knee"),
        ("hip1", "right_hip"),
        ("hip2", "left_hip"),
        ("knee2", "left_knee"),
        ("ankle2", "left_ankle"),
        ("wrist1", "right_wrist"),
        ("elbow1", "right_elbow"),
        ("shoulder1", "right_shoulder"),
        ("shoulder2", "left_shoulder"),
        ("elbow2", "left_elbow"),
        ("wrist2", "left_wrist"),
        ("chin", "upper_neck"),
        ("forehead", "head_top"),
    ),
    "DeepLabCut model zoo, full_human (DeeperCut); 1 is the person's right, 2 the left",
)
MACAQUEPOSE_17 = Skeleton(
    "macaquepose_17",
    _same(
        "nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder left_elbow right_elbow "
        "left_wrist right_wrist left_hip right_hip left_knee right_knee left_ankle right_ankle"
    ),
    "MacaquePose v1, annotations.csv",
)
OPENMONKEYCHALLENGE_17 = Skeleton(
    "openmonkeychallenge_17",
    (
        *_same("right_eye left_eye nose"),
        ("head", "head_top"),
        ("neck", "upper_neck"),
        *_same("right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist"),
        ("hip", "pelvis"),
        *_same("right_knee right_ankle left_knee left_ankle tail"),
    ),
    "OpenMonkeyChallenge annotations; its single hip lies between the legs, so it is taken for the pelvis",
)

SKELETONS = {s.name: s for s in (MPII_16, LSP_14, FULL_HUMAN_14, MACAQUEPOSE_17, OPENMONKEYCHALLENGE_17)}


def get_skeleton(name: str) -> Skeleton:
    """The skeleton of that name; StudyError names the known ones if there is none."""
    if name not in SKELETONS:
        raise StudyError(f"skeleton '{name}' is unknown: choose one of {', '.join(SKELETONS)}")
    return SKELETONS[name]


def mapping(source: Skeleton, target: Skeleton) -> dict[str, str]:
    """Keypoint of ``source`` -> keypoint of ``target`` for the landmarks that both have, in source order.

    Raises StudyError when they share none, since nothing could then be compared.
    """
    shared = {kp: target.keypoint_of[landmark] for kp, landmark in source.landmarks if landmark in target.keypoint_of}
    if not shared:
        raise StudyError(f"skeletons {source.name} and {target.name} share no landmark: no mapping between them")
    return shared
