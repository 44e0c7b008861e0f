"""What data sets and networks there are to have: the records of ``archives.yaml``."""

from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter

from monkey_transfer.files import listed

LIST = Path(__file__).with_suffix(".yaml")


@dataclass(frozen=True)
class Archive:
    """One archive, or one file that is used as it is, and what it becomes in the data folder."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    purpose: str  # what the study needs it for
    address: str  # where it is fetched from
    file: str  # its name under ``archives/`` of the data folder
    page: str  # where people find it, with its terms
    place: str  # the folder or file that it becomes, relative to the data folder
    unpacked_limit: int | None  # bytes that it may unpack to; None: it is not packed, and ``inside`` is its name
    inside: str = "."  # the part of the archive that becomes ``place``; '.' for all of it
    # Patterns inside ``place``, each with the least number of files.
    holds: dict[str, int] = field(default_factory=dict)
    size: int | None = None  # bytes of the archive
    sha256: str | None = None  # of the archive, in hexadecimal digits
    licence: str | None = None  # as its publisher words it, like the citation
    citation: str | None = None


# By the names that profiles' formats and arms' inits have in monkey_transfer.study.needs.
ARCHIVES = TypeAdapter(dict[str, Archive]).validate_python(listed(LIST))
