"""What each run was given: pictures, iterations, minutes; and how that ended."""

from typing import Any

import pandas as pd

from monkey_transfer.study.opening import Study
from monkey_transfer.study.runs import Run


def budgets(study: Study) -> pd.DataFrame:
    """One row per finished run: what it started from, what it learnt from, how long, and how that ended.

    Where the profile has folds ``fold`` says of which. ``iterations_in_all`` counts those of the networks that it
    started from as well. ``run_digest`` is that of all that the run's specification names: settings, seed, pictures,
    labels and initial weights, not the machine, whose arithmetic a training carries on.
    """
    runs = study.runs()
    iterations = {run: run.manifest()["outcome"]["iterations"] for run in runs}
    table = pd.DataFrame([_row(study, run, iterations) for run in runs])
    return table if study.profile.folds else table.drop(columns="fold")


def _row(study: Study, run: Run, iterations: dict[Run, int]) -> dict[str, Any]:
    arm, manifest = study.profile.arm(run.arm), run.manifest()
    outcome, restored = manifest["outcome"], manifest["outcome"]["restored"]
    part = study.part(run)
    parents = [part.finished_run(name, run.seed) for name in study.profile.lineage(run.arm)[1:]]
    return {
        "arm": run.arm,
        "images": run.images,
        "seed": run.seed,
        "fold": run.fold,
        "init": arm.init,
        "learns": arm.learns,
        "validation_pictures": study.profile.validation_size(run.arm, run.images),
        "batch_size": arm.training.batch_size,
        "iterations": outcome["iterations"],
        "iterations_in_all": iterations[run] + sum(iterations[parent] for parent in parents),
        "chosen_iteration": outcome["chosen_iteration"],
        "minutes": round(outcome["seconds"] / 60, 1),
        "stopped_by": outcome["stopped_by"],
        "variables_restored": restored["backbone"] + restored["heads"],
        "variables": restored["backbone_total"] + restored["heads_total"],
        "optimizer": outcome["optimizer"],
        "run_digest": manifest["digest"][:12],
        "data_digest": manifest["specification"]["data"][:12],
        "git_commit": (manifest.get("git_commit") or "")[:12],
    }
