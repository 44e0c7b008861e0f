"""What data sets and networks there are to have: the records of ``archives.yaml``."""

from dataclasses import dataclass, field
from pathlib import Path

import yaml
from pydantic import ConfigDict, TypeAdapter

LIST = Path(__file__).with_suffix(".yaml")


@dataclass(frozen=True)
class Archive:
    """One archive, and what it becomes in the data folder.

    Attributes
    ----------
    purpose : what the study needs it for.
    address : where it is fetched from.
    file : its name under ``archives/`` of the data folder.
    page : where people find it, with its terms.
    place : the folder or file that it becomes, relative to the data folder.
    unpacked_limit : bytes that it may unpack to.
    inside : the part of the archive that becomes ``place``; '.' for all of it.
    holds : patterns inside ``place``, and of each how many files there are at least.
    size : bytes of the archive.
    sha256 : of the archive, in hexadecimal digits.
    licence, citation : as its publisher words them.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    purpose: str
    address: str
    file: str
    page: str
    place: str
    unpacked_limit: int
    inside: str = "."
    holds: dict[str, int] = field(default_factory=dict)
    size: int | None = None
    sha256: str | None = None
    licence: str | None = None
    citation: str | None = None


# By the names that profiles' formats and arms' inits have in monkey_transfer.study.needs.
ARCHIVES = TypeAdapter(dict[str, Archive]).validate_python(yaml.safe_load(LIST.read_text(encoding="utf-8")))
