"""The data sets and networks that a profile reads: which they are, and the command that gets them.

``python -m monkey_transfer.study.needs PROFILE [--check]`` fetches those that can be had, or only says what is there.
"""

import argparse
import sys
from pathlib import Path

from monkey_transfer.acquire.acquire import acquire, table
from monkey_transfer.acquire.archives import ARCHIVES
from monkey_transfer.errors import StudyError, print_any_letters
from monkey_transfer.places import data_folder
from monkey_transfer.profiles.loading import load_profile
from monkey_transfer.profiles.profile import Profile

_OF_FORMAT = {"mpii": ("mpii_annotations", "mpii_images"), "macaquepose": ("macaquepose",), "lsp": ("lspet",)}


def needed_by(profile: Profile) -> list[str]:
    """Names in ``ARCHIVES`` of what a profile reads: its data sets and the networks that its arms start from.

    A data set in a folder of another name is the user's own, and so are ImageNet weights that ``training.imagenet``
    or MONKEY_TRANSFER_IMAGENET names.
    """
    names = [
        name
        for data in profile.data.values()
        for name in _OF_FORMAT.get(data.format, ())
        if Path(ARCHIVES[name].place).is_relative_to(getattr(data, "folder", "."))
    ]
    for arm in profile.arms.values():
        archive = arm.engine.archive(arm.init, arm.training)
        names += [archive] if archive else []
    return list(dict.fromkeys(names))


def main(arguments: list[str] | None = None) -> None:
    """The command that the Makefile calls: get everything that can be had, then say what is there."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("profile")
    parser.add_argument("--check", action="store_true", help="only say what is there")
    asked = parser.parse_args(arguments)
    print_any_letters()
    problems = []
    try:
        root, names = data_folder(), needed_by(load_profile(asked.profile))
        for name in [] if asked.check else names:
            try:
                acquire(name, root)
            except StudyError as error:
                problems.append(f"{name}: {error}")
        print(f"Data folder: {root}\n")
        print(table(names, root).to_markdown(index=False) if names else f"Profile {asked.profile} needs no archive.")
    except StudyError as error:
        problems.append(str(error))
    if problems:
        sys.exit("\n".join(["", *(f"error: {problem}" for problem in problems)]))


if __name__ == "__main__":
    main()
