"""The files of a data set, and whether they are still what they were."""

import os
from collections.abc import Iterator
from pathlib import Path

from monkey_transfer.files import digest_of, sha256_of
from monkey_transfer.places import data_folder
from monkey_transfer.profiles.data import AnyData, CocoData, DlcData, LspData, MacaqueposeData, MpiiData, SyntheticData
from monkey_transfer.profiles.profile import Profile
from monkey_transfer.study.pseudonyms import key_of

_PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")


def files_of(data: AnyData) -> tuple[list[Path], Path]:
    """The files that say what is labelled, as far as they are there, and the folder of the labelled pictures.

    Rendered primates have neither, but for what is drawn of them.
    """
    if isinstance(data, SyntheticData):
        return [], Path()
    root = data_folder()
    match data:
        case LspData(folder=folder):
            labels, pictures = [root / folder / "joints.mat"], root / folder / "images"
        case MacaqueposeData(folder=folder):
            labels, pictures = [root / folder / "annotations.csv"], root / folder / "images"
        case MpiiData(folder=folder):
            labels, pictures = sorted((root / folder).glob("*.mat")), root / folder / "images"
        case CocoData():
            labels, pictures = [root / data.annotations], root / data.images
        case DlcData():
            project = root / data.project
            labels = [project / "config.yaml", *sorted(project.glob("labeled-data/*/CollectedData_*"))]
            pictures = project / "labeled-data"
    if data.group and data.group.lower().endswith(".csv"):
        labels.append(root / data.group)
    return [file for file in labels if file.is_file()], pictures


def state_of(profile: Profile) -> str:
    """A digest of all files of a profile's data sets: what is in those that say what is labelled, and the names and
    sizes of pictures. Files that are missing, or not what they should be, have a state as well."""
    states: dict[str, object] = {}
    for role, data in profile.data.items():
        labels, pictures = files_of(data)
        states[role] = {
            "labels": {os.path.relpath(file, data_folder()): sha256_of(file) for file in labels},
            "pictures": sorted(_sizes(pictures)) if labels else [],
        }
    key = key_of(profile.name)
    if profile.own_data and key.is_file():  # under other pseudonyms a report is another
        states["pseudonyms"] = sha256_of(key)
    return digest_of(states)


def _sizes(folder: Path) -> Iterator[tuple[str, int]]:
    """Name and size of every picture in a folder and those below it."""
    for inside, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(inside, name)
            if name.lower().endswith(_PICTURES) and os.path.isfile(path):
                yield os.path.relpath(path, folder), os.path.getsize(path)
