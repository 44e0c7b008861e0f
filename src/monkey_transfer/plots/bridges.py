"""Where the parts of a drawn skeleton hang together although a joint between them has no label."""

from collections.abc import Collection

from monkey_transfer.skeletons import Skeleton

_HEAD = ("thorax", "upper_neck", "nose", "head_top", "right_eye", "left_eye", "right_ear", "left_ear")
# For each landmark others that hold it, the nearest first; with {own} and {other} for the sides of those in pairs.
_HELD_BY = {
    "thorax": _HEAD[1:],
    "upper_neck": ("head_top", "nose"),
    "head_top": ("upper_neck", "nose", "thorax"),
    "nose": ("upper_neck", "head_top", "thorax"),
    "eye": ("nose", "head_top", "upper_neck", "{other}_eye"),
    "ear": ("{own}_eye", "nose", "head_top", "upper_neck", "{other}_eye", "{other}_ear"),
    "pelvis": ("thorax", "upper_neck", "right_shoulder", "left_shoulder", *_HEAD[2:]),
    "tail": ("pelvis", "right_hip", "left_hip", *_HEAD),
    "shoulder": ("thorax", "upper_neck", "{other}_shoulder", *_HEAD[2:]),
    "elbow": ("{own}_shoulder", "{other}_shoulder", *_HEAD),
    "wrist": ("{own}_elbow", "{own}_shoulder", "{other}_shoulder", *_HEAD),
    "hip": ("pelvis", "{own}_shoulder", "{other}_hip", "{other}_shoulder", *_HEAD),
    "knee": ("{own}_hip", "pelvis", "{own}_shoulder", "{other}_hip", *_HEAD),
    "ankle": ("{own}_knee", "{own}_hip", "pelvis", "{own}_shoulder", "{other}_hip", *_HEAD),
}
_ORDER = list(_HELD_BY)  # from the trunk outwards


def bridges(skeleton: Skeleton, present: Collection[str]) -> list[tuple[str, str]]:
    """Pairs of keypoints to join where a joint that would is missing, so that no part of a body floats.

    Such as OpenMonkeyChallenge's knees and its pelvis, since it has no hips; in each pair the one nearer to the neck
    comes first. Keypoints that limbs join already, be it over others, are no such pair.

    Parameters
    ----------
    present : the keypoints that are drawn; those of other sets are passed over.
    """
    landmark_of = skeleton.landmark_of
    own = [keypoint for keypoint in present if keypoint in landmark_of]
    trunk_first = sorted(own, key=lambda keypoint: _ORDER.index(_joint(landmark_of[keypoint])))
    holders = {
        keypoint: [skeleton.keypoint_of.get(name) for name in _held_by(landmark_of[keypoint])]
        for keypoint in trunk_first
    }
    part = {keypoint: keypoint for keypoint in own}
    for limb in skeleton.limbs:
        if set(limb) <= part.keys():
            part = _joined(part, *limb)
    pairs = []
    for keypoint in trunk_first:  # the right and the left one alike
        holder = next((name for name in holders[keypoint] if name in part), None)
        if holder and part[holder] != part[keypoint]:
            pairs.append((holder, keypoint))
    for pair in pairs:
        part = _joined(part, *pair)
    for keypoint in trunk_first:  # what is left
        holder = next((name for name in holders[keypoint] if name in part and part[name] != part[keypoint]), None)
        if holder:
            pairs.append((holder, keypoint))
            part = _joined(part, holder, keypoint)
    return pairs


def _joined(part: dict[str, str], a: str, b: str) -> dict[str, str]:
    """The part of each keypoint when two keypoints, and so their parts, are joined."""
    new, old = part[a], part[b]
    return {keypoint: new if of == old else of for keypoint, of in part.items()}


def _joint(landmark: str) -> str:
    """The landmark without its side, where it has one."""
    return landmark.removeprefix("right_").removeprefix("left_")


def _held_by(landmark: str) -> list[str]:
    own, other = ("right", "left") if landmark.startswith("right_") else ("left", "right")
    return [name.format(own=own, other=other) for name in _HELD_BY[_joint(landmark)]]
