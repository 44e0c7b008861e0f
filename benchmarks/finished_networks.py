"""``python -m benchmarks.finished_networks``: how well networks of others, used as they are, find people's joints.

Every network that the TFLite engine publishes looks at people of Leeds Sports Pose, its authors' test pictures 1001 to
2000, and of its extended set, the test people of profile lsp, as an arm that learns nothing does: the same crops, the
same reading of its outputs, the same measure (PCK@0.5 by head segment). 'tilted' are those whose neck is more than 120
degrees from above their hips, 'upright' those within 60. Data and networks are those in MONKEY_TRANSFER_DATA; what is
not there is left out. It takes a quarter of an hour on one core. The last line is the score of the last network on the
first of these people.
"""

import argparse
import tempfile
from pathlib import Path

import pandas as pd

from monkey_transfer import skeletons
from monkey_transfer.datasets.base import Dataset
from monkey_transfer.datasets.lsp import read_lsp
from monkey_transfer.datasets.pictures import framed, in_original_pixels
from monkey_transfer.errors import StudyError
from monkey_transfer.measure.tilt import tilt_groups, tilt_of
from monkey_transfer.metrics import pckh
from monkey_transfer.metrics.matching import match
from monkey_transfer.networks.tflite.engine import TFLite
from monkey_transfer.networks.tflite.networks import LAYOUTS
from monkey_transfer.places import data_folder
from monkey_transfer.profiles.framing import PersonCrop
from monkey_transfer.profiles.loading import load_profile
from monkey_transfer.study.splits import split_people

YARDSTICK = "head_segment"


def people_of() -> dict[str, Dataset]:
    """The people that are tried, by the name of their data set; those with a head segment."""
    found = {}
    if (data_folder() / "lsp").is_dir():
        lsp = read_lsp(data_folder() / "lsp")
        found["LSP 1001-2000"] = lsp.subset(lsp.images.loc[lsp.images["split"] == "test", "image_id"])
    if (data_folder() / "lspet").is_dir():
        target, profile = read_lsp(data_folder() / "lspet").measured_by(YARDSTICK), load_profile("lsp")
        test = split_people(target.images, profile.target.test, profile.split_seed).test
        found["LSPET, test people"] = target.subset(test)
    if not found:
        raise StudyError(f"{data_folder()}: neither lsp nor lspet is there: name the folder in MONKEY_TRANSFER_DATA")
    return {name: people.measured_by(YARDSTICK) for name, people in found.items()}


def row(name: str, title: str, people: Dataset, folder: Path) -> dict[str, object]:
    """What a network does on some people."""
    from monkey_transfer.networks.tflite.prediction import Predictor

    network = TFLite.published[f"zoo:{name}"]
    size, person = network.crop
    frames = framed(people, PersonCrop(framing="person", size=size, person=person), folder / f"{title}-{size}")
    found = Predictor(Path(TFLite().published_files(f"zoo:{name}", name).weights), name).predict(frames)
    names = skeletons.mapping(network.skeleton, people.skeleton)
    found = found[found["keypoint"].isin(names)].assign(keypoint=lambda table: table["keypoint"].map(names))
    found = in_original_pixels(found, frames)
    matched = match(people.labels, found, people.reference_lengths, YARDSTICK, people.images)
    joints = pckh.scored(matched.joints)
    tilt = joints["image_id"].map(tilt_groups(tilt_of(people)))
    return {
        "people": title,
        "network": name,
        "n": len(people),
        "joints": len(names),
        "PCK@0.5": 100 * joints["correct"].mean(),
        "at 0.1": pckh.pck(joints, 0.1),
        **{group: 100 * joints.loc[tilt == group, "correct"].mean() for group in ("upright", "tilted")},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("--people", type=int, default=1000, help="of each data set, at most")
    parser.add_argument("--network", choices=LAYOUTS, help="that one alone")
    asked = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for title, people in people_of().items():
            some = people.subset(people.images["image_id"].head(asked.people))
            for name in [asked.network] if asked.network else LAYOUTS:
                rows.append(row(name, title, some, Path(folder)))
    table = pd.DataFrame(rows)
    print(table.to_string(index=False, float_format="{:.1f}".format))
    print(f"PCK {table['PCK@0.5'].iloc[len(table) // table['people'].nunique() - 1]:.1f}")


if __name__ == "__main__":
    main()
