"""The finished networks of DeepLabCut's model zoo: where their files are, and what they predict in which order.

An archive is unpacked to ``zoo/<name>`` of the data folder. In it, in whatever folders, are a checkpoint
(``snapshot-<iterations>.index`` and its data) and a ``pose_cfg.yaml``; a training's and a test's where a whole model
folder was packed.
"""

from pathlib import Path
from typing import Any

import yaml

from monkey_transfer.errors import StudyError
from monkey_transfer.networks.engine import PublishedFiles, PublishedNetwork
from monkey_transfer.places import data_folder
from monkey_transfer.skeletons import FULL_HUMAN_14, MACAQUEPOSE_17

ZOO = {
    "zoo:full_macaque": PublishedNetwork(
        ("resnet_50",),
        MACAQUEPOSE_17,
        "MacaquePose (Labuguen et al. 2021); which pictures it held out is not published, so any may have been seen",
    ),
    # Its people were scaled to a head of 50 pixels (MPII's head size; github.com/eldar/pose-tensorflow, matlab/mpii:
    # refHeight 400, HEAD_HEIGHT_RATIO 1/8) and by global_scale 0.8452830189 (models/mpii/train/pose_cfg.yaml there) to
    # 42.3, give or take 15 %. DeepLabCut applies global_scale in training alone: it predicts at the size it is given.
    "zoo:full_human": PublishedNetwork(
        ("resnet_101",),
        FULL_HUMAN_14,
        "people of MPII's training pictures (Insafutdinov et al. 2016)",
        may_know_people="full_human was trained on people of MPII's training pictures, maybe the test people",
    ),
}

# Besides backbone and joints, what DeepLabCut's ResNets are built from and read with: nnets/base.py, nnets/resnet.py.
# Their other strides are constants there.
_NETWORK_KEYS = (
    *("stride", "location_refinement", "locref_stdev", "mean_pixel"),
    *("intermediate_supervision", "intermediate_supervision_layer"),
)


def zoo_network(init: str, net_type: str) -> PublishedFiles:
    """The network of an init in the data folder, fetched if need be; of several snapshots the last.

    StudyError if it is not there and cannot be fetched (it says from where to get it and where to put it), lacks its
    snapshot or its pose_cfg.yaml, or is another network than ``ZOO`` expects.
    """
    from monkey_transfer.acquire.acquire import acquire  # which asks servers

    folder = acquire(init, data_folder())
    snapshot = _last_snapshot(folder)
    file = _settings_file(folder, snapshot)
    settings, expected = _settings(file), ZOO[init].skeleton.keypoints
    if settings["net_type"] != net_type:
        raise StudyError(f"{file}: the network is a {settings['net_type']}, expected the {net_type} of {init}")
    keypoints = tuple(str(joint).replace(" ", "_") for joint in settings["all_joints_names"])
    if sorted(keypoints) != sorted(expected):
        raise StudyError(
            f"{file}: the network has other joints than expected: found {', '.join(keypoints)}, "
            f"expected {', '.join(expected)}; move {folder} away to have it fetched anew"
        )
    network = {key: settings[key] for key in _NETWORK_KEYS if key in settings}
    return PublishedFiles(str(snapshot), keypoints, network)


def _last_snapshot(folder: Path) -> Path:
    indices = folder.rglob("snapshot-*.index")
    found = {int(name): file for file in indices if (name := file.stem.removeprefix("snapshot-")).isdecimal()}
    if not found:
        raise StudyError(
            f"{folder}: no snapshot of the network is in it, expected a file such as snapshot-1030000.index; "
            "move the folder away to have it fetched anew"
        )
    return found[max(found)].with_suffix("")


def _settings_file(folder: Path, snapshot: Path) -> Path:
    """The training's settings where there are several: they lie beside the snapshot."""
    beside = snapshot.with_name("pose_cfg.yaml")
    found = [beside] if beside.is_file() else list(folder.rglob("pose_cfg.yaml"))
    if len(found) != 1:
        raise StudyError(
            f"{folder}: expected one pose_cfg.yaml, or one beside {snapshot.name}.index, found {len(found)}; "
            "move the folder away to have it fetched anew"
        )
    return found[0]


def _settings(file: Path) -> dict[str, Any]:
    try:
        settings = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise StudyError(f"{file}: not valid YAML: {' '.join(str(error).split())}") from None
    missing = {"net_type", "all_joints_names"} - set(settings if isinstance(settings, dict) else ())
    if missing:
        raise StudyError(f"{file}: key '{min(missing)}' is missing, expected the settings of a DeepLabCut network")
    return settings
