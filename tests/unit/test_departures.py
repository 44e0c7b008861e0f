"""The tables of departures show what a profile changed, all of it and nothing else."""

import pytest

from monkey_transfer.networks.tensorflow.settings import TensorFlowTraining
from monkey_transfer.profiles.loading import load_profile, profile_names
from monkey_transfer.profiles.profile import Profile
from monkey_transfer.tell import departures

IN_WORDS = {stated.key for stated in departures.PAPER if isinstance(stated.value, str) and " " in stated.value} | {
    "source.data"
}


def changed(profile: Profile, settings: dict[str, object]) -> Profile:
    """The profile with the values of some keys replaced."""
    content = profile.model_dump()
    for key, value in settings.items():
        *parents, last = key.split(".")
        inner = content
        for parent in parents:
            inner = inner[parent]
        inner[last] = value
    return Profile.model_validate(content)


@pytest.fixture
def smoke() -> Profile:
    return load_profile("smoke")


@pytest.fixture
def by_default(smoke) -> Profile:
    """Arms that say nothing about their training, all from ImageNet."""
    plain = {"learns": "target", "images": 100, "init": "imagenet", "training": {}}
    # DeepLabCut's default scale and jitter need pictures of at least 160 pixels
    arms = {f"arms.{name}": plain for name in (*smoke.arms, "imagenet_control")}
    return changed(smoke, {"picture.size": 160, **arms})


@pytest.mark.parametrize("name", profile_names())
def test_every_profile_has_its_tables(name):
    profile = load_profile(name)
    paper, defaults = departures.from_paper(profile), departures.from_defaults(profile)
    assert not paper.empty
    assert not defaults.empty
    assert (paper["paper"] != paper["here"]).all()
    assert (defaults["default"] != defaults["here"]).all()


def test_what_agrees_with_the_paper_is_not_a_departure(smoke):
    stated = {stated.key: stated.value for stated in departures.PAPER if stated.key not in IN_WORDS}
    stated["arms.transfer.training.multi_step"] = TensorFlowTraining().multi_step
    stated["arms.scratch_control.images"] = stated["arms.transfer.images"]
    assert set(stated) & set(departures.from_paper(smoke)["key"])
    left = departures.from_paper(changed(smoke, stated))
    assert set(left["key"]) == IN_WORDS | {"arms.transfer.training", "arms.scratch_control"}


def test_the_papers_own_profile_departs_only_where_it_has_to():
    left = departures.from_paper(load_profile("paper")).set_index("key")
    # The yardstick is MPII's official one; the other reading of the paper stands beside it in the report.
    assert set(left.index) == {
        "picture",
        "yardstick",
        "arms.benchmark_at_its_scale",
        "arms.imagenet_control",
        "arms.scratch_control",
    }
    assert set(departures.from_defaults(load_profile("paper"))["key"]) <= {"init", "restore", "training.batch_size"} | {
        "training.iterations"
    }


def test_training_by_default_is_what_the_paper_says_of_the_rest(by_default):
    assert "arms.transfer.training" not in set(departures.from_paper(by_default)["key"])
    warmer = changed(by_default, {"arms.transfer.training.augmentation.rotation": 90})
    rest = departures.from_paper(warmer).set_index("key").loc["arms.transfer.training", "here"]
    assert rest == "not augmentation.rotation"


def test_defaults_are_no_departure(by_default):
    assert departures.from_defaults(by_default).empty


@pytest.mark.parametrize(
    "key, value, default, here",
    [
        ("training.optimizer", "adam", "sgd", "adam"),
        ("training.augmentation.fliplr", True, "false", "true"),
        ("training.augmentation.contrast", {}, "{clahe: true, claheratio: 0.1, histeq: true, histeqratio: 0.1}", "{}"),
        (
            "training.multi_step",
            [[0.1, 2_000_000]],
            "[[0.005, 10000], [0.02, 430000], [0.002, 730000], [0.001, 1030000]]",
            "[[0.1, 2000000]]",
        ),
        ("init", "scratch", "imagenet", "scratch"),
        ("frozen", 3, "0", "3"),
    ],
)
def test_one_change_is_one_row(by_default, key, value, default, here):
    table = departures.from_defaults(changed(by_default, {f"arms.transfer.{key}": value}))
    assert table.to_dict("records") == [{"key": key, "default": default, "here": here, "arms": "transfer"}]


def test_arms_that_change_the_same_share_a_row(by_default):
    rates = {f"arms.{name}.training.batch_size": 8 for name in by_default.arms}
    rates["arms.transfer.training.batch_size"] = 4
    table = departures.from_defaults(changed(by_default, rates))
    assert dict(zip(table["here"], table["arms"], strict=True)) == {
        "8": "baseline, benchmark, scratch_control, imagenet_control",
        "4": "transfer",
    }
    everywhere = changed(by_default, {f"arms.{name}.training.batch_size": 8 for name in by_default.arms})
    assert list(departures.from_defaults(everywhere)["arms"]) == ["all"]


def test_restoring_the_heads_matters_only_for_an_arm_that_starts_from_another(by_default):
    assert "restore" not in set(departures.from_defaults(by_default)["key"])
    child = changed(by_default, {"arms.transfer.init": "arm:baseline"})
    assert set(departures.from_defaults(child)["key"]) == {"init", "restore"}


@pytest.mark.parametrize("key, value", [("validate_every", 7), ("imagenet", "my.ckpt")])
def test_how_often_we_validate_and_where_weights_lie_is_no_departure(by_default, key, value):
    ours = changed(by_default, {f"arms.transfer.training.{key}": value})
    assert departures.from_defaults(ours).empty
    assert "arms.transfer.training" not in set(departures.from_paper(ours)["key"])


def test_every_change_between_releases_is_told_in_full():
    table = departures.between_releases()
    assert table["subject"].is_unique
    assert not (table == "").to_numpy().any()
    assert (table["2.2.0.6"] != table["3.0.2"]).all()


def test_what_an_engine_does_otherwise_is_said_of_those_that_train_and_of_their_heads():
    """paper-pytorch runs finished networks of TensorFlow, and trains DeepLabCut's own head."""
    of = {name: departures.of_engines(load_profile(name)) for name in ("demo", "paper", "paper-pytorch")}
    assert [set(table["engine"]) for table in of.values()] == [{"pytorch"}, {"tensorflow"}, {"pytorch"}]
    assert set(of["demo"]["subject"]) - set(of["paper-pytorch"]["subject"]) == {
        "what a map means",
        "where a joint is",
        "likelihood",
    }
    assert not any(table.isna().any(axis=None) for table in of.values())
