"""What a profile of somebody's own data may say, guessed from names and labels alone: each guess is to be looked at."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from monkey_transfer.datasets.base import Dataset
from monkey_transfer.datasets.coco import folder_of_pictures, labelled_keypoints
from monkey_transfer.datasets.dlc import labelled_body_parts
from monkey_transfer.errors import StudyError
from monkey_transfer.profiles.data import CocoData, DlcData, Yardstick
from monkey_transfer.profiles.profile import VALIDATION_SHARE
from monkey_transfer.skeletons import FULL_HUMAN_14, SKELETONS, Skeleton
from monkey_transfer.study.dividing import Asked, Crowd

# Joints fewer than these are no person.
FEWEST_JOINTS = 4
# People's sets, of which the first that has most of somebody's joints is taken.
_SETS = [SKELETONS[name] for name in ("lsp_14", "mpii_16", "macaquepose_17", "blazepose_33")]
_SIDES = {"l": "left", "lt": "left", "left": "left", "r": "right", "rt": "right", "right": "right"}
# Joint -> what it is also called, one on either side of the body.
_PAIRED = {
    "shoulder": "shoulder shoulders shldr shld sho acromion",
    "elbow": "elbow elb",
    "wrist": "wrist wri",
    "hip": "hip trochanter greatertrochanter",
    "knee": "knee",
    "ankle": "ankle ank malleolus lateralmalleolus",
    "eye": "eye",
    "ear": "ear",
    "heel": "heel calcaneus",
    "foot_index": "footindex toe toes toetip bigtoe",
}
_SINGLE = {
    "head_top": "head headtop tophead topofhead vertex",
    "upper_neck": "neck upperneck",
    "thorax": "thorax sternum",
    "pelvis": "pelvis midhip hipcenter hipcentre sacrum",
    "nose": "nose nosetip",
}
_JOINT = {spelt: joint for joint, spellings in _PAIRED.items() for spelt in spellings.split()}
_LANDMARK = {spelt: landmark for landmark, spellings in _SINGLE.items() for spelt in spellings.split()}
_SAYS_NOTHING = {"joint", "keypoint", "kp", "marker", "point"}
# What counts recordings of one person, where it stands before a number in the name of a folder.
_RECORDING = (
    "visit",
    "session",
    "ses",
    "day",
    "week",
    "month",
    "trial",
    "take",
    "repetition",
    "rep",
    "camera",
    "cam",
    "view",
)
_FEW = 200
# Folders that say nothing of who is in them.
_SPLIT = {"train", "training", "val", "valid", "validation", "test"}
# Whose yardstick is not known is never tested: a box, which is known for all, is better than one known for fewer.
_KNOWN_FOR = 0.5


@dataclass(frozen=True)
class Joints:
    """Which joints somebody's names are.

    ``keypoints`` leads from a name to that of the ``skeleton``, ``unread`` from any other name to why it is not read,
    ``labelled`` from all of them to how many people have it.
    """

    skeleton: Skeleton
    keypoints: Mapping[str, str]
    unread: Mapping[str, str]
    labelled: Mapping[str, int]


class Guesses(NamedTuple):
    """All that is guessed of a data set.

    ``group`` is what the key of that name says, and why, if anything; ``yardstick`` its name and of how many people it
    is known; ``sizes`` how many may test, be held out and be learnt.
    """

    data: DlcData | CocoData
    joints: Joints
    group: tuple[str, str] | None
    yardstick: tuple[Yardstick, int]
    sizes: Asked


def guess_data(path: Path) -> tuple[DlcData | CocoData, Joints]:
    """The data set that somebody names: the folder of a DeepLabCut project, or a COCO file; its paths are in full.

    StudyError if it is neither, cannot be read, its pictures are not found, or its joints' names say too little.
    """
    path = path.expanduser().resolve()
    path = path.parent if path.name == "config.yaml" else path
    if (path / "config.yaml").is_file():
        joints = guess_joints(path / "config.yaml", labelled_body_parts(path))
        return DlcData(format="dlc", project=str(path), **_read_as(joints)), joints
    if path.suffix.lower() == ".json":
        joints = guess_joints(path, labelled_keypoints(path))
        images = str(folder_of_pictures(path))
        return CocoData(format="coco", annotations=str(path), images=images, **_read_as(joints)), joints
    found = (
        "there is no config.yaml in it" if path.is_dir() else "is something else" if path.exists() else "is not there"
    )
    raise StudyError(
        f"{path}: {found}; expected the folder of a DeepLabCut project, which holds config.yaml and labeled-data, or a "
        "COCO keypoint file (.json)"
    )


def _read_as(joints: Joints) -> dict[str, Any]:
    return {"skeleton": joints.skeleton.name, "keypoints": dict(joints.keypoints)}


def guess_joints(origin: Path, labelled: Mapping[str, int]) -> Joints:
    """Which joints these names are, each with how many people have it, in the set that has most of the joints.

    What nobody has is not read. StudyError if fewer than four can be guessed.
    """
    names = [name for name, people in labelled.items() if people]
    guessed = {name: landmark for name in names if (landmark := guess_landmark(name))}
    skeleton = max(_SETS, key=lambda known: len({*guessed.values()} & known.keypoint_of.keys()))
    keypoints: dict[str, str] = {}
    unread = {name: "nobody has it labelled" for name, people in labelled.items() if not people}
    for name in names:
        keypoint = skeleton.keypoint_of.get(guessed.get(name, ""))
        if keypoint in keypoints.values():
            [taken] = (other for other, own in keypoints.items() if own == keypoint)
            unread[name] = f"{taken!r} is taken for {keypoint}"
        elif keypoint:
            keypoints[name] = keypoint
        else:
            unread[name] = f"{skeleton.name} has no {guessed[name]}" if name in guessed else "its name says no joint"
    if len(keypoints) < FEWEST_JOINTS:
        raise StudyError(
            f"{origin}: of the names {', '.join(labelled)} {len(keypoints)} could be guessed to be joints of a person, "
            f"expected {FEWEST_JOINTS} such as left_knee, LKnee or 'knee (L)': copy config/my_data.yaml to "
            "my_<name>.yaml, say under its 'keypoints' which joint each name is, and try make check PROFILE=my_<name>"
        )
    return Joints(skeleton, keypoints, unread, labelled)


def guess_landmark(name: str) -> str | None:
    """The anatomical landmark that a name means, such as 'right_knee' for RKnee, knee_r, 'R. knee' or rightknee."""
    if name in FULL_HUMAN_14.landmark_of:  # of DeepLabCut's own human network: 1 is right, 2 is left
        return FULL_HUMAN_14.landmark_of[name]
    parts = re.findall(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+", name)
    words = [part.lower() for part in parts if part.lower() not in _SAYS_NOTHING]
    sides = [word for word in words if word in _SIDES]
    spelt = "".join(word for word in words if word not in _SIDES)
    if not sides:
        if spelt in _LANDMARK:
            return _LANDMARK[spelt]
        # Written together, as in lknee or kneeleft.
        sides, spelt = next(
            (
                ([side], rest)
                for side in _SIDES
                for rest in (spelt.removeprefix(side), spelt.removesuffix(side))
                if rest != spelt and rest in _JOINT
            ),
            ([], spelt),
        )
    return f"{_SIDES[sides[0]]}_{_JOINT[spelt]}" if len(sides) == 1 and spelt in _JOINT else None


def guess_group(names: Sequence[str], of_videos: bool) -> tuple[str, str] | None:
    """What a profile's key ``group`` may say so that one person's pictures stay together, and why; None to say nothing.

    ``names`` are the pictures' paths below ``labeled-data`` or the folder of pictures; ``of_videos`` says whether the
    format knows videos itself: then only folders of several recordings of one person, such as P01_visit1 and
    P01_visit2, make a guess. Else pictures in at least three folders do, or names such as walk_001.png and run_001.png
    that differ by more than their numbers.
    """
    folders = [name.rpartition("/")[0] for name in names]
    by_recordings = _of_recordings(folders)
    if by_recordings or of_videos:
        return by_recordings
    parts_of_a_split = {folder.rpartition("/")[2].lower() for folder in folders} <= _SPLIT
    if all(folders) and 3 <= len(set(folders)) < len(names) and not parts_of_a_split:
        return "folder", f"the pictures lie in {len(set(folders))} folders, such as {folders[0]}"
    return _of_numbered(names)


def _of_recordings(folders: Sequence[str]) -> tuple[str, str] | None:
    pattern = re.compile(rf"(.+?)[ _.-]*({'|'.join(_RECORDING)})[ _.-]*[0-9]", re.IGNORECASE)
    found = {folder: match for folder in dict.fromkeys(folders) if (match := pattern.match(folder))}
    people = [match[1] for match in found.values()]
    if len(found) < len(set(folders)) or len(set(people)) == len(people):
        return None
    person = max(people, key=people.count)
    one, other, *_ = (folder for folder, match in found.items() if match[1] == person)
    words = sorted({match[2] for match in found.values()})
    word = words[0] if len(words) == 1 else f"(?:{'|'.join(words)})"
    return f"^(.+?)[ _.-]*{word}[ _.-]*[0-9]", f"{one} and {other} would be one person, {person}"


def _of_numbered(names: Sequence[str]) -> tuple[str, str] | None:
    rule = r"^(.*?[A-Za-z][^/]*?)[ _.-]*[0-9]+[.][^./]+$"
    films = [match[1] for name in names if (match := re.search(rule, name))]
    if len(films) < len(names) or not 3 <= len(set(films)) <= len(names) / 2:
        return None
    return rule, f"{names[0]} would be of {films[0]}"


def guess_yardstick(dataset: Dataset) -> tuple[Yardstick, int]:
    """What errors may be divided by, and of how many people it is known: the one known for most, a head before a trunk;
    the box where both are known for less than half of the people."""
    known = dataset.reference_lengths["name"].value_counts()
    names: tuple[Yardstick, ...] = ("head_segment", "torso")
    best = max(names, key=lambda name: known.get(name, 0))
    best = best if known.get(best, 0) >= _KNOWN_FOR * len(dataset) else "bbox_length"
    return best, int(known[best])


def guess_sizes(people: Crowd, seeds: tuple[int, ...]) -> Asked:
    """How many may test, be held out, and be learnt: a quarter tests, or what ten groups need, or by folds everybody
    (:func:`few`); a tenth, 10 to 50, is held out; what is left is learnt. StudyError if nobody is left."""
    scored, groups = people.scored, people.images["group"].nunique()
    tested = people.groups_of(set(people.images["image_id"]) - set(people.unscored))
    held_out = min(50, max(10, scored // 10))
    asked = Asked(max(1, scored // 4), held_out, 1, seeds)
    asked = replace(asked, test=max(asked.test or 0, people.smallest_test(asked) or 0))
    if few(people, asked):
        asked = Asked(None, held_out, 1, seeds, folds=5 if len(tested) >= 5 else "by_group")
    if people.lacks(asked):
        raise StudyError(
            f"{len(people.images)} people in {groups} group{'s' * (groups > 1)} that must stay whole are too few for a "
            "study, in which some test, others are held out and others are learnt: label people of more groups"
        )
    most = people.most_to_learn(asked)
    asked = replace(asked, validation=max(held_out, math.ceil(VALIDATION_SHARE * most)))  # as a profile has it
    return replace(asked, images=people.most_to_learn(asked))


def few(people: Crowd, asked: Asked) -> bool:
    """Whether people are so few that everybody should be tested by folds: fewer than 200, or a test of ten groups, as
    far as there are ten, would take half of them."""
    return len(people.images) < _FEW or not people.smallest_test(asked) or (asked.test or 0) > people.scored / 2
