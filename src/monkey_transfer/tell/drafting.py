"""A first profile for somebody's own data: guesses, each marked as one."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from monkey_transfer.datasets.base import Dataset
from monkey_transfer.datasets.grouping import VIDEOS
from monkey_transfer.errors import StudyError
from monkey_transfer.places import data_folder
from monkey_transfer.profiles.data import CocoData, DlcData, Yardstick
from monkey_transfer.study.dividing import Asked
from monkey_transfer.study.guessing import Guesses, Joints
from monkey_transfer.study.looking import PACE

GUESS = "guess:"
SEEDS = (0, 1, 2)
# Side of a picture and longer side of the person in it, in pixels; pictures of a batch; minutes that two cores train.
_SIDE, _PERSON, _BATCH, _MINUTES = 128, 100, 8, 40
# Iterations, as shares of those for the most people: for a quarter, half and all of these, and for the source.
_SHARES, _FIRST = (0.4, 0.65, 1), 1.5
_TITLE = "My own data"  # and not the name of a folder, since the title is sent
_YARDSTICKS: Mapping[Yardstick, str] = {
    "head_segment": "head top to upper neck; a joint is correct within 0.5 of it",
    "torso": "shoulder to opposite hip; a joint is correct within 0.2 of it",
    "bbox_length": "longer side of the box; a joint is correct within 0.2 of it, which is lenient",
}


def name_of(data: DlcData | CocoData) -> str:
    """The name of the profile that a data set gets: my_ and that of its folder or file."""
    path = Path(data.project if isinstance(data, DlcData) else data.annotations)
    own = path.name if isinstance(data, DlcData) else path.stem
    return f"my_{re.sub('[^A-Za-z0-9_-]+', '_', own)[:60]}"


def refuse_written(file: Path) -> None:
    """StudyError if a profile is there already, which is the user's to change."""
    if file.exists():
        raise StudyError(
            f"{file}: is there already and is not written over: make check PROFILE={file.stem} looks at what it says; "
            "rename it to have a new one written"
        )


def drafted(name: str, guesses: Guesses, dataset: Dataset) -> str:
    """The text of a profile of that name for a data set of which that was guessed."""
    return "\n".join(
        [
            f"# What make check guessed for {name}. Every line that says '{GUESS}' is to be looked at; then",
            "#",
            f"#   make check PROFILE={name}    says what these lines make of your data, in seconds",
            f"#   make study PROFILE={name}    trains and measures",
            "#",
            "# Every key that is not here is that of demo.yaml: the source is rendered macaques (docs/profiles.md).",
            "extends: demo",
            f"title: {_TITLE}",
            f"own_data: true  # a report under pseudonyms: whose they are stands in runs/{name}/key.csv",
            "",
            "target:",
            "  data:",
            *(f"    {line}" for line in _data_lines(guesses.data, guesses.joints)),
            *(f"    {line}" for line in _group_lines(guesses.group, dataset)),
            *(f"  {line}" for line in _test_lines(guesses.sizes)),
            *_fold_lines(guesses.sizes),
            "",
            *_yardstick_lines(*guesses.yardstick, len(dataset)),
            "",
            f"# A crop around every person, whose box gets {_PERSON} pixels along its longer side. Larger ones are",
            "# more exact, and take longer.",
            f"picture: {{framing: person, size: {_SIDE}, person: {_PERSON}}}",
            "",
            "pictures_in_reports: false  # no photograph in a report",
            "",
            *_training_lines(name, guesses.sizes),
            "",
        ]
    )


def _data_lines(data: DlcData | CocoData, joints: Joints) -> Iterator[str]:
    yield f"format: {data.format}"
    if isinstance(data, DlcData):
        yield f"project: {_path(data.project)}"
    else:
        yield f"annotations: {_path(data.annotations)}"
        yield f"images: {_path(data.images)}  # {GUESS} there its pictures were found"
    has = f"it has {len(joints.keypoints)} of your {len(joints.keypoints) + len(joints.unread)} joints"
    yield f"skeleton: {data.skeleton}  # {GUESS} {has}"
    yield f"# Your name: the skeleton's name; {GUESS} all of them. Left and right are the person's own, not the"
    yield "# picture's. What is not named here is not read."
    yield "keypoints:"
    for name, keypoint in joints.keypoints.items():
        yield f"  {_text(name)}: {keypoint}"
    if joints.unread:
        yield f"  # Not read; {GUESS} take the # away and say which joint of {data.skeleton} it is, if it is one:"
    for name, why in joints.unread.items():
        yield f"  # {_text(name)}:   # {why}"


def _group_lines(group: tuple[str, str] | None, dataset: Dataset) -> Iterator[str]:
    if group:
        rule, why = group
        yield f"# What never both tests and trains; {GUESS} {' '.join(why.split())}."
        yield f"group: {_text(rule)}"
    elif dataset.groups == VIDEOS:
        yield f"# What never both tests and trains; {GUESS} a video. If somebody is in two of them, say who is where"
        yield "# (docs/profiles.md):"
        yield "# group: patients.csv"
    else:
        yield f"# What never both tests and trains; {GUESS} a picture, or those that are nearly the same. If somebody"
        yield "# is in others as well, say who is where (docs/profiles.md):"
        yield "# group: patients.csv"


def _test_lines(sizes: Asked) -> Iterator[str]:
    """How people are tested: so many who are kept for it, or everybody in folds, which are said below."""
    if sizes.test is None:
        yield "test: null  # nobody is kept for the test alone: see folds"
    else:
        yield f"test: {sizes.test}  # {GUESS} whole groups are kept for the test; fewer than eight give no interval"


def _fold_lines(sizes: Asked) -> Iterator[str]:
    if sizes.folds:
        yield ""
        yield "# Everybody is tested once, by networks that learnt nobody of the same group. Fewer than eight groups"
        yield "# give no interval."
        yield f"folds: {sizes.folds}  # {GUESS} you have few people or groups; each fold trains everything again"


def _yardstick_lines(yardstick: Yardstick, known: int, people: int) -> Iterator[str]:
    yield f"# What errors are divided by: {_YARDSTICKS[yardstick]}."
    rest = "" if known == people else "; the others may be learnt and are never tested"
    yield f"yardstick: {yardstick}  # {GUESS} known of {known} of {people} people{rest}"


def _training_lines(name: str, sizes: Asked) -> Iterator[str]:
    largest = _rounded(sizes.images)
    curve = [n for n in dict.fromkeys((_rounded(largest // 4), _rounded(largest // 2), largest)) if n]
    iterations = _iterations(sizes.folds)
    fewer = {n: _tens(share * iterations) for n, share in zip(curve, _SHARES, strict=False) if n != largest}
    yield f"seeds: {list(SEEDS)}  # three trainings of everything show how much is chance"
    yield f"smallest_validation: {sizes.validation}  # {GUESS} not learnt: by them the network to take is chosen"
    yield ""
    yield "training:"
    yield f"  batch_size: {_BATCH}"
    yield f"  iterations: {iterations}  # {GUESS} less than an hour on two cores; more learn better, and take longer"
    yield "  schedule: {rate: 0.001}  # the highest; it rises over the first tenth of the iterations, then falls"
    yield "  keeps: last  # what was learnt at the end: few frames would choose between snapshots by chance"
    yield "  augmentation: {any_angle: 0.2}  # share of pictures turned by any angle: 0 if nobody is ever upside down"
    yield "  validate_every: 50"
    yield ""
    yield f"arms:  # {GUESS} numbers of pictures to learn, up to all that test and validation leave"
    yield f"  baseline: {{images: 450, training: {{iterations: {_tens(_FIRST * iterations)}}}}}"
    yield "  transfer:"
    yield f"    images: {curve}  # the smaller ones say what more frames would bring"
    yield f"    iterations: {_flow(fewer)}"
    yield "    against:  # the questions of the study, asked beforehand"
    yield "      imagenet_control: Do monkeys first help?"
    yield "      imagenet_longer: Do they help more than training on people for as long?"
    yield f"  imagenet_control: {{images: {largest}}}"
    yield "  imagenet_longer:"
    longer = _tens(_FIRST * iterations) + iterations
    yield f"    {{learns: target, images: {largest}, init: imagenet, training: {{iterations: {longer}}}}}"
    yield f"  # Networks that others finished, which need no label: make data PROFILE={name} gets them, 9 MB."
    yield '  benchmark: {learns: nothing, images: 0, init: "zoo:efficientpose_ii_lite"}'
    yield '  blazepose: {learns: nothing, init: "zoo:blazepose_full"}'


def _iterations(folds: int | str | None) -> int:
    """For the largest number of people, so many that all trainings together take less than an hour on two cores."""
    in_each_fold = sum(_SHARES) + 1 + 1 + _FIRST  # transfer, its control, and imagenet_longer
    trainings = len(SEEDS) * (_FIRST + in_each_fold * (folds if isinstance(folds, int) else 4 if folds else 1))
    pictures = 60 * _MINUTES * 2 * PACE / _SIDE**2
    return int(pictures / trainings / _BATCH / 50) * 50


def _tens(number: float) -> int:
    return round(number / 10) * 10


def _flow(pairs: Mapping[int, int]) -> str:
    return f"{{{', '.join(f'{key}: {value}' for key, value in pairs.items())}}}"


def _rounded(number: int) -> int:
    """Down to a number that is easily said."""
    step = 1 if number < 20 else 5 if number < 100 else 10 if number < 1000 else 100
    return number // step * step


def _path(path: str) -> str:
    """The path as a profile may say it: within the data folder, else in full."""
    inside = os.path.relpath(path, data_folder())
    return _text(path if inside.startswith("..") else inside)


def _text(text: str) -> str:
    """A text that YAML reads as it is: in double quotes unless it is a plain word."""
    plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9_./-]*", text) and text.lower() not in ("true", "false", "null")
    return text if plain else json.dumps(text, ensure_ascii=False)
