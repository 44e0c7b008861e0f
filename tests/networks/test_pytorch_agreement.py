"""What a PyTorch run measures, predicts and learns is what DeepLabCut itself measures, predicts and learns."""

import json
import shutil
from pathlib import Path

import deeplabcut
import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from deeplabcut.pose_estimation_pytorch.data.transforms import build_transforms
from deeplabcut.pose_estimation_pytorch.models import PoseModel
from deeplabcut.pose_estimation_pytorch.runners.snapshots import TorchSnapshotManager
from deeplabcut.pose_estimation_pytorch.runners.train import PoseTrainingRunner, build_optimizer

from monkey_transfer.images import read_picture
from monkey_transfer.networks import child
from monkey_transfer.networks.job import JobFolder
from monkey_transfer.networks.pytorch.prediction import normalised, poses_of
from monkey_transfer.networks.pytorch.trainer import PyTorchNetwork
from monkey_transfer.networks.pytorch.weights import read_tensors

ROUNDING = 0.006  # DeepLabCut rounds to 0.01 pixel; the rest is for single precision
SAME_PLACE = 1e-3  # of a pixel: single precision
SAME_LOSS = 1e-5  # of a loss or a weight, after 50 steps; a wrong rate or batch changes a loss by per cents
DECONVOLUTION = {"net_type": "resnet_18", "head": {"kind": "deconvolution"}}


@pytest.fixture(scope="module")
def finished_deconvolution(write_job, tmp_path_factory) -> JobFolder:
    """A run with DeepLabCut's own head, trained for a few steps in this process."""
    folder = write_job(tmp_path_factory.mktemp("deconvolution"), engine="pytorch", iterations=20, **DECONVOLUTION)
    child.do(folder)
    return folder


@pytest.fixture(params=["pyramid", "deconvolution"])
def run(request, finished_pytorch, finished_deconvolution) -> JobFolder:
    """A finished run with each kind of head."""
    return {"pyramid": finished_pytorch, "deconvolution": finished_deconvolution}[request.param]


@pytest.fixture
def config(run, tmp_path) -> Path:
    """The configuration of the run's project, which somebody has copied elsewhere."""
    shutil.copytree(run.project, tmp_path / "copy")
    return tmp_path / "copy" / "config.yaml"


def network_of(run: JobFolder, scratch: Path) -> PyTorchNetwork:
    """The network with the weights that its run has kept, in a copy of the run: its project is written anew."""
    shutil.copytree(run.path, scratch / "run")
    kept = next(run.project.rglob("snapshot-*.pt"))
    network = PyTorchNetwork(JobFolder(scratch / "run"))
    network.model.load_state_dict(read_tensors(str(kept)))
    return network


def test_deeplabcut_evaluates_a_run_to_our_error(run, config, tmp_path):
    outcome, (_, pictures, joints) = json.loads(run.outcome.read_text()), run.read()
    learnt = network_of(run, tmp_path).predict(pictures[pictures["role"] == "train"])
    ours = child.mean_distance(learnt, joints), outcome["validation_error"]
    assert abs(ours[0] - ours[1]) > 10 * ROUNDING  # so that mixing them up would show
    deeplabcut.evaluate_network(config, shuffles=[1], device="cpu")
    results = pd.read_csv(next(config.parent.glob("evaluation-results-pytorch/**/*-results.csv")))
    assert results["Training epochs"].tolist() == [outcome["chosen_iteration"]]
    assert results[["train rmse", "test rmse"]].loc[0].tolist() == pytest.approx(ours, abs=ROUNDING)


def test_deeplabcut_finds_our_poses_in_pictures(run, config, tmp_path):
    ours, (job, pictures, _) = pd.read_parquet(run.network_predictions), run.read()
    asked = pictures[pictures["role"] != "train"]
    theirs = deeplabcut.analyze_images(config, asked["path"].tolist(), destfolder=tmp_path, device="cpu")
    found = np.concatenate([theirs[path]["bodyparts"] for path in asked["path"]])
    assert found.shape == (len(asked), len(job.keypoints), 3)
    np.testing.assert_allclose(found.reshape(-1, 3), ours[["x", "y", "likelihood"]], atol=SAME_PLACE)


def test_deeplabcut_exports_a_network_that_finds_our_poses(run, config):
    deeplabcut.export_model(config, shuffle=1)
    exported = torch.load(next(config.parent.glob("exported-models-pytorch/*/*.pt")), weights_only=True)
    model = PoseModel.build(exported["config"]["model"]).eval()
    model.load_state_dict(exported["pose"])
    ours, (_, pictures, _) = pd.read_parquet(run.network_predictions), run.read()
    read = np.stack([read_picture(Path(path)) for path in pictures.loc[pictures["role"] != "train", "path"]])
    np.testing.assert_allclose(poses_of(model, read).reshape(-1, 3), ours[["x", "y", "likelihood"]], atol=SAME_PLACE)


def test_pictures_are_normalised_as_by_deeplabcut():
    picture = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    theirs = build_transforms({"normalize_images": True})(
        image=picture, keypoints=[], class_labels=[], bboxes=[], bbox_labels=[]
    )["image"]
    ours = normalised(torch.from_numpy(picture)[None])[0]
    np.testing.assert_allclose(ours.permute(1, 2, 0).numpy(), theirs, atol=1e-6)


def test_fifty_steps_are_those_of_deeplabcuts_runner(write_job, tmp_path):
    """From the same weights, on the same batches, with its own head, losses and optimiser, as its own runner goes."""
    steps, rate = 50, 0.001
    folder = write_job(
        tmp_path / "ours",
        engine="pytorch",
        seed=3,
        iterations=steps,
        batch_size=2,
        net_type="resnet_18",
        head={"kind": "deconvolution", "absent": "background", "output_stride": 32},
        optimizer="adamw",
        weight_decay=0,
        gradient_clip=None,
        schedule={"shape": "steps", "multi_step": [[rate, steps]]},
    )
    network = PyTorchNetwork(folder)
    network.initialise()
    model = PoseModel.build(yaml.safe_load(network.project.config.read_text())["model"])
    model.load_state_dict(network.model.state_dict())
    model.to(memory_format=torch.channels_last)  # else sums are made in another order
    batches = [network.batch(iteration) for iteration in range(steps)]
    runner = PoseTrainingRunner(
        model,
        # fused as ours, which computes the same and rounds otherwise
        build_optimizer(model, {"type": "AdamW", "params": {"lr": rate, "weight_decay": 0.0, "fused": True}}),
        snapshot_manager=TorchSnapshotManager("snapshot", tmp_path),
        device="cpu",
        eval_interval=steps,
    )
    theirs: list[float] = []
    step = runner.step

    def recorded(batch, mode):
        losses = step(batch, mode)
        theirs.append(float(losses["total_loss"]))
        return losses

    runner.step = recorded
    given = [
        {
            "image": normalised(torch.from_numpy(batch.pictures)),
            "annotations": {"keypoints": torch.from_numpy(batch.joints)},
            "context": {},
        }
        for batch in batches
    ]
    runner.fit(given, [], epochs=1, display_iters=10 * steps)
    ours = [network.update(batch, rate) for batch in batches]
    assert len(set(ours)) == len(theirs) == steps
    assert np.mean(ours[-10:]) < 0.98 * np.mean(ours[:10])
    assert ours == pytest.approx(theirs, rel=SAME_LOSS)
    for name, weight in network.model.named_parameters():
        np.testing.assert_allclose(weight.detach(), dict(model.named_parameters())[name].detach(), atol=SAME_LOSS)
