"""What a profile may not say is refused with the file and the key, before anything starts."""

import copy
from pathlib import Path

import pytest
import yaml
from bad_input import refused
from hypothesis import given
from hypothesis import strategies as st

from monkey_transfer.errors import StudyError
from monkey_transfer.measure.comparisons import compared_points
from monkey_transfer.networks.tensorflow.settings import TensorFlowTraining
from monkey_transfer.networks.tensorflow.weights import IMAGENET_VARIABLE
from monkey_transfer.places import CONFIG
from monkey_transfer.profiles.loading import load_profile, profile_files, profile_names
from monkey_transfer.profiles.strict_yaml import read_yaml
from monkey_transfer.skeletons import SUPERANIMAL_QUADRUPED_39
from monkey_transfer.study.runs import runs_of
from monkey_transfer.study.runs import settings as settings_of

VALID = {
    "title": "A study",
    "source": {"data": {"format": "synthetic", "species": "macaque", "images": 200}, "test": 10},
    "target": {"data": {"format": "synthetic", "species": "human", "images": 200}, "test": 10},
    "picture": {"framing": "whole", "size": 160},
    "yardstick": "head_size",
    "seeds": [0],
    "training": {
        "net_type": "mobilenet_v2_0.35",
        "iterations": 100,
        "multi_step": [[0.01, 100]],
        "stop": {"rule": "none", "patience": 3},
    },
    "arms": {
        "baseline": {"learns": "source", "images": 100, "init": "scratch"},
        "benchmark": {"learns": "target", "images": 100, "init": "scratch"},
        "transfer": {"learns": "target", "images": 20, "init": "arm:baseline"},
        "scratch_control": {"learns": "target", "images": 20, "init": "scratch"},
    },
}
ELSEWHERE = {"data": {"format": "lsp", "folder": "lsp"}, "test": 5, "yardstick": "torso"}
DLC = {"format": "dlc", "project": "gait", "skeleton": "lsp_14"}
MISSING = object()


def changed(key: str, value) -> dict:
    """The valid settings with the key at a dotted path set, or removed if the value is MISSING."""
    settings = copy.deepcopy(VALID)
    *above, last = key.split(".") if key != "arms..." else ("arms", "..")
    part = settings
    for name in above:
        part = part[name]
    if value is MISSING:
        del part[last]
    else:
        part[last] = value
    return settings


@pytest.fixture
def write(tmp_path):
    def write(name: str, settings) -> None:
        text = settings if isinstance(settings, str | bytes) else yaml.safe_dump(settings)
        (tmp_path / f"{name}.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())

    return write


ZOO_ARM = {"learns": "nothing", "init": "zoo:full_human", "training": {"net_type": "resnet_101"}}


@pytest.mark.parametrize(
    "what, changes, said",
    [
        ("folds and a test", {"folds": 5}, "target.test: does not go with folds, .*set it to null"),
        ("neither folds nor a test", {"target": {"test": None}}, "target.test: expected how many .* or the key folds"),
        (
            "folds and people set aside",
            {"folds": 5, "target": {"test": None, "set_aside": 4}},
            "target.set_aside: does",
        ),
        ("one fold", {"folds": 1}, "'folds': expected at least 2"),
        ("folds by patient", {"folds": "by_patient"}, "'folds': expected a whole number or by_group"),
    ],
)
def test_everybody_tests_once_or_some_are_kept_for_it(write, tmp_path, what, changes, said):
    target = {**VALID["target"], **changes.get("target", {})}
    write("study", {**VALID, **changes, "target": target})
    with refused("profile", what, match=said):
        load_profile("study", tmp_path)
    write("study", {**VALID, "folds": "by_group", "target": {**VALID["target"], "test": None}})
    assert load_profile("study", tmp_path).folds == "by_group"


@pytest.mark.parametrize(
    "what, changes, said",
    [
        ("a finished network with pictures", {"images": 5}, "an arm that learns nothing has no images"),
        ("no network that learns nothing", {"init": "scratch"}, "learns nothing has no images, .* an init such as"),
        ("no pictures to learn", {"learns": "target"}, "images: expected at least one picture of the target"),
        ("an unknown network", {"init": "zoo:full_dog"}, "no network 'zoo:full_dog'; expected one of zoo:full_m"),
        (
            "another network's backbone",
            {"training": {"net_type": "resnet_50"}},
            "expected resnet_101, of which .* zoo:full_hu",
        ),
    ],
)
def test_finished_networks_learn_nothing(write, tmp_path, what, changes, said):
    write("study", {**VALID, "arms": {**VALID["arms"], "benchmark": ZOO_ARM}})
    assert load_profile("study", tmp_path).arm("benchmark").published.net_types == ("resnet_101",)
    write("study", {**VALID, "arms": {**VALID["arms"], "benchmark": {**ZOO_ARM, **changes}}})
    with refused("profile", what, match=said):
        load_profile("study", tmp_path)


ON_PYTORCH = {"engine": "pytorch", "net_type": "resnet_50_gn", "iterations": 100}


def starting_from(init: str, training: dict = ON_PYTORCH, **changes) -> dict:
    """The valid settings with one arm more, which starts from that."""
    arms = {**VALID["arms"], "further": {**VALID["arms"]["transfer"], "init": init, **changes}}
    return {**VALID, "training": training, "arms": arms}


@pytest.mark.parametrize(
    "what, init",
    [
        ("DeepLabCut's human body model", "superanimal:humanbody"),
        ("DeepLabCut's human body model, by its longer name", "superanimal_humanbody"),
        ("DeepLabCut's human body model, by both names", "superanimal:superanimal_humanbody"),
    ],
)
def test_the_human_body_model_is_refused_and_why(write, tmp_path, what, init):
    write("study", starting_from(init))
    with refused("profile", what, match=r"arms.further.init': .*does not fine-tune it .* MPII's people.*\(found"):
        load_profile("study", tmp_path)


@pytest.mark.parametrize(
    "what, changes, said",
    [
        ("an unknown SuperAnimal", {"init": "superanimal:topviewmouse"}, "pytorch has no .* one of superanimal:quad"),
        (
            "SuperAnimal on another engine",
            {"training": VALID["training"]},
            "engine tensorflow has no network 'superanimal:quadruped'; .*, or training.engine pytorch, which has it",
        ),
        ("SuperAnimal as a finished network", {"learns": "nothing", "images": 0}, "an init such as zoo:full_human"),
        (
            "SuperAnimal of another backbone",
            {"training": {**ON_PYTORCH, "net_type": "resnet_50"}},
            "expected resnet_50_gn or hrnet_w32, of which .* of superanimal:quadruped .found resnet_50",
        ),
    ],
)
def test_arms_that_learn_may_start_from_superanimal(write, tmp_path, what, changes, said):
    write("study", starting_from("superanimal:quadruped", frozen="backbone"))
    assert load_profile("study", tmp_path).arm("further").published.skeleton == SUPERANIMAL_QUADRUPED_39
    write("study", starting_from(**{"init": "superanimal:quadruped"} | changes))
    with refused("profile", what, match=said):
        load_profile("study", tmp_path)


def heads_of(parent: dict, child: dict, init: str = "arm:baseline") -> dict:
    """The valid settings with a source network of one head, and an arm of another that takes heads over."""
    settings = starting_from(init, restore="all")
    arms = {name: dict(arm) for name, arm in settings["arms"].items()}
    arms["baseline"]["training"], arms["further"]["training"] = {"head": parent}, {"head": child}
    return {**settings, "arms": arms}


@pytest.mark.parametrize(
    "what, settings, said",
    [
        (
            "heads of an arm that are of another kind",
            heads_of({"kind": "deconvolution"}, {}),
            "arms.further.restore: heads of arm:baseline .kind deconvolution. do not fit .*kind pyramid, channels 96",
        ),
        (
            "heads of an arm that have other channels",
            heads_of({"channels": 64}, {}),
            "arms.further.restore: heads of arm:baseline .kind pyramid, channels 64. do not fit .*restore: backbone",
        ),
        (
            "SuperAnimal's heads for a pyramid",
            heads_of({}, {}, "superanimal:quadruped"),
            "restore: heads of superanimal:quadruped .kind deconvolution. do not fit those of training.head .kind pyr",
        ),
    ],
)
def test_heads_are_taken_over_where_they_fit(write, tmp_path, what, settings, said):
    for init in ("arm:baseline", "superanimal:quadruped"):
        write("study", heads_of({"kind": "deconvolution", "output_stride": 8}, {"kind": "deconvolution"}, init))
        load_profile("study", tmp_path)
    write("study", heads_of({"target_sd": 1.0}, {}))
    load_profile("study", tmp_path)
    write("study", settings)
    with refused("profile", what, match=said):
        load_profile("study", tmp_path)


@pytest.mark.parametrize(
    "what, training, said",
    [
        (
            "pictures that HRNet's maps do not share",
            {"net_type": "hrnet_w32"},
            "pictures are 100 x 100 pixels .picture.size., expected multiples of 32 for hrnet_w32",
        ),
        (
            "steps of PyTorch that end early",
            {"schedule": {"shape": "steps", "multi_step": [[0.1, 10]]}},
            "schedule.multi_step ends at iteration 10, before iterations 100",
        ),
        (
            "steps of PyTorch that go on after the training",
            {"schedule": {"shape": "steps", "multi_step": [[0.1, 10], [0.01, 100], [0.001, 200]]}},
            "schedule.multi_step goes on to iteration 200, but the training ends at 100, where the rate is still 0.01",
        ),
        ("sizes that vary beyond all numbers", {"augmentation": {"scaling": 1000}}, "scaling': expected at most 1 "),
        ("a pyramid that no memory holds", {"head": {"channels": 10**9}}, "head.channels': expected at most 1024"),
        ("a target as wide as the picture", {"head": {"target_sd": 1e9}}, "head.target_sd': expected at most 32"),
    ],
)
def test_what_pytorch_could_not_train_is_refused(write, tmp_path, what, training, said):
    settings = {**VALID, "picture": {"framing": "whole", "size": 100}, "training": ON_PYTORCH}
    write("study", settings)
    load_profile("study", tmp_path)
    write("study", {**settings, "training": {**ON_PYTORCH, **training}})
    with refused("profile", what, match=said):
        load_profile("study", tmp_path)


def test_a_source_network_that_goes_on_from_superanimal_has_a_control_that_does(write, tmp_path):
    """Or quadrupeds would count as monkeys."""
    settings = starting_from("superanimal:quadruped")
    arms = settings["arms"]
    write("study", settings)
    assert load_profile("study", tmp_path).control == "scratch_control"
    arms["imagenet_control"] = {**arms["further"], "init": "imagenet"}
    write("study", {**settings, "arms": {**arms, "transfer": arms["further"]}})
    assert load_profile("study", tmp_path).control == "imagenet_control"
    onwards = {**arms, "baseline": {**arms["baseline"], "init": "superanimal:quadruped"}}
    write("study", {**settings, "arms": onwards})
    with refused("profile", "a source network from SuperAnimal alone", match="expected an arm superanimal_control"):
        load_profile("study", tmp_path)
    write("study", {**settings, "arms": {**onwards, "superanimal_control": arms["further"]}})
    assert load_profile("study", tmp_path).control == "superanimal_control"


def test_an_arm_may_see_pictures_its_own_way(write, tmp_path):
    own = {"framing": "whole", "size": [128, 72]}
    arms = {**VALID["arms"], "transfer": {**VALID["arms"]["transfer"], "picture": own}}
    write("study", {**VALID, "training": {"global_scale": 1.0, "augmentation": {"scale_jitter_lo": 1.0}}, "arms": arms})
    profile = load_profile("study", tmp_path)
    assert profile.framing("transfer").size == (128, 72)
    assert profile.framing("baseline") == profile.picture


def test_an_inherited_arm_that_is_null_is_left_out(write, tmp_path):
    write("base", {**VALID, "arms": {**VALID["arms"], "control": {**VALID["arms"]["transfer"], "init": "scratch"}}})
    write("study", {"extends": "base", "arms": {"control": None}})
    assert list(load_profile("study", tmp_path).arms) == ["baseline", "benchmark", "scratch_control", "transfer"]


def test_an_arm_at_several_sizes(write, tmp_path):
    write("study", changed("arms.transfer.images", [5, 20]))
    profile = load_profile("study", tmp_path)
    assert profile.arm("transfer").sizes == (5, 20)
    assert profile.arm("transfer").largest == 20
    assert profile.arm("scratch_control").sizes == (20,)


@pytest.mark.parametrize(
    "frozen, blocks",
    [(0, 0), (3, 3), ("backbone", 19), ("Conv", 1), ("expanded_conv", 2), ("expanded_conv_16", 18), (3.0, 3)],
)
def test_frozen_blocks_are_counted_from_the_picture(write, tmp_path, frozen, blocks):
    write("study", changed("arms.transfer.frozen", frozen))
    assert load_profile("study", tmp_path).arm("transfer").frozen_blocks == blocks


SHARED_BY_CONTROLS = {"learns", "picture", "training"}


@pytest.mark.parametrize("name", ["demo", "demo-seeds", "lsp", "lsp-tensorflow", "paper", "paper-controls"])
def test_controls_differ_from_transfer_in_nothing_but_what_they_are_named_for(name, monkeypatch):
    monkeypatch.setenv(IMAGENET_VARIABLE, "somewhere.ckpt")
    profile = load_profile(name)
    transfer = profile.arm("transfer")
    trained = {arm for arm in profile.arms if profile.arm(arm).learns == "target" and arm != "benchmark"}
    longer = {arm for arm in trained if arm.endswith("_longer")}
    for arm, images in ((name, images) for name in trained for images in profile.arm(name).sizes):
        own = profile.arm(arm).at(images).model_dump(include=SHARED_BY_CONTROLS)
        same = transfer.at(images).model_dump(include=SHARED_BY_CONTROLS)
        if arm in longer:
            source = profile.arm("baseline").training.iterations
            assert own["training"].pop("iterations") == source + same["training"].pop("iterations")
            stretch = 2  # a cosine stretches with the iterations
            if "multi_step" in own["training"]:
                stretch = own["training"].pop("multi_step")[-1][1] / same["training"].pop("multi_step")[-1][1]
            assert stretch == 2 or name.startswith("paper")  # DeepLabCut's own schedule is long enough for both
            seldom = own["training"].pop("validate_every") / same["training"].pop("validate_every")
            assert seldom in (1, stretch)  # stretched as the schedule is there are as many snapshots to choose from
        if arm.endswith("_upright"):
            assert (
                own["training"]["augmentation"].pop("any_angle")
                == 0
                < same["training"]["augmentation"].pop("any_angle")
            )
        assert own == same
        assert set(profile.arm(arm).sizes) <= set(transfer.sizes)
        assert profile.validation_size(arm) == profile.validation_size("transfer") >= 50
    for arm, key in {"transfer_frozen": "frozen", "transfer_with_heads": "restore"}.items():
        if arm in trained:
            differing = {k for k, v in profile.arm(arm).model_dump().items() if v != transfer.model_dump()[k]}
            assert differing <= {key, "images", "iterations", "against", "against_tilted"}
    if "shuffled_source" in trained:
        shuffled, baseline = (profile.arm(arm).model_dump() for arm in ("shuffled_baseline", "baseline"))
        assert {key for key in shuffled if shuffled[key] != baseline[key]} == {"names"}


def asking(seeds: tuple[int, ...] = (0, 1, 2), **against: dict[str, str]) -> dict:
    """The valid settings with so many seeds and the primary questions of those arms."""
    settings = {**copy.deepcopy(VALID), "seeds": list(seeds)}
    for arm, questions in against.items():
        settings["arms"][arm]["against"] = questions
    return settings


def asking_of_the_tilted(settings: dict, **against: dict[str, str]) -> dict:
    """The same with questions of how much more a difference is among the tilted."""
    for arm, questions in against.items():
        settings["arms"][arm]["against_tilted"] = questions
    return settings


def test_a_primary_question_is_of_the_largest_number_of_people_that_both_arms_learn(write, tmp_path):
    settings = asking(transfer={"scratch_control": "Monkeys?", "third": "Heads?", "benchmark": "Many people?"})
    settings["arms"]["transfer"]["images"] = [5, 10, 20]
    settings["arms"]["third"] = {"learns": "target", "images": [5, 10, 40], "init": "scratch"}
    write("study", settings)
    found = load_profile("study", tmp_path).questions
    assert {question.b: question for question in found} == {
        "scratch_control": ("transfer", "scratch_control", 20, 20, "Monkeys?", ""),
        "third": ("transfer", "third", 10, 10, "Heads?", ""),
        "benchmark": ("transfer", "benchmark", 20, 100, "Many people?", ""),
    }


def test_a_profile_says_at_which_number_of_people_it_asks(write, tmp_path):
    settings = asking(transfer={"scratch_control": "Monkeys?", "benchmark": "Many people?"})
    settings |= {"asked_at": 10}
    for arm in ("transfer", "scratch_control"):
        settings["arms"][arm]["images"] = [5, 10, 20]
    write("study", settings)
    profile = load_profile("study", tmp_path)
    asked = {q.b: (q.images_a, q.images_b) for q in profile.questions}
    assert asked == {"scratch_control": (10, 10), "benchmark": (10, 100)}
    assert profile.compared_size == profile.asked_size("transfer") == 10
    assert profile.asked_size("benchmark") == 100
    pairs = compared_points(profile)
    assert {a.images for a, b in pairs if (a.arm, b.arm) == ("transfer", "scratch_control")} == {5, 10, 20}


@given(images=st.integers(1, 5000), share=st.floats(0.01, 1), smallest=st.integers(1, 200))
def test_few_people_are_not_all_held_out(images, share, smallest):
    asked = {"largest_validation_share": share, "smallest_validation": smallest}
    profile = load_profile("demo").model_copy(update=asked)
    held_out = profile.validation_size("transfer", images)
    assert 1 <= held_out <= profile.validation_size("transfer", 10**6)
    assert held_out == 1 or held_out <= share * (held_out + images) + 1e-6
    assert profile.validation_size("transfer", images + 1) >= held_out
    if share == 1:
        assert held_out == max(smallest, 5)  # 5 % of 100


def test_an_arm_learns_a_number_of_people_for_iterations_of_its_own(write, tmp_path):
    settings = changed("arms.transfer.images", [5, 20])
    settings["training"] = {"engine": "pytorch", "iterations": 100}
    settings["arms"]["transfer"]["iterations"] = {5: 40}
    write("study", settings)
    profile = load_profile("study", tmp_path)
    few, many = (profile.arm("transfer").at(images) for images in (5, 20))
    assert (few.images, few.training.iterations) == (5, 40)
    assert (many.images, many.training.iterations) == (20, 100)
    assert few.training.rate(39) < many.training.rate(39)  # the schedule is that of its own iterations
    assert few.iterations == {}
    # What a run depends on is its own number of iterations, not those of other numbers of people.
    said = {run.images: settings_of(profile, run) for run in runs_of(profile) if run.arm == "transfer"}
    assert said[5]["arm"]["training"] == {"engine": "pytorch", "iterations": 40}
    assert "iterations" not in said[20]["arm"]


def test_questions_of_the_tilted_are_primary_too(write, tmp_path):
    settings = asking(transfer={"scratch_control": "Monkeys?"})
    settings["arms"]["transfer"]["against_tilted"] = {"scratch_control": "More if tilted?"}
    write("study", settings)
    overall, tilted = load_profile("study", tmp_path).questions
    assert (tilted.a, tilted.b, tilted.text, tilted.part) == (
        "transfer",
        "scratch_control",
        "More if tilted?",
        "tilted - upright",
    )
    assert [question.metric("pckh") for question in (overall, tilted)] == ["pckh", "pckh/tilted - upright"]
    write("other", {"extends": "study", "arms": {"transfer": {"against_tilted": {"scratch_control": None}}}})
    assert [question.text for question in load_profile("other", tmp_path).questions] == ["Monkeys?"]


def test_the_photographs_study_asks_whether_monkeys_help_the_tilted_more():
    [tilted] = [question for question in load_profile("lsp").questions if question.part]
    assert (tilted.a, tilted.b, tilted.images_a, tilted.images_b) == ("transfer", "imagenet_control", 100, 100)


def test_primary_questions_of_the_demo():
    assert load_profile("demo").questions == ()
    found = load_profile("demo-seeds").questions
    assert [(q.a, q.b, q.images_a, q.images_b) for q in found] == [
        ("transfer", "scratch_control", 100, 100),
        ("transfer", "scratch_longer", 100, 100),
        ("transfer", "benchmark", 100, 600),
    ]
    assert all(question.text.endswith("?") for question in found)


def test_a_difference_below_two_points_matters_to_nobody_unless_the_profile_says_otherwise(write, tmp_path):
    write("study", VALID)
    write("strict", changed("margin", 0.5))
    assert load_profile("study", tmp_path).margin == 2
    assert load_profile("strict", tmp_path).margin == 0.5


KNOWN = "baseline, benchmark, scratch_control"
SAME_PEOPLE = "learn the same people; expected two arms that learn the target and have a number of images in common"


@pytest.mark.parametrize(
    "what, settings, told",
    [
        ("asked about nobody", asking(transfer={"nobody": "?"}), f"'nobody' is unknown .*; expected one of {KNOWN}"),
        ("asked about itself", asking(transfer={"transfer": "?"}), f"or the arm itself; expected one of {KNOWN}"),
        ("asked about monkeys", asking(transfer={"baseline": "?"}), f"'transfer' and 'baseline' do not {SAME_PEOPLE}"),
        ("asked of monkeys", asking(baseline={"transfer": "?"}), f"'baseline' and 'transfer' do not {SAME_PEOPLE}"),
        ("asked of monkeys and many", asking(baseline={"benchmark": "?"}), f"and 'benchmark' do not {SAME_PEOPLE}"),
        ("asked of one seed", asking((4,), transfer={"scratch_control": "?"}), "at least 3 seeds, .* found 1: give"),
        ("asked of two seeds", asking((4, 5), transfer={"scratch_control": "?"}), "at least 3 seeds, .* found 2: give"),
        ("a number for a question", asking(transfer={"scratch_control": 5}), "scratch_control': .* text.* .found 5."),
        ("an empty question", asking(transfer={"scratch_control": ""}), "against.scratch_control': .* not empty"),
        ("a list for questions", asking(transfer=["benchmark"]), "'arms.transfer.against': expected keys and values"),
        (
            "asked both ways",
            asking(transfer={"scratch_control": "?"}, scratch_control={"transfer": "?"}),
            "arms.scratch_control.against.transfer: this pair is asked both ways",
        ),
        (
            "asked of the tilted the other way round",
            asking_of_the_tilted(asking(transfer={"scratch_control": "?"}), scratch_control={"transfer": "?"}),
            "arms.scratch_control.against_tilted.transfer: this pair is asked both ways",
        ),
        (
            "asked of the tilted and an arm that is not there",
            asking_of_the_tilted(asking(), transfer={"benchmrk": "?"}),
            "arms.transfer.against_tilted.benchmrk: arm 'benchmrk' is unknown",
        ),
        (
            "asked of the tilted with one seed",
            asking_of_the_tilted(asking((4,)), transfer={"scratch_control": "?"}),
            "at least 3 seeds, .* found 1: give more seeds, or remove 'against_tilted'",
        ),
    ],
)
def test_questions_that_no_study_could_answer_are_refused(write, tmp_path, what, settings, told):
    write("study", settings)
    with refused("profile", what, match=told):
        load_profile("study", tmp_path)


@pytest.mark.parametrize("arm, other", [("scratch_control", "benchmark"), ("benchmark", "scratch_control")])
def test_every_question_is_among_what_is_compared_in_its_own_order(write, tmp_path, arm, other):
    write("study", asking(**{arm: {other: "?"}}))
    profile = load_profile("study", tmp_path)
    [asked] = profile.questions
    pairs = [(a.arm, a.images, b.arm, b.images) for a, b in compared_points(profile)]
    assert (asked.a, asked.images_a, asked.b, asked.images_b) in pairs
    assert (asked.b, asked.images_b, asked.a, asked.images_a) not in pairs
    assert len(set(pairs)) == len(pairs)


def test_arms_without_a_number_of_people_in_common_are_not_asked_about(write, tmp_path):
    settings = asking(transfer={"third": "?"})
    settings["arms"]["third"] = {"learns": "target", "images": 10, "init": "scratch"}
    write("study", settings)
    with refused("profile", "asked of other sizes", match=f"'transfer' and 'third' do not {SAME_PEOPLE}"):
        load_profile("study", tmp_path)


def test_an_inherited_question_that_is_null_is_not_asked(write, tmp_path):
    write("base", asking(transfer={"scratch_control": "Monkeys?", "benchmark": "Many people?"}))
    write("study", {"extends": "base", "arms": {"transfer": {"against": {"benchmark": None}}}})
    write("other", {"extends": "base", "arms": {"transfer": {"against": {"benchmark": "Others?"}}}})
    assert [question.b for question in load_profile("study", tmp_path).questions] == ["scratch_control"]
    assert {q.b: q.text for q in load_profile("other", tmp_path).questions}["benchmark"] == "Others?"


def test_the_valid_one_is_read(write, tmp_path):
    write("study", VALID)
    profile = load_profile("study", tmp_path)
    assert profile.name == "study"
    assert profile.arm("transfer").parent == "baseline"
    assert profile.arm("baseline").parent is None
    assert profile.largest_training_set("target") == 100


@pytest.mark.parametrize("name", profile_names())
def test_every_profile_of_the_project_is_valid(name):
    assert load_profile(name).title


HUGE = 10**30
EFFECTS = "training.augmentation"
NAME = "expected a name of at most 64 letters, digits, _ and -, which does not start with -"


@pytest.mark.parametrize(
    "what, key, value, told",
    [
        ("an unknown key", "iteration", 5, "key 'iteration' is unknown"),
        ("an unknown key below training", "training.iteration", 5, "training.iteration' is unknown"),
        ("an unknown key below data", "source.data.image", 5, "'source.data.image' is unknown"),
        ("a key that only this code sets", "name", "x", "key 'name' is unknown"),
        ("a key that has moved", "imagenet_checkpoint", "a.ckpt", "'imagenet_checkpoint' is now training.imagenet: m"),
        ("no title", "title", MISSING, "key 'title' is missing and required"),
        ("an empty title", "title", "", "key 'title': expected a text that is not empty .found ''."),
        ("a number for a text", "title", 5, "key 'title': expected a text, in quotes if it .* .found 5."),
        ("nothing for a text", "title", None, "key 'title': expected a text, .* .found nothing."),
        (
            "words for a number",
            "training.iterations",
            "many",
            "training.iterations': expected a whole number .found 'many'",
        ),
        ("true for a number", "target.test", True, "'target.test': expected a number .found true."),
        ("true for a number of a list", "seeds", [True], "'seeds.0': expected a number .found true."),
        ("a part of a picture", "target.test", 10.5, "'target.test': expected a whole number .found 10.5."),
        ("no pictures", "source.data.images", 0, "'source.data.images': expected more than 0 .found 0."),
        (
            "more pictures than anybody has",
            "source.data.images",
            HUGE,
            "images': expected at most 1000000000 .found 10{30}.",
        ),
        (
            "a picture too large for any network",
            "picture.size",
            100_000,
            "'picture.size': expected at most 4096 .found 100000.",
        ),
        ("a width without a height", "picture.size", [160], "'picture.size.1' is missing"),
        ("a size below 1", "picture.size", -5, "'picture.size': .*found -5"),
        ("a seed below 0", "seeds", [-1], "'seeds.0': expected at least 0 .found -1."),
        ("a number for a list", "seeds", 5, "'seeds': expected a list in brackets .found 5."),
        ("no seed", "seeds", [], "'seeds': expected at least one seed"),
        ("a seed twice", "seeds", [1, 1], "'seeds': .* each once"),
        ("a switch that is neither true nor false", "requires_gpu", 3, "expected true or false .found 3."),
        ("a number for keys", "picture", 5, "'picture': expected keys and values .found 5."),
        ("nothing for keys", "target", None, "'target': expected keys and values .found nothing."),
        ("a list for arms", "arms", ["baseline"], "'arms': expected keys and values .found .'baseline'.."),
        ("nothing for arms", "arms", None, "'arms': expected keys and values .found nothing."),
        ("a number for training", "training", 3, "'training': expected keys and values .found 3."),
        (
            "a framing that is none",
            "picture.framing",
            "round",
            "'framing' is 'round', expected one of 'whole', 'person'",
        ),
        ("no framing", "picture.framing", MISSING, "'picture': expected the key 'framing'"),
        ("a format that is none", "source.data.format", "csv", "'source.data': 'format' is 'csv', .* 'lsp'"),
        ("an unknown skeleton", "source.data", {**DLC, "skeleton": "y"}, "'source.data.skeleton': .*found 'y'"),
        ("a number for a keypoint", "source.data", {**DLC, "keypoints": {"knee": 5}}, "keypoints.knee': .*found 5"),
        ("a list for keypoints", "source.data", {**DLC, "keypoints": ["knee"]}, "'source.data.keypoints': .*'knee'"),
        ("an empty path", "source.data", {**DLC, "project": ""}, "'source.data.project': .* not empty"),
        ("a path that no disk has", "source.data", {**DLC, "project": "a\0b"}, "project': no path holds a NUL"),
        ("a ceiling of nothing", "ceiling", 0, "'ceiling': expected more than 0 .found 0."),
        ("a ceiling above all", "ceiling", 100.5, "'ceiling': expected at most 100 .found 100.5."),
        ("a margin of nothing", "margin", 0, "'margin': expected more than 0 .found 0."),
        ("a margin above all", "margin", 100, "'margin': expected less than 100 .found 100."),
        ("a margin that is no number", "margin", float("nan"), "'margin': expected a finite number .found nan."),
        ("an infinite margin", "margin", float("inf"), "'margin': expected a finite number .found inf."),
        ("true for a margin", "margin", True, "'margin': expected a number .found true."),
        (
            "a rate of no number",
            "training.multi_step",
            [[float("nan"), 100]],
            "multi_step.0.0': expected a finite number",
        ),
        ("a rate below 0", "training.multi_step", [[-0.1, 100]], "multi_step.0.0': expected more than 0 .found -0.1."),
        ("a rate without an end", "training.multi_step", [[0.1]], "multi_step.0.1' is missing"),
        (
            "a schedule that ends early",
            "training.multi_step",
            [[0.1, 50]],
            "ends at iteration 50, before iterations 100",
        ),
        ("a schedule that goes back", "training.multi_step", [[0.1, 200], [0.01, 100]], "rising last iterations"),
        ("an empty schedule", "training.multi_step", [], "rising last iterations"),
        (
            "a schedule whose rate never changes",
            "training.multi_step",
            [[0.1, 100], [0.01, 200]],
            r"arms.baseline.training: multi_step: the rate stays 0.1, .* iteration 100 .* write \[\[0.1, 100\]\]",
        ),
        (
            "a schedule that goes on after the training",
            "training.multi_step",
            [[0.1, 30], [0.01, 200], [0.001, 300]],
            r"multi_step goes on to iteration 300, but the training ends at 100, where the rate is still 0.01: "
            r"say iterations: 300, or .*, as in \[\[0.1, 10\], \[0.01, 67\], \[0.001, 100\]\]",
        ),
        ("joints of no size", "training.pos_dist_thresh", 0, "pos_dist_thresh': expected more than 0 .found 0."),
        ("joints without end", "training.pos_dist_thresh", float("inf"), "pos_dist_thresh': expected a finite number"),
        ("pictures that grow too large", "picture.size", [4000, 1000], "pictures grow to 2000 pixels .* at most 1500"),
        ("pictures that shrink to nothing", "picture.size", 16, "pictures shrink to 6.4 pixels .* at least 64"),
        ("a probability above 1", EFFECTS, {"rotratio": 1.5}, "rotratio': expected at most 1 .found 1.5."),
        ("a rotation below 0", EFFECTS, {"rotation": -5}, "rotation': expected at least 0 .found -5."),
        ("a crop of nothing", EFFECTS, {"crop_by": 0}, "crop_by': expected more than 0 .found 0."),
        ("jitter upside down", EFFECTS, {"scale_jitter_lo": 2}, "scale_jitter_lo is above scale_jitter_up"),
        (
            "an unknown effect",
            EFFECTS,
            {"contrast": {"clahi": True}},
            "contrast: 'clahi' is unknown; .* clahe, claheratio",
        ),
        ("an effect's ratio", EFFECTS, {"contrast": {"claheratio": 5}}, "claheratio': .* for a ratio 0 to 1 .found 5."),
        ("true for a ratio", EFFECTS, {"contrast": {"claheratio": True}}, "claheratio: expected a number from 0 to 1"),
        ("a number for an effect", EFFECTS, {"contrast": {"clahe": 0.3}}, "clahe: expected true, false or keys"),
        ("steps of three", "training.multi_step", [[0.01, 100, 3]], "step.0': expected at most 2 val"),
        ("a blank title", "title", " \n", "'title': expected a text that is not empty"),
        ("nothing for a switch", "requires_gpu", None, "'requires_gpu': expected true or false .found nothing."),
        (
            "an engine that is none",
            "arms.transfer.training",
            {"engine": "torch"},
            "'engine' is 'torch', expected one of 'ten",
        ),
        ("two sides of a crop", "picture", {"framing": "person", "size": [9, 9], "person": 8}, "'picture.size': exp"),
        ("a key of two lines", "a\nb", 1, r"key 'a.nb' is unknown"),
        ("part of a block", "arms.transfer.frozen", 1.5, "'arms.transfer.frozen': expected a whole number .found 1.5."),
        ("an effect of no strength", EFFECTS, {"convolution": {"emboss": {"alpha": []}}}, "emboss': expected true"),
        ("blocks below 0", "arms.transfer.frozen", -1, "'arms.transfer.frozen': .*found -1"),
        ("a block that is none", "arms.transfer.frozen", "block9", "has no block 'block9'; expected 0 to"),
        (
            "an init that is none",
            "arms.transfer.init",
            "zoo",
            "'arms.transfer.init': expected scratch, imagenet, .*found 'zoo'",
        ),
        ("an init from nobody", "arms.transfer.init", "arm:nobody", "arms.transfer.init: arm 'nobody' is unknown"),
        ("a number for an arm's training", "arms.transfer.training", 3, "'arms.transfer.training': .*found 3"),
        ("false for an arm's training", "arms.transfer.training", False, "'arms.transfer.training': .*found false"),
        ("another backbone", "arms.transfer.training", {"net_type": "resnet_50"}, "init: .* expected the resnet_50"),
        ("a text for an arm", "arms.transfer", "scratch", "'arms.transfer': expected keys and values .found 'scratch'"),
        ("numbers that fall", "arms.transfer.images", [20, 5], "images: expected rising numbers"),
        ("a number of images twice", "arms.transfer.images", [5, 5, 20], "images: expected rising numbers"),
        ("true for a number of images", "arms.transfer.images", True, "'arms.transfer.images': expected a number"),
        (
            "an arm called best",
            "arms.best",
            {"learns": "target", "images": 5, "init": "scratch"},
            "best: is the name of",
        ),
        ("a benchmark of two numbers", "arms.benchmark.images", [50, 100], "benchmark.images: expected one number"),
        (
            "more blocks than there are",
            "arms.transfer.frozen",
            20,
            "mobilenet_v2_0.35 has no block 20; expected 0 to 19",
        ),
        ("frozen random weights", "arms.scratch_control.frozen", 3, "frozen: random weights would stay random"),
        ("heads of no network", "arms.scratch_control.restore", "all", "init 'scratch' has no heads to restore"),
        ("a control of other sizes", "arms.scratch_control.images", 30, "transfer has no control"),
        ("no control", "arms.scratch_control", MISSING, "transfer has no control"),
        ("a control of monkeys", "arms.scratch_control.learns", "source", "transfer has no control"),
        ("a control of other weights", "arms.baseline.init", "imagenet", "expected an arm imagenet_control"),
        ("names of people shuffled", "arms.transfer.names", "shuffled", "names: only those of a source are shuffled"),
        (
            "nothing that can be learnt",
            "arms.baseline.learns",
            "dogs",
            "learns: expected one of source, target, nothing",
        ),
        (
            "people set aside of whom there are none",
            "arms.baseline.learns",
            "set_aside",
            "expected one of source, target, nothing; key target.set_aside says how many people that are",
        ),
        (
            "a source of a taken name",
            "sources",
            {"target": VALID["source"]},
            "sources.target: is the name of something else",
        ),
        ("people elsewhere set aside", "elsewhere", ELSEWHERE | {"set_aside": 5}, "'elsewhere.set_aside' is unknown"),
        ("questions at a size that is not learnt", "asked_at", 30, "asked_at: .* both learn, one of 20 .found 30."),
        ("iterations of a size that is not learnt", "arms.transfer.iterations", {30: 5}, "that it learns .found 30."),
        (
            "iterations that steps do not reach",
            "arms.transfer.iterations",
            {20: 500},
            "'arms.transfer': iterations.20: multi_step ends at iteration 100, before iterations 500",
        ),
        ("no share to hold out", "largest_validation_share", 0, "'largest_validation_share': expected more than 0"),
        ("a snapshot that is none", "training.keeps", "first", "expected 'best' or 'last'"),
        ("no transfer", "arms.transfer", MISSING, "arm 'transfer' is missing"),
        ("two arms in a circle", "arms.baseline.init", "arm:transfer", "baseline -> transfer -> baseline"),
        ("an arm from itself", "arms.baseline.init", "arm:baseline", "baseline -> baseline"),
        ("an arm called ..", "arms...", {}, f"'arms...': {NAME}"),
        ("an arm with a slash", "arms.a/b", {}, f"'arms.a/b': {NAME}"),
        ("an arm without a name", "arms.", {}, "'arms.': expected a text that is not empty"),
        ("an arm with braces", "arms.{}", {}, f"'arms.{{}}': {NAME}"),
        ("an arm that looks like an option", "arms.-x", {}, f"'arms.-x': {NAME}"),
        ("an arm with a long name", f"arms.{'x' * 65}", {}, NAME),
        ("a number for what is extended", "extends", 2024, f"'extends' 2024: {NAME}"),
        ("a path for what is extended", "extends", "../x", f"'extends' '../x': {NAME}"),
        ("nobody to extend", "extends", "nobody", "'extends' 'nobody' is unknown: expected one of study"),
    ],
)
def test_what_is_wrong_is_named_with_its_file_and_key(write, tmp_path, what, key, value, told):
    write("study", changed(key, value))
    with refused("profile", what, match=told) as error:
        load_profile("study", tmp_path)
    assert str(error.value).startswith(f"{tmp_path / 'study.yaml'}: ")
    assert len(str(error.value)) - len(str(tmp_path)) < 300


TEXT = yaml.safe_dump(VALID)


@pytest.mark.parametrize(
    "what, content, told",
    [
        ("a list that does not close", "title: [open", "not valid YAML, line 1: .*expected ',' or ']'"),
        ("a tab", "\ttitle: x", "not valid YAML, line 1: .* cannot start any token"),
        ("two colons", "a: b: c", "not valid YAML, line 1: mapping values.*; .* put a text with signs such as : or %"),
        (
            "a percent sign",
            "title: %",
            "line 1: .*; indent with spaces, and put a text with signs such as : or % in quo",
        ),
        ("a space that does not break", "training:\n\u00a0\u00a0batch_size: 4", "line 2: key .* has a space or sign"),
        ("half a letter", TEXT.replace("A study", '"\\ud800"'), "'title': expected a text of whole char"),
        ("a sign that rings", "title: a\x07b", "is not text in UTF-8 .*, without control signs"),
        ("a key twice", "title: a\nseeds: [0]\ntitle: b\n", "line 3: key 'title' is in line 1 already; keep one"),
        ("a key twice below arms", "arms:\n  a: {images: 1, images: 2}", "line 2: key 'images' is in line 2 already"),
        ("a list for a key", "? [a, b]\n: c", "line 1: expected a name before ':', found a list or keys"),
        ("keys that hold themselves", "a: &a {b: *a}", "line 1: .*recursive"),
        ("keys without end", "a: " + "[" * 5000, "nested too deeply"),
        ("an unknown alias", "a: *b", "line 1: found undefined alias 'b'"),
        ("a tag of Python's", "a: !!python/name:os.system", "line 1: could not determine a constructor for the tag"),
        ("a tag that does not fit", "a: !!int many", "not valid YAML: a value does not fit its tag"),
        ("two documents", "title: x\n---\ntitle: y", "line 2: .*another document"),
        ("an empty file", "", "expected keys and values"),
        ("a list for a file", "- a\n- b", "expected keys and values"),
        ("words for a file", "just words", "expected keys and values"),
        ("letters of Latin-1", "title: Étude".encode("latin-1"), "is not text in UTF-8 .*; save it as UTF-8"),
        ("no text", b"\x00\x01\xff", "is not text in UTF-8"),
        ("itself extended", "extends: study", "'extends' 'study' leads back to study"),
        ("a number for a key", "on: 1\n" + TEXT, "key 'on' is unknown"),
    ],
)
def test_a_file_that_is_no_profile_is_named_with_its_line(write, tmp_path, what, content, told):
    write("study", content)
    with refused("profile", what, match=told) as error:
        load_profile("study", tmp_path)
    assert str(error.value).startswith(f"{tmp_path / 'study.yaml'}: ")


def test_profiles_that_extend_each_other(write, tmp_path):
    for name, base in (("study", "other"), ("other", "study")):
        write(name, {**VALID, "extends": base})
    for read in (load_profile, profile_files):
        with refused("profile", "extended in a circle", match="other.yaml: 'extends' 'study' leads back to study"):
            read("study", tmp_path)


def test_a_file_that_cannot_be_read(write, tmp_path, monkeypatch):
    write("study", VALID)
    monkeypatch.setattr(Path, "read_bytes", lambda _: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
    with refused("profile", "no right to read it", match="study.yaml: cannot be read .Permission denied.; expected"):
        load_profile("study", tmp_path)


@pytest.mark.parametrize(
    "what, name, told",
    [
        ("an unknown profile", "three", "profile 'three' is unknown: expected one of one, two .*three.yaml"),
        ("a number that is no profile", "2024", "profile '2024' is unknown: expected one of"),
        ("a profile with a path", "../x", f"profile '../x': {NAME}"),
        ("a profile with an ending", "demo.yaml", f"profile 'demo.yaml': {NAME}"),
        ("a profile without a name", "", f"profile '': {NAME}"),
        ("a profile with a long name", "x" * 300, NAME),
        ("a number for a profile", 2024, f"profile 2024: {NAME}"),
        ("nothing for a profile", None, f"profile None: {NAME}"),
    ],
)
def test_a_profile_that_is_not_there(write, tmp_path, what, name, told):
    write("one", VALID)
    write("two", VALID)
    with refused("command line", what, match=told):
        load_profile(name, tmp_path)


@pytest.mark.parametrize("name", ["2024", "1e3", "0100", "yes", "My-study_2", "_"])
def test_what_a_profile_and_an_arm_may_be_called(write, tmp_path, name):
    settings = changed(f"arms.{name}", VALID["arms"]["transfer"])
    settings["arms"]["child"] = {**VALID["arms"]["transfer"], "init": f"arm:{name}"}
    write(name, settings)
    profile = load_profile(name, tmp_path)
    assert profile.name == name
    assert profile.lineage("child") == ["child", name, "baseline"]


@pytest.mark.parametrize(
    "text, read",
    [
        ("yes", "yes"),
        ("on", "on"),
        ("0100", 100),
        ("-7", -7),
        ("0o17", 15),
        ("0x1F", 31),
        ("1:30", "1:30"),
        ("1e-3", 0.001),
        ("1.", 1.0),
        (".5", 0.5),
        ("-.inf", float("-inf")),
        ("2024-01-01", "2024-01-01"),
        ("True", True),
        ("~", None),
        ("", None),
        ("'10'", "10"),
        ("!!str 10", "10"),
        ("{1: a, yes: b, ~: c}", {"1": "a", "yes": "b", "~": "c"}),
        ("&a {x: 1, y: &b {<<: {x: 2, z: 3}, x: 4}}", {"x": 1, "y": {"x": 4, "z": 3}}),
        ("[&a {x: 1}, *a, {<<: *a, y: 2}]", [{"x": 1}, {"x": 1}, {"x": 1, "y": 2}]),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_values_are_what_they_look_like(tmp_path, text, read, encoding):
    (tmp_path / "a.yaml").write_text(f"key: {text}\n", encoding=encoding)
    [found] = read_yaml(tmp_path / "a.yaml").values()
    assert found == read
    assert type(found) is type(read)


@pytest.mark.parametrize(
    "said, key, read",
    [
        ("split_seed: 3.0", "split_seed", 3),
        ("margin: .5", "margin", 0.5),
        ("split_seed: 1_000", "split_seed", 1000),
        ("split_seed: '3'", "split_seed", 3),
        ("split_seed: 0100", "split_seed", 100),
        ("margin: 1e0", "margin", 1.0),
        ("pictures_in_reports: no", "pictures_in_reports", False),
        ("requires_gpu: on", "requires_gpu", True),
    ],
)
def test_what_can_be_meant_in_one_way_alone_is_read(write, tmp_path, said, key, read):
    write("study", f"{TEXT}\n{said}\n")
    assert getattr(load_profile("study", tmp_path), key) == read


def test_imagenet_weights_are_named_with_the_training(write, tmp_path):
    settings = changed("training.imagenet", "~/a.ckpt")
    settings["arms"]["benchmark"]["training"] = {"imagenet": "weights/b.ckpt"}
    settings["arms"]["transfer"]["training"] = {"imagenet": None}
    write("study", settings)
    named = {name: arm.training.imagenet for name, arm in load_profile("study", tmp_path).arms.items()}
    home = str(Path.home() / "a.ckpt")
    assert named == {"baseline": home, "benchmark": "weights/b.ckpt", "transfer": None, "scratch_control": home}


def test_deeplabcuts_own_schedule_may_go_on_after_the_training(write, tmp_path):
    """The paper trained 164,000 iterations on its first two rates of four."""
    settings = changed("training.multi_step", MISSING)
    settings["training"]["iterations"] = 164_000
    write("study", settings)
    assert load_profile("study", tmp_path).arm("transfer").training.rate(163_999) == 0.02


def test_one_rate_for_all_iterations_and_finished_networks_need_no_schedule(write, tmp_path):
    zoo = {"learns": "nothing", "init": "zoo:full_human", "training": {"net_type": "resnet_101"}}
    settings = changed("arms.benchmark", zoo)
    zoo["training"]["multi_step"] = [[0.1, 100], [0.01, 200]]
    write("study", settings)
    assert load_profile("study", tmp_path).arm("transfer").training.multi_step == ((0.01, 100),)


def test_an_arm_that_starts_from_itself_by_way_of_others_is_named_with_the_way(write, tmp_path):
    settings = changed("arms.baseline.init", "arm:third")
    settings["arms"]["third"] = {"learns": "source", "images": 5, "init": "arm:transfer"}
    write("study", settings)
    with refused("profile", "three arms in a circle", match="baseline -> third -> transfer -> baseline"):
        load_profile("study", tmp_path)


def test_a_profile_overrides_what_it_extends_key_by_key(write, tmp_path):
    write("base", VALID)
    write("study", {"extends": "base", "seeds": [0, 1], "training": {"stop": {"patience": 9}}})
    base, profile = load_profile("base", tmp_path), load_profile("study", tmp_path)
    assert profile.seeds == (0, 1)
    assert profile.arm("baseline").training.stop.patience == 9
    assert profile.arm("baseline").training.iterations == 100
    with_base_stop = profile.arm("transfer").training.model_copy(update={"stop": base.arm("transfer").training.stop})
    assert with_base_stop == base.arm("transfer").training


def test_data_of_another_format_and_another_framing_replace_what_is_extended(write, tmp_path):
    write("base", VALID)
    picture = {"framing": "person", "size": 160, "person": 125}
    write("study", {"extends": "base", "target": {"data": DLC}, "picture": picture})
    write("again", {"extends": "study", "picture": {"framing": "whole", "size": 200}})
    profile = load_profile("study", tmp_path)
    assert profile.target.data.model_dump(exclude_none=True) == DLC
    assert profile.target.test == 10
    assert profile.picture.model_dump() == picture
    assert load_profile("again", tmp_path).picture.model_dump() == {"framing": "whole", "size": 200}


def test_an_arm_overrides_the_shared_training_key_by_key(write, tmp_path):
    write("study", changed("arms.transfer.training", {"iterations": 7, "stop": {"patience": 2}}))
    profile = load_profile("study", tmp_path)
    assert profile.arm("transfer").training.iterations == 7
    assert profile.arm("transfer").training.stop.patience == 2
    assert profile.arm("transfer").training.stop.rule == "none"
    assert profile.arm("transfer").training.net_type == "mobilenet_v2_0.35"
    assert profile.arm("baseline").training.iterations == 100


def test_an_unknown_arm_names_the_known_ones(write, tmp_path):
    write("study", VALID)
    with pytest.raises(
        StudyError, match="arm 'zoo' is unknown; expected one of baseline, benchmark, scratch_control, transfer"
    ):
        load_profile("study", tmp_path).arm("zoo")


def test_defaults_of_training_are_deeplabcuts():
    """deeplabcut/pose_cfg.yaml of the installed release, read as a file: importing DeepLabCut takes seconds."""
    from importlib.util import find_spec

    package = Path(find_spec("deeplabcut").submodule_search_locations[0])
    theirs = yaml.safe_load((package / "pose_cfg.yaml").read_text(encoding="utf-8"))
    ours = TensorFlowTraining().model_dump(mode="json")
    ours |= ours.pop("augmentation")
    shared = sorted(set(ours) & set(theirs))
    assert len(shared) >= 8
    assert {key: ours[key] for key in shared} == {key: theirs[key] for key in shared}


@pytest.mark.parametrize("training, held_out", [(1, 50), (1000, 50), (1001, 51), (19185, 960)])
def test_validation_holds_at_least_fifty_people_or_five_percent(training, held_out):
    demo = load_profile("demo")
    arms = {name: demo.arm(name).model_copy(update={"images": training}) for name in ("benchmark", "transfer")}
    profile = demo.model_copy(update={"arms": demo.arms | arms})
    assert profile.validation_size("benchmark") == held_out
    assert profile.validation_size("transfer") == profile.validation_size("imagenet_control") == held_out
    assert profile.validation_size("baseline") == 50


def test_profiles_are_listed_by_name():
    assert set(profile_names()) == {file.stem for file in CONFIG.glob("*.yaml")}
