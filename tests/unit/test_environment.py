"""pyproject.toml, requirements.lock and environment.yml name the same packages at the same versions."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PIN = re.compile(r"([a-z0-9][a-z0-9._-]*)==([^\s;]+)( ; [^\\]+)?( \\)?")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")


def direct_requirements() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    return [Requirement(line) for line in named]


def lock_lines() -> list[str]:
    return (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()


def locked() -> dict[str, str]:
    pins = [pin for line in lock_lines() if (pin := PIN.fullmatch(line))]
    return {canonicalize_name(pin[1]): pin[2] for pin in pins}


def conda_environment() -> dict:
    return yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))


def conda_requirements() -> list[Requirement]:
    lines = next(item["pip"] for item in conda_environment()["dependencies"] if isinstance(item, dict))
    return [Requirement(line) for line in lines if not line.startswith("-")]


@pytest.mark.parametrize("requirement", direct_requirements(), ids=lambda requirement: requirement.name)
def test_every_direct_dependency_is_locked_at_a_version_that_it_allows(requirement):
    version = locked()[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(version, prereleases=True)


def test_the_lock_holds_pins_and_hashes_and_nothing_else():
    strange = [line for line in lock_lines() if not PIN.fullmatch(line) and not HASH.fullmatch(line)]
    assert strange == []


def test_every_pin_has_a_hash():
    lines = [*lock_lines(), ""]
    bare = [
        line for line, after in zip(lines, lines[1:], strict=False) if PIN.fullmatch(line) and "--hash" not in after
    ]
    assert bare == []
    assert len(locked()) == sum(bool(PIN.fullmatch(line)) for line in lines), "a package is pinned twice"


def test_conda_users_get_every_direct_dependency_with_its_extras():
    named = {(canonicalize_name(r.name), frozenset(r.extras)) for r in conda_requirements()}
    wanted = {(canonicalize_name(r.name), frozenset(r.extras)) for r in direct_requirements()}
    assert wanted <= named


@pytest.mark.parametrize("requirement", conda_requirements(), ids=lambda requirement: requirement.name)
def test_conda_users_get_the_locked_version(requirement):
    assert str(requirement.specifier) == f"=={locked()[canonicalize_name(requirement.name)]}"


def test_python_is_the_same_everywhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    conda = next(d for d in conda_environment()["dependencies"] if isinstance(d, str) and d.startswith("python="))
    assert Requirement(f"python{project['requires-python']}").specifier.contains(conda.removeprefix("python=") + ".0")
