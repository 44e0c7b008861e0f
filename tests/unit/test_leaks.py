"""The leak audit of a study: it sees training and validation people of every seed, of an arm and its ancestors."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from monkey_transfer.datasets.base import Dataset
from monkey_transfer.measure.leaks import alike_elsewhere, alike_elsewhere_of, audited, may_have_seen, why_it_may_know
from monkey_transfer.profiles.profile import Profile
from monkey_transfer.skeletons import LSP_14
from monkey_transfer.study.opening import Study
from monkey_transfer.study.runs import Best

DATA = {"format": "synthetic", "species": "human", "images": 40}
SMALL = {"net_type": "mobilenet_v2_0.35", "iterations": 9, "multi_step": [[0.001, 9]], "global_scale": 1.0}
ARMS = {
    "baseline": {"learns": "source", "images": 5, "init": "scratch", "training": SMALL},
    "benchmark": {"learns": "target", "images": 12, "init": "scratch", "training": SMALL},
    "transfer": {"learns": "target", "images": (2, 4), "init": "arm:baseline", "training": SMALL},
    "scratch_control": {"learns": "target", "images": 4, "init": "scratch", "training": SMALL},
}
ON_PEOPLE = {"baseline": 0, "benchmark": 1, "transfer": 1, "scratch_control": 1}
ON_MONKEYS = {"baseline": 1, "benchmark": 0, "transfer": 1, "scratch_control": 0}


def noise(folder: Path, name: str, pictures: int, seed: int) -> Dataset:
    """Pictures of noise, two of each group, that nobody is labelled in."""
    rng = np.random.default_rng(seed)
    ids = [f"{name}{number:02d}" for number in range(pictures)]
    for image_id in ids:
        Image.fromarray(rng.integers(0, 256, (32, 32), dtype=np.uint8)).save(folder / f"{image_id}.png")
    images = pd.DataFrame(
        {
            "image_id": ids,
            "path": [str(folder / f"{image_id}.png") for image_id in ids],
            "group": [f"{name}-video{number // 2}" for number in range(pictures)],
        }
    )
    lengths = pd.DataFrame({"image_id": ids, "name": "head_size", "length": 9.0})
    return Dataset(name, LSP_14, images, pd.DataFrame({"image_id": []}), lengths)


@pytest.fixture
def opened(tmp_path) -> Study:
    """A study of two seeds on noise, whose splits and draws are its own."""
    profile = Profile(
        name="leaks",
        title="Leaks",
        source={"data": {**DATA, "species": "macaque"}, "test": 4},
        target={"data": DATA, "test": 3},
        elsewhere={"data": {**DATA, "seed": 1}, "test": 4, "yardstick": "torso"},
        picture={"framing": "whole", "size": 160},
        yardstick="head_size",
        smallest_validation=4,
        arms=ARMS,
        seeds=(0, 1),
    )
    sets = {"source": 30, "target": 40, "elsewhere": 4}
    source, target, elsewhere = (noise(tmp_path, name, n, seed) for seed, (name, n) in enumerate(sets.items()))
    return Study(profile, source, target, elsewhere)


def falsified(study: Study, role: str, seed: int, **parts: tuple[str, ...]) -> Study:
    """The study with another draw of one seed, whatever its split says."""
    draws = {name: dict(of_seeds) for name, of_seeds in study.draws.items()}
    draws[role][seed] = replace(draws[role][seed], **parts)
    changed = replace(study)
    changed.__dict__["draws"] = draws
    return changed


def learnt(study: Study, role: str) -> set[str]:
    """All that any arm learns or is stopped by with any of the seeds."""
    sizes = {"source": 5, "target": 12}
    draws = study.draws[role].values()
    return {image_id for draw in draws for image_id in (*draw.train[: sizes[role]], *draw.validation)}


def copied(study: Study, original: str, copy: str) -> None:
    """Make the second picture a copy of the first one."""
    paths = pd.concat([data.images for data in (study.source, study.target, study.elsewhere)])
    paths = paths.set_index("image_id")["path"]
    shutil.copyfile(paths[original], paths[copy])


def test_draws_of_a_study_do_not_leak(opened):
    table = audited(opened)
    assert table["arm"].tolist() == list(ARMS)
    assert (table["test_people"] == 3).all()
    assert not table[["trained_on", "shared_group", "near_duplicates", "may_have_seen"]].to_numpy().any()
    assert may_have_seen(table) == {}


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("part", ["train", "validation"])
def test_people_whom_one_seed_learns_or_is_stopped_by_count(opened, seed, part):
    tested = opened.splits["target"].test[0]
    _, *others = getattr(opened.draw("target", seed), part)
    table = audited(falsified(opened, "target", seed, **{part: (tested, *others)})).set_index("arm")
    assert table["trained_on"].to_dict() == ON_PEOPLE
    assert table["near_duplicates"].to_dict() == ON_PEOPLE


@pytest.mark.parametrize("place, arms", [(3, ON_PEOPLE), (4, {**dict.fromkeys(ARMS, 0), "benchmark": 1})])
def test_an_arm_is_held_for_its_largest_number_of_people(opened, place, arms):
    tested, train = opened.splits["target"].test[0], opened.draw("target", 1).train
    table = audited(falsified(opened, "target", 1, train=(*train[:place], tested, *train[place + 1 :])))
    assert table.set_index("arm")["trained_on"].to_dict() == arms


def test_a_video_that_is_tested_and_validated_counts(opened):
    """The test is full after one of two people of a video; the split drops the other."""
    video = opened.target.images.set_index("image_id")["group"]
    split = opened.splits["target"]
    (dropped,) = set(video.index[video.isin(video[list(split.test)])]) - set(split.test)
    validation = (*opened.draw("target", 1).validation[:-1], dropped)
    table = audited(falsified(opened, "target", 1, validation=validation)).set_index("arm")
    assert table["shared_group"].to_dict() == ON_PEOPLE
    assert not table[["trained_on", "near_duplicates"]].to_numpy().any()


@pytest.mark.parametrize("role, arms", [("source", ON_MONKEYS), ("target", ON_PEOPLE)])
def test_a_copy_of_a_test_person_counts_where_one_seed_is_stopped_by_it(opened, role, arms):
    tested = opened.splits["target"].test[2]
    alone = set(opened.draw(role, 1).validation) - learnt(falsified(opened, role, 1, validation=()), role)
    copied(opened, tested, min(alone))
    table = audited(opened).set_index("arm")
    assert table["near_duplicates"].to_dict() == arms
    assert not table[["trained_on", "shared_group"]].to_numpy().any()


def test_a_copy_that_nobody_learns_does_not_count(opened):
    unread = set(opened.target.images["image_id"]) - learnt(opened, "target") - set(opened.splits["target"].test)
    copied(opened, opened.splits["target"].test[0], min(unread))
    assert (audited(opened)["near_duplicates"] == 0).all()


def test_a_network_from_elsewhere_may_know_everybody_and_so_may_what_starts_from_it(opened):
    zoo = {"learns": "nothing", "init": "zoo:full_human", "training": {"net_type": "resnet_101"}}
    resnet = {**SMALL, "net_type": "resnet_101"}
    arms = {
        **ARMS,
        "benchmark": zoo,
        "transfer": {**ARMS["transfer"], "init": "arm:benchmark", "training": resnet},
        "imagenet_control": {**ARMS["scratch_control"], "init": "imagenet"},
    }
    profile = Profile(**{**opened.profile.model_dump(), "arms": arms})
    table = audited(replace(opened, profile=profile)).set_index("arm")
    seen = {"baseline": 0, "benchmark": 3, "transfer": 3, "scratch_control": 0, "imagenet_control": 0}
    assert table["may_have_seen"].to_dict() == seen
    assert may_have_seen(table.reset_index()).keys() == {"benchmark", "transfer"}
    assert "maybe the test people" in table.loc["transfer", "note"]


@pytest.mark.parametrize("network", ["efficientpose_rt_lite", "blazepose_full"])
@pytest.mark.parametrize(
    "people, known", [("lsp", {"blazepose_full"}), ("mpii", {"blazepose_full", "efficientpose_rt_lite"})]
)
def test_whom_a_network_from_elsewhere_may_know_depends_on_where_the_people_are_from(opened, network, people, known):
    finished = {"learns": "nothing", "init": f"zoo:{network}", "training": {"engine": "tflite", "net_type": network}}
    data = {"format": people, "folder": people}
    settings = {**opened.profile.model_dump(), "arms": {**ARMS, "benchmark": finished}}
    settings["target" if people == "lsp" else "elsewhere"]["data"] = data
    study = replace(opened, profile=Profile(**settings))
    role, other = ("target", "elsewhere") if people == "lsp" else ("elsewhere", "target")
    assert bool(why_it_may_know(study, "benchmark", role)) == (network in known)
    assert why_it_may_know(study, "benchmark", other) == []  # drawn by a computer
    assert audited(study).set_index("arm")["may_have_seen"]["benchmark"] == 3 * (role == "target" and network in known)
    own = replace(study, profile=study.profile.model_copy(update={"own_data": True}))
    assert bool(why_it_may_know(own, "benchmark", role)) == (role == "elsewhere" and network in known)


@pytest.mark.parametrize("role, arms", [("source", ON_MONKEYS), ("target", ON_PEOPLE)])
def test_copies_of_people_elsewhere_are_looked_for_among_all_that_an_arm_learnt(opened, role, arms):
    assert alike_elsewhere(opened).to_dict() == dict.fromkeys(ARMS, 0)
    alone = set(opened.draw(role, 1).validation) - learnt(falsified(opened, role, 1, validation=()), role)
    copied(opened, "elsewhere03", min(alone))
    assert alike_elsewhere(opened).to_dict() == arms


def test_copies_of_what_one_run_or_its_source_learnt_are_counted(opened):
    few, many = (opened.runs_of("transfer", 0, images)[0] for images in (2, 4))
    assert [alike_elsewhere_of(opened, run) for run in (few, many)] == [0, 0]
    draw = opened.draw("target", 0)
    copied(opened, "elsewhere03", draw.train[3])  # of the larger set alone
    assert [alike_elsewhere_of(opened, run) for run in (few, many)] == [0, 1]
    copied(opened, "elsewhere02", draw.validation[0])
    copied(opened, "elsewhere01", opened.draw("source", 0).train[4])
    assert [alike_elsewhere_of(opened, run) for run in (few, many)] == [2, 3]
    assert alike_elsewhere_of(opened, opened.runs_of("scratch_control", 0)[0]) == 2
    everybody = Best(many.profile, many.arm, many.images, many.seed)
    copied(opened, "elsewhere00", opened.splits["target"].test[0])
    assert [alike_elsewhere_of(opened, run) for run in (many, everybody)] == [3, 4]


def test_what_a_finished_network_learnt_cannot_be_looked_at(opened):
    zoo = {"learns": "nothing", "init": "zoo:full_human", "training": {"net_type": "resnet_101"}}
    profile = Profile(**{**opened.profile.model_dump(), "arms": {**ARMS, "benchmark": zoo}})
    counts = alike_elsewhere(replace(opened, profile=profile))
    assert counts.index.tolist() == list(ARMS)
    assert counts.isna().to_dict() == {arm: arm == "benchmark" for arm in ARMS}
    assert alike_elsewhere_of(replace(opened, profile=profile), opened.runs_of("benchmark", 0)[0]) is None
