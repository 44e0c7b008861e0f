"""Changed files are noticed before anything is trained, and what was made of the earlier ones is kept."""

import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image
from test_dlc import table, write_config, write_labels
from test_jobs import opened  # noqa: F401

from monkey_transfer.files import write_json
from monkey_transfer.profiles.data import CocoData, DlcData
from monkey_transfer.profiles.loading import load_profile
from monkey_transfer.study import jobs
from monkey_transfer.study.changes import change_of, changes, made_of
from monkey_transfer.study.files import files_of, state_of
from monkey_transfer.study.opening import Study
from monkey_transfer.tell import reports


@pytest.fixture
def finished(opened, tmp_path):  # noqa: F811
    """The study of test_jobs on pictures of its own, all its runs finished."""
    copies = shutil.copytree(Path(opened.target.images["path"].iloc[0]).parent, tmp_path / "pictures")
    images = opened.target.images
    moved = images.assign(path=[str(copies / Path(path).name) for path in images["path"]])
    study = replace(opened, target=replace(opened.target, images=moved))
    for run in study.runs():
        run.folder.mkdir(parents=True, exist_ok=True)
        write_json(run.folder / "run.json", {"made_of": made_of(study, run)})
    yield study
    for run in study.runs():
        shutil.rmtree(run.folder)


def relabelled(study: Study, image_id: str) -> Study:
    labels = study.target.labels
    moved = labels["x"] + (labels["image_id"] == image_id)
    return replace(study, target=replace(study.target, labels=labels.assign(x=moved)))


def test_nothing_is_made_again_where_nothing_changed(finished):
    assert changes(finished) == {}


def test_who_has_learnt_a_label_that_changed_is_made_again(finished):
    draw = finished.draw("target", 1)
    last = draw.training_subset(20)[-1]  # learnt at 20 pictures and not at 6
    found = changes(relabelled(finished, last))
    mine = {run for run in found if run.seed == 1}
    assert {(run.arm, run.images) for run in mine} == {("transfer", 20), ("scratch_control", 20), ("benchmark", 41)}
    assert set(found.values()) == {"labels changed"}
    learns = {
        run
        for run in finished.runs()
        for part in jobs.given_to(finished, run)
        if part.of == "target" and part.role in ("train", "validation") and last in part.image_ids
    }
    assert set(found) == learns
    [run] = finished.runs_of("transfer", 1, 20)
    assert change_of(relabelled(finished, last), run) == "labels changed"
    assert change_of(finished, run) == ""


def test_what_starts_from_a_network_that_is_made_again_is_made_again(finished):
    monkey = finished.draw("source", 0).training_subset(10)[0]
    labels = finished.source.labels
    moved = labels["y"] + (labels["image_id"] == monkey)
    found = changes(replace(finished, source=replace(finished.source, labels=labels.assign(y=moved))))
    of_seed = {(run.arm, run.images): why for run, why in found.items() if run.seed == 0}
    assert of_seed == {
        ("baseline", 10): "labels changed",
        ("shuffled_baseline", 10): "labels changed",
        ("transfer", 6): "the network that it starts from is made again",
        ("transfer", 20): "the network that it starts from is made again",
    }


def test_a_joint_that_the_files_call_by_another_name_counts(finished):
    study = replace(finished, target=replace(finished.target, own_names={"head_top": "crown"}))
    assert {run.arm for run in changes(study)} == {"benchmark", "transfer", "scratch_control"}


def test_a_picture_that_changed_counts_for_all_who_see_it(finished):
    tested = finished.splits["target"].test[0]
    path = finished.target.images.set_index("image_id")["path"][tested]
    Image.new("RGB", (64, 64)).save(path)
    assert changes(finished) == dict.fromkeys(finished.runs(), "pictures changed")


def test_people_more_change_who_is_learnt(finished):
    images, labels, lengths = finished.target.images, finished.target.labels, finished.target.reference_lengths
    first = images["image_id"].iloc[0]
    new = [t[t["image_id"] == first].assign(image_id="new") for t in (images, labels, lengths)]
    new[0] = new[0].assign(group="new")
    parts = [pd.concat(both, ignore_index=True) for both in zip((images, labels, lengths), new, strict=True)]
    names = ("images", "labels", "reference_lengths")
    study = replace(finished, target=replace(finished.target, **dict(zip(names, parts, strict=True))))
    found = changes(study)
    assert set(found.values()) == {"others are learnt or predicted"}
    # That depends on where a hash puts the new person; the runs are those that see other people than they did.
    assert set(found) == {r for r in study.runs() if jobs.given_to(study, r) != jobs.given_to(finished, r)}


def test_of_runs_that_kept_no_digests_nothing_is_said(finished):
    for run in finished.runs():
        write_json(run.folder / "run.json", {})
    assert changes(relabelled(finished, finished.splits["target"].test[0])) == {}


def test_the_state_of_files_is_that_of_labels_pictures_and_patients(tmp_path, monkeypatch, opened):  # noqa: F811
    monkeypatch.setenv("MONKEY_TRANSFER_DATA", str(tmp_path))
    project = write_config(tmp_path / "gait")
    labels = write_labels(project, table())
    patients = tmp_path / "patients.csv"
    patients.write_text("picture,patient\nwalk,ann\n")
    data = DlcData(format="dlc", project="gait", skeleton="lsp_14", group="patients.csv")
    assert files_of(data) == ([project / "config.yaml", labels, patients], project / "labeled-data")
    profile = opened.profile.model_copy(update={"target": opened.profile.target.model_copy(update={"data": data})})
    states = [state_of(profile)]

    def changed() -> bool:
        states.append(state_of(profile))
        return states[-1] != states[-2]

    assert not changed()
    write_labels(project, table().assign(x=0))
    assert changed()
    patients.write_text("picture,patient\nwalk,bob\n")
    assert changed()
    shutil.copy(labels.parent / "img0.png", labels.parent / "img9.png")
    assert changed()
    shutil.rmtree(project)
    assert changed()
    assert not changed()
    nothing = CocoData(format="coco", annotations="gone.json", images="gone", skeleton="lsp_14")
    assert files_of(nothing) == ([], tmp_path / "gone")


def test_rendered_data_have_no_files_and_need_no_folder_of_data(monkeypatch):
    monkeypatch.setenv("MONKEY_TRANSFER_DATA", "/nowhere")
    assert files_of(load_profile("demo").target.data) == ([], Path())
    assert state_of(load_profile("demo")) == state_of(load_profile("demo"))


def test_a_report_of_other_labels_is_kept_beside_the_runs(finished, tmp_path, monkeypatch):
    monkeypatch.setenv("MONKEY_TRANSFER_REPORTS", str(tmp_path / "reports"))
    people = replace(finished, target=replace(finished.target, rendered=False))
    report = reports.report_of(people)
    (report / "answer.md").write_text("undecided")
    assert reports.report_of(people) == report
    assert (report / "answer.md").exists()
    others = relabelled(people, people.splits["target"].test[0])
    assert [file.name for file in reports.report_of(others).iterdir()] == ["rules.json"]
    kept = reports.runs_folder() / "jobs" / f"report-{people.data_digest[:8]}"
    assert (kept / "answer.md").read_text() == "undecided"
    shutil.rmtree(kept)


def test_a_report_of_which_it_is_not_known_and_another_of_the_same_labels_are_kept_too(finished, tmp_path, monkeypatch):
    monkeypatch.setenv("MONKEY_TRANSFER_REPORTS", str(tmp_path / "reports"))
    people = replace(finished, target=replace(finished.target, rendered=False))
    runs = reports.runs_folder() / "jobs"
    for text in ("first", "second"):
        report = reports.opened_report("jobs")
        (report / "rules.json").write_text(f'{{"rules": {reports.RULES}}}')  # as it was before data were stamped
        (report / "answer.md").write_text(text)
        assert [file.name for file in reports.report_of(people).iterdir()] == ["rules.json"]
    kept = [runs / "report-unknown", runs / "report-unknown-2"]
    assert [(folder / "answer.md").read_text() for folder in kept] == ["first", "second"]
    for folder in kept:
        shutil.rmtree(folder)


def test_a_report_of_rendered_pictures_is_that_of_its_profile(finished, tmp_path, monkeypatch):
    """Labels of another machine may differ in their last digit, and the pictures are drawn by the same program."""
    monkeypatch.setenv("MONKEY_TRANSFER_REPORTS", str(tmp_path / "reports"))
    report = reports.report_of(finished)
    (report / "answer.md").write_text("undecided")
    reports.report_of(relabelled(finished, finished.splits["target"].test[0]))
    assert (report / "answer.md").exists()
    assert (report / "rules.json").read_text() == f'{{\n "rules": {reports.RULES}\n}}'
