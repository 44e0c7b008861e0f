"""Initial weights: what is restored of a run's snapshot or of ImageNet's, and what is not trained."""

from collections.abc import Sequence

import torch
from deeplabcut.pose_estimation_pytorch.models import PoseModel
from torch import Tensor, nn

from monkey_transfer.errors import StudyError
from monkey_transfer.networks.engine import Restored
from monkey_transfer.networks.heads import with_heads
from monkey_transfer.networks.job import Job
from monkey_transfer.networks.pytorch.model import blocks_of
from monkey_transfer.networks.pytorch.parts import MOMENTUM
from monkey_transfer.networks.pytorch.weights import BACKBONE_PREFIX, backbone_in, read_tensors


def restore(model: PoseModel, job: Job) -> Restored:
    """Overwrite random weights with those of the job's checkpoint: the backbone, and the heads of some joints.

    With a joint's head goes what all of them share, the neck. StudyError if the checkpoint is missing or unreadable, or
    lacks a wanted tensor, or holds it in another shape.
    """
    ours = model.state_dict()
    backbone = [name for name in ours if name.startswith(BACKBONE_PREFIX)]
    outputs = [name for name in ours if name not in backbone]
    taken = sum(theirs is not None for theirs in job.heads) if job.checkpoint else 0
    counts = {"backbone_total": len(backbone), "heads_total": len(outputs), "joints_total": len(job.heads)}
    if job.checkpoint is None:
        return Restored(None, backbone=0, heads=0, joints=0, **counts)
    theirs = _of_run_or_imagenet(job.checkpoint, job.training.net_type)
    wanted = {name: _fitting(job.checkpoint, name, theirs, ours[name].shape) for name in backbone}
    if taken:
        wanted |= {name: _with_heads(job.checkpoint, name, ours[name], theirs, job.heads) for name in outputs}
    model.load_state_dict({**ours, **wanted})
    return Restored(job.checkpoint, backbone=len(backbone), heads=len(outputs) if taken else 0, joints=taken, **counts)


def _of_run_or_imagenet(weights: str, net_type: str) -> dict[str, Tensor]:
    """The tensors of a run's snapshot, or of a backbone's ImageNet weights, by their names in a run's network."""
    found = read_tensors(weights)
    if any(name.startswith(BACKBONE_PREFIX) for name in found):
        return found
    return {f"{BACKBONE_PREFIX}{name}": tensor for name, tensor in backbone_in(found, weights, net_type).items()}


def _fitting(checkpoint: str, name: str, theirs: dict[str, Tensor], shape: Sequence[int]) -> Tensor:
    found = theirs.get(name)
    if found is None or found.shape != torch.Size(shape):
        how = "not at all" if found is None else f"in shape {list(found.shape)}"
        raise StudyError(
            f"weights {checkpoint} do not fit: they hold '{name}' {how}, expected shape {list(shape)}; name weights of "
            "the same backbone (and with those keypoints, if heads are restored)"
        )
    return found


def _with_heads(
    checkpoint: str, name: str, ours: Tensor, theirs: dict[str, Tensor], heads: Sequence[int | None]
) -> Tensor:
    """A tensor of neck or head in which some joints' channels are those of another network."""
    axis = _joint_axis(name)
    if axis is None:
        return _fitting(checkpoint, name, theirs, ours.shape)
    each = ours.shape[axis] // len(heads)
    stored = theirs[name].shape[axis] if name in theirs and theirs[name].dim() == ours.dim() else 0
    least = 1 + max(joint for joint in heads if joint is not None)
    shape = list(ours.shape)
    shape[axis] = max(stored, least * each)
    given = _fitting(checkpoint, name, theirs, shape).to(ours.dtype)
    return torch.from_numpy(with_heads(ours.cpu().numpy(), given.numpy(), heads, axis))


def _joint_axis(name: str) -> int | None:
    """Which axis of a tensor are the joints, if any; a transposed convolution's weights have what comes in first."""
    if not name.startswith("heads."):
        return None
    return 1 if ".deconv_layers." in name and name.endswith("weight") else 0


def freeze(model: PoseModel, net_type: str, blocks: int) -> list[str]:
    """Take the first ``blocks`` blocks of the backbone off what is trained; returns their names.

    :func:`into_training` keeps the statistics of their norms as they are.
    """
    frozen = list(blocks_of(model, net_type).items())[:blocks]
    for _, modules in frozen:
        for module in modules:
            module.requires_grad_(False)
    return [name for name, _ in frozen]


def into_training(model: nn.Module, learnt: int) -> None:
    """Put a network that has learnt so many batches into training.

    The statistics of batch norm are a mean over all batches while these are few: of random weights the first ones, 0
    and 1, let features of HRNet grow to 1e5. Those of what is frozen stay as they are.
    """
    model.train()
    for module in model.modules():
        own = list(module.parameters(recurse=False))
        if own and not any(parameter.requires_grad for parameter in own):
            module.eval()
        elif isinstance(module, nn.BatchNorm2d):
            module.momentum = max(MOMENTUM, 1 / (1 + learnt))
