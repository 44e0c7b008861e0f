"""Which finished networks there are as TFLite files, what they were trained on, and how they are fed and read."""

from typing import Literal, NamedTuple, Self

from pydantic import model_validator

from monkey_transfer.networks.engine import PublishedNetwork, Training
from monkey_transfer.settings import Count
from monkey_transfer.skeletons import BLAZEPOSE_33, MPII_16


class TFLiteTraining(Training):
    """Which network it is. None is trained, so there is nothing else to say."""

    engine: Literal["tflite"] = "tflite"
    net_type: Literal["efficientpose_rt_lite", "efficientpose_i_lite", "efficientpose_ii_lite", "blazepose_full"]
    iterations: Count = 0
    batch_size: Count = 0
    validate_every: Count = 0
    optimizer: str = "none"

    @model_validator(mode="after")
    def _says_no_more(self) -> Self:
        fields = type(self).model_fields.items()
        more = [name for name, field in fields if not field.is_required() and getattr(self, name) != field.default]
        if more:
            raise ValueError(
                f"{self.net_type} is used as it is and trains nothing; expected engine and net_type alone: "
                f"remove {', '.join(more)}"
            )
        return self


class Layout(NamedTuple):
    """What a network takes and gives; how it is read is in :mod:`monkey_transfer.networks.tflite.prediction`.

    ``side`` of its square picture in pixels; ``outputs``: a score map of each keypoint, or landmarks, two of which say
    how the picture should have been cut; ``keypoints`` in the order of the outputs.
    """

    side: int
    outputs: Literal["maps", "landmarks"]
    keypoints: tuple[str, ...]


# As in `extract_coordinates`, utils/helpers.py of github.com/daniegr/EfficientPose.
_EFFICIENTPOSE = (
    *("head_top", "upper_neck", "right_shoulder", "right_elbow", "right_wrist", "thorax"),
    *("left_shoulder", "left_elbow", "left_wrist", "pelvis"),
    *("right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle"),
)
LAYOUTS = {
    "efficientpose_rt_lite": Layout(224, "maps", _EFFICIENTPOSE),
    "efficientpose_i_lite": Layout(256, "maps", _EFFICIENTPOSE),
    "efficientpose_ii_lite": Layout(368, "maps", _EFFICIENTPOSE),
    "blazepose_full": Layout(256, "landmarks", BLAZEPOSE_33.keypoints),
}


def _crop(name: str) -> tuple[int, int]:
    """Of a square crop the side, 1.25 times the longer side of the person's box, and that longer side, in pixels."""
    side = LAYOUTS[name].side
    return side, round(side / 1.25)


# MPII's pictures are frames of videos on YouTube (Andriluka et al. 2014, section 3), those of Leeds Sports Pose and of
# its extended set photographs on Flickr (Johnson and Everingham 2010, 2011).
PUBLISHED = {
    **{
        f"zoo:{name}": PublishedNetwork(
            (name,),
            MPII_16,
            "people of MPII's training pictures (Groos et al. 2021)",
            may_know_people=f"{name} was trained on people of MPII's training pictures, maybe the test people",
            knows_none_of=("lsp", "synthetic"),
            publisher="the repository EfficientPose",
            crop=_crop(name),
        )
        for name in ("efficientpose_rt_lite", "efficientpose_i_lite", "efficientpose_ii_lite")
    },
    "zoo:blazepose_full": PublishedNetwork(
        ("blazepose_full",),
        BLAZEPOSE_33,
        "85,000 photographs that are not published (Bazarevsky et al. 2020)",
        may_know_people="blazepose_full was trained on photographs that are not published, maybe the test people's",
        knows_none_of=("synthetic",),
        publisher="MediaPipe",
        crop=_crop("blazepose_full"),
    ),
}
