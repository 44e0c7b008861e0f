"""Which data sets a profile may name, and what it must say of each."""

import os.path
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from monkey_transfer.settings import Count, PathName, Positive, Settings, Side
from monkey_transfer.skeletons import SKELETONS

Yardstick = Literal["head_size", "head_segment", "torso", "bbox_length", "mpii_200scale"]


def _known_skeleton(name: str) -> str:
    if name not in SKELETONS:
        raise ValueError(f"expected one of {', '.join(SKELETONS)}")
    return name


def _grouping(rule: str) -> str:
    if rule in ("video", "folder") or rule.lower().endswith(".csv"):
        return os.path.expanduser(rule)
    try:
        re.compile(rule)
    except re.error as error:
        raise ValueError(f"expected video, folder, the name of a .csv file or a regular expression ({error})") from None
    return rule


KnownSkeleton = Annotated[str, AfterValidator(_known_skeleton)]
Grouping = Annotated[str, AfterValidator(_grouping)]


class SyntheticData(Settings):
    """Rendered primates, drawn by :mod:`monkey_transfer.rendered`."""

    format: Literal["synthetic"]
    species: Literal["human", "macaque"]
    images: Positive
    seed: Count = 0
    size: Side = 160  # side of a picture in pixels


class Labelled(Settings):
    """Files that somebody labelled. ``group`` says what of them must stay in one part of every split, if not what the
    format says: :func:`monkey_transfer.datasets.grouping.grouped`."""

    group: Grouping | None = None


class LspData(Labelled):
    """Leeds Sports Pose or its extended set: ``folder`` holds joints.mat and images/."""

    format: Literal["lsp"]
    folder: PathName


class MacaqueposeData(Labelled):
    """MacaquePose v1 as released: ``folder`` holds annotations.csv and images/.

    Every monkey becomes a picture of its own whose ``length`` is ``size`` pixels (paper, section 2.1).
    """

    format: Literal["macaquepose"]
    folder: PathName
    length: Literal["longer_side", "width"] = "longer_side"
    size: Side = 640


class MpiiData(Labelled):
    """MPII Human Pose as released: ``folder`` holds mpii_human_pose_v1_u12_1.mat and images/."""

    format: Literal["mpii"]
    folder: PathName
    # The release's list of single people, or of those only the ones that are alone in their picture.
    people: Literal["single_person", "alone_in_picture"] = "single_person"


class CocoData(Labelled):
    """Any COCO keypoint file and the folder of its pictures."""

    format: Literal["coco"]
    annotations: PathName
    images: PathName
    skeleton: KnownSkeleton
    keypoints: dict[str, str] | None = None  # the file's keypoint -> the skeleton's; others are not read


class DlcData(Labelled):
    """A labelled DeepLabCut project with one individual in each picture."""

    format: Literal["dlc"]
    project: PathName
    skeleton: KnownSkeleton
    keypoints: dict[str, str] | None = None  # the project's body part -> the skeleton's keypoint; others are not read


AnyData = Annotated[
    SyntheticData | LspData | MacaqueposeData | MpiiData | CocoData | DlcData, Field(discriminator="format")
]


class SourceData(Settings):
    """A data set learnt first, and how many of its pictures no arm learns."""

    data: AnyData
    test: Count


class TargetData(Settings):
    """The data set that counts, and how many of its pictures are kept for the test; null where a profile's ``folds``
    test everybody."""

    data: AnyData
    test: Positive | None = None
    # People whom only arms learn that say so: what a source of the target's own kind is worth.
    set_aside: Count = 0


class OtherPeople(Settings):
    """People of another data set: all of them, or as many as ``test`` says, drawn at random."""

    data: AnyData
    test: Positive | None = None
    yardstick: Yardstick


class ElsewhereData(OtherPeople):
    """People of another data set, on whom every arm is tried as well: nobody trained or chose on them."""

    test: Positive
