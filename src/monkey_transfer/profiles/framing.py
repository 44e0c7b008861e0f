"""How a network may see pictures."""

from typing import Annotated, Literal

from pydantic import Field

from monkey_transfer.profiles.data import Yardstick
from monkey_transfer.settings import Settings, Side


class WholePicture(Settings):
    """The whole picture, letterboxed to ``size``: the side of a square, or [width, height], in pixels."""

    framing: Literal["whole"]
    size: Side | tuple[Side, Side]


class PersonCrop(Settings):
    """A crop around the labelled box, its longer side ``person`` pixels in ``size`` x ``size``.

    Top-down benchmarks call such a box a ground-truth box; it is the same for every arm.
    """

    framing: Literal["person"]
    size: Side
    person: Side


class ScaledPerson(Settings):
    """A crop around the labelled box in which the person's length ``yardstick`` is ``length`` pixels.

    For networks that were trained at one scale of people, which is then taken from the labels.
    """

    framing: Literal["scaled"]
    size: Side
    yardstick: Yardstick
    length: Side


Framing = Annotated[WholePicture | PersonCrop | ScaledPerson, Field(discriminator="framing")]
