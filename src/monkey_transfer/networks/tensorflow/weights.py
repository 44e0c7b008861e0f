"""Where ImageNet weights come from.

DeepLabCut fetches them with a bare ``extractall`` in the middle of other work; here they are looked for first, and
fetched and unpacked by :mod:`monkey_transfer.acquire.acquire`.
"""

import os
from pathlib import Path

from monkey_transfer.errors import StudyError
from monkey_transfer.places import data_folder

# Names a checkpoint of ImageNet weights that is there already.
IMAGENET_VARIABLE = "MONKEY_TRANSFER_IMAGENET"


def imagenet_checkpoint(named: str | None, net_type: str) -> str:
    """Prefix of the ImageNet checkpoint of a backbone.

    The profile's ``imagenet_checkpoint`` comes first, then the one that MONKEY_TRANSFER_IMAGENET names, then the
    copy in ``imagenet/<net_type>`` of the data folder, which is fetched if need be.

    Raises
    ------
    StudyError
        If none of them is there; it says what to do.
    """
    named = named or os.environ.get(IMAGENET_VARIABLE)
    if named:
        if not checkpoint_files(named):
            raise StudyError(
                f"ImageNet checkpoint {named} is missing: expected {Path(named).name}.index beside its data"
            )
        return str(Path(named).resolve())
    from monkey_transfer.acquire.acquire import acquire

    try:
        folder = acquire(f"imagenet:{net_type}", data_folder())
    except StudyError as error:
        raise StudyError(
            f"{error}; or name a checkpoint in {IMAGENET_VARIABLE} or in the profile's imagenet_checkpoint"
        ) from None
    prefix = str(min(folder.rglob("*.ckpt*"))).partition(".ckpt")[0] + ".ckpt"
    if not checkpoint_files(prefix):
        raise StudyError(f"{folder}: {Path(prefix).name} is not whole: delete the folder to have it fetched again")
    return prefix


def checkpoint_files(prefix: str) -> list[Path]:
    """The files of a TensorFlow checkpoint, of its old one-file format too; empty if it is not there."""
    path = Path(prefix)
    new = [
        file for file in sorted(path.parent.glob(f"{path.name}.*")) if ".index" in file.name or ".data-" in file.name
    ]
    return [path] if path.is_file() else new if any(".index" in file.name for file in new) else []
