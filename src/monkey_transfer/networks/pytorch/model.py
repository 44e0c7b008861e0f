"""The network of a job: DeepLabCut's ``PoseModel`` of a backbone, a neck and a head, named as in its registries."""

from typing import Any

import torch
from deeplabcut.pose_estimation_pytorch.models import PoseModel
from torch import nn

from monkey_transfer.networks.job import Job
from monkey_transfer.networks.pytorch.parts import TimmFeatures
from monkey_transfer.networks.pytorch.settings import BACKBONES, DeconvolutionHead, PyramidHead, PyTorchTraining

HEAD = "bodypart"  # DeepLabCut's name for what finds the joints of animals
_FINEST_STRIDE, _DEEPEST_STRIDE = 4, 32
_LOCREF_SD = 7.2801  # DeepLabCut's unit of offsets, in pixels


def settings_of(job: Job) -> PyTorchTraining:
    """How the job's network is built and trained."""
    assert isinstance(job.training, PyTorchTraining)
    return job.training


def model_config(job: Job) -> dict[str, Any]:
    """What ``PoseModel.build`` builds the job's network from, as ``pytorch_config.yaml`` has it below ``model``."""
    training = settings_of(job)
    of_backbone = BACKBONES[training.net_type]
    backbone: dict[str, Any] = {
        "model_name": of_backbone.timm,
        "mean": list(of_backbone.mean),
        "sd": list(of_backbone.sd),
        "output_stride": training.head.output_stride
        if isinstance(training.head, DeconvolutionHead)
        else _DEEPEST_STRIDE,
    }
    channels = TimmFeatures(**backbone).channels
    if isinstance(training.head, PyramidHead):
        neck: dict[str, Any] = {"type": "Pyramid", "in_channels": channels, "channels": training.head.channels}
        head = _map_head(training.head, len(job.keypoints))
    else:
        neck, head = {"type": "Deepest"}, _deconvolution_head(training.head, channels[-1], len(job.keypoints))
    return {
        "backbone": {"type": "TimmFeatures", **backbone},
        "backbone_output_channels": channels[-1],
        "neck": neck,
        "heads": {HEAD: head},
    }


def _map_head(head: PyramidHead, joints: int) -> dict[str, Any]:
    return {
        "type": "MapHead",
        "channels": head.channels,
        "num_joints": joints,
        "stride": _DEEPEST_STRIDE // _FINEST_STRIDE,
        "predictor": {"type": "SmoothedPeak", "sd": head.target_sd},
        "target_generator": {"type": "GaussianShares", "sd": head.target_sd},
        "criterion": {"type": "SpatialCrossEntropy"},
    }


def _deconvolution_head(head: DeconvolutionHead, channels: int, joints: int) -> dict[str, Any]:
    """DeepLabCut's own, ``config/base/head_bodyparts.yaml``."""
    layers = {"kernel_size": [3], "strides": [2]}
    return {
        "type": "HeatmapHead",
        "weight_init": "normal",
        "predictor": {
            "type": "HeatmapPredictor",
            "apply_sigmoid": False,
            "clip_scores": True,
            "location_refinement": True,
            "locref_std": _LOCREF_SD,
        },
        "target_generator": {
            "type": "HeatmapGaussianGenerator",
            "num_heatmaps": joints,
            "pos_dist_thresh": head.pos_dist_thresh,
            "heatmap_mode": "KEYPOINT",
            "gradient_masking": False,
            "generate_locref": True,
            "locref_std": _LOCREF_SD,
        },
        "criterion": {
            "heatmap": {"type": "WeightedMSECriterion", "weight": 1.0},
            "locref": {"type": "WeightedHuberCriterion", "weight": head.locref_weight},
        },
        "heatmap_config": {"channels": [channels, joints], **layers},
        "locref_config": {"channels": [channels, 2 * joints], **layers},
    }


def build(job: Job, device: torch.device) -> PoseModel:
    """The job's network with the random weights of its seed, on that device."""
    torch.manual_seed(job.seed)
    model = PoseModel.build(model_config(job), pretrained_backbone=False)
    return model.to(device, memory_format=torch.channels_last)


def blocks_of(model: PoseModel, net_type: str) -> dict[str, list[nn.Module]]:
    """The modules of each block of its backbone, by the block's name, from the picture on."""
    features = model.backbone.model
    named = dict(features.named_modules())
    # Where timm makes a list of the network's parts, a part of a part is named with an underscore.
    return {
        block: [named[name] if name in named else named[name.replace(".", "_")] for name in modules]
        for block, modules in BACKBONES[net_type].blocks.items()
    }
