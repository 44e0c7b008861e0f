"""``python -m benchmarks.prepare``: pictures a second of MacaquePose's preparation with two processes over one.

A picture is prepared when it is cut out of its photograph, blanked outside its mask, resized to 640 pixels and
written. The photographs are the two of the sample in MONKEY_TRANSFER_DATA, each under many names. Everything that
a user waits for is timed, reading the labels and starting the processes among it. Beside it are a plain loop
that takes one monkey after the other and does each step at full size with Pillow, and the share of one
process's time that goes into decoding JPEG. All take turns, so that a machine that is busy for a while is busy for
all. The last line is the median ratio of two processes to one in a turn; at least 1.7 is wanted of two free cores.
"""

import argparse
import csv
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image, ImageDraw

from monkey_transfer.datasets.macaquepose import read_macaquepose
from monkey_transfer.errors import StudyError
from monkey_transfer.images import PADDING_RGB, read_picture
from monkey_transfer.places import data_folder

COPIES, FEW, SIZE, TURNS = 300, 40, 640, 3


def copy_sample(folder: Path, copies_of_each: int) -> int:
    """Write a release of so many times the sample into ``folder``; returns its number of photographs."""
    sample = data_folder() / "macaquepose_sample" / "v1"
    if not sample.is_dir():
        raise StudyError(f"{sample}: there is no such folder: the benchmark prepares the real photographs in it")
    (folder / "images").mkdir(parents=True)
    with (sample / "annotations.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    copies = [[f"{copy:04d}-{name}", *labels] for copy in range(copies_of_each) for name, *labels in rows]
    for name, *_ in copies:
        shutil.copy(sample / "images" / name.partition("-")[2], folder / "images" / name)
    with (folder / "annotations.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *copies])
    return len(copies)


def plain_loop(folder: Path, prepared: Path) -> None:
    """The same for the first ``FEW`` photographs, which show one monkey each, as a notebook would do it."""
    prepared.mkdir()
    with (folder / "annotations.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))[1 : FEW + 1]
    for name, _, segmentation in rows:
        picture = Image.open(folder / "images" / name).convert("RGB")
        mask = Image.new("L", picture.size)
        parts = [part["segment"] for part in json.loads(segmentation)[0] if part["segment"]]
        for part in parts:
            ImageDraw.Draw(mask).polygon([tuple(corner) for corner in part], fill=255)
        blanked = Image.composite(picture, Image.new("RGB", picture.size, PADDING_RGB), mask)
        corners = np.vstack(parts)
        low, high = corners.min(axis=0), corners.max(axis=0)
        margin = (high - low).max() / 10
        cut = blanked.crop((*np.maximum(low - margin, 0), *np.minimum(high + margin, picture.size)))
        scale = SIZE / max(cut.size)
        resized = cut.resize([round(scale * side) for side in cut.size], Image.Resampling.BILINEAR)
        resized.save(prepared / f"{Path(name).stem}.png")


def decode(folder: Path) -> None:
    """Read the first ``FEW`` photographs."""
    for photograph in sorted((folder / "images").iterdir())[:FEW]:
        read_picture(photograph)


def seconds(work: Callable[..., object], *arguments: object, **options: object) -> float:
    started = time.perf_counter()
    work(*arguments, **options)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("--copies", type=int, default=COPIES, help="of each of the sample's photographs")
    parser.add_argument("--turns", type=int, default=TURNS)
    asked = parser.parse_args()
    turns = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "release"
        pictures = copy_sample(folder, asked.copies)
        for _ in range(asked.turns):
            with tempfile.TemporaryDirectory(dir=name) as prepared:
                plain = seconds(plain_loop, folder, Path(prepared) / "plain") / FEW
                one, two = (
                    seconds(read_macaquepose, folder, Path(prepared) / f"{n}", size=SIZE, processes=n) / pictures
                    for n in (1, 2)
                )
                turns.append((plain, one, two, seconds(decode, folder) / FEW))
    plain, one, two, _ = (median(times) for times in zip(*turns, strict=True))
    load = os.getloadavg()[0]
    print(
        f"{pictures} monkeys cut out of real photographs, {os.cpu_count()} cores, load {load:.1f}, {asked.turns} turns"
    )
    print(f"plain loop    {1 / plain:5.1f} pictures/s")
    print(f"one process   {1 / one:5.1f} pictures/s")
    print(f"two processes {1 / two:5.1f} pictures/s")
    print(f"decoding JPEG {100 * median(decoding / one for _, one, _, decoding in turns):5.1f} % of one process's time")
    print(f"ratio {median(one / two for _, one, two, _ in turns):.2f}")


if __name__ == "__main__":
    try:
        main()
    except StudyError as error:
        raise SystemExit(f"error: {error}") from None
