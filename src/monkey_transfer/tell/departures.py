"""Where a profile departs from the paper and from DeepLabCut's defaults, and what DeepLabCut itself changed.

Values stand as a profile would write them. Keys are those of the profile, so that a reader can
put a departure right.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd
import yaml
from pydantic import BaseModel

from monkey_transfer.profiles.arms import Arm
from monkey_transfer.profiles.profile import Profile

PAPER_ARMS = ("baseline", "benchmark", "transfer")
# What a DeepLabCut training starts from (``create_training_dataset``), and ``train``'s keepdeconvweights.
DEFAULT_START = {"init": "imagenet", "restore": "all", "frozen": 0}
# DeepLabCut's TensorFlow engine neither validates while it trains nor stops before the last iteration.
OUR_OWN = frozenset({"validate_every", "stop"})


@dataclass(frozen=True)
class Stated:
    """What the paper states of one setting: its section, our key for it, and the value.

    A value in words is met by a profile whose own value is ``met_by``, or holds its keys; by none where that is None.
    """

    section: str
    key: str
    value: Any
    met_by: Any = None

    def is_met(self, found: Any) -> bool:
        """Whether a profile's value is what the paper states."""
        if isinstance(self.met_by, dict) and isinstance(found, BaseModel):
            return self.met_by.items() <= found.model_dump().items()
        return found == (self.value if self.met_by is None else self.met_by)


PAPER = (
    Stated("2.1", "source.data", "MacaquePose", {"format": "macaquepose", "length": "longer_side", "size": 640}),
    Stated("2.1", "target.data", "MPII, single person images", {"format": "mpii", "people": "alone_in_picture"}),
    Stated("2.1", "target.test", 1000),
    # Ours is of one shape, so that batches hold whole pictures: what is taller than wide becomes less than 640 wide.
    Stated("2.1", "picture", "whole picture, 640 pixels wide"),
    Stated(
        "2.2",
        "arms.benchmark.picture",
        "whole picture within 1280 x 720",
        {"framing": "whole", "size": (1280, 720)},
    ),
    Stated("2.1", "confidence_cut", 0.4),
    Stated("2.5", "yardstick", "head_segment"),
    Stated("2.1", "arms.baseline.init", "the finished network of Labuguen et al. 2021", "zoo:full_macaque"),
    Stated("2.1", "arms.baseline.images", 14697),
    Stated("2.2", "arms.baseline.training.net_type", "resnet_50"),
    Stated("2.2", "arms.benchmark.init", "DeepLabCut's finished human fullbody network", "zoo:full_human"),
    Stated("abstract", "arms.benchmark.images", 19185),
    Stated("2.2", "arms.benchmark.training.net_type", "resnet_101"),
    Stated("2.3", "arms.transfer.init", "arm:baseline"),
    Stated("2.3", "arms.transfer.restore", "backbone"),  # keepdeconvweights false
    Stated("2.3", "arms.transfer.images", 950),  # 95 percent of 1,000; the rest validates
    Stated("2.2", "arms.transfer.training.net_type", "resnet_50"),
    Stated("2.3", "arms.transfer.training.batch_size", 8),
    Stated("2.3", "arms.transfer.training.iterations", 164000),
    Stated("2.3", "arms.transfer.training.stop.rule", "training_loss_plateau"),
)


def from_paper(profile: Profile) -> pd.DataFrame:
    """Settings in which the profile departs from the paper.

    Returns
    -------
    DataFrame with section (of the paper), key (of the profile), paper, here. A key that the
    paper leaves open has no row. Arms that the paper does not have come last.
    """
    rows = [
        (stated.section, stated.key, _written(stated.value), _written(here))
        for stated in PAPER
        if _applies(stated, profile) and not stated.is_met(here := _value(profile, stated.key))
    ]
    others = _unstated_training(profile.arms["transfer"])
    if others:
        rows.append(("2.3", "arms.transfer.training", "otherwise DeepLabCut's defaults", f"not {', '.join(others)}"))
    for name, arm in profile.arms.items():
        if name not in PAPER_ARMS:
            here = arm.model_dump(include={"learns", "images", "init"})
            rows.append(("", f"arms.{name}", "no such arm", _written(here)))
    return pd.DataFrame(rows, columns=["section", "key", "paper", "here"])


def from_defaults(profile: Profile) -> pd.DataFrame:
    """Training settings in which the profile's arms depart from DeepLabCut's defaults.

    The defaults are those of each arm's engine; TensorFlow's are DeepLabCut's, which
    ``tests/networks/test_deeplabcut_defaults.py`` holds to the installed DeepLabCut.

    Returns
    -------
    DataFrame with key (below ``arms.<name>``), deeplabcut, here, arms: one row per key and value,
    with the names of the arms that have it, or 'all'.
    """
    rows = [
        (key, _written(default), _written(here), name)
        for name, arm in profile.arms.items()
        if arm.learns != "nothing"
        for key, default, here in _changed_in_arm(arm)
    ]
    table = pd.DataFrame(rows, columns=["key", "deeplabcut", "here", "arms"])
    order = {key: place for place, key in enumerate(dict.fromkeys(table["key"]))}
    table = table.groupby(["key", "deeplabcut", "here"], sort=False)["arms"].agg(", ".join).reset_index()
    table = table.sort_values("key", key=lambda keys: keys.map(order), kind="stable", ignore_index=True)
    trained = [name for name, arm in profile.arms.items() if arm.learns != "nothing"]
    return table.assign(arms=table["arms"].where(table["arms"] != ", ".join(trained), "all"))


def between_releases() -> pd.DataFrame:
    """What changed between DeepLabCut 2.2.0.6, the paper's, and 3.0.2, ours, and bears on the study.

    Returns
    -------
    DataFrame with subject, 2.2.0.6, 3.0.2, meaning (for the study), source (files of the package
    ``deeplabcut``, read in both releases).
    """
    return pd.DataFrame(_BETWEEN_RELEASES, columns=["subject", "2.2.0.6", "3.0.2", "meaning", "source"])


_TF = "pose_estimation_tensorflow"
_BETWEEN_RELEASES = (
    (
        "CLAHE, histogram equalisation and embossing by default",
        "off: pose_cfg.yaml has their keys at its top level, the loader looks below contrast and convolution",
        "on, each for one picture in ten: the keys stand below contrast and convolution",
        "the paper's default augmentation had none of the three; ours has them unless a profile empties both keys",
        f"pose_cfg.yaml; {_TF}/datasets/pose_imgaug.py",
    ),
    (
        "joints that augmentation moves out of the picture",
        "kept: one just outside still marks the cells within pos_dist_thresh as its own",
        "dropped before the targets are drawn",
        "targets near the border differ whenever a picture is rotated or cropped",
        f"{_TF}/datasets/pose_imgaug.py",
    ),
    (
        "left-right flips",
        "mirror only, which leaves left and right joints unswapped",
        "fliplr with symmetric_pairs swaps them",
        "a profile with fliplr uses what the paper's release could not do",
        f"{_TF}/datasets/pose_imgaug.py",
    ),
    (
        "apply_prob",
        "0.5, whatever pose_cfg.yaml says",
        "as pose_cfg.yaml says, 0.5 by default",
        "the same at the default",
        f"{_TF}/datasets/pose_imgaug.py",
    ),
    (
        "optimiser on a TensorFlow built without CUDA",
        "the one of pose_cfg.yaml",
        "Adam with a schedule of its own, with a warning",
        "DeepLabCut's train depends on the machine; our loop uses the profile's optimiser everywhere",
        f"{_TF}/core/train.py",
    ),
    (
        "training that goes on from a snapshot",
        "iterations are counted on; once past the first step of multi_step, its rate is kept to the end",
        "multi_step starts again from its first step, and its whole length is trained on top",
        "our loop saves its place in the schedule and the optimiser's slots",
        f"{_TF}/core/train.py",
    ),
    (
        "which snapshot evaluate_network scores",
        "snapshotindex of config.yaml",
        "the same, or those named in snapshots_to_evaluate",
        "the chosen snapshot can be evaluated by name",
        f"{_TF}/core/evaluate.py",
    ),
    (
        "engine",
        "TensorFlow, 2.0 or later",
        "PyTorch unless TensorFlow is asked for; the extra tf-cu12 fixes TensorFlow 2.18",
        "the study asks for the TensorFlow engine, as the paper's networks are its checkpoints",
        "compat.py; METADATA",
    ),
    (
        "address of the model zoo (full_macaque, full_human)",
        "a server of Harvard's Rowland Institute",
        "Hugging Face, through dlclibrary; the old list is marked as deprecated, its server as down since Nov 2022",
        "going by that note, the paper's release can no longer fetch the paper's finished networks",
        f"{_TF}/models/pretrained/pretrained_model_urls.yaml; dlclibrary/dlcmodelzoo/modelzoo_urls.yaml",
    ),
    (
        "other defaults; layers and losses of ResNet and MobileNet",
        "as in 3.0.2",
        "as in 2.2.0.6",
        "the networks are those of the paper's release; what differs in training is listed above",
        f"pose_cfg.yaml; {_TF}/default_config.py; {_TF}/nnets; {_TF}/backbones",
    ),
)


def _applies(stated: Stated, profile: Profile) -> bool:
    """A finished network was trained by its authors: how many pictures it saw is not the profile's to say."""
    finished = [name for name, arm in profile.arms.items() if arm.learns == "nothing"]
    return stated.key not in {f"arms.{name}.images" for name in finished}


def _value(profile: Profile, key: str) -> Any:
    parts = key.split(".")
    if parts[0] == "arms" and parts[2:] == ["picture"]:
        return profile.framing(parts[1])  # the study's, where the arm has no other
    if parts[0] == "arms" and parts[2:] == ["images"]:
        return profile.arm(parts[1]).largest  # of a learning curve, the point that stands beside the paper
    value: Any = profile
    for part in parts:
        value = value[part] if isinstance(value, dict) else getattr(value, part)
    return value


def _unstated_training(arm: Arm) -> list[str]:
    """Keys of the transfer arm's training that differ from DeepLabCut's defaults and that the paper does not set."""
    stated = {stated.key.removeprefix("arms.transfer.training.") for stated in PAPER}
    return [key for key, _, _ in _changed(arm.training, arm.engine.defaults()) if key not in stated]


def _changed_in_arm(arm: Arm) -> Iterator[tuple[str, Any, Any]]:
    for key, default in DEFAULT_START.items():
        here = getattr(arm, key)
        restores_heads_or_not = key != "restore" or arm.parent is not None or arm.zoo is not None
        if here != default and restores_heads_or_not:
            yield key, default, here
    for key, default, here in _changed(arm.training, arm.engine.defaults()):
        yield f"training.{key}", default, here


def _changed(model: BaseModel, default: BaseModel) -> Iterator[tuple[str, Any, Any]]:
    """(key, default, value) of every field that differs, the fields of models inside them one by one."""
    for field in type(model).model_fields:
        here, usual = getattr(model, field), getattr(default, field)
        if field in OUR_OWN or here == usual:
            continue
        if isinstance(here, BaseModel):
            yield from ((f"{field}.{key}", a, b) for key, a, b in _changed(here, usual))
        else:
            yield field, usual, here


def _written(value: Any) -> str:
    """A value as a profile writes it, on one line; a value in words as it is."""
    if isinstance(value, str):
        return value
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json")
    if isinstance(value, tuple):
        value = [list(item) if isinstance(item, tuple) else item for item in value]
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=float("inf"))
    return text.removesuffix("\n").removesuffix("\n...")
