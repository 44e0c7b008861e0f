"""From a YAML file to a profile: what it extends, what its arms share, and what is wrong with it in one sentence."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from monkey_transfer.errors import StudyError
from monkey_transfer.places import CONFIG
from monkey_transfer.profiles.arms import Arm
from monkey_transfer.profiles.profile import Profile


def load_profile(name: str, config: Path = CONFIG) -> Profile:
    """Read ``config/<name>.yaml``, merged over the profile that its ``extends`` names.

    The file's ``training`` is merged under every arm's own ``training``, so that arms share what
    they do not say otherwise. An inherited arm that is null is left out, and so is an optional one without weights.

    Raises
    ------
    StudyError
        If there is no such file, it is not YAML, or a key is unknown or of the wrong type; the
        message names the file and the key.
    """
    settings = _settings(name, config)
    shared = settings.pop("training", {})
    file = config / f"{name}.yaml"
    if not isinstance(shared, dict) or not isinstance(settings.get("arms", {}), dict):
        raise StudyError(f"{file}: expected 'training' and 'arms' to be mappings of keys to values")
    if "arms" in settings:
        settings["arms"] = {name: arm for name, arm in settings["arms"].items() if arm is not None}
    for arm in settings.get("arms", {}).values():
        if isinstance(arm, dict):
            own = arm.get("training") or {}
            arm["training"] = _merged(shared, own) if isinstance(own, dict) else own
            if isinstance(arm.get("against"), dict):
                arm["against"] = {other: text for other, text in arm["against"].items() if text is not None}
    try:
        profile = Profile(name=name, **settings)
        if lacking := _lacking_weights(profile):
            settings["arms"] = {
                arm: {**keys, "against": {b: text for b, text in keys.get("against", {}).items() if b not in lacking}}
                for arm, keys in settings["arms"].items()
                if arm not in lacking
            }
            profile = Profile(name=name, arms_left_out=lacking, **settings)
        return profile
    except ValidationError as error:
        raise StudyError(f"{file}: {_first_problem(error, settings)}") from None
    except TypeError as error:
        raise StudyError(f"{file}: {error}") from None


def _lacking_weights(profile: Profile) -> tuple[str, ...]:
    """Optional arms whose ImageNet weights are neither named nor in the data folder, and those that start from them."""

    def lacks(arm: Arm) -> bool:
        return arm.optional and arm.engine.lacks_imagenet(arm.training.net_type, profile.imagenet_checkpoint)

    return tuple(name for name in profile.arms if lacks(profile.arms[profile.lineage(name)[-1]]))


def profile_names(config: Path = CONFIG) -> list[str]:
    """Names of the profiles in ``config/``."""
    return sorted(file.stem for file in config.glob("*.yaml"))


def profile_files(name: str, config: Path = CONFIG) -> list[Path]:
    """The file of a profile, that of the one which it extends, and so on; StudyError as for :func:`load_profile`."""
    file = config / f"{name}.yaml"
    base = _read(file, config).get("extends")
    return [file, *(profile_files(base, config) if base else ())]


def _settings(name: str, config: Path, below: tuple[str, ...] = ()) -> dict[str, Any]:
    file = config / f"{name}.yaml"
    if name in below:
        raise StudyError(f"{file}: 'extends' leads back to {name}")
    settings = _read(file, config)
    base = settings.pop("extends", None)
    return _merged(_settings(base, config, (*below, name)), settings) if base else settings


def _read(file: Path, config: Path) -> dict[str, Any]:
    if not file.is_file():
        known = ", ".join(profile_names(config))
        raise StudyError(f"profile '{file.stem}' is unknown: expected one of {known} ({file})")
    try:
        settings = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise StudyError(f"{file}: not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(settings, dict):
        raise StudyError(f"{file}: expected keys and values, found {type(settings).__name__}")
    return settings


def _merged(base: dict, over: dict) -> dict:
    """``over`` on top of ``base``, key by key; what is of another kind replaces all of the other."""
    both = dict(base)
    for key, value in over.items():
        nested = isinstance(value, dict) and isinstance(both.get(key), dict) and _same_kind(both[key], value)
        both[key] = _merged(both[key], value) if nested else value
    return both


def _same_kind(base: dict, over: dict) -> bool:
    """Whether ``over`` leaves the format of data, or the framing of pictures, as it is: others have other keys."""
    return all(over.get(kind) in (None, base.get(kind)) for kind in ("format", "framing"))


def _first_problem(error: ValidationError, settings: dict) -> str:
    problem = error.errors()[0]
    key = ".".join(_written(problem["loc"], settings, problem["type"] == "missing"))
    if problem["type"] == "extra_forbidden":
        return f"key '{key}' is unknown; remove it or correct its spelling"
    message = problem["msg"].removeprefix("Value error, ")
    if not key:
        return message
    found = "" if isinstance(problem["input"], dict) else f" (found {problem['input']!r})"
    return f"key '{key}': {message}{found}"


def _written(location: tuple[int | str, ...], settings: Any, missing: bool) -> list[str]:
    """The parts of pydantic's location that are keys of the file: it also names the members of unions."""
    parts = []
    for depth, part in enumerate(location, start=1):
        absent = missing and depth == len(location)
        if isinstance(settings, list) or isinstance(settings, dict) and (part in settings or absent):
            parts.append(str(part))
            settings = settings.get(part) if isinstance(settings, dict) else settings[int(part)]
    return parts
