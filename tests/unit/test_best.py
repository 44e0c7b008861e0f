"""The network that learns everybody: whom it is given, how long it learns, and who says what it is worth."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from bad_input import refused
from test_jobs import opened, other_sources  # noqa: F401

from monkey_transfer.files import write_json
from monkey_transfer.measure import calibration
from monkey_transfer.profiles.framing import PersonCrop, ScaledPerson, WholePicture
from monkey_transfer.study import best, jobs, runs, watching
from monkey_transfer.study.best import best_at, train_everybody
from monkey_transfer.study.changes import made_of
from monkey_transfer.study.opening import Study
from monkey_transfer.study.runs import Best, Run, settings
from monkey_transfer.tell import best as command
from monkey_transfer.tell import single


def at(study: Study, arm: str, seed: int, images: int | None = None) -> Run:
    """The one run of an arm and seed, finished or not."""
    [run] = study.runs_of(arm, seed, images)
    return run


ITERATIONS = 17  # after which a plateau ended the arm's own run


@pytest.fixture
def study(opened, monkeypatch) -> Study:  # noqa: F811
    """Its runs are finished, as far as anybody asks."""
    monkeypatch.setattr(Run, "manifest", lambda run: {"outcome": {"iterations": ITERATIONS}})
    return opened


def test_it_learns_all_labelled_people_whatever_part_of_the_split_they_are_in(study):
    network = best_at(study, "transfer", 1)
    job, pictures, joints = jobs.job_of(study, network)
    ids = {role: of["image_id"].tolist() for role, of in pictures.groupby("role")}
    everybody = set(study.target.images["image_id"])
    assert ids["train"] == sorted(everybody)
    assert ids["validation"] == list(study.threshold_people(at(study, "transfer", 1)))
    assert ids.keys() == {"train", "validation"}  # nobody is left to predict
    labelled = study.target.labels.query("labelled")
    assert len(joints) == len(labelled)
    assert set(joints["image_id"]) == set(labelled["image_id"])
    assert made_of(study, network) != made_of(study, at(study, "transfer", 1))


def test_so_it_does_of_people_who_are_set_aside(other_sources, monkeypatch):  # noqa: F811
    monkeypatch.setattr(Run, "manifest", lambda run: {"outcome": {"iterations": ITERATIONS}})
    _, pictures, _ = jobs.job_of(other_sources, best_at(other_sources, "human_first", 0))
    aside = {i for ids in other_sources.splits["set_aside"].pool for i in ids}
    assert aside < set(pictures.loc[pictures["role"] == "train", "image_id"])


def test_it_learns_as_long_as_the_run_of_its_arm_and_seed_and_keeps_what_comes_last(study):
    own, of_everybody = (
        jobs.job_of(study, run)[0] for run in (at(study, "transfer", 1), best_at(study, "transfer", 1))
    )
    assert own.training.iterations != ITERATIONS == of_everybody.training.iterations
    assert (own.keeps, of_everybody.keeps) == ("best", "last")
    alike = {"training", "keeps", "note"}
    assert own.model_dump(exclude=alike) == of_everybody.model_dump(exclude=alike)
    shared = {"iterations", "keeps"}
    assert own.training.model_dump(exclude=shared) == of_everybody.training.model_dump(exclude=shared)


def test_its_digest_depends_on_how_long_that_was(study, monkeypatch):
    def specification() -> dict:
        run = best_at(study, "scratch_control", 0)
        return jobs.specification_of(*jobs.job_of(study, run), study, run)

    first = specification()
    monkeypatch.setattr(Run, "manifest", lambda run: {"outcome": {"iterations": ITERATIONS + 1}})
    assert {key for key, value in specification().items() if value != first[key]} == {"iterations"}


def test_what_people_are_told_changes_no_digest(study):
    run = at(study, "scratch_control", 0)
    job, *given = jobs.job_of(study, run)
    other = job.model_copy(update={"note": "Something else."})
    assert job.note
    specifications = [jobs.specification_of(one, *given, study, run) for one in (job, other)]
    assert specifications[0] == specifications[1]
    assert specifications[0].keys() == {
        "training_version",
        "arm",
        "seed",
        "picture",
        "keypoints",
        "initial_weights",
        "data",
    }


def test_of_a_profile_there_is_one_and_its_folder_says_which_it_is(study):
    network = best_at(study, "transfer", 1)
    assert network.folder == at(study, "transfer", 1).folder.parents[1] / "best"
    assert str(network) == "best (transfer, seed 1)"
    with refused("command line", "a best network that is not there yet", match="make best PROFILE=jobs"):
        runs.best_of(study.profile)
    write_json(network.folder / "run.json", {"run": vars(network)})
    assert runs.best_of(study.profile) == network != at(study, "transfer", 1)
    (network.folder / "run.json").unlink()


def test_an_arm_that_learns_no_people_cannot_be_it(study):
    with refused("command line", "a source network for everybody", match="'baseline' learns source, expected one that"):
        best_at(study, "baseline", 0)


def test_runs_that_held_people_out_are_trained_first(study, monkeypatch):
    trained: list[object] = []
    monkeypatch.setattr(best, "train", lambda _, run: trained.append(run))
    monkeypatch.setattr(best, "train_arm", lambda _, *asked: trained.append(asked))
    network = best_at(study, "transfer", 2)
    train_everybody(study, network)
    assert trained == [("transfer", 2, 20), network]
    assert study.witnesses(network) == [at(study, "transfer", 2)]
    assert study.witnesses(at(study, "transfer", 2, 6)) == [at(study, "transfer", 2, 6)]
    fewer = study.profile.arm("transfer").model_copy(update={"images": 6})
    without = study.profile.model_copy(update={"arms": {**study.profile.arms, "transfer": fewer}})
    with refused(
        "profile", "a best network of a size that is gone", match="others: run it again .make best PROFILE=jobs"
    ):
        replace(study, profile=without).witnesses(network)


@pytest.fixture
def with_folds(study) -> Study:
    """The same people, all of whom are tested by one of three folds."""
    target = study.profile.target.model_copy(update={"test": None})
    arms = {**study.profile.arms, "benchmark": study.profile.arm("benchmark").model_copy(update={"images": 30})}
    profile = study.profile.model_copy(update={"folds": 3, "target": target, "elsewhere": None, "arms": arms})
    return Study(profile, study.source, study.target)


def test_with_folds_networks_of_all_of_them_speak_each_of_whom_it_held_out(with_folds, monkeypatch):
    study, network = with_folds, best_at(with_folds, "transfer", 1)
    witnesses = study.witnesses(network)
    assert [one.fold for one in witnesses] == [0, 1, 2]
    _, pictures, _ = jobs.job_of(study, network)
    assert set(pictures.loc[pictures["role"] == "train", "image_id"]) == set(study.target.images["image_id"])
    held_out = [study.part(one).threshold_people(one) for one in witnesses]
    assert set(study.threshold_people(network)) == {i for ids in held_out for i in ids}
    everybody = study.target.labels.query("labelled")[["image_id", "keypoint", "x", "y"]]
    monkeypatch.setattr(Run, "predictions", lambda run, of: everybody.assign(likelihood=0.1 * run.fold))
    found = study.held_out_predictions(network)
    assert not found.duplicated(["image_id", "keypoint"]).any()
    for fold, ids in reversed([*enumerate(held_out)]):
        likelihoods = found.loc[found["image_id"].isin(ids), "likelihood"]
        assert (likelihoods <= 0.1 * fold).all()
        assert set(found["image_id"]) >= set(ids)


def test_with_folds_it_cannot_start_from_networks_that_learnt_some_of_the_people(with_folds):
    arm = with_folds.profile.arm("transfer").model_copy(update={"init": "arm:benchmark"})
    profile = with_folds.profile.model_copy(update={"arms": {**with_folds.profile.arms, "transfer": arm}})
    with refused(
        "command line", "a network for each fold to start from", match="starts from 'benchmark', of which there"
    ):
        best_at(replace(with_folds, profile=profile), "transfer", 0)


def test_what_it_is_told_of_people_comes_from_those_whom_its_arm_held_out(study, monkeypatch):
    """Their likelihoods are in the folder of the ordinary run alone."""
    run = at(study, "transfer", 1)
    labels = study.held_out(run).labels.query("labelled")
    found = labels[["image_id", "keypoint", "x", "y"]].assign(likelihood=np.linspace(0.01, 1, len(labels)))
    found.loc[::3, "x"] += 1000.0
    asked: list[Run] = []
    monkeypatch.setattr(Run, "predictions", lambda run, of: (asked.append(run), found)[1])
    crops = PersonCrop(framing="person", size=96, person=70)
    study = replace(study, profile=study.profile.model_copy(update={"picture": crops}))
    of_both = [
        (watching._watch(study, one, Path("walk.mp4")), calibration.calibrated(study, one))
        for one in (run, best_at(study, "transfer", 1))
    ]
    assert of_both[0] == of_both[1]
    assert set(asked) == {run}


@pytest.mark.parametrize(
    "framing, told, videos",
    [
        (PersonCrop(framing="person", size=160, person=125), "squares of 160 x 160 pixels .* is 125 pixels", True),
        (WholePicture(framing="whole", size=(320, 240)), "whole pictures, scaled into 320 x 240 pixels", False),
        (ScaledPerson(framing="scaled", size=256, yardstick="head_size", length=42), "head size is 42 pixels", False),
    ],
)
def test_a_project_says_what_its_network_sees_and_what_cuts_that_out_of_a_video(framing, told, videos):
    ordinary, network = (kind("film", "transfer", 100, 3) for kind in (Run, Best))
    said = jobs._note(ordinary, framing)
    assert pd.Series(said).str.contains(told, regex=True).all()
    assert ("64.6 %" in said) == (framing.framing != "whole")
    assert ("make predict PROFILE=film ARM=transfer IMAGES=100 SEED=3 VIDEO=" in said) == videos
    of_everybody = jobs._note(network, framing)
    assert of_everybody.startswith("This network has learnt all labelled pictures.")
    assert ("make predict PROFILE=film ARM=best VIDEO=" in of_everybody) == videos


# the command line


@pytest.fixture
def told(study, monkeypatch, capsys):
    """``told(arm, seed)`` is what ``make best`` prints; nothing is trained for it."""
    trained: list[str] = []
    for name in ("train_arm", "train_everybody"):
        monkeypatch.setattr(command, name, lambda *asked, name=name: trained.append(name))
    monkeypatch.setattr(command, "open_study", lambda name: study)
    monkeypatch.setattr(command, "share_of_cores", lambda profile: {})
    monkeypatch.setattr(command, "training_device", lambda needed: "on this machine")
    monkeypatch.setattr(command, "in_words", lambda study, network: f"{network} is worth something.")

    def told(arm: str, seed: str = "", study: Study = study) -> tuple[list[str], list[str]]:
        monkeypatch.setattr(command, "load_profile", lambda name: study.profile)
        monkeypatch.setattr(command, "open_study", lambda name: study)
        trained.clear()
        command.make_best("jobs", arm, seed)
        return trained, capsys.readouterr().out.splitlines()

    return told


def test_the_command_trains_it_and_says_where_it_is(told, study):
    trained, lines = told("transfer", "2")
    assert trained == ["train_everybody"]
    assert lines[:2] == ["on this machine", "best (transfer, seed 2) is worth something."]
    assert lines[-1].startswith(f"DeepLabCut project: {at(study, 'transfer', 2).folder.parents[1]}/best/deeplabcut/")
    assert "cannot follow anybody in a video" in lines[-2]
    crops = PersonCrop(framing="person", size=96, person=70)
    _, lines = told("transfer", "", replace(study, profile=study.profile.model_copy(update={"picture": crops})))
    assert lines[-2] == "On a video: make predict PROFILE=jobs ARM=best VIDEO=film.mp4"


def test_a_finished_network_is_not_trained_and_said_how_to_use(told, study):
    crops = PersonCrop(framing="person", size=96, person=70)
    zoo = study.profile.arm("scratch_control").model_copy(update={"learns": "nothing", "images": 0, "picture": crops})
    profile = study.profile.model_copy(update={"arms": {**study.profile.arms, "finished": zoo}})
    trained, lines = told("finished", "1", replace(study, profile=profile))
    assert trained == ["train_arm"]  # its run, which predicts the people on whom its likelihoods are calibrated
    assert lines == [
        "finished learns nothing, so there is nothing to train: it is used as it is.",
        "On a video: make predict PROFILE=jobs ARM=finished SEED=1 VIDEO=film.mp4",
    ]


def test_where_none_is_given_it_is_the_arm_that_the_report_names(told, monkeypatch):
    monkeypatch.setattr(command, "arm_to_take", lambda study: "scratch_control")
    _, lines = told("")
    assert lines[1] == "best (scratch_control, seed 0) is worth something."


def test_what_it_is_worth_is_what_its_arm_was_on_people_whom_it_held_out(study, monkeypatch):
    """Of the seeds that are there, on the test people."""
    for seed in (0, 2):
        run = at(study, "transfer", seed)
        exact = study.target.labels.query("labelled")[["image_id", "keypoint", "x", "y"]].assign(likelihood=1.0)
        exact.loc[:: seed + 2, "x"] += 1000.0
        run.folder.mkdir(parents=True)
        for people, file in (("test", "predictions.parquet"), ("threshold", "threshold_predictions.parquet")):
            ids = study.splits["target"].test if people == "test" else study.threshold_people(run)
            exact[exact["image_id"].isin(ids)].to_parquet(run.folder / file)
        write_json(run.folder / "run.json", {})

    def manifest(run: Run) -> dict:
        return {"outcome": {"iterations": ITERATIONS}, "specification": settings(study.profile, run)}

    monkeypatch.setattr(Run, "manifest", manifest)
    monkeypatch.setattr(Study, "refuse_outdated", lambda study, run: None)
    monkeypatch.setattr(Best, "training", lambda network: SimpleNamespace(batch_size=8))
    said = command.in_words(study, best_at(study, "transfer", 0))
    assert said.startswith(
        f"best (transfer, seed 0) has learnt all 60 labelled pictures, each {ITERATIONS * 8 / 60:.3g} times. Expect "
    )
    assert said.endswith(
        " % of the joints (PCKh@0.5) of other people: so many transfer found of 8 rendered test people when it had "
        "learnt 20, each 6.8 times (2 networks). Nobody is left to try this one on."
    )
    assert (
        50 < float(said.split("Expect ")[1].split()[0]) < 75
    )  # half of the joints of one, and three quarters of the other


def test_of_the_one_network_no_size_and_no_seed_is_asked(study):
    for images, seed in (("10", ""), ("", "0")):
        with refused("command line", "a size or a seed of the best network", match="leave them out, or give SEED to"):
            single.named_network(study.profile, "best", images, seed)
    assert single.named_network(study.profile, "transfer", "6", "1") == at(study, "transfer", 1, 6)
