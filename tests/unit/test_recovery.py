"""What a report keeps of runs is enough to measure a study elsewhere; of what no longer fits nothing is recovered."""

import json
import shutil
from dataclasses import replace

import by_hand
import pandas as pd
import pytest
from bad_input import refused

from monkey_transfer.measure.evidence import write_evidence
from monkey_transfer.measure.recovery import recover
from monkey_transfer.measure.scores import as_committed
from monkey_transfer.study.changes import made_of
from monkey_transfer.tell import recovering


@pytest.fixture
def study(tmp_path):
    """The study of three people, its runs as trainings leave them: they say what they are made of."""
    with by_hand.opened(tmp_path) as opened:
        for run in opened.runs():
            file = run.folder / "run.json"
            file.write_text(json.dumps({**run.manifest(), "made_of": made_of(opened, run)}))
        yield opened


@pytest.fixture
def report(study, tmp_path):
    write_evidence(study, tmp_path / "report" / "predictions")
    return tmp_path / "report"


def forget(study):
    for run in study.runs():
        shutil.rmtree(run.folder)


def changed_records(report, of, **said):
    file = report / "predictions" / "runs.json"
    records = json.loads(file.read_text())
    [mine] = [one for one in records if (one["run"]["arm"], one["run"]["seed"]) == (of.arm, of.seed)]
    mine.update(said)
    file.write_text(json.dumps(records))


def test_what_a_report_kept_is_what_was_there(study, report):
    roles = ("test", "threshold", "elsewhere")
    runs = study.runs()
    before = {run: {role: as_committed(run.predictions(role)) for role in roles} for run in runs}
    said = {run: (run.manifest(), run.learning_curve()) for run in runs}
    [monkeys] = study.runs_of("baseline", 1)
    of_monkeys = as_committed(monkeys.predictions("source_test"))

    forget(study)
    assert recover(study, report) == dict.fromkeys(runs, "")
    for run in runs:
        for role, known in before[run].items():
            there = run.predictions(role)
            hidden = ["likelihood"] if role == "elsewhere" else []
            pd.testing.assert_frame_equal(there.drop(columns=hidden), known.drop(columns=hidden))
        manifest, curve = said[run]
        assert run.manifest()["digest"] == manifest["digest"]
        pd.testing.assert_frame_equal(run.learning_curve(), curve)
        assert not run.has_network
    pd.testing.assert_frame_equal(monkeys.predictions("source_test"), of_monkeys)


def test_a_run_that_is_there_stays(study, report):
    [run, *others] = study.runs()
    for one in others:
        shutil.rmtree(one.folder)
    assert recover(study, report) == dict.fromkeys(others, "")
    assert run.has_network


def test_what_no_longer_fits_is_not_recovered(study, report):
    moved, other, lost = (run for seed in range(3) for run in study.runs_of("benchmark", seed))
    changed_records(report, moved, made_of={**moved.manifest()["made_of"], "labels": "others"})
    changed_records(report, other, specification={**other.manifest()["specification"], "seed": 5})
    changed_records(report, lost, run={"arm": "benchmark", "images": 8, "seed": 2})
    forget(study)
    found = recover(study, report)
    assert {run: why for run, why in found.items() if why} == {
        moved: "labels changed",
        other: "settings or training code are others",
        lost: "the report has no such run",
    }
    assert [run for run in study.runs() if not run.is_complete] == [moved, other, lost]


def test_what_came_of_it_is_said(study, report, monkeypatch):
    monkeypatch.setattr(recovering, "open_study", lambda name: study)
    [run, *_] = study.runs_of("transfer", 0)
    changed_records(report, study.runs_of("benchmark", 1)[0], specification={})
    forget(study)
    assert recovering.recovered("by_hand", str(report)) == [
        f"21 runs of profile by_hand: 0 were there, 20 are recovered from {report}, without their networks.",
        "1 not: settings or training code are others.",
    ]
    with refused("recovered run", "asked for its network", "keeps no network: delete .* and train it again"):
        run.snapshot()


def test_of_a_report_without_runs_nothing_is_recovered(study, tmp_path):
    with refused("make recover", "a report that kept no runs", "runs.json: is not there"):
        recover(study, tmp_path / "nowhere")
    folds = replace(study, profile=study.profile.model_copy(update={"folds": 5}))
    with refused("make recover", "a profile with folds", "runs of folds cannot be recovered"):
        recover(folds, tmp_path)
