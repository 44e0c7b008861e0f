"""What all groups of keys that a profile may hold have in common."""

import os.path
import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

MOST = 10**9  # of anything that a profile counts, iterations included

# Arms and profiles: what is also a folder, a part of the workflow's rules, and an argument on a command line.
NAME = r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}"


def checked_name(name: Any) -> str:
    """The name of an arm or a profile; ValueError if it is none."""
    if not isinstance(name, str) or not re.fullmatch(NAME, name):
        raise ValueError("expected a name of at most 64 letters, digits, _ and -, which does not start with -")
    return name


def _not_a_switch(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("expected a number")
    return value


def _path(path: str) -> str:
    if "\0" in path:
        raise ValueError("no path holds a NUL character")
    return os.path.expanduser(path)


# Relative to MONKEY_TRANSFER_DATA unless absolute; ~ is the user's own folder.
PathName = Annotated[str, AfterValidator(_path)]
Text = Annotated[str, AfterValidator(lambda text: " ".join(text.split())), Field(min_length=1)]  # one line
Name = Annotated[str, AfterValidator(checked_name)]
Whole = Annotated[int, BeforeValidator(_not_a_switch)]
Number = Annotated[float, BeforeValidator(_not_a_switch)]
Count = Annotated[Whole, Field(ge=0, le=MOST)]
Positive = Annotated[Whole, Field(gt=0, le=MOST)]
Side = Annotated[Whole, Field(gt=0, le=4096)]  # of a picture, in pixels
PositiveNumber = Annotated[Number, Field(gt=0)]
NotNegative = Annotated[Number, Field(ge=0)]
Probability = Annotated[Number, Field(ge=0, le=1)]


class Settings(BaseModel):
    """A group of keys with typed values; an unknown key, an empty text and an infinite number are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, str_min_length=1)
