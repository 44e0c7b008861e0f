"""From a YAML file to a profile: what it extends, what its arms share, and what is wrong with it in one sentence."""

import reprlib
from functools import reduce
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from monkey_transfer.errors import StudyError
from monkey_transfer.networks.engines import DEFAULT_ENGINE, ENGINE_THAT_PUBLISHES
from monkey_transfer.places import CONFIG
from monkey_transfer.profiles.data import OtherPeople
from monkey_transfer.profiles.profile import Profile
from monkey_transfer.profiles.strict_yaml import read_yaml
from monkey_transfer.settings import checked_name


def load_profile(name: str, config: Path = CONFIG) -> Profile:
    """Read ``config/<name>.yaml``, merged over the profile that its ``extends`` names.

    The file's ``training`` is merged under every arm's own ``training``, so that arms share what they do not say
    otherwise, unless an arm's engine is another. An inherited arm that is null is left out. StudyError names file and
    key if there is no such file, it is not YAML, or a key is unknown or of the wrong type.
    """
    files = profile_files(name, config)
    settings: dict[str, Any] = reduce(_merged, reversed(files.values()))
    try:
        for key in ("training", "arms"):
            if not isinstance(settings.setdefault(key, {}), dict):
                raise ValueError(f"key '{key}': expected keys and values (found {_found(settings[key])})")
        if "name" in settings:  # which the file's name says
            raise ValueError("key 'name' is unknown; remove it or correct its spelling")
        if "imagenet_checkpoint" in settings:  # of profiles written when there was one engine
            raise ValueError("key 'imagenet_checkpoint' is now training.imagenet: move it there")
        shared = settings.pop("training")
        settings["name"] = name
        settings["arms"] = {arm: _with_shared(keys, shared) for arm, keys in _said(settings["arms"]).items()}
        return Profile.model_validate(settings)
    except ValidationError as error:
        raise StudyError(f"{next(iter(files))}: {_first_problem(error, settings)}") from None
    except ValueError as error:
        raise StudyError(f"{next(iter(files))}: {error}") from None


def load_people(file: Path) -> OtherPeople:
    """Read a YAML file that names people of another data set, by the keys that ``elsewhere`` has in a profile.

    StudyError names file and key, as for :func:`load_profile`.
    """
    settings = _keys_and_values(file, "yardstick: head_segment")
    try:
        return OtherPeople.model_validate(settings)
    except ValidationError as error:
        raise StudyError(f"{file}: {_first_problem(error, settings)}") from None


def profile_names(config: Path = CONFIG) -> list[str]:
    """Names of the profiles in ``config/``."""
    return sorted(file.stem for file in config.glob("*.yaml"))


def profile_files(name: Any, config: Path = CONFIG) -> dict[Path, dict[str, Any]]:
    """The file of a profile, that of the one which it extends, and so on, and what each says besides ``extends``.

    StudyError as for :func:`load_profile`.
    """
    files: dict[Path, dict[str, Any]] = {}
    asked = f"profile {name!r}"
    while True:
        try:
            file = config / f"{checked_name(name)}.yaml"
        except ValueError as error:
            raise StudyError(f"{asked}: {error}") from None
        if file in files:
            raise StudyError(f"{asked} leads back to {name}")
        if not file.is_file():
            raise StudyError(f"{asked} is unknown: expected one of {', '.join(profile_names(config))} ({file})")
        files[file] = _keys_and_values(file, "title: My study")
        name = files[file].pop("extends", None)
        if name is None:
            return files
        asked = f"{file}: 'extends' {name!r}"


def _keys_and_values(file: Path, example: str) -> dict[str, Any]:
    said = read_yaml(file)
    if not isinstance(said, dict):
        raise StudyError(f"{file}: expected keys and values, such as '{example}'")
    return said


def _with_shared(arm: Any, shared: dict) -> Any:
    """An arm with the training that all share under its own, without what is null of its questions and iterations."""
    if not isinstance(arm, dict):
        return arm
    own = {} if arm.get("training") is None else arm["training"]
    training = _merged(_shared_with(arm, own, shared), own) if isinstance(own, dict) else own
    said = {key: _said(arm.get(key, {})) for key in ("against", "against_tilted", "iterations")}
    return arm | {"training": training} | said


def _shared_with(arm: dict, own: dict, shared: dict) -> dict:
    """What of the shared training an arm shares: all of it, or nothing where its engine is another.

    A finished network brings the engine that runs it.
    """
    init, common = str(arm.get("init")), shared.get("engine", DEFAULT_ENGINE)
    publishes = ENGINE_THAT_PUBLISHES.get(init) if arm.get("learns") == "nothing" else None
    if publishes and "engine" not in own and publishes.name != common:
        return {"engine": publishes.name, "net_type": publishes.published[init].net_types[0]}
    return shared if "engine" not in own or own["engine"] == common else {}


def _said(keys: Any) -> Any:
    """Without those that are null, by which a profile leaves out what it inherits."""
    return {key: value for key, value in keys.items() if value is not None} if isinstance(keys, dict) else keys


def _merged(base: dict, over: dict) -> dict:
    """``over`` on top of ``base``, key by key; what is of another kind replaces all of the other."""
    both = dict(base)
    for key, value in over.items():
        nested = isinstance(value, dict) and isinstance(both.get(key), dict) and _same_kind(both[key], value)
        both[key] = _merged(both[key], value) if nested else value
    return both


def _same_kind(base: dict, over: dict) -> bool:
    """Whether ``over`` leaves an engine, a format of data or the like as it is: others have other keys."""
    return all(over.get(kind) in (None, base.get(kind)) for kind in ("engine", "format", "framing", "kind", "shape"))


# For pydantic's own words, which are a programmer's.
_EXPECTED = {
    "string_type": "expected a text, in quotes if it looks like a number",
    "string_pattern_mismatch": "expected scratch, imagenet, arm:<name>, zoo:<name> or superanimal:quadruped",
    **dict.fromkeys(("string_too_short", "too_short"), "expected a text that is not empty"),
    "string_unicode": "expected a text of whole characters",
    **dict.fromkeys(("bool_type", "bool_parsing"), "expected true or false"),
    "finite_number": "expected a finite number",
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "expected a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "expected a number"),
    "greater_than": "expected more than {gt}",
    "greater_than_equal": "expected at least {ge}",
    "less_than": "expected less than {lt}",
    "less_than_equal": "expected at most {le}",
    "literal_error": "expected {expected}",
    "tuple_type": "expected a list in brackets",
    "too_long": "expected at most {max_length} values",
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), "expected keys and values"),
    "union_tag_not_found": "expected the key {discriminator}",
    "union_tag_invalid": "{discriminator} is '{tag}', expected one of {expected_tags}",
    "extra_forbidden": "is unknown; remove it or correct its spelling",
    "missing": "is missing and required",
}


def _first_problem(error: ValidationError, settings: dict[str, Any]) -> str:
    problems = [(_key(problem, settings), problem) for problem in error.errors()]
    first = problems[0][0]
    # Of a value that may be of several kinds, what is said of the kind that fits it furthest.
    key, problem = max((p for p in problems if p[0][: len(first)] == first), key=lambda p: len(p[1]["loc"]))
    said = _EXPECTED.get(problem["type"], "{error}").format(**{"error": problem["msg"]} | problem.get("ctx", {}))
    if problem["type"] in ("missing", "extra_forbidden"):
        return f"key {'.'.join(key)!r} {said}"
    found = "" if isinstance(problem["input"], dict) else f" (found {_found(problem['input'])})"
    return f"key {'.'.join(key)!r}: {said}{found}" if key else said


def _key(problem: ErrorDetails, settings: Any) -> list[str]:
    """The parts of a problem's location that are keys of the file; pydantic's also names the members of unions."""
    parts = []
    for part in problem["loc"]:
        here = dict(enumerate(settings)) if isinstance(settings, list) else settings
        if isinstance(here, dict) and here.get("framing") == part:  # a union's member, maybe named as one of its keys
            settings = here | {"framing": None}
        elif isinstance(here, dict) and part in here:
            parts.append(str(part))
            settings = here[part]
    return [*parts, str(problem["loc"][-1])] if problem["type"] == "missing" else parts


def _found(value: Any) -> str:
    """A value as a file has it, a text in quotes; cut short if it is long."""
    if isinstance(value, bool):
        return str(value).lower()
    return "nothing" if value is None else reprlib.repr(value)
