"""Prediction on PyTorch: the pose of a picture is that of the network's own DeepLabCut predictor."""

import numpy as np
import torch
from deeplabcut.pose_estimation_pytorch.models import PoseModel
from torch import Tensor

from monkey_transfer.networks.pytorch.model import HEAD
from monkey_transfer.networks.pytorch.parts import DEEPLABCUT_MEAN, DEEPLABCUT_SD, centres_of_mass


def normalised(pictures: Tensor) -> Tensor:
    """Pictures (n, height, width, 3), RGB, uint8, as DeepLabCut's networks take them: (n, 3, height, width), floats."""
    mean, sd = (torch.tensor(values, device=pictures.device) * 255 for values in (DEEPLABCUT_MEAN, DEEPLABCUT_SD))
    return ((pictures.float() - mean) / sd).permute(0, 3, 1, 2)  # of channels last in memory


def poses_of(model: PoseModel, pictures: np.ndarray, mirrored: np.ndarray | None = None) -> np.ndarray:
    """(n, keypoints, 3): x, y in network pixels (pixel centres) and likelihood, for n RGB pictures (n, h, w, 3).

    With ``mirrored``, for each joint the index of that which it becomes in a mirrored picture, the probabilities are
    the means of those of the picture and of its mirror image; without, the poses are DeepLabCut's own.
    """
    device = next(model.parameters()).device
    with torch.inference_mode():
        given = normalised(torch.from_numpy(pictures).to(device))
        outputs = model(given)
        if mirrored is None:
            poses = model.get_predictions(outputs)[HEAD]["poses"][:, 0]
        else:
            both = [_shares(outputs), _shares(model(given.flip(3))).flip(3)[:, mirrored]]
            poses = centres_of_mass((both[0] + both[1]) / 2, model.get_stride(HEAD))
    return poses.double().cpu().numpy()


def _shares(outputs: dict[str, dict[str, Tensor]]) -> Tensor:
    logits = outputs[HEAD]["heatmap"].float()
    return torch.softmax(logits.flatten(2), dim=-1).view_as(logits)
