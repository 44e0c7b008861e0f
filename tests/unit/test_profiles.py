"""What a profile may not say is refused with the file and the key, before anything starts."""

import copy
import re

import pytest
import yaml

from monkey_transfer.errors import StudyError
from monkey_transfer.measure.comparisons import compared_points
from monkey_transfer.networks.tensorflow.settings import TensorFlowTraining
from monkey_transfer.networks.tensorflow.weights import IMAGENET_VARIABLE
from monkey_transfer.places import CONFIG
from monkey_transfer.profiles.loading import load_profile, profile_names

VALID = {
    "title": "A study",
    "source": {"data": {"format": "synthetic", "species": "macaque", "images": 200}, "test": 10},
    "target": {"data": {"format": "synthetic", "species": "human", "images": 200}, "test": 10},
    "picture": {"framing": "whole", "size": 160},
    "yardstick": "head_size",
    "seeds": [0],
    "training": {"net_type": "mobilenet_v2_0.35", "iterations": 100, "stop": {"rule": "none", "patience": 3}},
    "arms": {
        "baseline": {"learns": "source", "images": 100, "init": "scratch"},
        "benchmark": {"learns": "target", "images": 100, "init": "scratch"},
        "transfer": {"learns": "target", "images": 20, "init": "arm:baseline"},
        "scratch_control": {"learns": "target", "images": 20, "init": "scratch"},
    },
}
DLC = {"format": "dlc", "project": "gait", "skeleton": "lsp_14"}
MISSING = object()


def changed(key: str, value) -> dict:
    """The valid settings with the key at a dotted path set, or removed if the value is MISSING."""
    settings = copy.deepcopy(VALID)
    *above, last = key.split(".")
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
        text = settings if isinstance(settings, str) else yaml.safe_dump(settings)
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")

    return write


def message(config, name="study") -> str:
    with pytest.raises(StudyError) as error:
        load_profile(name, config)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_an_augmentation_that_deeplabcut_does_not_read_is_an_error(write, tmp_path):
    write("study", {**VALID, "training": {**VALID.get("training", {}), "augmentation": {"contrast": {"clahi": True}}}})
    assert "contrast: 'clahi' is unknown; expected one of clahe, claheratio, gamma" in message(tmp_path)


ZOO_ARM = {"learns": "nothing", "init": "zoo:full_human", "training": {"net_type": "resnet_101"}}


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"images": 5}, "an arm that learns nothing has no images"),
        ({"init": "scratch"}, "an arm that learns nothing has no images, nothing frozen and an init such as"),
        ({"learns": "target"}, "images: expected at least one picture of the target"),
        ({"init": "zoo:full_dog"}, "zoo network 'full_dog' is unknown; expected one of full_macaque, full_human"),
        ({"training": {"net_type": "resnet_50"}}, "training.net_type: zoo network 'full_human' is a resnet_101"),
    ],
)
def test_finished_networks_learn_nothing(write, tmp_path, changes, said):
    write("study", {**VALID, "arms": {**VALID["arms"], "benchmark": ZOO_ARM}})
    assert load_profile("study", tmp_path).arm("benchmark").zoo == "full_human"
    write("study", {**VALID, "arms": {**VALID["arms"], "benchmark": {**ZOO_ARM, **changes}}})
    assert said in message(tmp_path)


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


def test_an_optional_arm_waits_for_its_weights(write, tmp_path, monkeypatch):
    monkeypatch.delenv(IMAGENET_VARIABLE, raising=False)
    monkeypatch.setenv("MONKEY_TRANSFER_DATA", str(tmp_path))
    optional = {**VALID["arms"]["transfer"], "init": "imagenet", "optional": True}
    child = {**VALID["arms"]["transfer"], "init": "arm:imagenet_control"}
    write("study", {**VALID, "arms": {**VALID["arms"], "imagenet_control": optional, "child": child}})
    left_out = load_profile("study", tmp_path)
    assert set(left_out.arms_left_out) == {"imagenet_control", "child"}
    assert set(left_out.arms) == set(VALID["arms"])
    assert left_out.control == "scratch_control"
    monkeypatch.setenv(IMAGENET_VARIABLE, "somewhere.ckpt")
    named = load_profile("study", tmp_path)
    assert named.arms_left_out == ()
    assert named.control == "scratch_control"  # whatever else is there: transfer's monkeys started from nothing
    monkeypatch.delenv(IMAGENET_VARIABLE)
    (tmp_path / "imagenet" / "mobilenet_v2_0.35").mkdir(parents=True)
    assert load_profile("study", tmp_path).arms_left_out == ()


def test_an_arm_at_several_sizes(write, tmp_path):
    write("study", changed("arms.transfer.images", [5, 20]))
    profile = load_profile("study", tmp_path)
    assert profile.arm("transfer").sizes == (5, 20)
    assert profile.arm("transfer").largest == 20
    assert profile.arm("scratch_control").sizes == (20,)


@pytest.mark.parametrize(
    "frozen, blocks", [(0, 0), (3, 3), ("backbone", 19), ("Conv", 1), ("expanded_conv", 2), ("expanded_conv_16", 18)]
)
def test_frozen_blocks_are_counted_from_the_picture(write, tmp_path, frozen, blocks):
    write("study", changed("arms.transfer.frozen", frozen))
    assert load_profile("study", tmp_path).arm("transfer").frozen_blocks == blocks


@pytest.mark.parametrize(
    "key, value, told",
    [
        ("arms.transfer.images", [20, 5], "images: expected rising numbers"),
        ("arms.transfer.images", [5, 5, 20], "images: expected rising numbers"),
        ("arms.benchmark.images", [50, 100], "benchmark.images: expected one number"),
        ("arms.transfer.frozen", 20, "frozen: mobilenet_v2_0.35 has no block 20; expected 0 to 19"),
        ("arms.scratch_control.frozen", 3, "frozen: random weights would stay random"),
        ("arms.scratch_control.restore", "all", "restore: init 'scratch' has no heads to restore"),
        ("arms.scratch_control.images", 30, "transfer has no control"),
        ("arms.scratch_control", MISSING, "transfer has no control"),
        ("arms.scratch_control.learns", "source", "transfer has no control"),
        ("arms.baseline.init", "imagenet", "expected an arm imagenet_control"),
        ("arms.transfer.names", "shuffled", "names: only those of a source are shuffled"),
        ("arms.scratch_control.optional", True, "optional: is for arms with init imagenet"),
    ],
)
def test_arms_that_could_not_answer_are_refused_before_any_training(write, tmp_path, key, value, told):
    write("study", changed(key, value))
    assert told in message(tmp_path)


SHARED_BY_CONTROLS = {"learns", "picture", "training"}


@pytest.mark.parametrize("name", ["demo", "demo-seeds", "lsp", "paper", "paper-controls"])
def test_controls_differ_from_transfer_in_nothing_but_what_they_are_named_for(name, monkeypatch):
    monkeypatch.setenv(IMAGENET_VARIABLE, "somewhere.ckpt")
    profile = load_profile(name)
    transfer = profile.arm("transfer")
    trained = {arm for arm in profile.arms if profile.arm(arm).learns == "target" and arm != "benchmark"}
    longer = {arm for arm in trained if arm.endswith("_longer")}
    for arm in trained:
        own = profile.arm(arm).model_dump(include=SHARED_BY_CONTROLS)
        same = transfer.model_dump(include=SHARED_BY_CONTROLS)
        if arm in longer:
            source = profile.arm("baseline").training.iterations
            assert own["training"].pop("iterations") == source + same["training"].pop("iterations")
            stretch = own["training"].pop("multi_step")[-1][1] / same["training"].pop("multi_step")[-1][1]
            assert stretch == 2 or name.startswith("paper")  # DeepLabCut's own schedule is long enough for both
            seldom = own["training"].pop("validate_every") / same["training"].pop("validate_every")
            assert seldom in (1, stretch)  # stretched as the schedule is there are as many snapshots to choose from
        assert own == same
        assert set(profile.arm(arm).sizes) <= set(transfer.sizes)
        assert profile.validation_size(arm) == profile.validation_size("transfer") >= 50
    for arm, key in {"transfer_frozen": "frozen", "transfer_with_heads": "restore"}.items():
        if arm in trained:
            differing = {k for k, v in profile.arm(arm).model_dump().items() if v != transfer.model_dump()[k]}
            assert differing <= {key, "images", "against"}
    if "shuffled_source" in trained:
        shuffled, baseline = (profile.arm(arm).model_dump() for arm in ("shuffled_baseline", "baseline"))
        assert {key for key in shuffled if shuffled[key] != baseline[key]} == {"names"}


def asking(seeds: tuple[int, ...] = (0, 1, 2), **against: dict[str, str]) -> dict:
    """The valid settings with so many seeds and the primary questions of those arms."""
    settings = {**copy.deepcopy(VALID), "seeds": list(seeds)}
    for arm, questions in against.items():
        settings["arms"][arm]["against"] = questions
    return settings


def test_a_primary_question_is_of_the_largest_number_of_people_that_both_arms_learn(write, tmp_path):
    settings = asking(transfer={"scratch_control": "Monkeys?", "third": "Heads?", "benchmark": "Many people?"})
    settings["arms"]["transfer"]["images"] = [5, 10, 20]
    settings["arms"]["third"] = {"learns": "target", "images": [5, 10, 40], "init": "scratch"}
    write("study", settings)
    found = load_profile("study", tmp_path).questions
    assert {question.b: question for question in found} == {
        "scratch_control": ("transfer", "scratch_control", 20, 20, "Monkeys?"),
        "third": ("transfer", "third", 10, 10, "Heads?"),
        "benchmark": ("transfer", "benchmark", 20, 100, "Many people?"),
    }


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
SAME_PEOPLE = "expected two arms that learn the target and have a number of images in common, or the benchmark"


@pytest.mark.parametrize(
    "settings, told",
    [
        (
            asking(transfer={"nobody": "?"}),
            f"transfer.against.nobody: arm 'nobody' is unknown .*; expected one of {KNOWN}",
        ),
        (
            asking(transfer={"transfer": "?"}),
            f"transfer.against.transfer: .* or the arm itself; expected one of {KNOWN}",
        ),
        (asking(transfer={"baseline": "?"}), f"'transfer' and 'baseline' do not learn the same people; {SAME_PEOPLE}"),
        (asking(baseline={"transfer": "?"}), f"'baseline' and 'transfer' do not learn the same people; {SAME_PEOPLE}"),
        (
            asking(baseline={"benchmark": "?"}),
            f"'baseline' and 'benchmark' do not learn the same people; {SAME_PEOPLE}",
        ),
        (
            asking((4,), transfer={"scratch_control": "?"}),
            "against.scratch_control: .* at least 3 seeds, .* found 1: give",
        ),
        (asking((4, 5), transfer={"scratch_control": "?"}), "at least 3 seeds, .* found 2: give more seeds, or remove"),
        (asking(transfer={"scratch_control": 5}), "key 'arms.transfer.against.scratch_control': .* string .found 5."),
        (asking(transfer={"scratch_control": ""}), "key 'arms.transfer.against.scratch_control': .*at least 1 char"),
        (
            asking(transfer=["scratch_control"]),
            "key 'arms.transfer.against': .* dictionary .found .'scratch_control'..",
        ),
        (
            asking(transfer={"scratch_control": "?"}, scratch_control={"transfer": "?"}),
            "against.scratch_control: this pair is asked both ways|against.transfer: this pair is asked both ways",
        ),
        (changed("ceiling", 0), "key 'ceiling': .* greater than 0 .found 0."),
        (changed("ceiling", 100.5), "key 'ceiling': .* less than or equal to 100 .found 100.5."),
        (changed("margin", 0), "key 'margin': expected points of PCK above 0 and below 100, .*found 0."),
        (changed("margin", -2.0), "key 'margin': expected points of PCK above 0 .*found -2.0."),
        (changed("margin", float("nan")), "key 'margin': expected points of PCK above 0 .*found nan."),
        (changed("margin", float("inf")), "key 'margin': expected points of PCK .* below 100, .*found inf."),
        (changed("margin", True), "key 'margin': expected points of PCK .*found True."),
        (changed("margin", "two"), "key 'margin': expected points of PCK .*found 'two'."),
    ],
)
def test_questions_that_no_study_could_answer_are_refused(write, tmp_path, settings, told):
    write("study", settings)
    said = message(tmp_path)
    assert said.startswith(f"{tmp_path / 'study.yaml'}: ")
    assert re.search(told, said)


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
    assert f"'transfer' and 'third' do not learn the same people; {SAME_PEOPLE}" in message(tmp_path)


def test_an_inherited_question_that_is_null_is_not_asked(write, tmp_path):
    write("base", asking(transfer={"scratch_control": "Monkeys?", "benchmark": "Many people?"}))
    write("study", {"extends": "base", "arms": {"transfer": {"against": {"benchmark": None}}}})
    write("other", {"extends": "base", "arms": {"transfer": {"against": {"benchmark": "Others?"}}}})
    assert [question.b for question in load_profile("study", tmp_path).questions] == ["scratch_control"]
    assert {q.b: q.text for q in load_profile("other", tmp_path).questions}["benchmark"] == "Others?"


def test_a_question_of_an_arm_without_weights_is_not_asked(write, tmp_path, monkeypatch):
    monkeypatch.delenv(IMAGENET_VARIABLE, raising=False)
    monkeypatch.setenv("MONKEY_TRANSFER_DATA", str(tmp_path))
    settings = asking(transfer={"scratch_control": "Monkeys?", "imagenet_control": "Photographs?"})
    optional = {**VALID["arms"]["scratch_control"], "init": "imagenet", "optional": True}
    settings["arms"]["imagenet_control"] = {**optional, "against": {"scratch_control": "Anything?"}}
    write("study", settings)
    assert [(q.a, q.b) for q in load_profile("study", tmp_path).questions] == [("transfer", "scratch_control")]
    monkeypatch.setenv(IMAGENET_VARIABLE, "somewhere.ckpt")
    assert len(load_profile("study", tmp_path).questions) == 3


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


@pytest.mark.parametrize(
    "key, value, named, told",
    [
        ("iteration", 5, "'iteration'", "unknown"),
        ("training.iteration", 5, "training.iteration'", "unknown"),
        ("source.data.image", 5, "'source.data.image'", "unknown"),
        ("title", MISSING, "'title'", "required"),
        ("training.iterations", "many", "training.iterations'", "found 'many'"),
        ("source.data.images", 0, "'source.data.images'", "greater than 0"),
        ("source.data.format", "csv", "'source.data'", "'lsp'"),
        ("source.data", {**DLC, "skeleton": "y"}, "'source.data.skeleton'", "found 'y'"),
        ("source.data", {**DLC, "keypoints": {"knee": 5}}, "'source.data.keypoints.knee'", "found 5"),
        ("source.data", {**DLC, "keypoints": ["knee"]}, "'source.data.keypoints'", "found ['knee']"),
        ("picture.size", -5, "'picture.size'", "found -5"),
        ("arms.transfer.frozen", -1, "'arms.transfer.frozen'", "found -1"),
        ("arms.transfer.frozen", "block9", "'arms.transfer'", "has no block 'block9'; expected 0 to"),
        ("arms.transfer.init", "zoo", "'arms.transfer.init'", "found 'zoo'"),
        ("arms.transfer.init", "arm:nobody", "arms.transfer.init", "'nobody' is unknown"),
        ("arms.transfer.training", 3, "'arms.transfer.training'", "found 3"),
        ("arms.transfer.training", {"net_type": "resnet_50"}, "arms.transfer.init", "expected the resnet_50"),
        ("arms.transfer", "scratch", "'arms.transfer'", "found 'scratch'"),
        ("arms.transfer", MISSING, "'arms'", "'transfer' is missing"),
        ("arms.baseline.init", "arm:transfer", "arms.baseline.init", "baseline -> transfer -> baseline"),
        ("arms.baseline.init", "arm:baseline", "arms.baseline.init", "baseline -> baseline"),
        ("arms", ["baseline"], "'arms'", "mappings"),
        ("training", 3, "'training'", "mappings"),
        ("training.multi_step", [[0.1, 50]], "training'", "ends at iteration 50, before iterations 100"),
        ("training.multi_step", [[0.1, 200], [0.01, 100]], "training'", "rising last iterations"),
        ("training.multi_step", [], "training'", "rising last iterations"),
        ("seeds", [], "'seeds'", "at least one seed"),
        ("seeds", [1, 1], "'seeds'", "each once"),
    ],
)
def test_what_is_wrong_is_named_with_its_file_and_key(write, tmp_path, key, value, named, told):
    write("study", changed(key, value))
    said = message(tmp_path)
    assert said.startswith(f"{tmp_path / 'study.yaml'}: ")
    assert named in said
    assert told in said
    assert len(said) - len(str(tmp_path)) < 250


def test_an_arm_that_starts_from_itself_by_way_of_others_is_named_with_the_way(write, tmp_path):
    settings = changed("arms.baseline.init", "arm:third")
    settings["arms"]["third"] = {"learns": "source", "images": 5, "init": "arm:transfer"}
    write("study", settings)
    assert "baseline -> third -> transfer -> baseline" in message(tmp_path)


def test_a_missing_profile_names_those_that_are_there(write, tmp_path):
    write("one", VALID)
    write("two", VALID)
    said = message(tmp_path, "three")
    assert said == f"profile 'three' is unknown: expected one of one, two ({tmp_path / 'three.yaml'})"


@pytest.mark.parametrize("text", ["title: [open", "\ttitle: x", "a: b: c"])
def test_a_file_that_is_not_yaml_is_named(write, tmp_path, text):
    write("study", text)
    assert message(tmp_path).startswith(f"{tmp_path / 'study.yaml'}: not valid YAML")


@pytest.mark.parametrize("text", ["", "- a\n- b", "just words"])
def test_a_file_without_keys_is_named(write, tmp_path, text):
    write("study", text)
    assert message(tmp_path).startswith(f"{tmp_path / 'study.yaml'}: expected keys and values")


def test_extending_profiles_in_a_circle_is_an_error(write, tmp_path):
    for name, base in (("study", "other"), ("other", "study")):
        write(name, {**VALID, "extends": base})
    assert "'extends' leads back to study" in message(tmp_path)


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
    from pathlib import Path

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
    assert profile.validation_size("transfer") == profile.validation_size("scratch_control") == held_out
    assert profile.validation_size("baseline") == 50


def test_profiles_are_listed_by_name():
    assert set(profile_names()) == {file.stem for file in CONFIG.glob("*.yaml")}
