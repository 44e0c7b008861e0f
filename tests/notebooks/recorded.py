"""What real trainings of the profile ``smoke`` left, kept so that every machine computes the chapters from the same.

Networks that are trained again on another machine are other networks, whose numbers could not be compared. So the
predictions and learning curves of one real study are kept here, ``make test`` puts them in place of finished runs, and
the chapters' numbers must come out as they are in the notebooks. ``make notebooks`` trains what has no valid recording
and records it.

``python tests/notebooks/recorded.py`` puts them into the folder that MONKEY_TRANSFER_RUNS names.
"""

import json
import shutil
from pathlib import Path

from monkey_transfer.files import digest_of, write_json
from monkey_transfer.study import runs
from monkey_transfer.study.jobs import job_of, specification_of
from monkey_transfer.study.opening import Study, open_study
from monkey_transfer.study.runs import Run

PROFILE = "smoke"
RECORDED = Path(__file__).with_name("recorded")
_FILES = (
    *("learning_curve.csv", "predictions.parquet", "threshold_predictions.parquet", "source_predictions.parquet"),
    "run.json",
)
# Of what a run records of itself, what chapters show; the rest is of the machine.
_KEPT = ("run", "rendered", "outcome", "specification")


def play_back(study: Study) -> None:
    """Make finished runs of the recordings that are of the profile as it is, under the digests that they have here.

    The pictures' bytes and the initial weights belong to a run's digest and are this machine's; so the digest is too.
    """
    for run in sorted(study.runs(), key=lambda run: len(study.profile.lineage(run.arm))):
        kept = _recording(run)
        if not (kept / "run.json").is_file():
            continue
        manifest = json.loads((kept / "run.json").read_text(encoding="utf-8"))
        settings = runs.settings(study.profile, run)
        if any(manifest["specification"].get(key) != value for key, value in settings.items()):
            continue
        shutil.copytree(kept, run.folder)
        _place_snapshot(run, manifest["outcome"]["chosen_iteration"])
        specification = specification_of(*job_of(study, run), study, run)
        digest = digest_of(specification)
        here = {"digest": digest, "specification": specification, "machine": {}}
        write_json(run.folder / "run.json", {**manifest, **here})


def record(study: Study) -> None:
    """Keep what the finished runs left, in place of older recordings."""
    shutil.rmtree(RECORDED, ignore_errors=True)
    for run in study.runs():
        kept = _recording(run)
        kept.mkdir(parents=True)
        for name in _FILES:
            if (run.folder / name).is_file():
                shutil.copyfile(run.folder / name, kept / name)
        manifest = {key: value for key, value in run.manifest().items() if key in _KEPT}
        manifest["outcome"]["restored"]["checkpoint"] = None  # a path of this machine
        write_json(kept / "run.json", manifest)


def _recording(run: Run) -> Path:
    return RECORDED / run.arm / run.folder.name


def _place_snapshot(run: Run, iteration: int) -> None:
    """Files where arms that start from this one look for its weights; nothing reads what is in them."""
    folder = run.folder / "deeplabcut" / "dlc-models" / "iteration-0" / "recorded" / "train"
    folder.mkdir(parents=True)
    for ending in ("index", "data-00000-of-00001"):
        (folder / f"snapshot-{iteration}.{ending}").write_text("recorded", encoding="utf-8")


if __name__ == "__main__":
    play_back(open_study(PROFILE))
