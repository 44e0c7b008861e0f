"""What a study asks is trained first: the arms of its questions, of all seeds, and what they start from."""

import pytest
from test_outlook import study

from monkey_transfer.profiles.loading import load_profile, profile_names
from monkey_transfer.study.order import CURVE, DECIDING, REST, urgency


def runs_that_come(level: int, profile) -> set[tuple[str, int]]:
    return {run for run, own in urgency(profile).items() if own == level}


def test_a_study_without_questions_is_about_transfer_and_its_control():
    profile = study()
    assert runs_that_come(DECIDING, profile) == {("baseline", 100), ("transfer", 20), ("scratch_control", 20)}
    assert runs_that_come(CURVE, profile) == {("transfer", 50)}
    assert runs_that_come(REST, profile) == {("benchmark", 200)}


def test_of_the_photographs_study_the_arms_of_its_questions_come_first():
    profile = load_profile("lsp")
    compared = {(arm, 100) for arm in ("transfer", "imagenet_control", "imagenet_longer", "dogs")}
    sources = {("baseline", 450), ("dogs_baseline", 450)}
    assert runs_that_come(DECIDING, profile) == compared | sources | {("benchmark", 4650)}
    curves = {(arm, size) for arm, _ in compared - {("dogs", 100)} for size in (30, 300, 950)}
    assert runs_that_come(CURVE, profile) == curves
    assert {("human_first", 100), ("people_baseline", 450), ("blazepose", 0)} <= runs_that_come(REST, profile)


@pytest.mark.parametrize("name", profile_names())
def test_every_run_has_its_place_and_none_comes_before_what_it_starts_from(name):
    profile = load_profile(name)
    order = urgency(profile)
    assert list(order) == [(arm, images) for arm, chosen in profile.arms.items() for images in chosen.sizes]
    for (arm, _), level in order.items():
        for parent in profile.lineage(arm)[1:]:
            assert order[parent, profile.arm(parent).largest] >= level
