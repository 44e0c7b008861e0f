"""What is drawn by lot for a rendered picture: places and colours, which ``choices.yaml`` lists."""

from typing import Any

import numpy as np

from monkey_transfer.files import listed

Rng = np.random.Generator

_LISTED = listed(__file__)
# Red, green and blue, 0 to 1: arrays (colours, 3), and back and belly of macaques (macaques, 2, 3).
COLOURS = {name: np.array(colours) for name, colours in _LISTED["colours"].items()}
FURS = np.array(_LISTED["furs"])


def choose(rng: Rng, options: Any) -> Any:
    """One of the options, all equally likely."""
    return options[rng.integers(len(options))]


def place_of(species: str, support: str, rng: Rng) -> str:
    """Draw a place where that species may take a pose with that support."""
    places = _LISTED["places"][species]
    return choose(rng, places.get(support, places["ground"]))
