"""A training is what its job and its seed say: initial weights, batches, rates, what is frozen, and how it goes on."""

import json
import math
import shutil

import numpy as np
import pytest
import tensorflow as tf
from bad_input import refused
from hypothesis import given
from hypothesis import strategies as st

from monkey_transfer.errors import StudyError
from monkey_transfer.networks.engine import StopRule
from monkey_transfer.networks.job import JobFolder
from monkey_transfer.networks.tensorflow.settings import BLOCKS, TensorFlowTraining

NO_HEADS, ALL_HEADS = (None, None, None), (0, 1, 2)


@pytest.fixture(scope="module")
def trainer(write_job, open_trainer, tmp_path_factory):
    """The small MobileNet's trainer with seed 0, for tests that leave no trace but weights."""
    with open_trainer(write_job(tmp_path_factory.mktemp("trainer"))) as trainer:
        yield trainer


def weights(trainer) -> dict[str, np.ndarray]:
    names = [variable.op.name for variable in trainer.network.network_variables]
    return dict(zip(names, trainer.network.session.run(trainer.network.network_variables), strict=True))


def stored(checkpoint) -> dict[str, np.ndarray]:
    reader = tf.train.load_checkpoint(str(checkpoint))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def save(checkpoint, arrays: dict[str, np.ndarray]) -> None:
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        saver = tf.compat.v1.train.Saver({name: tf.compat.v1.Variable(array) for name, array in arrays.items()})
        session.run(tf.compat.v1.global_variables_initializer())
        saver.save(session, str(checkpoint), write_meta_graph=False, write_state=False)


# the seed


def test_the_seed_fixes_initial_weights_and_batches(trainer, write_job, open_trainer, finished, tmp_path):
    from monkey_transfer.networks.tensorflow.trainer import DIGEST_BATCHES, batch_digest

    def started(trainer, seed: int):
        trainer.network.initialise()
        return weights(trainer), batch_digest(trainer.network.dataset, seed, DIGEST_BATCHES)

    first, digest = started(trainer, 0)
    with open_trainer(write_job(tmp_path / "same", seed=0)) as same:
        again, digest_again = started(same, 0)
    with open_trainer(write_job(tmp_path / "other", seed=1)) as different:
        other, other_digest = started(different, 1)

    np.testing.assert_equal(again, first)
    random = [name for name in first if name.endswith("weights")]
    assert len(random) > 40
    assert not any(np.array_equal(other[name], first[name]) for name in random)
    in_another_process = json.loads(finished.outcome.read_text())["first_batches_digest"]
    assert digest == digest_again == in_another_process != other_digest


def test_a_batch_depends_on_seed_and_iteration_alone(trainer):
    from monkey_transfer.networks.loop import drawn_ahead
    from monkey_transfer.networks.tensorflow.trainer import seeded_batch

    drawn_ahead = [
        batch[key]
        for batch in drawn_ahead(lambda i: seeded_batch(trainer.network.dataset, 5, i), 3, 7, 1)
        for key in trainer.network.inputs
    ]
    np.random.rand(3)  # noqa: NPY002
    backwards = [seeded_batch(trainer.network.dataset, 5, i) for i in (6, 5, 4, 3)]
    np.testing.assert_equal(
        drawn_ahead, [batch[key] for batch in reversed(backwards) for key in trainer.network.inputs]
    )
    assert len({batch[next(iter(trainer.network.inputs))].mean() for batch in backwards}) == 4


def test_effects_that_imgaug_does_not_have(write_job, open_trainer, tmp_path):
    for what, emboss in {
        "an effect's key that is none": {"depth": 1.0},
        "an effect beyond its bounds": {"alpha": -5.0},
    }.items():
        job = write_job(tmp_path / what, augmentation={"convolution": {"emboss": emboss, "embossratio": 0.1}})
        with refused("profile", what, match="augmentation: .* cannot be used: "), open_trainer(job):
            pass


# the schedule and the stop rule


@given(steps=st.lists(st.tuples(st.floats(1e-6, 1), st.integers(1, 40)), min_size=1, max_size=5))
def test_the_rate_is_that_of_deeplabcut_asked_in_turn(steps):
    from deeplabcut.pose_estimation_tensorflow.core.train import LearningRate

    ends = np.cumsum([length for _, length in steps]).tolist()
    multi_step = [(rate, end) for (rate, _), end in zip(steps, ends, strict=True)]
    training = TensorFlowTraining(iterations=ends[-1], multi_step=multi_step)
    theirs = LearningRate({"multi_step": multi_step})
    for iteration in range(training.iterations):
        assert training.rate(iteration) == theirs.get_lr(iteration)


@pytest.mark.parametrize(
    "errors, rule, flat",
    [
        ([9, 5, 5, 5], "validation_plateau", True),
        ([9, 5, 5], "validation_plateau", False),
        ([9, 5, 5, 4], "validation_plateau", False),
        ([9, 5, 4.97, 4.96], "validation_plateau", True),  # less than 1 % better
        ([5, 6, 7, 4], "validation_plateau", False),
        ([9, 5, 5, 5], "training_loss_plateau", False),
        ([9, 5, 5, 5], "none", False),
    ],
)
def test_training_stops_when_its_curve_is_flat(errors, rule, flat):
    from monkey_transfer.networks.loop import plateau

    curve = [{"validation_error": error, "training_loss": 0.5**i} for i, error in enumerate(errors)]
    assert plateau(curve, StopRule(rule=rule, patience=2, min_improvement=0.01)) == (rule if flat else "")


# the snapshot that is kept


NAN = math.nan


@pytest.fixture(scope="module")
def short_trainer(write_job, open_trainer, tmp_path_factory):
    """A trainer that validates after each of its four iterations."""
    job = write_job(tmp_path_factory.mktemp("short"), iterations=4, validate_every=1, batch_size=1)
    with open_trainer(job) as trainer:
        yield trainer


@pytest.mark.parametrize(
    "keeps, errors, scores, chosen",
    [
        ("best", [4.0, 1.0, 3.0, 2.0], [10.0, 20.0, 40.0, 30.0], 3),  # by the score, not by the error
        ("best", [4.0, 3.0, 1.0, 2.0], [10.0, 30.0, 30.0, 30.0], 3),  # of equal scores by the error
        ("best", [1.0, 1.0, 1.0, 1.0], [10.0, 30.0, 30.0, 30.0], 2),  # of equal ones the first
        ("best", [4.0, 2.0, 1.0, 3.0], [NAN, NAN, NAN, NAN], 3),  # where nothing is scored by the error alone
        ("last", [1.0, 2.0, 3.0, 4.0], [40.0, 30.0, 20.0, 10.0], 4),
    ],
    ids=["score", "error", "first", "unscored", "last"],
)
def test_a_run_keeps_the_snapshot_with_the_best_score(short_trainer, keeps, errors, scores, chosen):
    from monkey_transfer.networks.loop import Validation, curve_table

    trainer, found = short_trainer, map(Validation, errors, scores)
    shutil.rmtree(trainer.resume, ignore_errors=True)
    trainer.network.job = trainer.network.job.model_copy(update={"keeps": keeps})
    with trainer.network.session.graph.as_default():
        outcome = trainer.run(lambda: next(found))
    assert outcome.chosen_iteration == chosen
    assert outcome.validation_error == errors[chosen - 1]
    np.testing.assert_equal(outcome.validation_score, scores[chosen - 1])
    assert {file.stem for file in trainer.network.project.folder.rglob("snapshot-*.index")} == {f"snapshot-{chosen}"}
    np.testing.assert_equal(curve_table(trainer.resume)["validation_score"].tolist(), scores)


@given(
    found=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=8),
    scored=st.booleans(),
)
def test_no_validation_was_better_than_the_one_that_is_kept(found, scored):
    from monkey_transfer.networks.loop import best_of

    curve = [{"validation_error": error, "validation_score": score if scored else math.nan} for error, score in found]
    best = best_of(curve)
    if scored:
        assert best["validation_score"] == max(score for _, score in found)
        assert best["validation_error"] == min(error for error, score in found if score == best["validation_score"])
    else:
        assert best["validation_error"] == min(error for error, _ in found)
    assert next(row for row in curve if row == best) is best


# what is restored and what is frozen


@pytest.mark.parametrize("heads", [NO_HEADS, ALL_HEADS, (2, None, 0)])
def test_what_is_restored_is_counted_and_is_the_checkpoints(trainer, snapshot, heads):
    """Joint by joint: a score map is one channel, a location map two, side by side."""
    from monkey_transfer.networks.tensorflow.initialisation import is_backbone, restore

    theirs = stored(snapshot)
    with trainer.network.session.graph.as_default():
        trainer.network.initialise()
        expected = weights(trainer)
        restored = restore(trainer.network.session, trainer.network.network_variables, str(snapshot), heads)
    for name, array in expected.items():
        if is_backbone(name):
            expected[name] = theirs[name]
            continue
        channels = {"part_pred": 1, "locref_pred": 2}[name.split("/")[1]]
        rows = (slice(None),) * 2 if array.ndim == 4 else ()
        for joint, taken in enumerate(heads):
            for channel in range(channels):
                if taken is not None:
                    array[(*rows, joint * channels + channel)] = theirs[name][(*rows, taken * channels + channel)]
    np.testing.assert_equal(weights(trainer), expected)
    backbone = sum(map(is_backbone, theirs))
    assert (restored.backbone, restored.backbone_total) == (backbone, backbone)
    assert (restored.heads, restored.heads_total) == (0 if heads == NO_HEADS else 4, 4)
    assert (restored.joints, restored.joints_total) == (sum(head is not None for head in heads), 3)


def test_heads_come_from_a_network_with_more_joints(trainer, snapshot, tmp_path):
    from monkey_transfer.networks.tensorflow.initialisation import is_backbone, restore

    theirs = stored(snapshot)
    wider = {
        name: array
        if is_backbone(name)
        else np.concatenate([array + 1, array, array], axis=0 if array.ndim == 1 else 2)
        for name, array in theirs.items()
    }
    save(tmp_path / "wider", wider)
    with trainer.network.session.graph.as_default():
        restore(trainer.network.session, trainer.network.network_variables, str(tmp_path / "wider"), (3, 4, 8))
    ours = weights(trainer)["pose/part_pred/block4/biases"]
    np.testing.assert_equal(ours, theirs["pose/part_pred/block4/biases"])


def test_nothing_is_restored_without_a_checkpoint(trainer):
    from monkey_transfer.networks.tensorflow.initialisation import restore

    with trainer.network.session.graph.as_default():
        restored = restore(trainer.network.session, trainer.network.network_variables, None, NO_HEADS)
    assert (restored.checkpoint, restored.backbone, restored.heads, restored.joints) == (None, 0, 0, 0)


def test_a_checkpoint_of_another_backbone_is_told_by_its_names_alone(snapshot, tmp_path):
    from monkey_transfer.networks.tensorflow.initialisation import refuse_other_backbone

    save(tmp_path / "resnet", {"resnet_v1_101/conv1/weights": np.zeros((7, 7, 3, 64), np.float32)})
    refuse_other_backbone(str(snapshot), "mobilenet_v2_0.35")
    refuse_other_backbone(str(tmp_path / "resnet"), "resnet_101")
    for checkpoint, net_type in ((snapshot, "resnet_50"), (tmp_path / "resnet", "resnet_50")):
        with pytest.raises(StudyError, match="holds no variable of resnet_50 .*so nothing would be restored"):
            refuse_other_backbone(str(checkpoint), net_type)


@pytest.mark.parametrize(
    "what, cut", [("its values are cut", ".data-00000-of-00001"), ("its list of variables is cut", ".index")]
)
def test_damage_is_told_before_any_training(snapshot, tmp_path, what, cut):
    from monkey_transfer.networks.tensorflow.initialisation import refuse_other_backbone

    for part in (".index", ".data-00000-of-00001"):
        shutil.copy(f"{snapshot}{part}", tmp_path / f"cut.ckpt{part}")
    damaged = tmp_path / f"cut.ckpt{cut}"
    damaged.write_bytes(damaged.read_bytes()[: damaged.stat().st_size // 2])
    with refused("weights", what, match="cut.ckpt cannot be read, expected a whole one"):
        refuse_other_backbone(str(tmp_path / "cut.ckpt"), "mobilenet_v2_0.35")


def test_a_file_of_another_framework_is_no_checkpoint(tmp_path):
    from monkey_transfer.networks.tensorflow.initialisation import refuse_other_backbone

    (tmp_path / "net.pth").write_bytes(b"PK\3\4" + bytes(100))
    with refused(
        "weights", "a file of another framework", match="expected a whole one of Tens.* .not an sstable .bad mag"
    ):
        refuse_other_backbone(str(tmp_path / "net.pth"), "mobilenet_v2_0.35")


def test_a_checkpoint_that_does_not_fit_is_one_sentence(trainer, snapshot, tmp_path):
    from monkey_transfer.networks.tensorflow.initialisation import restore

    theirs = stored(snapshot)
    save(tmp_path / "resnet", {"resnet_v1_50/conv1/weights": np.zeros((7, 7, 3, 64), np.float32)})
    save(tmp_path / "wider", {**theirs, "MobilenetV2/Conv/weights": np.zeros((3, 3, 3, 32), np.float32)})
    save(tmp_path / "joints", {**theirs, "pose/part_pred/block4/biases": np.zeros(14, np.float32)})
    weights_of_heads = "pose/part_pred/block4/weights"
    save(tmp_path / "few", {**theirs, weights_of_heads: theirs[weights_of_heads][:, :, :2]})
    for name, cut in (("cut_index", ".index"), ("cut_data", ".data-00000-of-00001")):
        for part in (".index", ".data-00000-of-00001"):
            shutil.copy(f"{snapshot}{part}", tmp_path / f"{name}{part}")
        whole = (tmp_path / f"{name}{cut}").read_bytes()
        (tmp_path / f"{name}{cut}").write_bytes(whole[: len(whole) // 2])
    shutil.copy(f"{snapshot}.index", tmp_path / "no_data.index")
    (tmp_path / "no_checkpoint.index").write_bytes(b"something else")

    with trainer.network.session.graph.as_default():
        for name, heads, told in (
            ("resnet", NO_HEADS, "not at all, expected shape [3, 3, 3, 16]; name a checkpoint of the same backbone"),
            ("wider", NO_HEADS, "'MobilenetV2/Conv/weights' in shape [3, 3, 3, 32], expected shape [3, 3, 3, 16]"),
            ("joints", ALL_HEADS, "'pose/part_pred/block4/biases' in shape [14], expected shape [3]"),
            ("few", ALL_HEADS, "in shape [3, 3, 2, 1280], expected shape [3, 3, 3, 1280]"),
            ("nowhere", NO_HEADS, "is missing: expected the files nowhere.index"),
            ("cut_index", NO_HEADS, "cannot be read"),
            ("cut_data", NO_HEADS, "cannot be read"),
            ("no_data", NO_HEADS, "is missing: expected the files no_data.index"),
            ("no_checkpoint", NO_HEADS, "is missing: expected the files no_checkpoint.index"),
        ):
            with pytest.raises(StudyError) as error:
                restore(trainer.network.session, trainer.network.network_variables, str(tmp_path / name), heads)
            assert str(error.value).startswith(f"checkpoint {tmp_path / name} ")
            assert told in str(error.value)
            assert "\n" not in str(error.value)
        restore(trainer.network.session, trainer.network.network_variables, str(tmp_path / "joints"), NO_HEADS)


def test_a_validation_error_that_is_no_number_ends_the_training(trainer, always):
    told = "validation error is nan at iteration 10: lower the learning rates"
    with trainer.network.session.graph.as_default(), pytest.raises(StudyError, match=told):
        trainer.run(always(error=math.nan))
    assert not list(trainer.network.project.train_config.parent.glob("snapshot-*"))
    assert not trainer.resume.exists()


@pytest.mark.parametrize("frozen", [3, len(BLOCKS["mobilenet"])])
def test_frozen_blocks_stay_as_they_are_and_all_others_move(
    write_job, open_trainer, always, snapshot, tmp_path, frozen
):
    blocks = list(BLOCKS["mobilenet"][:frozen])
    before = stored(snapshot)
    job = write_job(tmp_path, checkpoint=snapshot, heads=ALL_HEADS, frozen=frozen, iterations=5)
    with open_trainer(job) as trainer:
        assert trainer.run(always()).frozen_blocks == blocks
        after = weights(trainer)
    kept = {name for name in after if np.array_equal(after[name], before[name])}
    weights_or_scales = {name for name in after if "moving_" not in name}
    assert kept == {name for name in weights_or_scales if name.split("/")[1] in blocks}


def test_the_blocks_of_a_resnet_are_those_that_profiles_name(finished_resnet):
    snapshot = next(finished_resnet.folder.project.rglob("snapshot-*.index")).with_suffix("")
    found = {name.split("/")[1] for name in stored(snapshot) if name.startswith("resnet_v1_")}
    assert found == set(BLOCKS["resnet"])


def test_a_resnet_from_scratch_needs_calibrated_statistics(finished_resnet):
    """DeepLabCut's ResNets never use a batch's own statistics, and (0, 1) are not those of random weights.

    Calibrated, the first loss is about that of guessing (0.69 for the score map, less where joints are ignored, and
    the offsets' share) and falls; with (0, 1) the same network on the same batch has a loss four orders above it.
    """
    losses = finished_resnet.losses
    assert finished_resnet.outcome.calibrated_layers == 53
    assert losses[0] < 1.5
    assert losses[-1] < losses[0]
    assert not finished_resnet.loss_without_calibration < 100


# going on


def test_a_resumed_training_goes_on_with_schedule_and_optimiser_slots(write_job, open_trainer, always, tmp_path):
    """What a kill between iterations 20 and 30 leaves, gone on with, ends as the whole training: with Adam.

    The same operations on the same numbers: the tolerance is for sums that two threads may add in another order.
    """
    from monkey_transfer.networks.loop import curve_table

    job = write_job(tmp_path / "whole")
    killed = JobFolder(tmp_path / "killed")
    whole: dict[int, float] = {}
    resumed: dict[int, float] = {}

    def validate():
        if len(whole) == 30:
            shutil.copytree(job.path, killed.path)
        return always()()

    with open_trainer(job, whole.__setitem__) as trainer:
        trainer.run(validate)
    with open_trainer(killed, resumed.__setitem__) as trainer:
        outcome = trainer.run(always())

    assert list(resumed) == list(range(21, 41))
    assert resumed == pytest.approx({iteration: whole[iteration] for iteration in resumed}, rel=1e-4)
    assert (outcome.iterations, outcome.chosen_iteration) == (40, 10)
    ours, theirs = curve_table(killed.resume), curve_table(job.resume)
    assert ours["learning_rate"].tolist() == [0.002, 0.002, 0.001, 0.001]
    columns = ["iteration", "training_loss", "validation_error", "validation_score", "learning_rate"]
    np.testing.assert_allclose(ours[columns], theirs[columns], rtol=1e-4)
