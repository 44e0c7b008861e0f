"""Where the parts of a drawn skeleton hang together although a joint between them has no label."""

from collections.abc import Collection

from monkey_transfer.skeletons import Skeleton

# What holds a landmark, nearest first; what holds the last of these holds it too, up to the nose.
_HELD_BY = {"head_top": "nose", "upper_neck": "head_top", "thorax": "upper_neck", "pelvis": "thorax", "tail": "pelvis"}
_HELD_BY |= {"throat": "nose", "withers": "throat", "tail_base": "withers"}  # of quadrupeds
_OF_A_SIDE = {"ear": "eye", "elbow": "shoulder", "wrist": "elbow", "knee": "hip", "ankle": "knee"}
_OF_A_SIDE |= {"front_paw": "wrist", "back_paw": "ankle"}
for _side in ("right", "left"):
    _HELD_BY |= {f"{_side}_eye": "nose", f"{_side}_shoulder": "withers thorax"}
    _HELD_BY[f"{_side}_hip"] = f"tail_base pelvis {_side}_shoulder"
    _HELD_BY |= {f"{_side}_{joint}": f"{_side}_{holder}" for joint, holder in _OF_A_SIDE.items()}


def bridges(skeleton: Skeleton, present: Collection[str]) -> list[tuple[str, str]]:
    """Pairs of keypoints to join where a joint that would is missing, so that no part of a body floats.

    Such as OpenMonkeyChallenge's knees and its pelvis, since it has no hips; in each pair the one nearer to the nose
    comes first. Keypoints that limbs join already, be it over others, are no such pair. ``present`` are the keypoints
    that are drawn; those of other sets are passed over.
    """
    present = set(present)
    holders = {
        keypoint: [name for held_by in _holders(landmark) if (name := skeleton.keypoint_of.get(held_by)) in present]
        for keypoint, landmark in skeleton.landmarks
        if keypoint in present
    }
    part = {keypoint: keypoint for keypoint in holders}
    for a, b in skeleton.limbs:
        if a in part and b in part:
            part = {keypoint: part[a] if of == part[b] else of for keypoint, of in part.items()}
    inmost = min(holders, key=lambda keypoint: len(_holders(skeleton.landmark_of[keypoint])), default="")
    pairs = [((own or [inmost])[0], keypoint) for keypoint, own in holders.items()]
    return [(holder, keypoint) for holder, keypoint in pairs if part[holder] != part[keypoint]]


def _holders(landmark: str) -> list[str]:
    """What holds a landmark, from the nearest to the nose."""
    nearest = _HELD_BY.get(landmark, "").split()
    return [*nearest, *_holders(nearest[-1])] if nearest else []
