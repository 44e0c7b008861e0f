"""A network of DeepLabCut's PyTorch engine in training, under our own order.

DeepLabCut's runner (``runners/train.py``) makes its data stream depend on the number of workers, forgets the best score
and the order on resume and counts epochs on top. Here the same losses and updates are computed, one at a time, for
:class:`monkey_transfer.networks.loop.Trainer`.
"""

import ctypes
import math
import os
from pathlib import Path

import numpy as np
import torch
from torch import nn

from monkey_transfer.devices import cores
from monkey_transfer.errors import StudyError
from monkey_transfer.files import written
from monkey_transfer.networks.engine import Restored, Trainable
from monkey_transfer.networks.job import JobFolder
from monkey_transfer.networks.loop import DIGEST_BATCHES
from monkey_transfer.networks.pytorch import initialisation
from monkey_transfer.networks.pytorch.batches import Batch, Batches
from monkey_transfer.networks.pytorch.model import build, settings_of
from monkey_transfer.networks.pytorch.prediction import normalised, poses_of
from monkey_transfer.networks.pytorch.project import PyTorchProject
from monkey_transfer.networks.pytorch.weights import read_tensors

# How many threads draw batches; none: when their turn comes. No number changes a result.
WORKERS = "MONKEY_TRANSFER_WORKERS"
_MOMENTUM = 0.9  # of SGD, as in DeepLabCut's TensorFlow engine
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX, _ARENA_MAX = -1, -2, -4, -8  # malloc.h of the GNU C library


class PyTorchNetwork(Trainable):
    """A network and its optimiser, and the DeepLabCut project which takes the snapshots."""

    def __init__(self, folder: JobFolder):
        self.job, pictures, joints = folder.read()
        self.training, self.keypoints = settings_of(self.job), list(self.job.keypoints)
        self.project = PyTorchProject.opened(folder)
        self.device = use_the_machine()
        self.workers = _workers()
        self.batches = Batches(self.job, pictures, joints)
        self.model = build(self.job, self.device)
        self.frozen_blocks = initialisation.freeze(self.model, self.training.net_type, self.job.frozen)
        self.optimizer = _optimizer(self.model, self.training.optimizer, self.training.weight_decay)
        self.learnt = 0  # batches

    def initialise(self) -> tuple[Restored, list[str], int]:
        """Restored are tensors of a file of weights; no layer needs calibration, since batch norm trains by batches."""
        return initialisation.restore(self.model, self.job), self.frozen_blocks, 0

    def batch(self, iteration: int) -> Batch:
        return self.batches.draw(iteration)

    def digest(self) -> str:
        return self.batches.digest(DIGEST_BATCHES)

    def update(self, batch: Batch, rate: float) -> float:
        """One step of the optimiser; the loss is that of the network's own DeepLabCut criterion."""
        initialisation.into_training(self.model, self.learnt)
        given = normalised(torch.from_numpy(batch.pictures).to(self.device, non_blocking=True))
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.training.precision == "bfloat16"):
            outputs = self.model(given)
        outputs = {head: {name: maps.float() for name, maps in of.items()} for head, of in outputs.items()}
        targets = self.model.get_target(outputs, {"keypoints": torch.from_numpy(batch.joints)})
        loss = self.model.get_loss(outputs, targets)["total_loss"]
        if not math.isfinite(value := float(loss.detach())):
            return value
        self.optimizer.zero_grad()
        loss.backward()
        if self.training.gradient_clip is not None:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.training.gradient_clip)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        self.learnt += 1
        return value

    def poses(self, pictures: np.ndarray) -> np.ndarray:
        self.model.eval()
        return poses_of(self.model, pictures, self.batches.mirrored if self.training.predict_mirrored else None)

    def save_snapshot(self, iteration: int) -> None:
        """A file as DeepLabCut's runner writes it, of the weights alone."""
        metadata = {"epoch": iteration, "metrics": {}, "losses": {}}
        _save({"metadata": metadata, "model": self.model.state_dict()}, self.project.snapshot(iteration))

    def load_snapshot(self, iteration: int) -> None:
        self.model.load_state_dict(read_tensors(str(self.project.snapshot(iteration))))

    def drop_snapshots_but(self, iteration: int) -> None:
        kept = self.project.snapshot(iteration)
        for file in kept.parent.glob("snapshot-*.pt"):
            if file != kept:
                file.unlink()

    def save_state(self, prefix: Path) -> None:
        """The weights, what the optimiser remembers of each, and how many batches both have learnt."""
        state = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(), "learnt": self.learnt}
        _save(state, prefix.with_name(f"{prefix.name}.pt"))

    def load_state(self, prefix: Path) -> None:
        state = torch.load(prefix.with_name(f"{prefix.name}.pt"), map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.learnt = state["learnt"]


def use_the_machine() -> torch.device:
    """Set PyTorch up so that the same job gives the same bits; returns the GPU if one is visible, else the processor.

    On a processor one thread computes: more would add up in another order, and two trainings of one thread side by side
    learn more pictures a second than one of two.
    """
    if torch.cuda.is_available():
        torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = False, True
        torch.backends.cudnn.allow_tf32 = False  # ten bits of a number would not be what profiles call float32
        return torch.device("cuda")
    torch.set_num_threads(1)
    _keep_memory()
    return torch.device("cpu")


def _keep_memory() -> None:
    """Have the C library keep what is freed: to get the maps of every step anew costs a fifth of a training's time."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # another C library
        return
    for setting, value in ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, 2**31 - 1), (_TOP_PAD, 2**28), (_ARENA_MAX, 1)):
        mallopt(setting, value)


def _workers() -> int:
    said = os.environ.get(WORKERS, "").strip()
    if said and not said.isdecimal():
        raise StudyError(f"{WORKERS} is '{said}', expected how many threads draw batches, such as 0 or 2")
    return int(said) if said else min(4, cores())


def _optimizer(model: nn.Module, name: str, weight_decay: float) -> torch.optim.Optimizer:
    """No weight of a norm and no bias decays."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in trained if p.dim() > 1], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.dim() <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, fused=True) if name == "adamw" else torch.optim.SGD(groups, momentum=_MOMENTUM)


def _save(state: dict, file: Path) -> None:
    with written(file) as unfinished:
        torch.save(state, unfinished)
