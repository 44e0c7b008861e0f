"""Checkpoints of TensorFlow: their files, and where those of ImageNet come from.

DeepLabCut fetches ImageNet weights with a bare ``extractall`` in the middle of other work; here they are looked for
first, and fetched and unpacked by :mod:`monkey_transfer.acquire.acquire`.
"""

import os
import re
from pathlib import Path

from monkey_transfer.errors import StudyError
from monkey_transfer.networks.engine import Training
from monkey_transfer.places import data_folder, plain_path

# Names a checkpoint of ImageNet weights that is there already.
IMAGENET_VARIABLE = "MONKEY_TRANSFER_IMAGENET"
# Of the files that make a checkpoint; by one of them people name it, TensorFlow by what comes before.
_ENDING = re.compile(r"\.(index|meta|data-\d+-of-\d+)$")


def imagenet_checkpoint(training: Training) -> str:
    """Prefix of the ImageNet checkpoint of a backbone.

    The one that ``training.imagenet`` names comes first, then the one that MONKEY_TRANSFER_IMAGENET names, by their
    prefix or one of their files, then the copy in ``imagenet/<net_type>`` of the data folder, fetched if need be.

    StudyError says what to do if none of them is there.
    """
    if named := named_checkpoint(training):
        prefix = _ENDING.sub("", str(plain_path(named, f"{IMAGENET_VARIABLE} or the profile's training.imagenet")))
        if not checkpoint_files(prefix):
            raise StudyError(f"ImageNet checkpoint '{named}' is not there: {expected_files(prefix)}")
        return prefix
    from monkey_transfer.acquire.acquire import acquire

    try:
        folder = acquire(f"imagenet:{training.net_type}", data_folder())
    except StudyError as error:
        raise StudyError(
            f"{error}; or name a checkpoint in {IMAGENET_VARIABLE} or in the profile's training.imagenet"
        ) from None
    prefix = str(min(folder.rglob("*.ckpt*"))).partition(".ckpt")[0] + ".ckpt"
    if not checkpoint_files(prefix):
        raise StudyError(f"{folder}: {Path(prefix).name} is not whole: delete the folder to have it fetched again")
    return prefix


def named_checkpoint(training: Training) -> str:
    """The checkpoint that ``training.imagenet`` names, or else MONKEY_TRANSFER_IMAGENET; empty if neither does."""
    if training.imagenet:
        return str(data_folder() / training.imagenet)
    return os.environ.get(IMAGENET_VARIABLE, "").strip()


def checkpoint_files(prefix: str) -> list[Path]:
    """The files of a TensorFlow checkpoint, of its old one-file format too; empty if one is missing."""
    path = Path(prefix)
    try:
        if path.is_file():
            return [path]
        beside = sorted(path.parent.iterdir())
    except OSError:  # no such folder, or not for us to read
        return []
    index = [file for file in beside if file.name == f"{path.name}.index"]
    data = [file for file in beside if re.fullmatch(rf"{re.escape(path.name)}\.data-\d+-of-\d+", file.name)]
    shards = int(data[0].name.rpartition("-of-")[2]) if data else 1
    return data + index if index and len(data) == shards else []


def expected_files(prefix: str) -> str:
    """What to say of a checkpoint that is not there, or not whole."""
    name, folder = Path(prefix).name, Path(prefix).parent
    return f"expected the files {name}.index and {name}.data-00000-of-00001 in {folder}, whole and readable"
