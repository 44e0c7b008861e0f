"""A PyTorch training is what its job and its seed say, and has the same bits however often it was killed."""

import json
import multiprocessing
import os
import shutil
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from bad_input import refused
from test_supervisor import is_training, iterations_saved, wait_for
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode

from monkey_transfer.errors import StudyError
from monkey_transfer.networks import child
from monkey_transfer.networks.job import JobFolder
from monkey_transfer.networks.loop import drawn_ahead
from monkey_transfer.networks.pytorch.batches import Batch, Batches
from monkey_transfer.networks.pytorch.model import HEAD, blocks_of
from monkey_transfer.networks.pytorch.prediction import normalised, poses_of
from monkey_transfer.networks.pytorch.settings import BACKBONES, Warping
from monkey_transfer.networks.pytorch.trainer import WORKERS, PyTorchNetwork, use_the_machine
from monkey_transfer.networks.pytorch.weights import read_tensors

NO_HEADS, ALL_HEADS = (None, None, None), (0, 1, 2)
AS_THEY_ARE = Warping(rotation=0, any_angle=0, scaling=0, shift=0, flip=0, brightness=0, cutout=0)
DECONVOLUTION = {"net_type": "resnet_18", "head": {"kind": "deconvolution"}}
SEED = 4


@pytest.fixture
def write(write_job, tmp_path):
    """``write(<key of training>=...)`` writes a small PyTorch job."""
    return lambda name="job", **settings: write_job(tmp_path / name, engine="pytorch", **settings)


def network_of(folder: JobFolder) -> PyTorchNetwork:
    network = PyTorchNetwork(folder)
    network.initialise()
    return network


def weights(network: PyTorchNetwork) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in network.model.state_dict().items()}


def equal(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> set[str]:
    """The names of tensors that are the same to the bit; the others are there as well."""
    assert ours.keys() == theirs.keys()
    return {name for name in ours if torch.equal(ours[name], theirs[name])}


# the seed


def test_the_seed_fixes_initial_weights_and_batches(write, finished_pytorch):
    first, again, other = (network_of(write(str(i), seed=seed)) for i, seed in enumerate((0, 0, 1)))
    assert equal(weights(first), weights(again)) == weights(first).keys()
    random = {name for name, tensor in first.model.named_parameters() if tensor.dim() > 1}
    assert len(random) > 50
    assert not equal(weights(first), weights(other)) & random
    in_another_process = json.loads(finished_pytorch.outcome.read_text())["first_batches_digest"]
    assert first.digest() == again.digest() == in_another_process != other.digest()


def batches_of(folder: JobFolder) -> Batches:
    return Batches(*folder.read())


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_a_batch_depends_on_seed_and_iteration_alone(write, workers):
    folder = write(seed=5)
    ahead = list(drawn_ahead(batches_of(folder).draw, 3, 9, workers))
    backwards = [batches_of(folder).draw(iteration) for iteration in range(8, 2, -1)]
    np.testing.assert_equal(ahead, backwards[::-1])
    assert len({batch.pictures.tobytes() for batch in ahead}) == len({batch.joints.tobytes() for batch in ahead}) == 6


def test_every_picture_is_seen_once_before_any_is_seen_again(write):
    """Ten pictures in batches of four."""
    batches = batches_of(write(augmentation=AS_THEY_ARE))
    seen = [picture.tobytes() for iteration in range(10) for picture in batches.draw(iteration).pictures]
    rounds = [seen[first : first + 10] for first in range(0, 40, 10)]
    assert all(set(of) == set(seen) for of in rounds)
    assert len(set(seen)) == 10
    assert len({tuple(of) for of in rounds}) == 4  # in another order each time


def test_orders_and_changes_of_pictures_share_no_chance(write, monkeypatch):
    """Seeds of different lengths are one and the same where they differ by zeros at their end."""
    drawn, default_rng = [], np.random.default_rng

    def recorded(seed):
        drawn.append(np.random.SeedSequence(seed).generate_state(4).tobytes())
        return default_rng(seed)

    both = [batches_of(write(f"seed-{seed}", seed=seed)) for seed in (11, 12)]
    monkeypatch.setattr(np.random, "default_rng", recorded)
    for batches in both:
        for iteration in range(10):
            batches.draw(iteration)
    assert len(set(drawn)) == len(drawn) == 2 * (40 + 4)  # pictures, and orders of ten


# killed and resumed


def test_sums_are_made_in_one_order():
    """By one thread: two may divide them otherwise on another machine."""
    torch.set_num_threads(2)
    use_the_machine()
    assert torch.get_num_threads() == 1


class Killed(Exception):
    pass


def assert_same_bits(folder: JobFolder, other: JobFolder) -> None:
    """Weights, curve, predictions and outcome of two trainings are the same; but for the time that they took."""
    ours, theirs = (read_tensors(str(next(each.project.rglob("snapshot-*.pt")))) for each in (folder, other))
    assert equal(ours, theirs) == ours.keys()
    curves = [pd.read_csv(each.learning_curve).drop(columns="seconds") for each in (folder, other)]
    assert len(curves[0]) == 4
    pd.testing.assert_frame_equal(*curves, check_exact=True)
    predictions = [pd.read_parquet(each.network_predictions) for each in (folder, other)]
    assert np.ptp(predictions[0]["x"]) > 30  # the network does see something
    pd.testing.assert_frame_equal(*predictions, check_exact=True)
    outcomes = [json.loads(each.outcome.read_text()) | {"seconds": 0} for each in (folder, other)]
    assert outcomes[0] == outcomes[1]


def test_a_training_ends_with_the_same_bits_wherever_it_was_interrupted(write, finished_pytorch, monkeypatch):
    """At three moments, with another number of threads each time."""
    folder, update = write(), PyTorchNetwork.update
    moments = sorted(np.random.default_rng(SEED).choice(40, 3, replace=False))
    for workers, moment in enumerate(moments):

        def until(network, batch, rate, moment=moment):
            if network.learnt == moment:
                raise Killed
            return update(network, batch, rate)

        monkeypatch.setenv(WORKERS, str(workers))
        monkeypatch.setattr(PyTorchNetwork, "update", until)
        with pytest.raises(Killed):
            child.do(folder)
        assert iterations_saved(folder) == moment // 10 * 10
    monkeypatch.undo()
    child.do(folder)
    assert_same_bits(folder, finished_pytorch)


def train(folder: Path, workers: int) -> None:
    os.environ[WORKERS] = str(workers)
    child.main(JobFolder(folder), child.do)


@pytest.fixture(scope="module")
def started() -> Callable[..., multiprocessing.Process]:
    """``started(folder, workers)`` trains in a process of its own.

    It is forked by a server that has loaded PyTorch already, which takes longer than the training.
    """
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["monkey_transfer.networks.pytorch.trainer"])

    def start(folder: JobFolder, workers: int) -> multiprocessing.Process:
        folder.progress.unlink(missing_ok=True)
        process = processes.Process(target=train, args=(folder.path, workers))
        process.start()
        return process

    return start


def kill(process: multiprocessing.Process, folder: JobFolder, moment: int, pause: float) -> None:
    """Once so many iterations are saved, and a bit later."""
    wait_for(lambda: (is_training(folder) and iterations_saved(folder) >= moment) or not process.is_alive())
    time.sleep(pause)
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert not folder.outcome.exists()


def test_two_trainings_side_by_side_that_are_killed_end_with_the_same_bits(write, finished_pytorch, started):
    rng = np.random.default_rng(SEED)
    moments = {
        workers: [(moment, rng.uniform(0, 0.2)) for moment in sorted(rng.choice([0, 10, 20, 30], kills, replace=False))]
        for workers, kills in ((1, 1), (2, 3))
    }

    def run(workers: int) -> JobFolder:
        folder = write(f"with-{workers}")
        for moment, pause in moments[workers]:
            kill(started(folder, workers), folder, moment, pause)
        last = started(folder, workers)
        last.join()
        assert last.exitcode == 0
        return folder

    with ThreadPoolExecutor(2) as pool:
        for folder in pool.map(run, moments):
            assert_same_bits(folder, finished_pytorch)


# what is restored and what is frozen


@pytest.fixture
def snapshots(write, pytorch_snapshot, tmp_path) -> dict[str, Path]:
    """A snapshot with each kind of head, under a name that does not depend on which iteration was the best."""
    other = network_of(write("deconvolution", seed=9, **DECONVOLUTION))
    other.save_snapshot(1)
    made = {"pyramid": pytorch_snapshot, "deconvolution": other.project.snapshot(1)}
    return {kind: Path(shutil.copyfile(file, tmp_path / f"{kind}.pt")) for kind, file in made.items()}


KINDS = {"pyramid": {}, "deconvolution": DECONVOLUTION}


def is_backbone(name: str) -> bool:
    return name.startswith("backbone.")


def joints_of(name: str, tensor: Tensor) -> Tensor:
    """A view of a head's tensor with joints first, and what each of them has of it (2 offsets, or 1) second."""
    transposed = "deconv" in name and tensor.dim() == 4  # those have what comes in first
    first = tensor.transpose(0, 1) if transposed else tensor
    return first.unflatten(0, (-1, 2 if "locref" in name else 1))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("heads", [NO_HEADS, ALL_HEADS, (2, None, 0)])
def test_what_is_restored_is_counted_and_is_the_checkpoints(write, snapshots, kind, heads):
    network = PyTorchNetwork(write(seed=7, checkpoint=snapshots[kind], heads=heads, **KINDS[kind]))
    expected, theirs = weights(network), read_tensors(str(snapshots[kind]))
    restored, _, _ = network.initialise()
    for name, tensor in expected.items():
        if is_backbone(name) or (name.startswith("neck.") and heads != NO_HEADS):
            expected[name] = theirs[name]
        elif name.startswith("heads."):
            for joint, taken in enumerate(heads):
                if taken is not None:
                    joints_of(name, tensor)[joint] = joints_of(name, theirs[name])[taken]
    assert equal(weights(network), expected) == expected.keys()
    backbone = sum(map(is_backbone, expected))
    others = len(expected) - backbone
    assert (restored.checkpoint, restored.backbone, restored.backbone_total) == (
        str(snapshots[kind]),
        backbone,
        backbone,
    )
    assert (restored.heads, restored.heads_total) == (0 if heads == NO_HEADS else others, others)
    assert (restored.joints, restored.joints_total) == (sum(head is not None for head in heads), 3)


def test_nothing_is_restored_without_a_checkpoint(write):
    restored, _, _ = PyTorchNetwork(write()).initialise()
    assert (restored.checkpoint, restored.backbone, restored.heads, restored.joints) == (None, 0, 0, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_heads_come_from_a_network_with_more_joints(write, snapshots, tmp_path, kind):
    theirs = read_tensors(str(snapshots[kind]))
    wider = {}
    for name, tensor in theirs.items():
        if name.startswith("heads."):
            axis = 1 if "deconv" in name and tensor.dim() == 4 else 0
            tensor = torch.cat([tensor + 1, tensor, tensor - 1], dim=axis)
        wider[name] = tensor
    torch.save({"model": wider}, tmp_path / "wider.pt")
    network = network_of(write(checkpoint=tmp_path / "wider.pt", heads=(3, 4, 5), **KINDS[kind]))
    assert equal(weights(network), theirs) == theirs.keys()


def test_a_snapshot_that_does_not_fit_is_one_sentence(write, snapshots):
    for what, told, checkpoint, heads, settings in (
        (
            "a snapshot of another backbone",
            "'backbone.model.conv1.weight' not at all, exp",
            "pyramid",
            NO_HEADS,
            DECONVOLUTION,
        ),
        (
            "a snapshot with fewer keypoints",
            r"in shape \[3, 96, 1, 1\], expected shape \[6, 96, 1, 1\]",
            "pyramid",
            (0, 1, 5),
            {},
        ),
        (
            "a snapshot with a wider neck",
            r"in shape \[3, 96, 1, 1\], expected shape \[3, 64, 1, 1\]",
            "pyramid",
            ALL_HEADS,
            {"head": {"channels": 64}},
        ),
        (
            "a snapshot with another kind of head",
            "'heads.bodypart.maps.weight' not at all, expected shape",
            "deconvolution",
            ALL_HEADS,
            {"net_type": "resnet_18"},
        ),
    ):
        network = PyTorchNetwork(write(what, checkpoint=snapshots[checkpoint], heads=heads, **settings))
        before = weights(network)
        with refused("weights", what, match=f"do not fit: they hold .*{told}"):
            network.initialise()
        assert equal(weights(network), before) == before.keys()


@pytest.mark.parametrize("frozen", [3, len(BACKBONES["mobilenetv2_035"].blocks)])
def test_frozen_blocks_stay_as_they_are_and_all_others_move(write, pytorch_snapshot, frozen):
    """The statistics of their norms as well."""
    network = PyTorchNetwork(write(checkpoint=pytorch_snapshot, heads=ALL_HEADS, frozen=frozen))
    _, blocks, _ = network.initialise()
    assert blocks == list(BACKBONES["mobilenetv2_035"].blocks)[:frozen]
    before = weights(network)
    for iteration in range(3):
        network.update(network.batch(iteration), 0.01)
    of_blocks = [
        f"backbone.model.{module}." for block in blocks for module in BACKBONES["mobilenetv2_035"].blocks[block]
    ]
    assert equal(weights(network), before) == {name for name in before if name.startswith(tuple(of_blocks))}


# every backbone


def spread(output: Tensor | list[Tensor]) -> list[float]:
    return [float(maps.detach().std()) for maps in ([output] if isinstance(output, Tensor) else output)]


@pytest.mark.parametrize("net_type", BACKBONES)
def test_every_backbone_learns_from_scratch_and_finds_poses(write, net_type):
    """No feature vanishes or explodes, in training or in prediction, and every weight is in one block."""
    folder = write(net_type=net_type, batch_size=2)
    network = network_of(folder)
    blocks = blocks_of(network.model, net_type)
    in_blocks = [id(weight) for modules in blocks.values() for module in modules for weight in module.parameters()]
    assert sorted(in_blocks) == sorted(id(weight) for weight in network.model.backbone.model.parameters())
    spreads: list[float] = []
    for modules in blocks.values():
        modules[-1].register_forward_hook(lambda _, __, output: spreads.extend(spread(output)))
    losses = [network.update(network.batch(iteration), 0.0001) for iteration in range(2)]
    _, pictures, _ = folder.read()
    found = network.predict(pictures[pictures["role"] == "test"])
    assert len(spreads) >= 3 * len(blocks)
    assert 0.05 < min(spreads) < max(spreads) < 100, spreads
    assert all(3 < loss < 12 for loss in losses)  # that of a flat map is the logarithm of 576 cells, 6.4
    assert found[["x", "y"]].stack().between(-0.5, 95.5).all()
    assert found["likelihood"].between(0, 1).all()


# one step


def test_a_step_decays_weights_that_are_of_no_norm_and_no_bias(write):
    """Where no joint is labelled the loss is 0, and decay is all that a step does."""
    network = network_of(write(weight_decay=0.05))
    before, batch = weights(network), network.batch(0)
    nobody = np.where([False, False, True], -1, batch.joints).astype(np.float32)
    assert network.update(Batch(batch.pictures, nobody), 0.1) == 0
    after = dict(network.model.named_parameters())
    for name, weight in after.items():
        torch.testing.assert_close(weight.detach(), before[name] * (0.995 if weight.dim() > 1 else 1))
    assert len({weight.dim() for weight in after.values()}) > 1


@pytest.mark.parametrize("clip", [0.5, None])
def test_a_step_goes_as_far_as_rate_and_gradient_say(write, clip):
    network = network_of(write(optimizer="sgd", weight_decay=0, gradient_clip=clip))
    parameters = dict(network.model.named_parameters())
    before = weights(network)
    network.update(network.batch(0), 0.01)
    norm = float(torch.stack([(weight.detach() - before[name]).norm() for name, weight in parameters.items()]).norm())
    gradient = float(torch.stack([weight.grad.norm() for weight in parameters.values()]).norm())
    assert norm == pytest.approx(0.01 * gradient, rel=1e-3)
    assert gradient == pytest.approx(0.5, rel=1e-3) if clip else gradient > 1


def test_half_precision_is_of_the_maps_alone(write):
    exact, rounded = (network_of(write(precision, precision=precision)) for precision in ("float32", "bfloat16"))
    losses = [network.update(network.batch(0), 0.001) for network in (exact, rounded)]
    assert losses[0] != losses[1] == pytest.approx(losses[0], rel=0.02)
    assert {tensor.dtype for tensor in weights(rounded).values()} == {torch.float32, torch.int64}


# the picture and its mirror image


def test_the_pose_of_a_mirrored_picture_is_the_mirrored_pose(write, pytorch_snapshot):
    network = network_of(write(checkpoint=pytorch_snapshot, heads=ALL_HEADS))
    network.model.eval()
    pictures = np.stack([network.batch(i).pictures[0] for i in range(8)])
    turned = np.ascontiguousarray(pictures[:, :, ::-1])
    straight, mirrored = (poses_of(network.model, each, network.batches.mirrored) for each in (pictures, turned))
    assert network.batches.mirrored.tolist() == [1, 0, 2]
    expected = straight[:, [1, 0, 2]] * [-1, 1, 1] + [95, 0, 0]
    np.testing.assert_allclose(mirrored, expected, atol=0.01)
    assert np.ptp(straight[..., 0]) > 20
    alone = poses_of(network.model, pictures)
    assert np.abs(alone - straight)[..., :2].max() > 0.5  # the mirror image has its say


# what ends a training


def test_a_loss_that_is_no_number_ends_the_training(write, open_trainer, always):
    folder = write(optimizer="sgd", schedule={"rate": 1e30}, gradient_clip=None)
    with (
        open_trainer(folder) as trainer,
        refused("training", "rates that are far too high", match="lower the learning"),
    ):
        trainer.run(always())
    assert not list(folder.project.rglob("snapshot-*"))
    assert not folder.resume.exists()


def test_a_network_that_looks_at_nothing_is_noticed(write):
    folder = write()
    network, (_, pictures, _) = network_of(folder), folder.read()
    validation = pictures[pictures["role"] == "validation"]
    child.refuse_collapse(network.predict(validation))
    nn.init.zeros_(network.model.heads[HEAD].maps.weight)
    with pytest.raises(StudyError, match="has collapsed, it finds the same pose in all 5 validation pictures"):
        child.refuse_collapse(network.predict(validation))


def test_a_number_of_threads_that_is_none(write, monkeypatch):
    monkeypatch.setenv(WORKERS, "two")
    with refused("environment", "threads that draw batches are no number", match="expected how many threads"):
        PyTorchNetwork(write())


# a graphics processor, as far as one can be tested without: its tensors have shapes and a place, and no values


@pytest.mark.parametrize("kind", KINDS)
def test_all_that_meets_on_a_graphics_processor_is_there(write, kind):
    """PyTorch's imitation refuses what it does: operations whose numbers are in two places."""
    network = network_of(write(**KINDS[kind]))
    model = network.model
    with FakeTensorMode(allow_non_fake_inputs=True) as imitation:
        named = [*model.named_parameters(), *model.named_buffers()]
        there = {name: imitation.from_tensor(tensor).to("cuda") for name, tensor in named}
        pictures = normalised(torch.zeros(2, 64, 64, 3, dtype=torch.uint8, device="cuda"))
        outputs = torch.func.functional_call(model, there, (pictures,))
        if kind == "pyramid":  # DeepLabCut makes its own targets in NumPy
            targets = model.get_target(outputs, {"keypoints": torch.zeros(2, 1, 3, 3)})
            assert model.get_loss(outputs, targets)["total_loss"].device.type == "cuda"
        assert model.get_predictions(outputs)[HEAD]["poses"].device.type == "cuda"
        with pytest.raises(RuntimeError, match="two different devices"):
            torch.func.functional_call(model, there, (torch.zeros(2, 3, 64, 64),))


def test_a_graphics_processor_is_used_if_there_is_one_and_told_to_give_the_same_bits(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", False)
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", True)
    assert use_the_machine().type == "cuda"
    assert torch.backends.cudnn.deterministic
    assert not torch.backends.cudnn.benchmark
