"""What a profile may say, and how one is loaded, overridden and checked.

A profile is one YAML file in ``config/`` that fixes everything about a study. Every key has a
type, an unknown key is an error, and the defaults of :class:`Training` and :class:`Augmentation`
are DeepLabCut's own (``deeplabcut/pose_cfg.yaml`` of release 3.0.2), so that a profile shows
exactly where it departs from them.
"""

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from monkey_transfer.errors import StudyError
from monkey_transfer.skeletons import FULL_HUMAN_14, MACAQUEPOSE_17, SKELETONS, Skeleton

# Names a checkpoint of ImageNet weights that is there already.
IMAGENET_VARIABLE = "MONKEY_TRANSFER_IMAGENET"
ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "config"

VALIDATION_SHARE = 0.05  # paper, section 2.3: 95 percent training validation split

SMALLEST_PICTURE = 64  # min_input_size in DeepLabCut's pose_cfg.yaml

# What pose_imgaug.py reads of its two groups of keys; others it would pass over in silence.
_AUGMENTATION_KEYS = {
    group: {key for name in names.split() for key in (name, f"{name}ratio")}
    for group, names in {
        "contrast": "histeq clahe gamma sigmoid log linear",
        "convolution": "sharpen emboss edge",
    }.items()
}

# The blocks of a backbone as its authors named them, from the picture on.
BLOCKS = {
    "resnet": ("conv1", "block1", "block2", "block3", "block4"),
    "mobilenet": ("Conv", "expanded_conv", *(f"expanded_conv_{i}" for i in range(1, 17)), "Conv_1"),
}

Yardstick = Literal["head_size", "head_segment", "torso", "bbox_length", "mpii_200scale"]
Positive = Annotated[int, Field(gt=0)]
Probability = Annotated[float, Field(ge=0, le=1)]


def _known_skeleton(name: str) -> str:
    if name not in SKELETONS:
        raise ValueError(f"expected one of {', '.join(SKELETONS)}")
    return name


KnownSkeleton = Annotated[str, AfterValidator(_known_skeleton)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SyntheticData(_Strict):
    """Rendered primates, drawn by :mod:`monkey_transfer.datasets.synthetic`."""

    format: Literal["synthetic"]
    species: Literal["human", "macaque"]
    images: Positive
    seed: int = 0
    size: Positive = 160  # side of a picture in pixels


class LspData(_Strict):
    """Leeds Sports Pose or its extended set: ``folder`` holds joints.mat and images/."""

    format: Literal["lsp"]
    folder: str


class MacaqueposeData(_Strict):
    """MacaquePose v1 as released: ``folder`` holds annotations.csv and images/.

    Every monkey becomes a picture of its own whose ``length`` is ``size`` pixels (paper, section 2.1).
    """

    format: Literal["macaquepose"]
    folder: str
    length: Literal["longer_side", "width"] = "longer_side"
    size: Positive = 640


class MpiiData(_Strict):
    """MPII Human Pose as released: ``folder`` holds mpii_human_pose_v1_u12_1.mat and images/."""

    format: Literal["mpii"]
    folder: str
    # The release's list of single people, or of those only the ones that are alone in their picture.
    people: Literal["single_person", "alone_in_picture"] = "single_person"


class CocoData(_Strict):
    """Any COCO keypoint file; paths are relative to MONKEY_TRANSFER_DATA unless absolute."""

    format: Literal["coco"]
    annotations: str
    images: str
    skeleton: KnownSkeleton
    keypoints: dict[str, str] | None = None  # the file's keypoint -> the skeleton's; others are not read


class DlcData(_Strict):
    """A labelled single-animal DeepLabCut project; its path is relative to MONKEY_TRANSFER_DATA unless absolute."""

    format: Literal["dlc"]
    project: str
    skeleton: KnownSkeleton
    keypoints: dict[str, str] | None = None  # the project's body part -> the skeleton's keypoint; others are not read


AnyData = Annotated[
    SyntheticData | LspData | MacaqueposeData | MpiiData | CocoData | DlcData, Field(discriminator="format")
]


class SourceData(_Strict):
    """The data set learnt first, and how many of its pictures no arm learns."""

    data: AnyData
    test: Annotated[int, Field(ge=0)]


class TargetData(_Strict):
    """The data set that counts, and how many of its pictures are kept for the test."""

    data: AnyData
    test: Positive


class ElsewhereData(_Strict):
    """People of another data set, on whom every arm is tried as well: nobody trained or chose on them."""

    data: AnyData
    test: Positive
    yardstick: Yardstick


class WholePicture(_Strict):
    """The whole picture, letterboxed to ``size``: the side of a square, or [width, height], in pixels."""

    framing: Literal["whole"]
    size: Positive | tuple[Positive, Positive]


class PersonCrop(_Strict):
    """A crop around the labelled box, its longer side ``person`` pixels in ``size`` x ``size``.

    Top-down benchmarks call such a box a ground-truth box; it is the same for every arm.
    """

    framing: Literal["person"]
    size: Positive
    person: Positive


class ScaledPerson(_Strict):
    """A crop around the labelled box in which the person's length ``yardstick`` is ``length`` pixels.

    For networks that were trained at one scale of people, which is then taken from the labels.
    """

    framing: Literal["scaled"]
    size: Positive
    yardstick: Yardstick
    length: Positive


Framing = Annotated[WholePicture | PersonCrop | ScaledPerson, Field(discriminator="framing")]


class Augmentation(_Strict):
    """DeepLabCut's own augmentation keys with its own defaults (pose_cfg.yaml, pose_imgaug.py)."""

    apply_prob: Probability = 0.5
    scale_jitter_lo: float = 0.5
    scale_jitter_up: float = 1.25
    rotation: int = 25
    rotratio: Probability = 0.4
    cropratio: Probability = 0.4
    crop_by: float = 0.15
    fliplr: bool = False
    motion_blur: bool = True
    covering: bool = True
    elastic_transform: bool = True
    contrast: dict[str, float | bool] = {"clahe": True, "claheratio": 0.1, "histeq": True, "histeqratio": 0.1}
    convolution: dict[str, Any] = {
        "sharpen": False,
        "sharpenratio": 0.3,
        "edge": False,
        "emboss": {"alpha": [0.0, 1.0], "strength": [0.5, 1.5]},
        "embossratio": 0.1,
    }

    @model_validator(mode="after")
    def _known_to_the_loader(self) -> "Augmentation":
        for group, known in _AUGMENTATION_KEYS.items():
            unknown = sorted(set(getattr(self, group)) - known)
            if unknown:
                raise ValueError(f"{group}: '{unknown[0]}' is unknown; expected one of {', '.join(sorted(known))}")
        return self


class StopRule(_Strict):
    """When training ends before its last iteration.

    ``validation_plateau``: the mean error on the validation people has not fallen by
    ``min_improvement`` (relative) for ``patience`` validations in a row.
    ``training_loss_plateau``: the same of the training loss, which is the paper's rule
    (section 2.3: "halted when the loss began to plateau").
    """

    rule: Literal["validation_plateau", "training_loss_plateau", "none"] = "none"
    patience: Positive = 5
    min_improvement: Probability = 0.01


@dataclass(frozen=True)
class ZooNetwork:
    """A finished network of DeepLabCut's model zoo.

    ``trained_on`` says on what, as far as it is known; ``may_know_people`` why the study's test people may be
    among that, empty if they cannot.
    """

    net_type: str
    skeleton: Skeleton
    trained_on: str
    may_know_people: str = ""


ZOO = {
    "full_macaque": ZooNetwork(
        "resnet_50",
        MACAQUEPOSE_17,
        "MacaquePose (Labuguen et al. 2021); which pictures it held out is not published, so any may have been seen",
    ),
    # Its people were scaled to a head of 50 pixels (MPII's head size; github.com/eldar/pose-tensorflow, matlab/mpii:
    # refHeight 400, HEAD_HEIGHT_RATIO 1/8) and by global_scale 0.8452830189 (models/mpii/train/pose_cfg.yaml there) to
    # 42.3, give or take 15 %. DeepLabCut applies global_scale in training alone: it predicts at the size it is given.
    "full_human": ZooNetwork(
        "resnet_101",
        FULL_HUMAN_14,
        "people of MPII's training pictures (Insafutdinov et al. 2016)",
        may_know_people="full_human was trained on people of MPII's training pictures, maybe the test people",
    ),
}


class Training(_Strict):
    """How a network is trained; the defaults are DeepLabCut's."""

    net_type: Literal[
        "resnet_50", "resnet_101", "mobilenet_v2_1.0", "mobilenet_v2_0.75", "mobilenet_v2_0.5", "mobilenet_v2_0.35"
    ] = "resnet_50"
    iterations: Positive = 1_030_000
    batch_size: Positive = 1
    optimizer: Literal["sgd", "adam"] = "sgd"
    # (learning rate, last iteration at which it holds), DeepLabCut's multi_step
    multi_step: tuple[tuple[float, int], ...] = (
        (0.005, 10_000),
        (0.02, 430_000),
        (0.002, 730_000),
        (0.001, 1_030_000),
    )
    global_scale: Annotated[float, Field(gt=0)] = 0.8
    pos_dist_thresh: float = 17
    locref_loss_weight: float = 0.05
    intermediate_supervision: bool = False
    weigh_only_present_joints: bool = False
    augmentation: Augmentation = Augmentation()
    validate_every: Positive = 1000
    stop: StopRule = StopRule()

    @model_validator(mode="after")
    def _schedule_covers_the_iterations(self) -> "Training":
        ends = [end for _, end in self.multi_step]
        if not ends or ends != sorted(set(ends)):
            raise ValueError("multi_step: expected rising last iterations, such as [[0.001, 800], [0.0001, 1000]]")
        if ends[-1] < self.iterations:
            raise ValueError(f"multi_step ends at iteration {ends[-1]}, before iterations {self.iterations}")
        return self


class Arm(_Strict):
    """One network of the study and how it came to be."""

    # 'nothing': a finished network of DeepLabCut's model zoo, used as it is.
    learns: Literal["source", "target", "nothing"]
    # How many pictures it learns; several numbers for a learning curve, each set of pictures within the next.
    images: Annotated[int, Field(ge=0)] | tuple[Positive, ...] = 0
    init: Annotated[str, Field(pattern=r"^(scratch|imagenet|arm:[a-z0-9_]+|zoo:[a-z0-9_]+)$")]
    # 'backbone' is what DeepLabCut restores with keepdeconvweights false (paper, section 2.3); 'all' takes over the
    # heads of those joints as well that both networks have, by the named mappings of their skeletons.
    restore: Literal["backbone", "all"] = "backbone"
    # What is not trained: that many blocks (BLOCKS) from the picture on, those up to a named one, or the 'backbone'.
    frozen: Annotated[int, Field(ge=0, strict=True)] | str = 0
    # 'shuffled' permutes the joints' names within each picture that is learnt: what then transfers are pictures, not
    # keypoints.
    names: Literal["labelled", "shuffled"] = "labelled"
    # True: left out of the study, with all that start from it, where its ImageNet weights are not on this machine.
    optional: bool = False
    # Primary questions, decided before the runs: another arm that learns the same people -> what the difference from it
    # answers. Every comparison that is not named here is exploratory and gets no ruling.
    against: dict[str, Annotated[str, Field(min_length=1)]] = {}
    # How this arm sees pictures, where that is not the study's way.
    picture: Framing | None = None
    training: Training

    @model_validator(mode="after")
    def _learns_from_pictures_or_is_finished(self) -> "Arm":
        if self.learns == "nothing" and (self.images or self.frozen or self.zoo is None):
            raise ValueError(
                "an arm that learns nothing has no images, nothing frozen and an init such as zoo:full_human"
            )
        if self.names == "shuffled" and self.learns != "source":
            raise ValueError(f"names: only those of a source are shuffled; expected 'labelled' for the {self.learns}")
        if self.optional and self.init != "imagenet":
            raise ValueError(f"optional: is for arms with init imagenet, whose weights may be missing, not {self.init}")
        if list(self.sizes) != sorted(set(self.sizes)):
            raise ValueError("images: expected rising numbers, such as [100, 300, 1000]")
        if self.learns != "nothing" and not self.images:
            raise ValueError(f"images: expected at least one picture of the {self.learns} to learn from")
        if self.restore == "all" and self.init in ("scratch", "imagenet"):
            raise ValueError(f"restore: init '{self.init}' has no heads to restore; expected arm:<name> or zoo:<name>")
        if self.frozen and self.init == "scratch":
            raise ValueError("frozen: random weights would stay random; expected 0 where init is scratch")
        if self.learns != "nothing" and not 0 <= self.frozen_blocks <= len(self.blocks):
            raise ValueError(
                f"frozen: {self.training.net_type} has no block {self.frozen!r}; expected 0 to {len(self.blocks)}, "
                f"'backbone', or a name from {self.blocks[0]}, {self.blocks[1]} to {self.blocks[-1]}"
            )
        if self.zoo and self.training.net_type != ZOO[self.zoo].net_type:
            raise ValueError(f"training.net_type: zoo network '{self.zoo}' is a {ZOO[self.zoo].net_type}")
        return self

    @field_validator("init")
    @classmethod
    def _in_the_zoo(cls, init: str) -> str:
        name = init.removeprefix("zoo:")
        if init != name and name not in ZOO:
            raise ValueError(f"zoo network '{name}' is unknown; expected one of {', '.join(ZOO)}")
        return init

    @property
    def sizes(self) -> tuple[int, ...]:
        """The numbers of pictures that it learns, the smallest first; one run each."""
        return (self.images,) if isinstance(self.images, int) else self.images

    @property
    def largest(self) -> int:
        """The number of pictures of its headline run, from which arms that start from this one go on."""
        return max(self.sizes, default=0)

    @property
    def blocks(self) -> tuple[str, ...]:
        """The blocks of its backbone, from the picture on."""
        return BLOCKS[self.training.net_type.split("_")[0]]

    @property
    def frozen_blocks(self) -> int:
        """How many of its blocks are not trained; -1 if ``frozen`` is the name of none."""
        if isinstance(self.frozen, int):
            return self.frozen
        if self.frozen == "backbone":
            return len(self.blocks)
        return self.blocks.index(self.frozen) + 1 if self.frozen in self.blocks else -1

    @property
    def parent(self) -> str | None:
        """The arm whose weights this one starts from, if any."""
        return self.init.removeprefix("arm:") if self.init.startswith("arm:") else None

    @property
    def zoo(self) -> str | None:
        """The network of DeepLabCut's model zoo whose weights this one starts from, if any."""
        return self.init.removeprefix("zoo:") if self.init.startswith("zoo:") else None


class Question(NamedTuple):
    """A primary question: what arm a minus arm b, at those numbers of images, is about."""

    a: str
    b: str
    images_a: int
    images_b: int
    text: str


class Profile(_Strict):
    """Everything that fixes a study. See ``config/demo.yaml`` for a commented example."""

    name: str
    title: str
    source: SourceData
    target: TargetData
    elsewhere: ElsewhereData | None = None
    picture: Framing
    yardstick: Yardstick
    arms: dict[str, Arm]
    arms_left_out: tuple[str, ...] = ()  # optional ones, filled in by load_profile
    # Each draws its own people of the pool and its own initial weights.
    seeds: tuple[Annotated[int, Field(ge=0)], ...]
    split_seed: int = 0
    # Score, in percent, that nobody can be expected to beat, say of two people who label the same pictures; if known.
    ceiling: Annotated[float, Field(gt=0, le=100)] | None = None
    # The smallest difference of interest, in points of PCK: what is smaller does not matter to anybody.
    margin: Annotated[float, Field(gt=0)] = 2.0
    # Fewer validation people than this say too little about when to stop.
    smallest_validation: Positive = 50
    # Confidence below which the macaque study ignored a prediction (Labuguen et al. 2021; paper, section 2.1).
    confidence_cut: Probability = 0.4
    # False keeps photographs out of figures, so that reports of data one may not publish can be shown.
    pictures_in_reports: bool = True
    requires_gpu: bool = False
    imagenet_checkpoint: str | None = None

    @field_validator("arms")
    @classmethod
    def _three_arms_at_least(cls, arms: dict[str, Arm]) -> dict[str, Arm]:
        missing = {"baseline", "benchmark", "transfer"} - set(arms)
        if missing:
            raise ValueError(f"arm '{sorted(missing)[0]}' is missing; a study has baseline, benchmark and transfer")
        for name in ("baseline", "benchmark"):
            if len(arms[name].sizes) > 1:
                raise ValueError(f"{name}.images: expected one number; learning curves are of the arms of chapter 4")
        return arms

    @field_validator("margin", mode="before")
    @classmethod
    def _a_difference_that_matters(cls, margin: Any) -> Any:
        if isinstance(margin, bool) or not isinstance(margin, int | float) or not 0 < margin < 100:
            raise ValueError("expected points of PCK above 0 and below 100, the smallest difference that matters")
        return margin

    @field_validator("seeds")
    @classmethod
    def _distinct(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if not seeds or len(set(seeds)) != len(seeds):
            raise ValueError("expected at least one seed, each once")
        return seeds

    @model_validator(mode="after")
    def _inits_lead_somewhere(self) -> "Profile":
        for name, arm in self.arms.items():
            seen = [name]
            while (parent := self.arms[seen[-1]].parent) is not None:
                if parent not in self.arms:
                    raise ValueError(
                        f"arms.{seen[-1]}.init: arm '{parent}' is unknown; expected one of {', '.join(self.arms)}"
                    )
                if parent in seen:
                    raise ValueError(f"arms.{name}.init: the arms {' -> '.join([*seen, parent])} start from each other")
                if self.arms[parent].training.net_type != arm.training.net_type:
                    raise ValueError(
                        f"arms.{name}.init: arm '{parent}' is a {self.arms[parent].training.net_type}, "
                        f"expected the {arm.training.net_type} of arm '{name}'"
                    )
                seen.append(parent)
        return self

    @model_validator(mode="after")
    def _transfer_has_a_control(self) -> "Profile":
        control, transfer = self.arms.get(self.control), self.arms["transfer"]
        if control is None or control.learns != "target" or not set(control.sizes) & set(transfer.sizes):
            raise ValueError(
                f"arms: transfer has no control: expected an arm {self.control}, which starts from where transfer's "
                "monkeys did and learns as many images of the target, since without one nobody can say what the "
                "monkeys were worth"
            )
        return self

    @model_validator(mode="after")
    def _questions_can_be_answered(self) -> "Profile":
        for name, arm in self.arms.items():
            for other in arm.against:
                where = f"arms.{name}.against.{other}"
                if other not in self.arms or other == name:
                    expected = ", ".join(known for known in self.arms if known != name)
                    raise ValueError(f"{where}: arm '{other}' is unknown or the arm itself; expected one of {expected}")
                if name in self.arms[other].against:
                    raise ValueError(f"{where}: this pair is asked both ways; keep one of the two")
                if not self._compares(name, other):
                    raise ValueError(
                        f"{where}: arms '{name}' and '{other}' do not learn the same people; expected two arms that "
                        "learn the target and have a number of images in common, or the benchmark"
                    )
                from monkey_transfer.metrics.estimate import FEWEST_SEEDS  # half a second, and few profiles ask

                if len(self.seeds) < FEWEST_SEEDS:
                    raise ValueError(
                        f"{where}: a primary question needs at least {FEWEST_SEEDS} seeds, since fewer do not show how "
                        f"much is chance, found {len(self.seeds)}: give more seeds, or remove 'against'"
                    )
        return self

    def _compares(self, name: str, other: str) -> bool:
        """Whether two arms learn the same people; of the paper's own question, against the benchmark, many more are."""
        one, two = self.arms[name], self.arms[other]
        if "benchmark" in (name, other):
            compared = two if name == "benchmark" else one
            return compared.learns == "target" and self.arms["benchmark"].learns != "source"
        return one.learns == two.learns == "target" and bool(set(one.sizes) & set(two.sizes))

    @property
    def questions(self) -> tuple[Question, ...]:
        """The primary questions, each at the largest number of images that both arms learn."""
        return tuple(
            Question(name, other, *self.compared_sizes(name, other)[-1], text)
            for name, arm in self.arms.items()
            for other, text in arm.against.items()
        )

    def compared_sizes(self, a: str, b: str) -> list[tuple[int, int]]:
        """The numbers of images at which two arms are compared: those both learn, else the largest of each."""
        one, two = self.arm(a), self.arm(b)
        both = sorted(set(one.sizes) & set(two.sizes)) if one.learns == two.learns else []
        return [(images, images) for images in both] or [(one.largest, two.largest)]

    @property
    def control(self) -> str:
        """The arm that ``transfer`` is held against: it starts from what the source network started from.

        That is random weights or ImageNet's, from which the networks of the zoo were trained as well.
        """
        first = self.lineage("transfer")[-1]
        return "scratch_control" if self.arms[first].init == "scratch" else "imagenet_control"

    @property
    def compared_size(self) -> int:
        """The largest number of pictures that both ``transfer`` and its control learn."""
        return max(set(self.arms["transfer"].sizes) & set(self.arms[self.control].sizes))

    def lineage(self, arm: str) -> list[str]:
        """The arm, the arm whose weights it starts from, and so on."""
        parent = self.arm(arm).parent
        return [arm] if parent is None else [arm, *self.lineage(parent)]

    @model_validator(mode="after")
    def _elsewhere_is_elsewhere(self) -> "Profile":
        if self.elsewhere is not None and self.elsewhere.data == self.target.data:
            raise ValueError("elsewhere.data: is the target itself; expected people of another data set")
        return self

    @model_validator(mode="after")
    def _pictures_are_large_enough(self) -> "Profile":
        for name, arm in self.arms.items():
            augmentation = arm.training.augmentation
            size = self.framing(name).size
            shorter = size if isinstance(size, int) else min(size)
            smallest = shorter * arm.training.global_scale * augmentation.scale_jitter_lo
            if smallest < SMALLEST_PICTURE:
                raise ValueError(
                    f"arms.{name}.training: pictures shrink to {smallest:.0f} pixels (picture.size x global_scale x "
                    f"scale_jitter_lo), expected at least {SMALLEST_PICTURE}, below which DeepLabCut trains on none"
                )
        return self

    @property
    def elsewhere_yardstick(self) -> Yardstick:
        """What errors on the people of another data set are divided by; StudyError if there is no such set."""
        if self.elsewhere is None:
            raise StudyError(f"profile {self.name} has no data set elsewhere: add the key elsewhere")
        return self.elsewhere.yardstick

    def framing(self, arm: str) -> Framing:
        """How that arm sees pictures: its own way, or the study's."""
        return self.arm(arm).picture or self.picture

    def validation_size(self, arm: str) -> int:
        """Number of pictures held out to decide when an arm stops: 5 %, and ``smallest_validation`` at the least.

        Of its largest training set, so that all sizes have the same; and of the largest that any of them has for all
        arms that learn people, but for the benchmark, so that these share it too.
        """
        chosen = self.arm(arm)
        alike = [arm] if arm == "benchmark" or chosen.learns != "target" else self._compared()
        return max(self.smallest_validation, *(math.ceil(VALIDATION_SHARE * self.arms[name].largest) for name in alike))

    def largest_validation(self, role: str) -> int:
        """Most pictures of that data set that any arm holds out; what the split has to hold."""
        learn_it = [name for name, arm in self.arms.items() if arm.learns == role]
        return max((self.validation_size(name) for name in learn_it), default=self.smallest_validation)

    def _compared(self) -> list[str]:
        return [name for name, arm in self.arms.items() if arm.learns == "target" and name != "benchmark"]

    def study_data(self, role: str) -> AnyData:
        """The data set that has the role 'source', 'target' or, where there is one, 'elsewhere'."""
        chosen = {"source": self.source, "target": self.target, "elsewhere": self.elsewhere}[role]
        if chosen is None:
            raise StudyError(f"profile {self.name} has no data set {role}: add the key {role}")
        return chosen.data

    def largest_training_set(self, role: str) -> int:
        """Most training pictures that any arm takes from that data set."""
        return max((arm.largest for arm in self.arms.values() if arm.learns == role), default=1)

    def arm(self, name: str) -> Arm:
        """The arm of that name; StudyError names the known ones if there is none."""
        if name not in self.arms:
            raise StudyError(f"profile {self.name}: arm '{name}' is unknown; expected one of {', '.join(self.arms)}")
        return self.arms[name]


def load_profile(name: str, config: Path = CONFIG) -> Profile:
    """Read ``config/<name>.yaml``, merged over the profile that its ``extends`` names.

    The file's ``training`` is merged under every arm's own ``training``, so that arms share what
    they do not say otherwise. An inherited arm that is null is left out, and so is an optional one without weights.

    Raises
    ------
    StudyError
        If there is no such file, it is not YAML, or a key is unknown or of the wrong type; the
        message names the file and the key.
    """
    settings = _settings(name, config)
    shared = settings.pop("training", {})
    file = config / f"{name}.yaml"
    if not isinstance(shared, dict) or not isinstance(settings.get("arms", {}), dict):
        raise StudyError(f"{file}: expected 'training' and 'arms' to be mappings of keys to values")
    if "arms" in settings:
        settings["arms"] = {name: arm for name, arm in settings["arms"].items() if arm is not None}
    for arm in settings.get("arms", {}).values():
        if isinstance(arm, dict):
            own = arm.get("training") or {}
            arm["training"] = _merged(shared, own) if isinstance(own, dict) else own
            if isinstance(arm.get("against"), dict):
                arm["against"] = {other: text for other, text in arm["against"].items() if text is not None}
    try:
        profile = Profile(name=name, **settings)
        if lacking := _lacking_weights(profile):
            settings["arms"] = {
                arm: {**keys, "against": {b: text for b, text in keys.get("against", {}).items() if b not in lacking}}
                for arm, keys in settings["arms"].items()
                if arm not in lacking
            }
            profile = Profile(name=name, arms_left_out=lacking, **settings)
        return profile
    except ValidationError as error:
        raise StudyError(f"{file}: {_first_problem(error, settings)}") from None
    except TypeError as error:
        raise StudyError(f"{file}: {error}") from None


def _lacking_weights(profile: Profile) -> tuple[str, ...]:
    """Optional arms whose ImageNet weights are neither named nor in the data folder, and those that start from them."""
    named = profile.imagenet_checkpoint or os.environ.get(IMAGENET_VARIABLE)

    def lacks(arm: Arm) -> bool:
        weights = data_folder() / "imagenet" / arm.training.net_type
        return arm.optional and not named and not weights.is_dir()

    return tuple(name for name in profile.arms if lacks(profile.arms[profile.lineage(name)[-1]]))


def profile_names(config: Path = CONFIG) -> list[str]:
    """Names of the profiles in ``config/``."""
    return sorted(file.stem for file in config.glob("*.yaml"))


def profile_files(name: str, config: Path = CONFIG) -> list[Path]:
    """The file of a profile, that of the one which it extends, and so on; StudyError as for :func:`load_profile`."""
    file = config / f"{name}.yaml"
    base = _read(file, config).get("extends")
    return [file, *(profile_files(base, config) if base else ())]


def data_folder() -> Path:
    """Where data and networks lie: ``data/`` of the project, or the folder that MONKEY_TRANSFER_DATA names.

    StudyError if what it names is not a folder.
    """
    named = os.environ.get("MONKEY_TRANSFER_DATA")
    if named and not Path(named).is_dir():
        raise StudyError(f"MONKEY_TRANSFER_DATA names '{named}', which is not a folder")
    return Path(named or ROOT / "data").resolve()


def runs_folder() -> Path:
    """Where runs are kept: ``runs/`` of the project, or what MONKEY_TRANSFER_RUNS names."""
    return Path(os.environ.get("MONKEY_TRANSFER_RUNS", ROOT / "runs")).resolve()


def _settings(name: str, config: Path, below: tuple[str, ...] = ()) -> dict[str, Any]:
    file = config / f"{name}.yaml"
    if name in below:
        raise StudyError(f"{file}: 'extends' leads back to {name}")
    settings = _read(file, config)
    base = settings.pop("extends", None)
    return _merged(_settings(base, config, (*below, name)), settings) if base else settings


def _read(file: Path, config: Path) -> dict[str, Any]:
    if not file.is_file():
        known = ", ".join(profile_names(config))
        raise StudyError(f"profile '{file.stem}' is unknown: expected one of {known} ({file})")
    try:
        settings = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise StudyError(f"{file}: not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(settings, dict):
        raise StudyError(f"{file}: expected keys and values, found {type(settings).__name__}")
    return settings


def _merged(base: dict, over: dict) -> dict:
    """``over`` on top of ``base``, key by key; what is of another kind replaces all of the other."""
    both = dict(base)
    for key, value in over.items():
        nested = isinstance(value, dict) and isinstance(both.get(key), dict) and _same_kind(both[key], value)
        both[key] = _merged(both[key], value) if nested else value
    return both


def _same_kind(base: dict, over: dict) -> bool:
    """Whether ``over`` leaves the format of data, or the framing of pictures, as it is: others have other keys."""
    return all(over.get(kind) in (None, base.get(kind)) for kind in ("format", "framing"))


def _first_problem(error: ValidationError, settings: dict) -> str:
    problem = error.errors()[0]
    key = ".".join(_written(problem["loc"], settings))
    if problem["type"] == "extra_forbidden":
        return f"key '{key}' is unknown; remove it or correct its spelling"
    message = problem["msg"].removeprefix("Value error, ")
    if not key:
        return message
    found = "" if isinstance(problem["input"], dict) else f" (found {problem['input']!r})"
    return f"key '{key}': {message}{found}"


def _written(location: tuple[int | str, ...], settings: Any) -> list[str]:
    """The parts of pydantic's location that are keys of the file; it also names the members of unions."""
    parts = []
    for depth, part in enumerate(location, start=1):
        if isinstance(settings, list) or isinstance(settings, dict) and (part in settings or depth == len(location)):
            parts.append(str(part))
            settings = settings.get(part) if isinstance(settings, dict) else settings[int(part)]
    return parts
