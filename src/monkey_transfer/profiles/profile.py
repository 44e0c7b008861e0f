"""Everything that fixes a study, and what follows from it.

A profile is one YAML file in ``config/``. Every key has a type, an unknown key is an error, and the defaults of a
training are the engine's own, so that a profile shows exactly where it departs from them.
"""

import math
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, field_validator, model_validator

from monkey_transfer.errors import StudyError
from monkey_transfer.networks.engine import Engine
from monkey_transfer.profiles.arms import BEST, Arm, refuse_other_heads
from monkey_transfer.profiles.data import AnyData, ElsewhereData, SourceData, TargetData, Yardstick
from monkey_transfer.profiles.framing import Framing, PersonCrop
from monkey_transfer.settings import Count, Name, Number, Positive, Probability, Settings, Text

# The key that gives a data set of that role; any other is one of the ``sources``. 'nothing' is none, and nobody's name.
_KEY_OF = {"source": "source", "target": "target", "elsewhere": "elsewhere", "set_aside": "target.set_aside"}
VALIDATION_SHARE = 0.05  # paper, section 2.3: 95 percent training validation split
# A score among tilted people minus that among upright ones.
TILTED_LESS_UPRIGHT = "tilted - upright"
# Key of an arm's questions -> of what part of the score they are.
_PART_OF = {"against": "", "against_tilted": TILTED_LESS_UPRIGHT}


class Question(NamedTuple):
    """A primary question: what arm a minus arm b, at those numbers of images, is about.

    The difference is that of the PCK score, or of this ``part`` of it.
    """

    a: str
    b: str
    images_a: int
    images_b: int
    text: str
    part: str = ""

    def metric(self, score: str) -> str:
        """What it is asked of, by the score's name."""
        return f"{score}/{self.part}" if self.part else score


class Profile(Settings):
    """Everything that fixes a study. See ``config/demo.yaml`` for a commented example."""

    name: str
    title: Text
    source: SourceData
    # Other data sets that arms may learn first, by the names that these give as what they learn.
    sources: dict[Name, SourceData] = {}
    target: TargetData
    elsewhere: ElsewhereData | None = None
    picture: Framing
    yardstick: Yardstick
    arms: dict[Name, Arm]
    # In how many parts the target's groups are tested, each by networks that learnt of the others, in place of
    # ``target.test``: so many of about equal size, or one for each group.
    folds: Annotated[int, Field(ge=2)] | Literal["by_group"] | None = None
    # Each draws its own people of the pool and its own initial weights.
    seeds: tuple[Count, ...]
    split_seed: Count = 0
    # Score, in percent, that nobody can be expected to beat, say of two people who label the same pictures; if known.
    ceiling: Annotated[Number, Field(gt=0, le=100)] | None = None
    # At how many images primary questions are asked and arms shown that are shown at one number; the largest that two
    # arms both learn unless given.
    asked_at: Positive | None = None
    # The smallest difference of interest, in points of PCK: what is smaller does not matter to anybody.
    margin: Annotated[Number, Field(gt=0, lt=100)] = 2.0
    # Fewer validation people than this say too little about when to stop.
    smallest_validation: Positive = 50
    # Most of its labelled people that an arm of few holds out; the rest it learns.
    largest_validation_share: Annotated[Number, Field(gt=0, le=1)] = 1.0
    # Confidence below which the macaque study ignored a prediction (Labuguen et al. 2021; paper, section 2.1).
    confidence_cut: Probability = 0.4
    # Whether the people are one's own: the report then counts frames and groups, calls them by pseudonyms, and says
    # nothing of the paper.
    own_data: bool = False
    # False keeps photographs out of figures, so that reports of data one may not publish can be shown.
    pictures_in_reports: bool = True
    requires_gpu: bool = False

    @field_validator("arms")
    @classmethod
    def _three_arms_at_least(cls, arms: dict[str, Arm]) -> dict[str, Arm]:
        if missing := {"baseline", "benchmark", "transfer"} - set(arms):
            raise ValueError(f"arm '{min(missing)}' is missing; a study has baseline, benchmark and transfer")
        if BEST in arms:
            raise ValueError(f"{BEST}: is the name of the network that make best trains; choose another")
        for name in ("baseline", "benchmark"):
            if len(arms[name].sizes) > 1:
                raise ValueError(f"{name}.images: expected one number; learning curves are of the arms of chapter 4")
        return arms

    @field_validator("folds", mode="before")
    @classmethod
    def _folds(cls, folds: Any) -> Any:
        if isinstance(folds, str) and folds != "by_group":
            raise ValueError("expected a whole number or by_group")
        return folds

    @field_validator("seeds")
    @classmethod
    def _distinct(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if not seeds or len(set(seeds)) != len(seeds):
            raise ValueError("expected at least one seed, each once")
        return seeds

    @field_validator("sources")
    @classmethod
    def _of_other_names(cls, sources: dict[str, SourceData]) -> dict[str, SourceData]:
        if taken := {*_KEY_OF, "nothing"} & set(sources):
            raise ValueError(f"sources.{min(taken)}: is the name of something else that arms learn; choose another")
        return sources

    @model_validator(mode="after")
    def _tests_in_one_way(self) -> "Profile":
        if self.folds is None and self.target.test is None:
            raise ValueError(
                "target.test: expected how many pictures are kept for the test, or the key folds, by which everybody "
                "is tested once"
            )
        if self.folds is not None:
            others = {
                "target.test": self.target.test,
                "target.set_aside": self.target.set_aside,
                "elsewhere": self.elsewhere,
            }
            for key, value in others.items():
                if value:
                    raise ValueError(f"{key}: does not go with folds, which test all of the target; set it to null")
        return self

    @model_validator(mode="after")
    def _learns_what_is_there(self) -> "Profile":
        for name, arm in self.arms.items():
            if arm.learns != "nothing" and arm.learns not in self.learnt_data:
                hint = "; key target.set_aside says how many people that are" if arm.learns == "set_aside" else ""
                known = ", ".join([*self.learnt_data, "nothing"])
                raise ValueError(f"arms.{name}.learns: expected one of {known}{hint} (found {arm.learns!r})")
        return self

    @model_validator(mode="after")
    def _trainings_are_what_they_say(self) -> "Profile":
        for name, arm in self.arms.items():
            if arm.learns == "nothing":
                continue
            size = self.framing(name).size
            try:
                for images in arm.sizes:
                    arm.at(images).training.refuse(*((size, size) if isinstance(size, int) else size))
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
        both = sorted(set(control.sizes) & set(transfer.sizes))
        if self.asked_at not in (None, *both):
            raise ValueError(
                f"asked_at: expected a number of images that transfer and {self.control} both learn, one of "
                f"{', '.join(map(str, both))} (found {self.asked_at})"
            )
        return self

    @model_validator(mode="after")
    def _questions_can_be_answered(self) -> "Profile":
        questions = [(a, key, b) for a, arm in self.arms.items() for key, asked in arm.asked.items() for b in asked]
        for name, key, other in questions:
            where = f"arms.{name}.{key}.{other}"
            if other not in self.arms or other == name:
                expected = ", ".join(known for known in self.arms if known != name)
                raise ValueError(f"{where}: arm '{other}' is unknown or the arm itself; expected one of {expected}")
            if any(name in asked for asked in self.arms[other].asked.values()):
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
                    f"much is chance, found {len(self.seeds)}: give more seeds, or remove '{key}'"
                )
        return self

    @property
    def learnt_data(self) -> dict[str, SourceData | TargetData]:
        """What arms may learn, by role: the source, other sources, the target, and its people that are set aside."""
        aside = {"set_aside": self.target} if self.target.set_aside else {}
        return {"source": self.source, **self.sources, "target": self.target, **aside}

    @property
    def data(self) -> dict[str, AnyData]:
        """By role, the data sets that it names."""
        elsewhere = {"elsewhere": self.elsewhere.data} if self.elsewhere else {}
        sources = {"source": self.source, **self.sources}
        return {role: one.data for role, one in sources.items()} | {"target": self.target.data} | elsewhere

    def data_of(self, role: str) -> AnyData:
        """What data set has that role; StudyError if none has."""
        if role not in self.data:
            raise self.lacks(role)
        return self.data[role]

    def lacks(self, role: str) -> StudyError:
        """What is wrong where a data set of that role is asked for and there is none."""
        return StudyError(
            f"profile {self.name} has no data set {role}: add the key {_KEY_OF.get(role, f'sources.{role}')}"
        )

    def _compares(self, name: str, other: str) -> bool:
        """Whether two arms learn the same people; of the paper's own question, against the benchmark, many more are."""
        one, two = self.arms[name], self.arms[other]
        if "benchmark" in (name, other):
            compared = two if name == "benchmark" else one
            return compared.learns == "target" and not self.arms["benchmark"].learns_a_source
        return one.learns == two.learns == "target" and bool(set(one.sizes) & set(two.sizes))

    @property
    def questions(self) -> tuple[Question, ...]:
        """The primary questions, each at :meth:`asked_sizes`."""
        return tuple(
            Question(name, other, *self.asked_sizes(name, other), text, _PART_OF[key])
            for name, arm in self.arms.items()
            for key, asked in arm.asked.items()
            for other, text in asked.items()
        )

    def compared_sizes(self, a: str, b: str) -> list[tuple[int, int]]:
        """The numbers of images at which two arms are compared: those both learn, else each at its own."""
        one, two = self.arm(a), self.arm(b)
        both = sorted(set(one.sizes) & set(two.sizes)) if one.learns == two.learns else []
        return [(images, images) for images in both] or [(self.asked_size(a), self.asked_size(b))]

    def asked_sizes(self, a: str, b: str) -> tuple[int, int]:
        """At which of the :meth:`compared_sizes` two arms are asked about: ``asked_at``, else the largest."""
        sizes = self.compared_sizes(a, b)
        at = (self.asked_at, self.asked_at)
        return at if at in sizes else sizes[-1]

    def asked_size(self, arm: str) -> int:
        """The number of images at which an arm is shown where it is shown at one: ``asked_at``, else its largest."""
        sizes = self.arm(arm).sizes
        return self.asked_at if self.asked_at in sizes else self.arm(arm).largest

    @property
    def control(self) -> str:
        """The arm that ``transfer`` is held against: it starts from what the source network started from.

        That is random weights or ImageNet's, from which the networks of others were trained as well, unless a source
        network went on from such a one: what it had learnt before is then none of the study's monkeys.
        """
        first = self.arms[self.lineage("transfer")[-1]]
        if first.learns_a_source and first.init.startswith("superanimal:"):
            return "superanimal_control"
        return "scratch_control" if first.init == "scratch" else "imagenet_control"

    @property
    def compared_size(self) -> int:
        """The number of pictures at which ``transfer`` and its control are compared where they are at one."""
        return self.asked_sizes("transfer", self.control)[0]

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
            raise self.lacks("elsewhere")
        return self.elsewhere.yardstick

    def is_source_network(self, arm: str) -> bool:
        """Whether an arm knows a source and no people: ``baseline``, finished or not, and what learns other sources."""
        return arm == "baseline" or self.arm(arm).learns_a_source

    def learns_people(self, arm: str) -> bool:
        """Whether an arm, or what it starts from, learnt the target: with folds it then has a network for each."""
        return any(self.arm(name).learns == "target" for name in self.lineage(arm))

    @property
    def finished_networks(self) -> list[str]:
        """The arms that one can use on people without labelling any: networks of others, used as they are."""
        return [n for n, arm in self.arms.items() if arm.learns == "nothing" and not self.is_source_network(n)]

    def framing(self, arm: str) -> Framing:
        """How that arm sees pictures: its own way, that which a finished network expects, or the study's."""
        chosen = self.arm(arm)
        expected = chosen.published.crop if chosen.learns == "nothing" and chosen.published else None
        if chosen.picture is None and expected is not None:
            return PersonCrop(framing="person", size=expected[0], person=expected[1])
        return chosen.picture or self.picture

    def validation_size(self, arm: str, images: int | None = None) -> int:
        """Number of pictures held out to decide when an arm stops: 5 %, and ``smallest_validation`` at the least.

        Of its largest training set, so that all sizes have the same; and of the largest that any of them has for all
        arms that learn people, but for the benchmark, so that these share it too. With few ``images``, its largest
        number unless given, they are no more than ``largest_validation_share`` of these and those together.
        """
        chosen = self.arm(arm)
        images = chosen.largest if images is None else images
        compared = [name for name, one in self.arms.items() if one.learns == "target" and name != "benchmark"]
        largest = max(self.arm(name).largest for name in (compared if arm in compared else [arm]))
        shared = max(self.smallest_validation, math.ceil(VALIDATION_SHARE * largest))
        share = self.largest_validation_share
        return min(shared, max(1, math.floor(share / (1 - share) * images))) if share < 1 else shared

    def threshold_size(self, arm: str, images: int) -> int:
        """On how many validation people of the target the detection threshold of an arm's run is chosen.

        They are those that decide when it stops, if it learns as few people as the arms that are compared.
        """
        few = self.arm(arm).learns == "target" and arm != "benchmark"
        return self.validation_size(arm, images) if few else self.validation_size("transfer")

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
