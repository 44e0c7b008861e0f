"""Opening the data set that a profile describes, whatever its format."""

import multiprocessing

from monkey_transfer.datasets.base import Dataset
from monkey_transfer.datasets.grouping import grouped
from monkey_transfer.devices import cores
from monkey_transfer.errors import StudyError
from monkey_transfer.files import digest_of, only_one
from monkey_transfer.places import data_folder, runs_folder
from monkey_transfer.profiles.data import AnyData, CocoData, DlcData, LspData, MacaqueposeData, MpiiData, SyntheticData
from monkey_transfer.skeletons import SKELETONS
from monkey_transfer.study.files import files_of


def open_dataset(data: AnyData) -> Dataset:
    """Read, or draw where it is rendered, the data set that a profile describes.

    StudyError if files are missing or not what their format says, the groups that it asks for cannot be found, or a
    worker process of a script without a guard asks.
    """
    # True while a new process reads its parent's script again: it would wait for the lock that its parent holds.
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise StudyError("a worker process opens the data set again: call the study below if __name__ == '__main__'")
    _, pictures = files_of(data)
    match data:  # a study needs one or two of these, and the primates alone take 0.2 s to load
        case SyntheticData():
            from monkey_transfer.rendered import rendered_dataset

            folder = runs_folder() / "rendered" / f"{data.species}-{data.seed}-{data.images}-{data.size}"
            with only_one(folder):  # two notebooks that start together draw the pictures once
                return rendered_dataset(data.species, data.images, data.seed, folder, data.size, cores())
        case LspData():
            from monkey_transfer.datasets.lsp import read_lsp

            dataset = read_lsp(data_folder() / data.folder)
        case MacaqueposeData():
            from monkey_transfer.datasets.macaquepose import read_macaquepose

            source = data_folder() / data.folder
            way = digest_of({"folder": str(source), "length": data.length, "size": data.size})[:8]
            pictures = runs_folder() / "macaquepose" / way  # not the release's, which show several monkeys
            with only_one(pictures):
                dataset = read_macaquepose(source, pictures, data.length, data.size, cores())
        case MpiiData():
            from monkey_transfer.datasets.mpii import read_mpii

            dataset = read_mpii(data_folder() / data.folder, data.people)
        case CocoData():
            from monkey_transfer.datasets.coco import read_coco

            dataset = read_coco(data_folder() / data.annotations, pictures, SKELETONS[data.skeleton], data.keypoints)
        case DlcData():
            from monkey_transfer.datasets.dlc import read_dlc

            dataset = read_dlc(data_folder() / data.project, SKELETONS[data.skeleton], data.keypoints)
    return grouped(dataset, data.group, pictures, data_folder()) if data.group else dataset
