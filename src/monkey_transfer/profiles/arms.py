"""An arm of a study, as a profile describes it."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from monkey_transfer.networks.engine import Engine, PublishedFiles, PublishedNetwork, Training
from monkey_transfer.networks.engines import ENGINE_THAT_PUBLISHES, AnyTraining, engine_of
from monkey_transfer.profiles.framing import Framing
from monkey_transfer.settings import NAME, Count, Name, Positive, Settings, Text

_NO_HUMAN_BODY = (
    "expected superanimal:quadruped, for DeepLabCut's human body model (RTMPose-x of MMPose) cannot be learnt from: "
    "DeepLabCut does not fine-tune it (NotImplementedError in modelzoo/weight_initialization.py), and its training "
    "data hold MPII's people, maybe the test people"
)
MEAN_POSE = "mean_pose"  # in tables, the arm that predicts the same pose wherever it is asked
BEST = "best"  # on command lines, the network that has learnt everybody; so no arm may be called that


class Arm(Settings):
    """One network of the study and how it came to be."""

    # 'source', 'target', one of the profile's other sources, or 'set_aside': people of the target whom only arms learn
    # that say so. 'nothing': a finished network that its authors published, used as it is.
    learns: Name
    # How many pictures it learns; several numbers for a learning curve, each set of pictures within the next.
    images: Count | tuple[Positive, ...] = 0
    init: Annotated[str, Field(pattern=rf"^(scratch|imagenet|arm:{NAME}|(zoo|superanimal):[a-z0-9_]+)$")]
    # 'backbone' is what DeepLabCut restores with keepdeconvweights false (paper, section 2.3); 'all' takes over the
    # heads of those joints as well that both networks have, by the named mappings of their skeletons.
    restore: Literal["backbone", "all"] = "backbone"
    # What is not trained: so many of the engine's `blocks` from the picture on, those up to a named one, or 'backbone'.
    frozen: Count | str = 0
    # 'shuffled' permutes the joints' names within each picture that is learnt: what then transfers are pictures, not
    # keypoints.
    names: Literal["labelled", "shuffled"] = "labelled"
    # Primary questions, decided before the runs: another arm that learns the same people -> what the difference from it
    # answers. Every comparison that is not named here is exploratory and gets no ruling.
    against: dict[str, Text] = {}
    # Primary questions likewise: another arm -> what is answered by how much larger the difference is among people who
    # are tilted by more than 120 degrees than among those within 60 degrees of upright.
    against_tilted: dict[str, Text] = {}
    # How this arm sees pictures, where that is not the study's way.
    picture: Framing | None = None
    training: AnyTraining
    # Number of images -> how many iterations it learns them, where that is not what its training says.
    iterations: dict[Positive, Positive] = {}

    @field_validator("init", mode="before")
    @classmethod
    def _no_human_body(cls, init: Any) -> Any:
        if isinstance(init, str) and init.endswith("humanbody") and not init.startswith("arm:"):
            raise ValueError(_NO_HUMAN_BODY)
        return init

    @model_validator(mode="after")
    def _learns_from_pictures_or_is_finished(self) -> "Arm":
        if self.init.startswith(("zoo:", "superanimal:")) and not self.published:
            known = ", ".join(self.engine.published)
            there = ENGINE_THAT_PUBLISHES.get(self.init)
            or_there = f", or training.engine {there.name}, which has it" if there else ""
            raise ValueError(
                f"init: engine {self.engine.name} has no network '{self.init}'; expected one of {known}{or_there}"
            )
        if self.learns != "nothing" and not self.blocks:
            raise ValueError(
                f"learns: engine {self.engine.name} trains no network; expected 'nothing', or another training.engine"
            )
        if self.learns == "nothing" and (self.images or self.frozen or not self.init.startswith("zoo:")):
            raise ValueError(
                "an arm that learns nothing has no images, nothing frozen and an init such as zoo:full_human"
            )
        if self.names == "shuffled" and not self.learns_a_source:
            raise ValueError(f"names: only those of a source are shuffled; expected 'labelled' for the {self.learns}")
        if list(self.sizes) != sorted(set(self.sizes)):
            raise ValueError("images: expected rising numbers, such as [100, 300, 1000]")
        if unknown := set(self.iterations) - set(self.sizes):
            raise ValueError(f"iterations: expected numbers of images that it learns (found {min(unknown)})")
        for images in self.iterations:
            try:
                self.at(images)
            except ValidationError as error:
                said = error.errors()[0]["msg"].removeprefix("Value error, ")
                raise ValueError(f"iterations.{images}: {said}") from None
        if self.learns != "nothing" and not self.images:
            raise ValueError(f"images: expected at least one picture of the {self.learns} to learn from")
        if self.restore == "all" and self.init in ("scratch", "imagenet"):
            raise ValueError(f"restore: init '{self.init}' has no heads to restore; expected one such as arm:<name>")
        if self.restore == "all" and self.published and self.learns != "nothing":
            refuse_other_heads(self.init, self.published.heads_built_by, self.training)
        if self.frozen and self.init == "scratch":
            raise ValueError("frozen: random weights would stay random; expected 0 where init is scratch")
        if self.learns != "nothing" and not 0 <= self.frozen_blocks <= len(self.blocks):
            raise ValueError(
                f"frozen: {self.training.net_type} has no block {self.frozen!r}; expected 0 to {len(self.blocks)}, "
                f"'backbone', or a name from {self.blocks[0]}, {self.blocks[1]} to {self.blocks[-1]}"
            )
        if self.published and self.training.net_type not in self.published.net_types:
            raise ValueError(
                f"training.net_type: expected {' or '.join(self.published.net_types)}, of which there are weights of "
                f"{self.init} (found {self.training.net_type})"
            )
        return self

    @property
    def asked(self) -> dict[str, dict[str, str]]:
        """Its primary questions by their key: another arm -> the question."""
        return {"against": self.against, "against_tilted": self.against_tilted}

    @property
    def learns_a_source(self) -> bool:
        """Whether it learns something else than the people that count, for others to start from."""
        return self.learns not in ("target", "nothing")

    @property
    def source(self) -> str:
        """The source whose held-out pictures it is tried on: the one that it learns, else the study's own."""
        return self.learns if self.learns_a_source else "source"

    @property
    def sizes(self) -> tuple[int, ...]:
        """The numbers of pictures that it learns, the smallest first; one run each."""
        return (self.images,) if isinstance(self.images, int) else self.images

    @property
    def largest(self) -> int:
        """The number of pictures of its headline run, from which arms that start from this one go on."""
        return max(self.sizes, default=0)

    def at(self, images: int) -> "Arm":
        """This arm as it learns that number of images alone."""
        own = {"iterations": self.iterations.get(images, self.training.iterations)}
        training = type(self.training).model_validate(self.training.model_dump() | own)
        return self.model_copy(update={"images": images, "training": training, "iterations": {}})

    @property
    def engine(self) -> Engine:
        """What trains and runs it."""
        return engine_of(self.training)

    @property
    def blocks(self) -> tuple[str, ...]:
        """The blocks of its backbone, from the picture on."""
        return self.engine.blocks(self.training.net_type)

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
    def published(self) -> PublishedNetwork | None:
        """The published network whose weights this one starts from, if any."""
        return self.engine.published.get(self.init)

    @property
    def published_files(self) -> PublishedFiles:
        """Of :attr:`published`, the files; see :meth:`monkey_transfer.networks.engine.Engine.published_files`."""
        return self.engine.published_files(self.init, self.training.net_type)


def refuse_other_heads(init: str, built_by: Mapping[str, Any], training: Training) -> None:
    """Raise ValueError if heads of a network, built by that, are none that a network trained like this could take."""
    if built_by != training.heads_built_by:
        theirs, ours = (
            ", ".join(f"{key} {value}" for key, value in heads.items()) for heads in (built_by, training.heads_built_by)
        )
        raise ValueError(
            f"restore: heads of {init} ({theirs}) do not fit those of training.head ({ours}); expected the same, or "
            "restore: backbone"
        )
