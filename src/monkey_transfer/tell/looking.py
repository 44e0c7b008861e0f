"""A look at somebody's data before anything is trained: what is there, what a profile makes of it, what is missing.

``python -m monkey_transfer.tell.looking DATA PROFILE``, with an empty word for what was not said, is what ``make
check`` calls. Of ``DATA``, a DeepLabCut project or a COCO file, it also writes a first profile.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd

from monkey_transfer.datasets.dlc import ROUNDING
from monkey_transfer.datasets.grouping import VIDEOS, grouped
from monkey_transfer.errors import StudyError, print_any_letters
from monkey_transfer.files import clear_disk_errors, write_text
from monkey_transfer.places import CONFIG, data_folder
from monkey_transfer.profiles.data import SyntheticData
from monkey_transfer.profiles.loading import load_profile
from monkey_transfer.study.datasets import open_dataset
from monkey_transfer.study.dividing import Asked, Crowd
from monkey_transfer.study.files import files_of
from monkey_transfer.study.guessing import Guesses, guess_data, guess_group, guess_sizes, guess_yardstick
from monkey_transfer.study.looking import Contents, contents_of, crowd_of, drawn_crowd, label_files
from monkey_transfer.study.opening import near_duplicates_together, under_pseudonyms
from monkey_transfer.study.pseudonyms import key_of, pseudonymised
from monkey_transfer.tables import BOX, SIZE
from monkey_transfer.tell.drafting import GUESS, SEEDS, drafted, name_of, refuse_written
from monkey_transfer.tell.prospects import prospects
from monkey_transfer.tell.words import listed, many, markdown


def look_at_data(path: Path, config: Path = CONFIG) -> None:
    """Say what a DeepLabCut project or COCO file holds, and write a first profile for it; say what that makes of it.

    StudyError if the data cannot be read, or there is a profile of that name, which stays as it is.
    """
    data, joints = guess_data(path)
    name = name_of(data)
    file = config / f"{name}.yaml"
    refuse_written(file)
    dataset, (_, pictures) = open_dataset(data), files_of(data)
    group = guess_group(_names_of(dataset.images["path"], pictures), dataset.groups == VIDEOS)
    dataset = grouped(dataset, group[0], pictures, data_folder()) if group else dataset
    contents = Contents(near_duplicates_together(dataset, name), joints.labelled, label_files(data))
    print(*in_words(contents), sep="\n", end="\n\n")
    yardstick = guess_yardstick(contents.dataset)
    try:
        people = pseudonymised(contents.dataset, "target", key_of(name))  # as in its study
        sizes = guess_sizes(Crowd.measured(people, yardstick[0]), SEEDS)
    except StudyError as error:
        raise StudyError(f"{path}: {error}") from None
    text = drafted(name, Guesses(data, joints, group, yardstick, sizes), contents.dataset)
    write_text(file, text)
    profile = load_profile(name, config)
    print(*prospects(profile, crowd_of(profile, contents.dataset)), sep="\n", end="\n\n")
    lines = [str(number) for number, line in enumerate(text.splitlines(), 1) if GUESS in line][1:]
    print(f"{file} was written: look at its lines {listed(lines)}, which are guesses, then make check PROFILE={name}")


def look_at_profile(name: str) -> None:
    """Say what the data of a profile hold, and what the profile makes of them.

    StudyError if data cannot be read or have not the people that it asks for, after all else is said.
    """
    profile = load_profile(name)
    lacks = []
    for role, asked in profile.learnt_data.items():
        if role == "set_aside":
            continue
        if isinstance(asked.data, SyntheticData):
            print(f"{role}: {asked.data.images:,} rendered pictures, drawn when the study begins.", end="\n\n")
            people = drawn_crowd(asked.data)
        else:
            contents = contents_of(asked.data, name)
            print(f"{role}:", *in_words(contents), sep="\n", end="\n\n")
            people = (
                crowd_of(profile, contents.dataset)
                if role == "target"
                else Crowd(under_pseudonyms(contents.dataset, role, profile).images)
            )
        if role == "target":
            print(*prospects(profile, people), sep="\n", end="\n\n")
        if lack := people.lacks(Asked.by(profile, role)):
            lacks.append(f"profile {name}, {role}: {lack}")
    if profile.elsewhere:
        others = open_dataset(profile.elsewhere.data).measured_by(profile.elsewhere.yardstick)
        print(f"elsewhere: {len(others):,} people of {others.name}, of whom {profile.elsewhere.test:,} are tried.")
    if lacks:
        raise StudyError(lacks[0])


def _names_of(paths: pd.Series, folder: Path) -> list[str]:
    return [os.path.relpath(path, folder).replace(os.sep, "/") for path in paths]


def in_words(contents: Contents) -> Iterator[str]:
    """What is there, what of it is read, and what is odd, in a line each."""
    dataset = contents.dataset
    images, groups = dataset.images, dataset.images["group"].value_counts()
    pictures = images["path"].nunique()
    each = f" {'people' if len(dataset) > pictures else 'pictures'}" if groups.max() > 1 else ""
    yield (
        f"{dataset.name}: {many(len(dataset), 'people', 'person')} in {many(pictures, 'pictures', 'picture')}; what "
        f"stays together: {len(groups):,} {dataset.groups} of {_between(groups)}{each}."
    )
    yield f"Pictures are {_between(images[SIZE[0]])} pixels wide and {_between(images[SIZE[1]])} high; " + (
        f"people are {_between(images[BOX[2:]].max(axis=1).round())} long, half of them at least "
        f"{images[BOX[2:]].max(axis=1).median():.0f}."
    )
    yield from _of_files(contents.files)
    yield ""
    yield markdown(joint_table(contents))
    yield ""
    yield from _left_out(dataset.left_out)
    for ids in contents.labelled_alike[:3]:
        yield f"The labels of {listed(ids[:3])} are the same to the last digit: one may be a copy of the other."
    if len(contents.labelled_alike) > 3:
        yield f"So are those of {len(contents.labelled_alike) - 3} more."
    yield "Whether left and right were exchanged no program can see: look at some pictures in chapter 0."


def joint_table(contents: Contents) -> pd.DataFrame:
    """The joints by the names of the files: what each is read as, and how many people have it."""
    read, total = contents.keypoint_of, len(contents.dataset)
    return pd.DataFrame(
        {
            "joint": list(contents.labelled),
            "is read as": [read.get(name, "") or "not read" for name in contents.labelled],
            "labelled": list(contents.labelled.values()),
            "%": [f"{100 * number / total:.0f}" for number in contents.labelled.values()],
        }
    )


def _of_files(files: Mapping[str, int]) -> Iterator[str]:
    tables, texts = files.get(".h5", 0), files.get(".csv", 0)
    if tables and texts:
        yield (
            f"Labels are in {tables} .h5 files, which are read, and {texts} .csv files; where there are both they say "
            f"the same, to {ROUNDING:g} pixels, of all joints that are read."
        )


def _left_out(left_out: pd.DataFrame) -> Iterator[str]:
    if left_out.empty:
        yield "Nothing that is labelled is left out."
    for (reason, whole), rows in left_out.groupby(["reason", left_out["keypoint"] == ""], sort=False):
        first = rows.iloc[0]
        what = many(len(rows), "people", "person") if whole else many(len(rows), "joints", "joint")
        named = first["image_id"] if whole else f"{first['keypoint']} of {first['image_id']}"
        yield f"Left out: {what}, the first is {named}: {reason}."


def _between(numbers: pd.Series) -> str:
    low, high = numbers.min(), numbers.max()
    return f"{low:,.0f}" if low == high else f"{low:,.0f} to {high:,.0f}"


def main() -> None:
    """The command that the Makefile calls."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data")
    parser.add_argument("profile")
    asked = parser.parse_args()
    print_any_letters()
    try:
        if bool(asked.data) == bool(asked.profile):
            raise StudyError(
                f"{'both DATA and PROFILE are' if asked.data else 'neither DATA nor PROFILE is'} given: expected the "
                "folder of a DeepLabCut project or a COCO file, such as make check DATA=my_project, or PROFILE=<name>"
            )
        with clear_disk_errors():
            if asked.data:
                look_at_data(Path(asked.data))
            else:
                look_at_profile(asked.profile)
    except StudyError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
