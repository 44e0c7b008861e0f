"""What ``make`` says of input that it cannot use, and what on a machine need not be as it usually is."""

import pytest
import yaml
from bad_input import holds


def sentence(project, *words: str, **environment: str) -> str:
    """The one sentence with which make refuses."""
    ran = project.make(*words, **environment)
    said, of_make = filter(None, ran.stderr.splitlines())
    assert ran.returncode != 0
    assert ran.stdout == ""
    assert said.startswith("error: ")
    assert of_make.startswith("make: *** ")
    return said.removeprefix("error: ")


@pytest.mark.parametrize(
    "target, name", [("study", ""), ("study", "--help"), ("plan", "{}"), ("plan", "it's `$$(ls)`"), ("data", "--check")]
)
def test_a_name_of_no_profile_is_refused_in_one_sentence(project, target, name):
    assert "profile" in sentence(project, target, f"PROFILE={name}")


@pytest.mark.parametrize("target", ["run", "predict"])
def test_a_run_is_named_on_the_command_line(project, target):
    said = sentence(project, target, "PROFILE=tiny", "ARM=transfer", "IMAGES=all", "SEED=0", "DATA=people.yaml")
    assert said == "profile tiny: arm 'transfer' does not learn 'all' pictures; expected one of 8"
    assert not project.runs.exists()


def test_a_look_needs_data_or_a_profile(project):
    assert sentence(project, "check").startswith("neither DATA nor PROFILE is given: expected the folder of a DeepLab")
    assert sentence(project, "check", "DATA=x", "PROFILE=tiny").startswith("both DATA and PROFILE are given")
    assert "gone: is not there; expected the folder" in sentence(project, "check", "DATA=gone")
    looked = project.make("check", "PROFILE=tiny")
    assert looked.returncode == 0, looked.stderr
    assert "target: 70 rendered pictures, drawn when the study begins." in looked.stdout
    assert not project.runs.exists()


def test_a_name_that_looks_like_a_number_is_a_name(project):
    (project.root / "config" / "tiny.yaml").rename(project.root / "config" / "2024.yaml")
    planned = project.make("plan", "PROFILE=2024")
    assert planned.returncode == 0, planned.stderr
    assert "5 runs of profile 2024: 0 exist" in planned.stdout


@pytest.mark.parametrize(
    "where, what, words, environment",
    [
        ("command line", "a cluster that the project does not have", ["CLUSTER=lsf"], {}),
        ("command line", "an option that Snakemake does not have", ["SNAKEMAKE_OPTIONS=--jobz 4"], {}),
        ("command line", "a profile among Snakemake's options", ["SNAKEMAKE_OPTIONS=--config profile=demo"], {}),
        ("command line", "a number of jobs that is none", ["SNAKEMAKE_OPTIONS=--jobs many"], {}),
        ("environment", "a folder of runs that cannot be made", [], {"MONKEY_TRANSFER_RUNS": "/dev/null/runs"}),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_runs(project, where, what, words, environment):
    holds(where, what, sentence(project, "study", "PROFILE=tiny", *words, **environment))


def test_a_fault_of_snakemake_itself_is_told_in_one_sentence(project):
    (project.root / ".snakemake").write_text("", encoding="utf-8")
    holds("disk", "a file where Snakemake keeps its notes", sentence(project, "study", "PROFILE=tiny"))


def change_profile(project, **keys) -> None:
    config = project.root / "config" / "tiny.yaml"
    config.write_text(yaml.safe_dump(yaml.safe_load(config.read_text(encoding="utf-8")) | keys), encoding="utf-8")


def test_an_engine_says_nothing_before_what_is_wrong(project):
    change_profile(project, arms={"imagenet_control": {"learns": "target", "images": 8, "init": "imagenet"}})
    for ending in ("index", "data-00000-of-00001"):
        (project.root / f"broken.ckpt.{ending}").write_text("no weights", encoding="utf-8")
    checkpoint = str(project.root / "broken.ckpt")
    assert checkpoint in sentence(project, "study", "PROFILE=tiny", MONKEY_TRANSFER_IMAGENET=checkpoint)


def test_data_that_are_not_there_are_told_before_anything_runs(project):
    nowhere = {"format": "dlc", "project": "/nowhere", "skeleton": "lsp_14"}
    change_profile(project, source={"data": nowhere, "test": 4})
    said = sentence(project, "study", "PROFILE=tiny")
    assert said.startswith("/nowhere/config.yaml: cannot be read (No such file or directory)")
    planned = project.make("plan", "PROFILE=tiny")
    assert planned.returncode != 0
    assert "5 runs of profile tiny: 0 exist" in planned.stdout
    assert planned.stderr.startswith("error: /nowhere/config.yaml")


def test_a_notebook_that_fails_is_told_once(project):
    notebook = project.root / "notebooks" / "01_data_exploration.ipynb"
    code = notebook.read_text(encoding="utf-8")
    notebook.write_text(code.replace("study = open_chapter(profile)", "open_chapter('nobody')"), encoding="utf-8")
    said = sentence(project, "study", "PROFILE=tiny")
    assert said.startswith("01_data_exploration.ipynb: profile 'nobody' is unknown")


def test_a_home_that_cannot_be_written_and_a_persons_own_settings_change_nothing(project):
    strange = {"HOME": "/dev/null/home", "SNAKEMAKE_PROFILE": "mine", "PYTHONPATH": "/dev/null", "PYTHONOPTIMIZE": "2"}
    planned = project.make("plan", "PROFILE=tiny", **strange)
    assert planned.returncode == 0, planned.stderr
    assert planned.stdout.startswith("5 runs of profile tiny: 0 exist")
    assert (len(planned.stdout.splitlines()), planned.stderr) == (1, "")
