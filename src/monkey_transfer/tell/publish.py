"""A study's report: the answer page, the tables, and what the numbers rest on."""

import shutil
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from monkey_transfer import plots
from monkey_transfer.files import write_json, write_text
from monkey_transfer.measure.ceiling import ceiling_of
from monkey_transfer.measure.comparisons import of_metric
from monkey_transfer.measure.controls import equivalents
from monkey_transfer.measure.evidence import write_evidence
from monkey_transfer.measure.forecast import forecasts
from monkey_transfer.measure.results import Results, beside_the_paper
from monkey_transfer.study.opening import Study
from monkey_transfer.tell.answer import FIGURE, answer_text, asked, row_of
from monkey_transfer.tell.finished import hidden_by_labels
from monkey_transfer.tell.pages import markdown_page
from monkey_transfer.tell.reports import report_of, save_figure, save_table
from monkey_transfer.tell.words import counted, score_name, score_title


def write_report(results: Results) -> Path:
    """Write answer.html, answer.md, its figure, the tables and predictions of a study; returns answer.html.

    Of own data answer.html is the page to send: it needs no other file, and says nothing of the paper.

    Predictions of arms that the study no longer has are removed; tables of other chapters stay, as chapters are run in
    any order. StudyError if the report was made by other rules.
    """
    study = results.study
    folder = report_of(study)
    tables = {
        "scores": results.table,
        "comparisons": results.comparisons,
        "equivalents": equivalents(results),
        "forecast": forecasts(results),
        "pixel_errors": results.pixel_errors,
        "choice": results.choice.table,
        "angles": results.angles.table,
        "angle_differences": results.angles.differences,
        "elsewhere": results.elsewhere,
        "elsewhere_comparisons": results.elsewhere_comparisons,
        "budgets": results.budgets,
        "leaks": results.leaks,
        "left_out": study.left_out,
        "hidden_by_labels": hidden_by_labels(results),
    }
    if not study.profile.own_data:
        tables |= {"readings": results.readings, "paper_comparison": beside_the_paper(results)}
    for name, table in tables.items():
        save_table(study, name, table)
    write_json(folder / "tables" / "splits.json", _splits(study))
    _replace_evidence(study, folder / "predictions")
    save_figure(study, FIGURE, answer_figure(results))
    text = answer_text(results)
    write_text(folder / "answer.md", text)
    write_text(folder / "answer.html", markdown_page(text, study.profile.title, folder))
    return folder / "answer.html"


def _replace_evidence(study: Study, folder: Path) -> None:
    """What was there stays until the new is whole: of runs that were recovered it may be all that there is."""
    unfinished = folder.with_name(f".{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    write_evidence(study, unfinished)
    shutil.rmtree(folder, ignore_errors=True)
    unfinished.rename(folder)


def answer_figure(results: Results) -> Figure:
    """The one figure of the answer page: learning curves of the deciding arms beside the paired differences."""
    study = results.study
    rows = [{**row_of(results, question)._asdict(), "question": question.text} for question in asked(study)]
    return plots.answer(
        of_metric(results.table, score_name(study.profile)),
        pd.DataFrame(rows),
        score_title(study.profile),
        rendered=study.rendered,
        ceiling=ceiling_of(study, results.ceiling),
        counted=counted(study),
    )


def _splits(study: Study) -> dict[str, object]:
    """By role who tests, and whom each seed draws: of those who are learnt as many as any arm learns.

    With folds the target's is a list, of each fold.
    """
    splits: dict[str, object] = {role: _split(study, role) for role in study.splits}
    return splits | ({"target": [_split(part, "target") for part in study.parts]} if study.profile.folds else {})


def _split(study: Study, role: str) -> dict[str, object]:
    split = study.splits[role]
    return {
        "seed": split.seed,
        "test": list(split.test),
        "digest": split.digest,
        "draws": {
            seed: {
                "validation": list(draw.validation),
                "train": list(draw.train[: study.profile.largest_training_set(role)]),
                "dropped": draw.dropped,
                "digest": draw.digest,
            }
            for seed, draw in study.draws[role].items()
        },
    }
