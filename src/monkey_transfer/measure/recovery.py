"""Finished runs out of a report: what :mod:`monkey_transfer.measure.evidence` kept of them, which is all but networks.

So a study that took days on one machine goes on, is measured anew or gets another arm on a second one, and the numbers
of what was recovered are the report's own. Of a recovered run there is no network, no DeepLabCut project and no log,
and its predictions are as fine as they are measured.
"""

import json
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
from pyarrow import ArrowException

from monkey_transfer import tables
from monkey_transfer.errors import StudyError
from monkey_transfer.files import unless_another, write_json, written
from monkey_transfer.measure.evidence import RECORDS, place_of
from monkey_transfer.profiles.profile import Profile
from monkey_transfer.study import recovered, runs
from monkey_transfer.study.changes import FROM_ANOTHER
from monkey_transfer.study.jobs import predicted
from monkey_transfer.study.opening import Study
from monkey_transfer.study.pseudonyms import key_of
from monkey_transfer.study.runs import LEARNING_CURVE, PREDICTIONS, RECOVERED, Run

# Of held-out source pictures older reports kept nothing, and no number of a report but chapter 2's needs them.
_NOT_ESSENTIAL = "source_test"


def recover(study: Study, report: Path) -> tuple[list[Run], dict[Run, str]]:
    """Make finished runs, without networks, of what a report kept of them, for those that a study has not.

    A finished run stays, and so does one that is being trained.

    Returns
    -------
    back, why_not
        Which runs were recovered; of the others why not: each has to have been made with the settings that the profile
        has now, from the same weights of others, of the people and labels that there are now and of pictures as large,
        and so has every run that it started from.

    Raises
    ------
    StudyError
        If the report is not there, kept no runs or is damaged; or if the study has folds, since a report does not
        keep which fold a prediction is of.
    """
    if study.profile.folds:
        raise StudyError(
            f"profile {study.profile.name}: runs of folds cannot be recovered, expected a profile without them"
        )
    kept = _Kept(report)
    back: list[Run] = []
    why_not: dict[Run, str] = {}
    for run in study.runs():
        if run.is_complete:
            continue
        with unless_another(run.folder) as free:
            why = _why_not(study, run, kept) if free else "being trained"
            if why:
                why_not[run] = why
            else:
                _write(study, run, kept)
                back.append(run)
    return back, why_not


def refuse_without_key(profile: Profile) -> None:
    """StudyError, before a study is opened, if its data are own and would get new pseudonyms."""
    if profile.own_data and not (key := key_of(profile.name)).is_file():
        raise StudyError(
            f"{key}: is not there, and pictures would get other pseudonyms than in the report: copy it from where the "
            "report was made"
        )


class _Kept:
    """What a report kept of runs; StudyError where it kept nothing or is damaged."""

    def __init__(self, report: Path):
        self.report = report.name
        self._folder = report / "predictions"
        self._records = _records(self._folder / RECORDS)
        self._table = cache(_table)

    def record(self, run: Run) -> dict[str, Any]:
        """What the run said of itself; nothing if that is not kept."""
        return self._records.get((run.arm, run.images, run.seed), {})

    def predictions(self, run: Run, role: str) -> pd.DataFrame:
        """What the run predicted for one role, as a run has it; no rows if nothing of that is kept."""
        file = place_of(self._folder, run, role)
        if not file.is_file():
            return pd.DataFrame(columns=["image_id"])
        rows = self._table(file)
        rows = rows[(rows["seed"] == run.seed) & (rows["of"] == role)]
        rows = rows.astype({"image_id": str, "keypoint": str, "x": float, "y": float})
        rows = rows.assign(likelihood=rows["likelihood"].astype(float) if "likelihood" in rows else float("nan"))
        return tables.check(rows, tables.PREDICTIONS, file) if len(rows) else rows


def _records(file: Path) -> dict[tuple[str, int, int], dict[str, Any]]:
    if not file.is_file():
        raise StudyError(
            f"{file}: is not there, expected what a report keeps of its runs: name the folder of a report that has it"
        )
    try:
        records = json.loads(file.read_text(encoding="utf-8"))
        return {(of["arm"], of["images"], of["seed"]): one for one in records for of in [one["run"]]}
    except (ValueError, TypeError, KeyError):
        raise StudyError(f"{file}: is not what was written, expected JSON: copy the report again") from None


def _table(file: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(file)
    except (ArrowException, ValueError):
        raise StudyError(f"{file}: is not what was written, expected Parquet: copy the report again") from None


def _why_not(study: Study, run: Run, kept: _Kept) -> str:
    """Why a run is not recovered; empty if it can be."""
    if not (said := kept.record(run)):
        return "the report has no such run"
    if why := recovered.difference(study, run, said):
        return why
    for parent in runs.ancestors(study.profile, run):
        if not (said := kept.record(parent)) or recovered.difference(study, parent, said):
            return FROM_ANOTHER
    for part in predicted(study, run):
        found = set(kept.predictions(run, part.role)["image_id"])
        if found != set(part.image_ids) and part.role != _NOT_ESSENTIAL:
            return f"the report lacks predictions ({part.role}) of it"
    return ""


def _write(study: Study, run: Run, kept: _Kept) -> None:
    """Make the run's folder of its record and its predictions, whole or not at all."""
    shutil.rmtree(run.partial, ignore_errors=True)
    run.partial.mkdir(parents=True)
    for part in predicted(study, run):
        if len(rows := kept.predictions(run, part.role)):
            tables.write(rows, run.partial / PREDICTIONS[part.role])
    starts_from = [
        {name: kept.record(parent)[name] for name in ("run", "specification", "made_of")}
        for parent in runs.ancestors(study.profile, run)
    ]
    write_json(run.partial / RECOVERED, {"report": kept.report, "starts_from": starts_from})
    manifest = dict(kept.record(run))
    with written(run.partial / LEARNING_CURVE) as curve:
        pd.DataFrame(manifest.pop("learning_curve")).to_csv(curve, index=False)
    write_json(run.partial / "run.json", {**manifest, "run": {**manifest["run"], "profile": run.profile}})
    runs.put_in_place(run)
