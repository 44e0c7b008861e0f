"""Everything that fixes a study, and what follows from it.

A profile is one YAML file in ``config/``. Every key has a type, an unknown key is an error, and the defaults of a
training are the engine's own, so that a profile shows exactly where it departs from them.
"""

import math
from typing import Annotated, NamedTuple

from pydantic import Field, field_validator, model_validator

from monkey_transfer.errors import StudyError
from monkey_transfer.networks.engine import Engine
from monkey_transfer.profiles.arms import Arm, refuse_other_heads
from monkey_transfer.profiles.data import ElsewhereData, SourceData, TargetData, Yardstick
from monkey_transfer.profiles.framing import Framing, PersonCrop
from monkey_transfer.settings import Count, Name, Number, Positive, Probability, Settings, Text

VALIDATION_SHARE = 0.05  # paper, section 2.3: 95 percent training validation split


class Question(NamedTuple):
    """A primary question: what arm a minus arm b, at those numbers of images, is about."""

    a: str
    b: str
    images_a: int
    images_b: int
    text: str


class Profile(Settings):
    """Everything that fixes a study. See ``config/demo.yaml`` for a commented example."""

    name: str
    title: Text
    source: SourceData
    target: TargetData
    elsewhere: ElsewhereData | None = None
    picture: Framing
    yardstick: Yardstick
    arms: dict[Name, Arm]
    # Each draws its own people of the pool and its own initial weights.
    seeds: tuple[Count, ...]
    split_seed: Count = 0
    # Score, in percent, that nobody can be expected to beat, say of two people who label the same pictures; if known.
    ceiling: Annotated[Number, Field(gt=0, le=100)] | None = None
    # The smallest difference of interest, in points of PCK: what is smaller does not matter to anybody.
    margin: Annotated[Number, Field(gt=0, lt=100)] = 2.0
    # Fewer validation people than this say too little about when to stop.
    smallest_validation: Positive = 50
    # Confidence below which the macaque study ignored a prediction (Labuguen et al. 2021; paper, section 2.1).
    confidence_cut: Probability = 0.4
    # False keeps photographs out of figures, so that reports of data one may not publish can be shown.
    pictures_in_reports: bool = True
    requires_gpu: bool = False

    @field_validator("arms")
    @classmethod
    def _three_arms_at_least(cls, arms: dict[str, Arm]) -> dict[str, Arm]:
        if missing := {"baseline", "benchmark", "transfer"} - set(arms):
            raise ValueError(f"arm '{min(missing)}' is missing; a study has baseline, benchmark and transfer")
        for name in ("baseline", "benchmark"):
            if len(arms[name].sizes) > 1:
                raise ValueError(f"{name}.images: expected one number; learning curves are of the arms of chapter 4")
        return arms

    @field_validator("seeds")
    @classmethod
    def _distinct(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if not seeds or len(set(seeds)) != len(seeds):
            raise ValueError("expected at least one seed, each once")
        return seeds

    @model_validator(mode="after")
    def _trainings_are_what_they_say(self) -> "Profile":
        for name, arm in self.arms.items():
            if arm.learns == "nothing":
                continue
            size = self.framing(name).size
            try:
                arm.training.refuse(*((size, size) if isinstance(size, int) else size))
            except ValueError as error:
                raise ValueError(f"arms.{name}.training: {error}") from None
        return self

    @model_validator(mode="after")
    def _elsewhere_is_elsewhere(self) -> "Profile":
        if self.elsewhere is not None and self.elsewhere.data == self.target.data:
            raise ValueError("elsewhere.data: is the target itself; expected people of another data set")
        return self

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
                theirs, ours = self.arms[parent].training, arm.training
                if (theirs.engine, theirs.net_type) != (ours.engine, ours.net_type):
                    raise ValueError(
                        f"arms.{name}.init: arm '{parent}' is a {theirs.net_type} ({theirs.engine}), "
                        f"expected the {ours.net_type} ({ours.engine}) of arm '{name}'"
                    )
                seen.append(parent)
            if arm.restore == "all" and arm.parent:
                try:
                    refuse_other_heads(arm.init, self.arms[arm.parent].training.heads_built_by, arm.training)
                except ValueError as error:
                    raise ValueError(f"arms.{name}.{error}") from None
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

        That is random weights or ImageNet's, from which the networks of others were trained as well, unless a source
        network went on from such a one: what it had learnt before is then none of the study's monkeys.
        """
        first = self.arms[self.lineage("transfer")[-1]]
        if first.learns == "source" and first.init.startswith("superanimal:"):
            return "superanimal_control"
        return "scratch_control" if first.init == "scratch" else "imagenet_control"

    @property
    def compared_size(self) -> int:
        """The largest number of pictures that both ``transfer`` and its control learn."""
        return max(set(self.arms["transfer"].sizes) & set(self.arms[self.control].sizes))

    @property
    def engines(self) -> list[Engine]:
        """Those of its arms, each once."""
        return list({arm.engine.name: arm.engine for arm in self.arms.values()}.values())

    def lineage(self, arm: str) -> list[str]:
        """The arm, the arm whose weights it starts from, and so on."""
        parent = self.arm(arm).parent
        return [arm] if parent is None else [arm, *self.lineage(parent)]

    @property
    def elsewhere_yardstick(self) -> Yardstick:
        """What errors on the people of another data set are divided by; StudyError if there is no such set."""
        if self.elsewhere is None:
            raise StudyError(f"profile {self.name} has no data set elsewhere: add the key elsewhere")
        return self.elsewhere.yardstick

    def framing(self, arm: str) -> Framing:
        """How that arm sees pictures: its own way, that which a finished network expects, or the study's."""
        chosen = self.arm(arm)
        expected = chosen.published.crop if chosen.learns == "nothing" and chosen.published else None
        if chosen.picture is None and expected is not None:
            return PersonCrop(framing="person", size=expected[0], person=expected[1])
        return chosen.picture or self.picture

    def validation_size(self, arm: str) -> int:
        """Number of pictures held out to decide when an arm stops: 5 %, and ``smallest_validation`` at the least.

        Of its largest training set, so that all sizes have the same; and of the largest that any of them has for all
        arms that learn people, but for the benchmark, so that these share it too.
        """
        compared = [name for name, one in self.arms.items() if one.learns == "target" and name != "benchmark"]
        largest = max(self.arm(name).largest for name in (compared if arm in compared else [arm]))
        return max(self.smallest_validation, math.ceil(VALIDATION_SHARE * largest))

    def largest_validation(self, role: str) -> int:
        """Most pictures of that data set that any arm holds out; what the split has to hold."""
        sizes = [self.validation_size(name) for name, arm in self.arms.items() if arm.learns == role]
        return max(sizes, default=self.smallest_validation)

    def largest_training_set(self, role: str) -> int:
        """Most training pictures that any arm takes from that data set."""
        return max((arm.largest for arm in self.arms.values() if arm.learns == role), default=1)

    def arm(self, name: str) -> Arm:
        """The arm of that name; StudyError names the known ones if there is none."""
        if name not in self.arms:
            raise StudyError(f"profile {self.name}: arm '{name}' is unknown; expected one of {', '.join(self.arms)}")
        return self.arms[name]
