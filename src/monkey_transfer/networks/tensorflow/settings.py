"""What a profile may say of training on DeepLabCut's TensorFlow engine; the defaults are DeepLabCut's."""

import math
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator, model_validator

from monkey_transfer.networks.engine import Training
from monkey_transfer.networks.schedules import DEEPLABCUTS, Steps, rate_of, refuse_gaps, refuse_unreached
from monkey_transfer.settings import NotNegative, Number, Positive, PositiveNumber, Probability, Settings, Whole

SMALLEST_PICTURE, LARGEST_PICTURE = 64, 1500  # min_input_size and max_input_size in DeepLabCut's pose_cfg.yaml


# What pose_imgaug.py reads of its two groups of keys; others it would pass over in silence.
_AUGMENTATION_KEYS = {
    group: {key for name in names.split() for key in (name, f"{name}ratio")}
    for group, names in (("contrast", "histeq clahe gamma sigmoid log linear"), ("convolution", "sharpen emboss edge"))
}
# The blocks of a backbone as its authors named them, from the picture on.
BLOCKS = {
    "resnet": ("conv1", "block1", "block2", "block3", "block4"),
    "mobilenet": ("Conv", "expanded_conv", *(f"expanded_conv_{i}" for i in range(1, 17)), "Conv_1"),
}


def _effect(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
    try:
        return read(value)
    except ValidationError:
        raise ValueError("expected true, false, keys with numbers, or for a ratio 0 to 1") from None


Effect = Annotated[
    bool | Probability | dict[str, Number | Annotated[list[Number], Field(min_length=1)]], WrapValidator(_effect)
]


class Augmentation(Settings):
    """DeepLabCut's own augmentation keys with its own defaults (pose_cfg.yaml, pose_imgaug.py)."""

    apply_prob: Probability = 0.5
    scale_jitter_lo: PositiveNumber = 0.5
    scale_jitter_up: PositiveNumber = 1.25
    rotation: Annotated[Whole, Field(ge=0, le=180)] = 25  # degrees either way
    rotratio: Probability = 0.4
    cropratio: Probability = 0.4
    crop_by: Annotated[Number, Field(gt=0, lt=0.5)] = 0.15  # DeepLabCut takes 0 for 0.15; cropratio 0 crops none
    fliplr: bool = False
    motion_blur: bool = True
    covering: bool = True
    elastic_transform: bool = True
    contrast: dict[str, Effect] = {"clahe": True, "claheratio": 0.1, "histeq": True, "histeqratio": 0.1}
    convolution: dict[str, Effect] = {
        "sharpen": False,
        "sharpenratio": 0.3,
        "edge": False,
        "emboss": {"alpha": [0.0, 1.0], "strength": [0.5, 1.5]},
        "embossratio": 0.1,
    }

    @model_validator(mode="after")
    def _known_to_the_loader(self) -> "Augmentation":
        for group, known in _AUGMENTATION_KEYS.items():
            for key, value in getattr(self, group).items():
                if key not in known:
                    raise ValueError(f"{group}: '{key}' is unknown; expected one of {', '.join(sorted(known))}")
                if key.endswith("ratio") != isinstance(value, float):
                    expected = "a number from 0 to 1" if key.endswith("ratio") else "true, false or keys with numbers"
                    raise ValueError(f"{group}.{key}: expected {expected}")
        if self.scale_jitter_lo > self.scale_jitter_up:
            raise ValueError("scale_jitter_lo is above scale_jitter_up; exchange them")
        return self


class TensorFlowTraining(Training):
    """How a network is trained; the defaults are DeepLabCut's (``deeplabcut/pose_cfg.yaml`` of release 3.0.2)."""

    engine: Literal["tensorflow"] = "tensorflow"
    net_type: Literal[
        "resnet_50", "resnet_101", "mobilenet_v2_1.0", "mobilenet_v2_0.75", "mobilenet_v2_0.5", "mobilenet_v2_0.35"
    ] = "resnet_50"
    iterations: Positive = 1_030_000
    batch_size: Positive = 1
    optimizer: Literal["sgd", "adam"] = "sgd"
    multi_step: Steps = DEEPLABCUTS
    global_scale: PositiveNumber = 0.8
    pos_dist_thresh: PositiveNumber = 17
    locref_loss_weight: NotNegative = 0.05
    intermediate_supervision: bool = False
    weigh_only_present_joints: bool = False
    augmentation: Augmentation = Augmentation()

    @model_validator(mode="after")
    def _schedule_covers_the_iterations(self) -> Self:
        refuse_gaps(self.multi_step, self.iterations)
        return self

    def rate(self, iteration: int) -> float:
        """The rate of the step that the iteration is in."""
        return rate_of(self.multi_step, iteration)

    def refuse(self, width: int, height: int) -> None:
        """Raise ValueError if steps of a schedule are never reached, or if DeepLabCut would pass pictures of so
        many pixels over when it scales them."""
        refuse_unreached(self.multi_step, self.iterations)
        smallest = min(width, height) * self.global_scale * self.augmentation.scale_jitter_lo
        largest = math.sqrt(width * height) * self.global_scale * self.augmentation.scale_jitter_up
        if smallest < SMALLEST_PICTURE:
            raise ValueError(
                f"pictures shrink to {smallest:.4g} pixels (picture.size x global_scale x scale_jitter_lo), expected "
                f"at least {SMALLEST_PICTURE}, below which DeepLabCut trains on none"
            )
        if largest > LARGEST_PICTURE:
            raise ValueError(
                f"pictures grow to {largest:.4g} pixels (picture.size x global_scale x scale_jitter_up), expected "
                f"at most {LARGEST_PICTURE}, above which DeepLabCut trains on none"
            )
