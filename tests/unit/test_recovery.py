"""What a report keeps of runs is enough to measure a study elsewhere; of what no longer fits nothing is recovered."""

import json
import shutil
from dataclasses import replace

import by_hand
import pandas as pd
import pytest
from bad_input import refused

from monkey_transfer.files import only_one
from monkey_transfer.measure.controls import speed
from monkey_transfer.measure.evidence import write_evidence
from monkey_transfer.measure.recovery import recover, refuse_without_key
from monkey_transfer.measure.scores import as_committed
from monkey_transfer.study import recovered, training
from monkey_transfer.study.changes import made_of
from monkey_transfer.study.outlook import outlook
from monkey_transfer.study.recovered import stands
from monkey_transfer.tell import reading, recovering


@pytest.fixture
def study(tmp_path):
    """The study of three people, its runs as trainings leave them: they say what they are made of."""
    with by_hand.opened(tmp_path) as opened:
        for run in opened.runs():
            file = run.folder / "run.json"
            said = run.manifest()
            weights = ["of a run"] if opened.profile.arm(run.arm).parent else None
            specification = {**said["specification"], "initial_weights": weights}
            file.write_text(json.dumps({**said, "specification": specification, "made_of": made_of(opened, run)}))
        yield opened


@pytest.fixture
def report(study, tmp_path):
    write_evidence(study, tmp_path / "report" / "predictions")
    return tmp_path / "report"


def forget(study):
    for run in study.runs():
        shutil.rmtree(run.folder)


def change_records(report, of, **said):
    """Have the report say something else of a run."""
    file = report / "predictions" / "runs.json"
    records = json.loads(file.read_text())
    key = (of.arm, of.images, of.seed)
    [mine] = [one for one in records if (one["run"]["arm"], one["run"]["images"], one["run"]["seed"]) == key]
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
    assert recover(study, report) == (runs, {})
    for run in runs:
        for role, known in before[run].items():
            there = run.predictions(role)
            hidden = ["likelihood"] if role == "elsewhere" else []
            pd.testing.assert_frame_equal(there.drop(columns=hidden), known.drop(columns=hidden))
        manifest, curve = said[run]
        assert run.manifest()["digest"] == manifest["digest"]
        pd.testing.assert_frame_equal(run.learning_curve(), curve)
        assert not run.has_network
        assert stands(study, run)
    pd.testing.assert_frame_equal(monkeys.predictions("source_test"), of_monkeys)
    with refused("recovered run", "asked for its network", "keeps no network: delete .* and train it again"):
        runs[-1].snapshot()


def test_what_is_there_or_being_trained_stays(study, report):
    [there, training_now, *others] = study.runs()
    for one in (training_now, *others):
        shutil.rmtree(one.folder)
    (training_now.partial).mkdir()
    with only_one(training_now.folder):
        assert recover(study, report) == (others, {training_now: "being trained"})
    assert there.has_network
    assert training_now.partial.is_dir()
    assert recover(study, report) == ([training_now], {})
    assert not training_now.partial.exists()


def test_what_no_longer_fits_is_not_recovered(study, report, monkeypatch):
    moved, other, lost = (run for seed in range(3) for run in study.runs_of("benchmark", seed))
    weights, unknown, gone = (run for seed in range(3) for run in study.runs_of("scratch_control", seed, 3))
    change_records(report, moved, made_of={**moved.manifest()["made_of"], "labels": "others"})
    change_records(report, other, specification={**other.manifest()["specification"], "seed": 5})
    change_records(report, lost, run={"arm": "benchmark", "images": 8, "seed": 2})
    change_records(report, weights, specification={**weights.manifest()["specification"], "initial_weights": ["x"]})
    change_records(report, unknown, made_of=None)
    file = report / "predictions" / "elsewhere" / "scratch_control-n3.parquet"
    table = pd.read_parquet(file)
    table[(table["seed"] < 2) | (table["image_id"] == "zoe")].to_parquet(file)
    monkeypatch.setattr(recovered, "published_weights", lambda _, run: ["y"] if run == weights else None)
    forget(study)
    back, why_not = recover(study, report)
    assert why_not == {
        moved: "labels changed",
        other: "settings or training code are others",
        lost: "the report has no such run",
        weights: "the weights that it starts from are others",
        unknown: "it is not known what it was made of",
        gone: "the report lacks predictions (elsewhere) of it",
    }
    assert [run for run in study.runs() if run.is_complete] == back


def test_nothing_stands_whose_monkeys_are_others(study, report):
    """Neither when it is recovered nor afterwards."""
    [baseline], [transfer] = study.runs_of("baseline", 0), study.runs_of("transfer", 0)
    forget(study)
    recover(study, report)
    longer = {**by_hand.ARMS["baseline"], "training": {**by_hand.TRAINING, "batch_size": 8}}
    changed = by_hand.with_data(study, by_hand.profile({**by_hand.ARMS, "baseline": longer}))
    assert stands(study, transfer)
    assert not stands(changed, transfer)

    change_records(report, baseline, specification={})
    forget(study)
    _, why_not = recover(study, report)
    assert {why_not[run] for run in study.runs_of("transfer", 0)} == {"the network that it starts from is made again"}
    assert why_not[baseline] == "settings or training code are others"


def test_a_network_that_is_needed_is_trained(study, report, monkeypatch):
    forget(study)
    recover(study, report)
    [baseline], [transfer] = study.runs_of("baseline", 0), study.runs_of("transfer", 0)
    assert str(outlook(study.profile, study.runs())).startswith("21 runs of profile by_hand: 21 exist, 0 to train")
    trained = []
    monkeypatch.setattr(training, "train", lambda study, run: trained.append(run))
    training.train_arm(study, "transfer", 0)
    training.train_arm(study, "baseline", 0)
    assert trained == []
    shutil.rmtree(transfer.folder)
    assert str(outlook(study.profile, study.runs())).startswith("21 runs of profile by_hand: 19 exist, 2 to train")
    training.train_arm(study, "baseline", 0)
    training.train_arm(study, "baseline", 1)
    assert trained == [baseline]
    assert training.train_missing(study) == [transfer]
    assert trained == [baseline, baseline, transfer]


def test_of_a_curve_that_was_not_kept_nothing_is_said(study, report):
    [transfer] = study.runs_of("transfer", 0)
    change_records(report, transfer, learning_curve={name: [] for name in transfer.learning_curve()})
    before = speed(study)
    forget(study)
    recover(study, report)
    assert transfer.learning_curve().empty
    assert reading.training_in_words(study, [transfer]).endswith(
        "was kept. Its learning curve was not kept by the report that it was recovered from."
    )
    left = before[(before["arm"] != "transfer") | (before["images"] != transfer.images)]
    pd.testing.assert_frame_equal(speed(study), left.reset_index(drop=True))


def test_what_came_of_it_is_said(study, report, monkeypatch):
    monkeypatch.setattr(recovering, "open_study", lambda name: study)
    monkeypatch.setattr(recovering, "load_profile", lambda name: study.profile)
    change_records(report, study.runs_of("benchmark", 1)[0], specification={})
    forget(study)
    assert recovering.recovered("by_hand", str(report)) == [
        f"20 of 21 runs of profile by_hand are recovered from {report}, without their networks.",
        "1 is not: settings or training code are others.",
    ]


def test_what_cannot_be_read_is_refused(study, report, tmp_path):
    forget(study)
    with refused("make recover", "a report that kept no runs", "runs.json: is not there"):
        recover(study, tmp_path / "nowhere")
    folds = replace(study, profile=study.profile.model_copy(update={"folds": 5}))
    with refused("make recover", "a profile with folds", "runs of folds cannot be recovered"):
        recover(folds, tmp_path)
    own = study.profile.model_copy(update={"own_data": True})
    with refused("make recover", "own data without their key", "key.csv: is not there, and pictures would get other"):
        refuse_without_key(own)
    table = report / "predictions" / "baseline-n2.parquet"
    table.write_bytes(table.read_bytes()[:100])
    with refused("make recover", "a table that was cut", "baseline-n2.parquet: is not what was written"):
        recover(study, report)
    records = report / "predictions" / "runs.json"
    records.write_text(records.read_text()[:1000])
    with refused("make recover", "what runs say that was cut", "runs.json: is not what was written"):
        recover(study, report)
