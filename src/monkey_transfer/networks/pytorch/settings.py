"""What a profile may say of training on DeepLabCut's PyTorch engine.

The defaults are the strong recipe of :mod:`monkey_transfer.networks.pytorch.parts`, not DeepLabCut's, whose own head
and loss are ``head: {kind: deconvolution}``.
"""

import math
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import Discriminator, Field, Tag, model_validator

from monkey_transfer.networks.engine import Training
from monkey_transfer.networks.schedules import Steps, rate_of, refuse_gaps, refuse_unreached
from monkey_transfer.settings import NotNegative, Number, Positive, PositiveNumber, Probability, Settings, Whole

SMALLEST_PICTURE = 32  # one cell of a backbone's deepest map


class Backbone(NamedTuple):
    """A backbone of timm's.

    ``blocks`` from the picture on: the name of each, and of the modules in it. ``mean`` and ``sd`` of each colour are
    what its ImageNet training took off pictures and divided them by, as parts of 255.
    """

    timm: str
    blocks: dict[str, tuple[str, ...]]
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    sd: tuple[float, float, float] = (0.229, 0.224, 0.225)


_RESNET = {"stem": ("conv1", "bn1"), **{f"layer{i}": (f"layer{i}",) for i in range(1, 5)}}
_MOBILE = {"stem": ("conv_stem", "bn1"), **{f"blocks.{i}": (f"blocks.{i}",) for i in range(7)}}
_HRNET = {
    "stem": ("conv1", "bn1", "conv2", "bn2"),
    "layer1": ("layer1",),
    **{f"stage{i}": (f"transition{i - 1}", f"stage{i}") for i in range(2, 5)},
}
BACKBONES = {
    "tf_efficientnet_lite0": Backbone("tf_efficientnet_lite0", _MOBILE, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    "mobilenetv2_035": Backbone("mobilenetv2_035", _MOBILE),
    "resnet_18": Backbone("resnet18", _RESNET),
    "resnet_50": Backbone("resnet50", _RESNET),
    "resnet_50_gn": Backbone("resnet50_gn", _RESNET),  # DeepLabCut's "resnet_50": GroupNorm in place of batch norm
    "hrnet_w32": Backbone("hrnet_w32", _HRNET),
}
# What timm builds a network with, by its name there: HRNet's maps as its branches give them, as with DeepLabCut; timm's
# usual ones go through layers of its ImageNet classifier, which SuperAnimal's weights have not.
TIMM_OPTIONS: dict[str, dict[str, Any]] = {"hrnet_w32": {"feature_location": ""}}


class Cosine(Settings):
    """A rate that rises evenly for a share of the iterations, then falls along half a cosine to a share of itself."""

    shape: Literal["cosine"] = "cosine"
    rate: PositiveNumber = 0.001
    warm_up: Probability = 0.1
    end: Probability = 0.01


class Stepped(Settings):
    """Rates that hold up to an iteration each, as in DeepLabCut's ``multi_step``."""

    shape: Literal["steps"]
    multi_step: Steps


class PyramidHead(Settings):
    """A feature pyramid down to cells of 4 pixels; see :mod:`monkey_transfer.networks.pytorch.parts`."""

    kind: Literal["pyramid"] = "pyramid"
    channels: Annotated[Whole, Field(gt=0, le=1024)] = 96
    target_sd: Annotated[Number, Field(gt=0, le=32)] = 1.5  # of the Gaussian that is the target, in cells


class DeconvolutionHead(Settings):
    """DeepLabCut's own head and loss for one animal (``config/base/head_bodyparts.yaml`` of release 3.0.2).

    ``absent`` says what joints are that nobody labelled: 'ignored', or 'background' as with DeepLabCut.
    """

    kind: Literal["deconvolution"]
    output_stride: Literal[8, 16, 32] = 16
    pos_dist_thresh: Positive = 17
    locref_weight: NotNegative = 0.05
    absent: Literal["ignored", "background"] = "ignored"


class Warping(Settings):
    """How pictures are varied; see :func:`monkey_transfer.networks.pytorch.augmentation.varied`."""

    rotation: Annotated[Number, Field(ge=0, le=180)] = 30  # degrees either way
    any_angle: Probability = 0.4  # share of the pictures that are turned by any angle instead
    scaling: Annotated[Number, Field(ge=0, le=1)] = 0.2  # standard deviation of the logarithm
    shift: Annotated[Number, Field(ge=0, lt=0.5)] = 0.06  # either way, as a share of the side
    flip: Probability = 0.5
    brightness: Annotated[Number, Field(ge=0, lt=1)] = 0.15  # of gain and bias, either way
    cutout: Probability = 0.3


def _told_by(key: str, *known: str) -> Discriminator:
    """Settings are those that their key names, the first where it is missing."""
    return Discriminator(
        lambda said: said.get(key, known[0]) if isinstance(said, dict) else getattr(said, key, None),
        custom_error_type="unknown_kind",
        custom_error_message=f"expected keys and values, and of '{key}' one of {', '.join(known)}",
    )


class PyTorchTraining(Training):
    """How a network is trained on PyTorch; shapes and units stand with each group of keys."""

    engine: Literal["pytorch"] = "pytorch"
    net_type: Literal[
        "tf_efficientnet_lite0", "mobilenetv2_035", "resnet_18", "resnet_50", "resnet_50_gn", "hrnet_w32"
    ] = "tf_efficientnet_lite0"
    iterations: Positive = 2700
    batch_size: Positive = 16
    optimizer: Literal["adamw", "sgd"] = "adamw"
    weight_decay: NotNegative = 0.05  # none on norms and biases
    gradient_clip: PositiveNumber | None = 5.0  # of the norm over all gradients
    schedule: Annotated[
        Annotated[Cosine, Tag("cosine")] | Annotated[Stepped, Tag("steps")], _told_by("shape", "cosine", "steps")
    ] = Cosine()
    head: Annotated[
        Annotated[PyramidHead, Tag("pyramid")] | Annotated[DeconvolutionHead, Tag("deconvolution")],
        _told_by("kind", "pyramid", "deconvolution"),
    ] = PyramidHead()
    augmentation: Warping = Warping()
    # Training alone; networks predict in float32.
    precision: Literal["float32", "bfloat16"] = "float32"
    # Each picture is predicted as it is and mirrored, and the maps are averaged.
    predict_mirrored: bool = False

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        if isinstance(self.schedule, Stepped):
            refuse_gaps(self.schedule.multi_step, self.iterations, "schedule.multi_step")
        if isinstance(self.head, DeconvolutionHead):
            if not self.net_type.startswith("resnet"):
                raise ValueError(f"head.kind: 'deconvolution' is for ResNets; expected 'pyramid' for {self.net_type}")
            if self.predict_mirrored:
                raise ValueError("predict_mirrored: maps of a deconvolution head are not averaged; expected false")
        return self

    def rate(self, iteration: int) -> float:
        """The rate at that iteration: of its step, or on the cosine."""
        if isinstance(self.schedule, Stepped):
            return rate_of(self.schedule.multi_step, iteration)
        peak, warm_up, end = self.schedule.rate, self.schedule.warm_up * self.iterations, self.schedule.end
        if iteration < warm_up:
            return peak * (iteration + 1) / (warm_up + 1)
        fallen = (iteration - warm_up) / max(1.0, self.iterations - warm_up)
        return peak * (end + (1 - end) * (1 + math.cos(math.pi * fallen)) / 2)

    @property
    def heads_built_by(self) -> dict[str, Any]:
        """The kind, and of a pyramid its channels."""
        return self.head.model_dump(include={"kind", "channels"})

    def refuse(self, width: int, height: int) -> None:
        """Raise ValueError if steps of a schedule are never reached, or pictures do not go into cells."""
        if isinstance(self.schedule, Stepped):
            refuse_unreached(self.schedule.multi_step, self.iterations, "schedule.multi_step")
        if min(width, height) < SMALLEST_PICTURE:
            raise ValueError(
                f"pictures are {width} x {height} pixels (picture.size), expected at least {SMALLEST_PICTURE}, one "
                "cell of the deepest map"
            )
        if self.net_type == "hrnet_w32" and (width % SMALLEST_PICTURE or height % SMALLEST_PICTURE):
            raise ValueError(
                f"pictures are {width} x {height} pixels (picture.size), expected multiples of {SMALLEST_PICTURE} for "
                "hrnet_w32, which adds its maps to each other by whole cells"
            )
