"""A training is what its job and its seed say: initial weights, batches, rates, what is frozen, and how it goes on."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from monkey_transfer.errors import StudyError
from monkey_transfer.profiles import StopRule, Training

MOBILENET_BLOCKS = ["Conv", "expanded_conv", *(f"expanded_conv_{i}" for i in range(1, 17)), "Conv_1"]
DEAD_PICTURE_LOSS = 1.0  # several times the loss of guessing; calibrated networks start below it


def weights(trainer) -> dict[str, np.ndarray]:
    names = [variable.op.name for variable in trainer.network_variables]
    return dict(zip(names, trainer.session.run(trainer.network_variables), strict=True))


def stored(checkpoint) -> dict[str, np.ndarray]:
    reader = tf.train.load_checkpoint(str(checkpoint))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def save(checkpoint, arrays: dict[str, np.ndarray]) -> None:
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        saver = tf.compat.v1.train.Saver({name: tf.compat.v1.Variable(array) for name, array in arrays.items()})
        session.run(tf.compat.v1.global_variables_initializer())
        saver.save(session, str(checkpoint), write_meta_graph=False, write_state=False)


# the seed


def test_the_seed_fixes_initial_weights_and_batches(write_job, open_trainer, finished, tmp_path):
    from monkey_transfer.networks.training import DIGEST_BATCHES, batch_digest

    def start(seed: int, attempt: int):
        with open_trainer(write_job(tmp_path / f"{seed}-{attempt}", seed=seed)) as trainer:
            trainer.initialise()
            return weights(trainer), batch_digest(trainer.dataset, seed, DIGEST_BATCHES)

    (first, digest), (again, digest_again), (other, other_digest) = start(0, 1), start(0, 2), start(1, 1)
    np.testing.assert_equal(again, first)
    random = [name for name in first if name.endswith("weights")]
    assert len(random) > 40
    assert not any(np.array_equal(other[name], first[name]) for name in random)
    in_another_process = json.loads(finished.outcome.read_text())["first_batches_digest"]
    assert digest == digest_again == in_another_process != other_digest


def test_a_batch_depends_on_seed_and_iteration_alone(write_job, open_trainer, tmp_path):
    from monkey_transfer.networks.training import prefetched_batches, seeded_batch

    with open_trainer(write_job(tmp_path)) as trainer:
        inputs = [batch[key] for batch in prefetched_batches(trainer.dataset, 5, 3, 7) for key in trainer.inputs]
        np.random.rand(3)  # noqa: NPY002
        alone = [seeded_batch(trainer.dataset, 5, i) for i in (6, 5, 4, 3)][::-1]
        np.testing.assert_equal(inputs, [batch[key] for batch in alone for key in trainer.inputs])
        flat = [batch[next(iter(trainer.inputs))].mean() for batch in alone]
        assert len(set(flat)) == 4


# the schedule and the stop rule


@given(steps=st.lists(st.tuples(st.floats(1e-6, 1), st.integers(1, 40)), min_size=1, max_size=5))
def test_the_rate_is_that_of_deeplabcut_asked_in_turn(steps):
    from deeplabcut.pose_estimation_tensorflow.core.train import LearningRate

    from monkey_transfer.networks.training import learning_rate

    ends = np.cumsum([length for _, length in steps]).tolist()
    multi_step = [(rate, end) for (rate, _), end in zip(steps, ends, strict=True)]
    training = Training(iterations=ends[-1], multi_step=multi_step)
    theirs = LearningRate({"multi_step": multi_step})
    for iteration in range(training.iterations):
        assert learning_rate(training, iteration) == theirs.get_lr(iteration)


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
    from monkey_transfer.networks.training import plateau

    curve = [{"validation_error": error, "training_loss": 0.5**i} for i, error in enumerate(errors)]
    assert plateau(curve, StopRule(rule=rule, patience=2, min_improvement=0.01)) == (rule if flat else "")


# what is restored and what is frozen


def test_restored_variables_are_counted_and_are_those_of_the_checkpoint(write_job, open_trainer, snapshot, tmp_path):
    from monkey_transfer.networks.initialisation import is_backbone, restore

    theirs = stored(snapshot)
    backbone = sum(map(is_backbone, theirs))
    heads = len(theirs) - backbone
    with open_trainer(write_job(tmp_path, seed=1)) as trainer:
        for what, restored_heads in (("backbone", 0), ("all", heads)):
            trainer.initialise()
            before = weights(trainer)
            restored = restore(trainer.session, trainer.network_variables, str(snapshot), what)
            assert (restored.backbone, restored.backbone_total) == (backbone, backbone)
            assert (restored.heads, restored.heads_total) == (restored_heads, heads)
            came = {name: theirs[name] if what == "all" or is_backbone(name) else before[name] for name in before}
            np.testing.assert_equal(weights(trainer), came)
        from_nothing = restore(trainer.session, trainer.network_variables, None, "all")
        assert (from_nothing.backbone, from_nothing.heads, from_nothing.checkpoint) == (0, 0, None)


def test_a_checkpoint_that_does_not_fit_is_one_sentence(write_job, open_trainer, snapshot, tmp_path):
    from monkey_transfer.networks.initialisation import restore

    theirs = stored(snapshot)
    save(tmp_path / "resnet", {"resnet_v1_50/conv1/weights": np.zeros((7, 7, 3, 64), np.float32)})
    save(tmp_path / "wider", {**theirs, "MobilenetV2/Conv/weights": np.zeros((3, 3, 3, 32), np.float32)})
    save(tmp_path / "joints", {**theirs, "pose/part_pred/block4/biases": np.zeros(14, np.float32)})
    for name, cut in (("cut_index", ".index"), ("cut_data", ".data-00000-of-00001")):
        for part in (".index", ".data-00000-of-00001"):
            shutil.copy(f"{snapshot}{part}", tmp_path / f"{name}{part}")
        whole = (tmp_path / f"{name}{cut}").read_bytes()
        (tmp_path / f"{name}{cut}").write_bytes(whole[: len(whole) // 2])
    shutil.copy(f"{snapshot}.index", tmp_path / "no_data.index")
    (tmp_path / "no_checkpoint.index").write_bytes(b"something else")

    with open_trainer(write_job(tmp_path / "job")) as trainer:
        for name, what, told in (
            ("resnet", "backbone", "not at all, expected shape [3, 3, 3, 16]; name a checkpoint of the same backbone"),
            ("wider", "backbone", "'MobilenetV2/Conv/weights' in shape [3, 3, 3, 32], expected shape [3, 3, 3, 16]"),
            ("joints", "all", "'pose/part_pred/block4/biases' in shape [14], expected shape [3]"),
            ("nowhere", "backbone", "is missing: expected the files nowhere.index"),
            ("cut_index", "backbone", "cannot be read"),
            ("cut_data", "backbone", "cannot be read"),
            ("no_data", "backbone", "cannot be read"),
            ("no_checkpoint", "backbone", "cannot be read"),
        ):
            with pytest.raises(StudyError) as error:
                restore(trainer.session, trainer.network_variables, str(tmp_path / name), what)
            assert str(error.value).startswith(f"checkpoint {tmp_path / name} ")
            assert told in str(error.value)
            assert "\n" not in str(error.value)
        restore(trainer.session, trainer.network_variables, str(tmp_path / "joints"), "backbone")


@pytest.mark.parametrize("frozen, blocks", [(3, MOBILENET_BLOCKS[:3]), ("backbone", MOBILENET_BLOCKS)])
def test_frozen_blocks_stay_as_they_are_and_all_others_move(
    write_job, open_trainer, snapshot, tmp_path, frozen, blocks
):
    from monkey_transfer.networks.initialisation import freeze

    before = stored(snapshot)
    job = write_job(tmp_path, checkpoint=snapshot, restore="all", frozen=frozen, iterations=5)
    with open_trainer(job) as trainer:
        assert trainer.run(lambda: 1.0).frozen_blocks == blocks
        after = weights(trainer)
        left = len(MOBILENET_BLOCKS) - len(blocks)
        with pytest.raises(StudyError, match=f"frozen: {left + 1} blocks, but the backbone has {left}"):
            freeze(left + 1)
    kept = {name for name in after if np.array_equal(after[name], before[name])}
    weights_or_scales = {name for name in after if "moving_" not in name}
    assert kept == {name for name in weights_or_scales if name.split("/")[1] in blocks}


def test_a_resnet_from_scratch_needs_calibrated_statistics(write_job, open_trainer, tmp_path):
    """DeepLabCut's ResNets never use a batch's own statistics, and (0, 1) are not those of random weights."""
    from monkey_transfer.networks.training import seeded_batch

    losses: list[float] = []
    job = write_job(tmp_path, net_type="resnet_50", optimizer="sgd", multi_step=[(0.005, 100)], iterations=4)
    with open_trainer(job, lambda _, loss: losses.append(loss)) as trainer:
        outcome = trainer.run(lambda: 1.0)
        trainer.session.run(tf.compat.v1.global_variables_initializer())
        batch = seeded_batch(trainer.dataset, 0, 0)
        feed = {placeholder: batch[name] for name, placeholder in trainer.inputs.items()}
        uncalibrated = trainer.session.run(trainer.loss, feed)
        print(losses, uncalibrated)
    assert outcome.calibrated_layers == 53  # 49 in the blocks, conv1, and 3 more shortcuts... all of a ResNet-50
    assert max(losses) < DEAD_PICTURE_LOSS
    assert not uncalibrated < 100 * DEAD_PICTURE_LOSS


# going on


def test_a_resumed_training_goes_on_with_schedule_and_optimiser_slots(write_job, open_trainer, tmp_path):
    """The second half of an Adam training after a rate change, in a new session, gives the losses of the whole one."""
    from monkey_transfer.networks.training import curve_table

    def train(folder, iterations):
        losses: dict[int, float] = {}
        with open_trainer(write_job(folder, iterations=iterations), losses.__setitem__) as trainer:
            trainer.run(lambda: 1.0)
        return losses, curve_table(trainer.resume)

    whole, whole_curve = train(tmp_path / "whole", 40)
    first, _ = train(tmp_path / "halved", 20)
    second, curve = train(tmp_path / "halved", 40)
    assert list(second) == list(range(21, 41))
    print(max(abs({**first, **second}[i] / whole[i] - 1) for i in whole))
    assert {**first, **second} == pytest.approx(whole, rel=1e-3)
    assert curve["learning_rate"].tolist() == whole_curve["learning_rate"].tolist() == [0.002, 0.002, 0.001, 0.001]
    assert curve["training_loss"].tolist() == pytest.approx(whole_curve["training_loss"].tolist(), rel=1e-3)
