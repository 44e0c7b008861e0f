"""Where ImageNet weights come from.

DeepLabCut names their addresses in ``pretrained_model_urls.yaml`` and fetches them with a bare
``extractall`` in the middle of other work; here they are looked for first and unpacked safely.
"""

import os
import shutil
import tarfile
from importlib.metadata import distribution
from pathlib import Path

import yaml

from monkey_transfer.errors import StudyError
from monkey_transfer.profiles import ROOT, Profile

WEIGHTS = ROOT / "data" / "weights"
VARIABLE = "MONKEY_TRANSFER_IMAGENET"


def imagenet_checkpoint(profile: Profile, net_type: str) -> str:
    """Prefix of the ImageNet checkpoint of a backbone.

    The profile's ``imagenet_checkpoint`` comes first, then the one that MONKEY_TRANSFER_IMAGENET
    names, then a copy in ``data/weights``, which is fetched from DeepLabCut's address if need be.

    Raises
    ------
    StudyError
        If none of them is there; it says what to do.
    """
    named = profile.imagenet_checkpoint or os.environ.get(VARIABLE)
    if named:
        if not checkpoint_files(named):
            raise StudyError(
                f"ImageNet checkpoint {named} is missing: expected {Path(named).name}.index beside its data"
            )
        return str(Path(named).resolve())
    found = _downloaded(net_type)
    if not found:
        _download(net_type)
        found = _downloaded(net_type)
    if not found:
        raise StudyError(f"the archive fetched for {net_type} holds no checkpoint: name one in {VARIABLE}")
    return found


def checkpoint_files(prefix: str) -> list[Path]:
    """The files of a TensorFlow checkpoint, of its old one-file format too; empty if it is not there."""
    path = Path(prefix)
    new = [
        file for file in sorted(path.parent.glob(f"{path.name}.*")) if ".index" in file.name or ".data-" in file.name
    ]
    return [path] if path.is_file() else new if any(".index" in file.name for file in new) else []


def _downloaded(net_type: str) -> str | None:
    files = sorted((WEIGHTS / net_type).glob("*.ckpt*"))
    return str(files[0]).partition(".ckpt")[0] + ".ckpt" if files else None


def _download(net_type: str) -> None:
    import pooch

    package = Path(str(distribution("deeplabcut").locate_file("deeplabcut")))
    addresses = package / "pose_estimation_tensorflow" / "models" / "pretrained" / "pretrained_model_urls.yaml"
    url = yaml.safe_load(addresses.read_text(encoding="utf-8"))[net_type]
    folder, unfinished = WEIGHTS / net_type, WEIGHTS / f".{net_type}.unfinished"
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        archive = Path(pooch.retrieve(url, known_hash=None, path=WEIGHTS, progressbar=True))
        with tarfile.open(archive) as opened:
            wanted = [member for member in opened.getmembers() if ".ckpt" in member.name and member.isfile()]
            opened.extractall(unfinished, members=wanted, filter="data")
        unfinished.replace(folder)
    except (OSError, tarfile.TarError) as error:
        raise StudyError(
            f"ImageNet weights for {net_type} could not be fetched from {url} ({error}): fetch them by hand and name "
            f"the checkpoint in {VARIABLE} or in the profile's imagenet_checkpoint"
        ) from None
