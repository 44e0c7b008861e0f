"""What all groups of keys that a profile may hold have in common."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[int, Field(gt=0)]
Probability = Annotated[float, Field(ge=0, le=1)]


class Settings(BaseModel):
    """A group of keys with typed values; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)
