"""Where a profile departs from the paper, a training from its engine's defaults, an engine from DeepLabCut.

And what DeepLabCut itself changed since the paper.

Values stand as a profile would write them. Keys are those of the profile, so that a reader can
put a departure right.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import yaml
from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from monkey_transfer.files import listed
from monkey_transfer.profiles.arms import Arm
from monkey_transfer.profiles.profile import Profile

PAPER_ARMS = ("baseline", "benchmark", "transfer")
PAPER_ENGINE = "tensorflow"
# What a DeepLabCut training starts from (``create_training_dataset``), and ``train``'s keepdeconvweights.
DEFAULT_START = {"init": "imagenet", "restore": "all", "frozen": 0}
# DeepLabCut's TensorFlow engine neither validates while it trains nor stops before the last iteration; where ImageNet's
# weights lie is a place and not a way of training.
OUR_OWN = frozenset({"engine", "imagenet", "validate_every", "stop", "keeps"})


class Stated(NamedTuple):
    """What the paper states of one setting, a line of ``paper_settings.yaml``."""

    section: str
    key: str
    value: Any
    met_by: Any = None

    def is_met(self, found: Any) -> bool:
        """Whether a profile's value is what the paper states."""
        if isinstance(self.met_by, dict) and isinstance(found, BaseModel):
            return self.met_by.items() <= found.model_dump(mode="json").items()
        return found == (self.value if self.met_by is None else self.met_by)


_HERE = Path(__file__).parent
PAPER = tuple(Stated(**line) for line in listed(_HERE / "paper_settings.yaml"))


def from_paper(profile: Profile) -> pd.DataFrame:
    """Settings in which the profile departs from the paper.

    Returns
    -------
    DataFrame with section (of the paper), key (of the profile), paper, here. A key that the
    paper leaves open has no row. Arms that the paper does not have come last.
    """
    # A finished network was trained by its authors: how many pictures it saw is not the profile's to say.
    finished = {f"arms.{name}.images" for name, arm in profile.arms.items() if arm.learns == "nothing"}
    rows = [
        (stated.section, stated.key, _written(stated.value), _written(here))
        for stated in PAPER
        if stated.key not in finished and not stated.is_met(here := _value(profile, stated.key))
    ]
    stated_training = {stated.key.removeprefix("arms.transfer.training.") for stated in PAPER}
    transfer = profile.arms["transfer"]
    changed = [key for key, _, _ in _changed(transfer.training)]
    others = []
    if transfer.engine.name != PAPER_ENGINE:
        others.append(f"the engine {transfer.engine.name}, whose recipe is another")
    if unstated := [key for key in changed if key not in stated_training]:
        others.append(f"not {', '.join(unstated)}")
    if others:
        rows.append(("2.3", "arms.transfer.training", "otherwise DeepLabCut's defaults", "; ".join(others)))
    for name, arm in profile.arms.items():
        if name not in PAPER_ARMS:
            here = arm.model_dump(include={"learns", "images", "init"})
            rows.append(("", f"arms.{name}", "no such arm", _written(here)))
    return pd.DataFrame(rows, columns=["section", "key", "paper", "here"])


def from_defaults(profile: Profile) -> pd.DataFrame:
    """Training settings in which the profile's arms depart from the defaults of their engine.

    TensorFlow's are DeepLabCut's, which ``tests/networks/test_deeplabcut_defaults.py`` holds to the installed
    DeepLabCut; PyTorch's are our own, and :func:`of_engines` says how they depart from DeepLabCut's.

    Returns
    -------
    DataFrame with key (below ``arms.<name>``), default, here, arms: one row per key and value,
    with the names of the arms that have it, or 'all'.
    """
    trained = {name: arm for name, arm in profile.arms.items() if arm.learns != "nothing"}
    arms_of: dict[str, dict[tuple[str, str], list[str]]] = {}
    for name, arm in trained.items():
        for key, default, here in _changed_in_arm(arm):
            arms_of.setdefault(key, {}).setdefault((_written(default), _written(here)), []).append(name)
    rows = [
        (key, *values, "all" if names == list(trained) else ", ".join(names))
        for key, found in arms_of.items()
        for values, names in found.items()
    ]
    return pd.DataFrame(rows, columns=["key", "default", "here", "arms"])


def of_engines(profile: Profile) -> pd.DataFrame:
    """In what the engines that train a profile's arms do otherwise than DeepLabCut with the same engine.

    Returns
    -------
    DataFrame with engine, subject, deeplabcut, here, why: what was measured, or read in DeepLabCut 3.0.2.
    """
    table = pd.read_csv(_HERE / "engines.csv")
    trained = [arm.training for arm in profile.arms.values() if arm.learns != "nothing"]
    heads = {training.heads_built_by.get("kind") for training in trained}
    holds = table["engine"].isin([training.engine for training in trained])
    holds &= table["head"].isna() | table["head"].isin(heads)  # a head's own departures stand where an arm has it
    return table[holds].drop(columns="head").reset_index(drop=True)


def between_releases() -> pd.DataFrame:
    """What changed between DeepLabCut 2.2.0.6, the paper's, and 3.0.2, ours, and bears on the study.

    Returns
    -------
    DataFrame with subject, 2.2.0.6, 3.0.2, meaning (for the study), source (files of the package
    ``deeplabcut``, read in both releases).
    """
    return pd.read_csv(_HERE / "releases.csv")


def _value(profile: Profile, key: str) -> Any:
    parts = key.split(".")
    if parts[0] == "arms" and parts[2:] == ["picture"]:
        return profile.framing(parts[1])  # the study's, where the arm has no other
    if parts[0] == "arms" and parts[2:] == ["images"]:
        return profile.arm(parts[1]).largest  # of a learning curve, the point that stands beside the paper
    value: Any = profile
    for part in parts:
        value = value[part] if isinstance(value, dict) else getattr(value, part, f"no such key of {_of(value)}")
    return value


def _of(value: Any) -> str:
    return f"the engine {value.engine}" if hasattr(value, "engine") else "this profile"


def _changed_in_arm(arm: Arm) -> Iterator[tuple[str, Any, Any]]:
    for key, default in DEFAULT_START.items():
        matters = key != "restore" or arm.parent is not None or arm.published is not None  # there are heads to restore
        if matters and (here := getattr(arm, key)) != default:
            yield key, default, here
    for key, default, here in _changed(arm.training):
        yield f"training.{key}", default, here


def _changed(model: BaseModel) -> Iterator[tuple[str, Any, Any]]:
    """(key, default, value) of every field that is not its default, the fields of models inside them one by one."""
    fields = type(model).model_fields
    default = type(model).model_validate({name: getattr(model, name) for name in fields if fields[name].is_required()})
    for field in fields:
        here, usual = getattr(model, field), getattr(default, field)
        if field in OUR_OWN or here == usual:
            continue
        if isinstance(here, BaseModel) and type(here) is type(usual):
            yield from ((f"{field}.{key}", a, b) for key, a, b in _changed(here))
        else:
            yield field, usual, here


def _written(value: Any) -> str:
    """A value as a profile writes it, on one line; a value in words as it is."""
    if isinstance(value, str):
        return value
    text = yaml.safe_dump(to_jsonable_python(value), default_flow_style=True, sort_keys=False, width=float("inf"))
    return text.removesuffix("\n").removesuffix("\n...")
