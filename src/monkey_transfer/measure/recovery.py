"""Finished runs out of a report: what :mod:`monkey_transfer.measure.evidence` kept of them, which is all but networks.

So a study that took days on one machine goes on, is measured anew or gets another arm on a second one, and the numbers
of what was recovered are the report's own. A run that needs the network of a recovered one trains that again.
"""

import json
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from monkey_transfer import tables
from monkey_transfer.errors import StudyError
from monkey_transfer.files import only_one, write_json, written
from monkey_transfer.measure.evidence import ELSEWHERE, RECORDS, SOURCE, file_of
from monkey_transfer.study import runs
from monkey_transfer.study.changes import change_since
from monkey_transfer.study.opening import Study
from monkey_transfer.study.runs import LEARNING_CURVE, PREDICTIONS, RECOVERED, Run

# The folder of a role's predictions, in that of the others.
_FOLDERS = {"test": "", "threshold": "", "elsewhere": ELSEWHERE, "source_test": SOURCE}


def recover(study: Study, report: Path) -> dict[Run, str]:
    """Make finished runs, without networks, of what a report kept of them, for those that a study has not.

    Returns, of each of these, why it was not recovered; nothing where it was. Recovered is what was made with the
    settings that the profile has now, of the people, labels and pictures that there are now. A run that is there stays.

    Raises
    ------
    StudyError
        If the report is not there, kept no runs, or the study has folds, of which a report does not keep whose
        predictions are whose.
    """
    profile, file = study.profile, report / "predictions" / RECORDS
    if profile.folds:
        raise StudyError(f"profile {profile.name}: runs of folds cannot be recovered, expected a profile without them")
    if not file.is_file():
        raise StudyError(
            f"{file}: is not there, expected what a report keeps of its runs: name the folder of a report that has it"
        )
    records = {_named(record): record for record in json.loads(file.read_text(encoding="utf-8"))}
    kept = cache(pd.read_parquet)
    found: dict[Run, str] = {}
    for run in (run for run in study.runs() if not run.is_complete):
        record = records.get((run.arm, run.images, run.seed))
        found[run] = _why_not(study, run, record)
        if record and not found[run]:
            with only_one(run.folder):
                if not run.is_complete:
                    _write(run, record, report, kept)
    return found


def _named(record: dict[str, Any]) -> tuple[str, int, int]:
    said = record["run"]
    return said["arm"], said["images"], said["seed"]


def _why_not(study: Study, run: Run, record: dict[str, Any] | None) -> str:
    if record is None:
        return "the report has no such run"
    if not runs.specifies(record["specification"], study.profile, run):
        return "settings or training code are others"
    return change_since(study, run, record.get("made_of"))


def _write(run: Run, record: dict[str, Any], report: Path, kept: Any) -> None:
    """Make the run's folder of its record and its predictions, whole or not at all."""
    unfinished = run.folder.with_name(f".{run.folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    for role, name in PREDICTIONS.items():
        file = report / "predictions" / _FOLDERS[role] / file_of(run.arm, run.images)
        if file.is_file() and len(rows := _of_run(kept(file), run.seed, role)):
            tables.write(tables.check(rows, tables.PREDICTIONS, file), unfinished / name)
    with written(unfinished / LEARNING_CURVE) as curve:
        pd.DataFrame(record["learning_curve"]).to_csv(curve, index=False)
    said = {name: value for name, value in record.items() if name != "learning_curve"}
    here = {"run": {**record["run"], "profile": run.profile}, RECOVERED: report.name}
    write_json(unfinished / "run.json", {**said, **here})
    unfinished.rename(run.folder)


def _of_run(table: pd.DataFrame, seed: int, role: str) -> pd.DataFrame:
    rows = table[(table["seed"] == seed) & (table["of"] == role)]
    rows = rows.astype({"image_id": str, "keypoint": str, "x": float, "y": float})
    return rows.assign(likelihood=rows["likelihood"].astype(float) if "likelihood" in rows else float("nan"))
