"""What a data set holds, and what a profile would make of it: found before anything is trained, without an engine."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from monkey_transfer.datasets.base import Dataset
from monkey_transfer.datasets.coco import labelled_keypoints
from monkey_transfer.datasets.dlc import labelled_body_parts
from monkey_transfer.devices import trainings_at_once, visible_gpus
from monkey_transfer.places import data_folder
from monkey_transfer.profiles.arms import Arm
from monkey_transfer.profiles.data import AnyData, CocoData, DlcData, SyntheticData
from monkey_transfer.profiles.profile import Profile
from monkey_transfer.study.datasets import open_dataset
from monkey_transfer.study.dividing import Crowd
from monkey_transfer.study.files import files_of
from monkey_transfer.study.opening import near_duplicates_together, scalable, under_pseudonyms
from monkey_transfer.study.runs import Run

# Pixels of pictures that a core learns a second, and of which network: reports/benchmarks/train.txt, two side by side.
PACE, _PACE_OF = 59.6 / 2 * 128**2, ("pytorch", "tf_efficientnet_lite0")


@dataclass(frozen=True)
class Contents:
    """What the files of a data set hold and what is read of it.

    Attributes
    ----------
    dataset : what is read, in the groups that a study keeps together.
    labelled : joint, as the files call it -> how many people have it labelled; joints that are not read as well.
    files : ending of a file of labels -> how many there are.
    """

    dataset: Dataset
    labelled: Mapping[str, int]
    files: Mapping[str, int]

    @property
    def keypoint_of(self) -> dict[str, str]:
        """Joint, as the files call it -> the keypoint that it is read as."""
        own = self.dataset.own_names
        return {own.get(keypoint, keypoint): keypoint for keypoint in self.dataset.skeleton.keypoints}

    @cached_property
    def labelled_alike(self) -> list[list[str]]:
        """Image ids of different pictures in which all labelled joints are at the same places."""
        points = self.dataset.labels.pivot(index="image_id", columns="keypoint", values=["x", "y"]).fillna(-1)
        path_of = self.dataset.images.set_index("image_id")["path"]
        alike = points.groupby(list(points.columns)).groups.values()
        return [sorted(ids) for ids in alike if path_of[list(ids)].nunique() > 1]


def contents_of(data: AnyData, profile: str) -> Contents:
    """Read the data set that a profile of that name has, with whose runs it is kept which pictures are nearly the same.

    StudyError as :func:`monkey_transfer.study.datasets.open_dataset` says.
    """
    dataset = near_duplicates_together(open_dataset(data), profile)
    match data:
        case DlcData():
            labelled = labelled_body_parts(data_folder() / data.project)
        case CocoData():
            labelled = labelled_keypoints(data_folder() / data.annotations)
        case _:
            people = dataset.labels.groupby("keypoint", sort=False)["labelled"].sum()
            labelled = {dataset.own_names.get(str(keypoint), str(keypoint)): int(n) for keypoint, n in people.items()}
    return Contents(dataset, labelled, label_files(data))


def label_files(data: AnyData) -> Counter:
    """Ending of the files that say what is labelled -> how many there are."""
    return Counter(file.suffix.lower() for file in files_of(data)[0])


def crowd_of(profile: Profile, dataset: Dataset) -> Crowd:
    """The people of a profile's target as it divides them, which pseudonyms decide where there are any.

    StudyError if its yardstick is known for nobody.
    """
    people = under_pseudonyms(scalable(dataset, profile), "target", profile)
    return Crowd.measured(people, profile.yardstick)


def drawn_crowd(data: SyntheticData) -> Crowd:
    """Rendered people before they are drawn: each is a group."""
    ids = [str(number) for number in range(data.images)]
    return Crowd(pd.DataFrame({"image_id": ids, "group": ids}))


def stated_minutes(profile: Profile, runs: Iterable[Run]) -> float | None:
    """Minutes that all of these runs of a profile train on this machine's cores, at the pace that the benchmark of
    training found; None where a GPU or another network trains, of which nothing was measured beforehand."""
    arms = [arm for run in runs if (arm := profile.arm(run.arm).at(run.images)).learns != "nothing"]
    if visible_gpus() or any((arm.training.engine, arm.training.net_type) != _PACE_OF for arm in arms):
        return None
    pixels = sum(arm.training.iterations * arm.training.batch_size * _pixels(profile, arm) for arm in arms)
    return pixels / PACE / trainings_at_once() / 60


def _pixels(profile: Profile, arm: Arm) -> int:
    """Of a picture as an arm sees it."""
    size = (arm.picture or profile.picture).size
    return size**2 if isinstance(size, int) else size[0] * size[1]
