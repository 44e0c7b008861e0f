"""One run from a command line: what its words name, and what is said where they name nothing."""

import sys

import pytest
from bad_input import holds

from monkey_transfer.profiles.loading import load_profile
from monkey_transfer.tell import single
from monkey_transfer.tell.single import named_run

PEOPLE = "data: {format: synthetic, species: human, images: 8, seed: 3, size: 64}\nyardstick: torso\n"


def test_what_is_not_said_is_the_largest_number_of_images_and_the_first_seed():
    profile = load_profile("lsp")
    assert str(named_run(profile, "transfer", "", "")) == "transfer n950 s0"
    assert str(named_run(profile, "transfer", "030", "2")) == "transfer n30 s2"
    assert str(named_run(profile, "blazepose", "", "1")) == "blazepose n0 s1"


@pytest.fixture
def said(monkeypatch, tmp_path):
    """``said(word...)`` is the sentence with which the command of those words refuses; no data is opened for it."""
    monkeypatch.setenv("MONKEY_TRANSFER_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(single, "open_study", lambda name: pytest.fail("data were opened"))

    def said(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["single", *words])
        with pytest.raises(SystemExit) as ended:
            single.main()
        assert not (tmp_path / "runs").exists()
        return str(ended.value).removeprefix("error: ")

    return said


@pytest.mark.parametrize(
    "what, words, sentence",
    [
        ("no arm", ("", "", ""), "profile smoke has no arm ''; expected one of baseline, benchmark, transfer"),
        ("an arm that the profile lacks", ("trnsfer", "", ""), "profile smoke has no arm 'trnsfer'; expected one of"),
        (
            "a size that the arm does not learn",
            ("transfer", "11", ""),
            "does not learn 11 pictures; expected one of 10",
        ),
        ("a size that is no number", ("transfer", "all", ""), "does not learn 'all' pictures; expected one of 10, 20"),
        ("a size with a point", ("transfer", "10.0", ""), "does not learn '10.0' pictures"),
        ("a seed that the profile lacks", ("transfer", "", "7"), "profile smoke has no seed 7; expected one of 0"),
        ("a seed below zero", ("transfer", "", "-1"), "profile smoke has no seed '-1'; expected one of 0"),
        ("a seed that is no number", ("transfer", "", "first"), "profile smoke has no seed 'first'; expected one of 0"),
    ],
)
def test_a_run_that_the_profile_lacks_is_refused_before_data_are_opened(what, words, sentence, said):
    for command in (("train",), ("predict",)):
        more = ("people.yaml", "", "") if command == ("predict",) else ()
        told = said(*command, "--", "smoke", *words, *more)
        assert sentence in told
    holds("command line", what, told)


def test_people_who_are_not_named_and_a_run_that_is_not_there_are_refused_before_data_are_opened(said, tmp_path):
    words = ("predict", "--", "smoke", "transfer", "10", "")
    holds("command line", "nobody to predict", said(*words, "", "", ""))
    holds("command line", "people and a video to predict", said(*words, "people.yaml", "walk.mp4", ""))
    missing = str(tmp_path / "nowhere.yaml")
    holds("people to predict", "no file", said(*words, missing, "", ""))
    (tmp_path / "people.yaml").write_text(PEOPLE)
    assert said(*words, "", "walk.mp4", "").endswith("make run PROFILE=smoke ARM=transfer IMAGES=10 SEED=0 trains it")
    told = said(*words, str(tmp_path / "people.yaml"), "", "")
    assert told.endswith("make run PROFILE=smoke ARM=transfer IMAGES=10 SEED=0 trains it")
    holds("command line", "a run that is not there yet", told)
