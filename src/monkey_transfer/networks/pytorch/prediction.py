"""Prediction on PyTorch: the pose of a picture is that of the network's own DeepLabCut predictor."""

import numpy as np
import torch
import torch.nn.functional as F
from deeplabcut.pose_estimation_pytorch.models import PoseModel
from torch import Tensor

from monkey_transfer.networks.pytorch.model import HEAD
from monkey_transfer.networks.pytorch.parts import DEEPLABCUT_MEAN, DEEPLABCUT_SD, shares_of


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
        if mirrored is None:
            poses = model.get_predictions(model(given))[HEAD]["poses"][:, 0]
        else:
            stride = int(model.get_stride(HEAD))
            whole = F.pad(given, (0, -given.shape[3] % stride))  # else the cells of the two would not meet
            straight, turned = (shares_of(model(seen)[HEAD]) for seen in (whole, whole.flip(3)))
            poses = model.heads[HEAD].predictor.found_in((straight + turned.flip(3)[:, mirrored]) / 2, stride)
    return poses.double().cpu().numpy()
