"""What a training starts from with SuperAnimal-Quadruped's files, made here as DeepLabCut makes them."""

import pytest
import torch
from bad_input import refused
from deeplabcut.core.config import read_config_as_dict
from deeplabcut.modelzoo import build_weight_init
from deeplabcut.pose_estimation_pytorch.config.utils import replace_default_values
from deeplabcut.pose_estimation_pytorch.models.model import PoseModel
from deeplabcut.pose_estimation_pytorch.modelzoo.utils import get_super_animal_model_config_path
from torch import nn

from monkey_transfer.acquire.archives import ARCHIVES
from monkey_transfer.errors import StudyError
from monkey_transfer.networks.engines import ENGINES
from monkey_transfer.networks.job import Job
from monkey_transfer.networks.pytorch import model
from monkey_transfer.networks.pytorch.initialisation import restore
from monkey_transfer.networks.pytorch.settings import PyTorchTraining
from monkey_transfer.networks.pytorch.superanimal import archive_of
from monkey_transfer.skeletons import MPII_16, SUPERANIMAL_QUADRUPED_39, mapping

DEEPLABCUTS_NAME = {"resnet_50_gn": "resnet_50", "hrnet_w32": "hrnet_w32"}
EVERY_NET_TYPE = pytest.mark.parametrize("net_type", DEEPLABCUTS_NAME)
# Which of the quadruped's 39 joints each of people's 16 is.
SHARED = {ours: theirs for theirs, ours in mapping(SUPERANIMAL_QUADRUPED_39, MPII_16).items()}
HEADS = tuple(
    SUPERANIMAL_QUADRUPED_39.keypoints.index(SHARED[joint]) if joint in SHARED else None for joint in MPII_16.keypoints
)


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """By net type, the network of DeepLabCut's own description, with random weights, and its file."""
    folder, made = tmp_path_factory.mktemp("superanimal"), {}
    torch.manual_seed(0)
    for net_type, name in DEEPLABCUTS_NAME.items():
        described = read_config_as_dict(get_super_animal_model_config_path(name))["model"]
        network = PoseModel.build(replace_default_values(described, 39, 1, described["backbone_output_channels"]))
        for tensor in network.heads.parameters():
            nn.init.normal_(tensor, std=0.01)  # DeepLabCut's biases are 0 at first
        file = folder / f"{net_type}.pt"
        torch.save({"metadata": {"epoch": 0, "metrics": {}, "losses": {}}, "model": network.state_dict()}, file)
        made[net_type] = network.eval(), file
    return made


def job_of(published, net_type: str, head: str, heads: tuple) -> Job:
    """A network of people's joints that starts from the file."""
    return Job(
        name="people",
        keypoints=MPII_16.keypoints,
        pairs=MPII_16.pairs,
        training=PyTorchTraining(net_type=net_type, head={"kind": head}),
        checkpoint=str(published[net_type][1]),
        heads=heads,
        seed=1,
    )


def test_weights_of_another_backbone_are_seen_before_any_training(published):
    for net_type in DEEPLABCUTS_NAME:
        ENGINES["pytorch"].refuse_weights(str(published[net_type][1]), net_type)
    with pytest.raises(StudyError, match="so they are not of resnet_18"):
        ENGINES["pytorch"].refuse_weights(str(published["resnet_50_gn"][1]), "resnet_18")


@EVERY_NET_TYPE
def test_the_published_files_hold_as_many_numbers(published, net_type):
    """So that the networks made here have the shapes of those that cannot be fetched by a test."""
    size = ARCHIVES[archive_of("superanimal:quadruped", net_type)].size
    assert published[net_type][1].stat().st_size == pytest.approx(size, rel=0.001)


def test_shared_joints_are_found_as_by_superanimal_itself(published):
    """The maps of those that quadrupeds have, on the same picture, are theirs; all others are of random weights."""
    job = job_of(published, "resnet_50_gn", "deconvolution", HEADS)
    ours = model.build(job, torch.device("cpu")).eval()
    before = {name: tensor.clone() for name, tensor in ours.heads.state_dict().items()}
    restored = restore(ours, job)
    assert (restored.joints, restored.joints_total) == (6, 16)
    assert restored.backbone == restored.backbone_total == 159
    picture = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        found, expected = ours(picture)["bodypart"], published["resnet_50_gn"][0](picture)["bodypart"]
        ours.heads.load_state_dict(before)
        random = ours(picture)["bodypart"]
    for kind, each in {"heatmap": 1, "locref": 2}.items():
        for joint, theirs in enumerate(HEADS):
            wanted = random[kind][:, each * joint :] if theirs is None else expected[kind][:, each * theirs :]
            mine = found[kind][:, each * joint :][:, :each]
            torch.testing.assert_close(mine, wanted[:, :each], rtol=1e-3, atol=1e-4)


@EVERY_NET_TYPE
def test_a_pyramid_starts_from_the_backbone_alone(published, net_type):
    job = job_of(published, net_type, "pyramid", (None,) * 16)
    ours = model.build(job, torch.device("cpu"))
    restored = restore(ours, job)
    theirs = published[net_type][0].backbone.state_dict()
    assert (restored.backbone, restored.joints) == (len(theirs), 0)
    assert all(torch.equal(tensor, theirs[name]) for name, tensor in ours.backbone.state_dict().items())


def test_a_pyramid_has_other_heads(published):
    job = job_of(published, "resnet_50_gn", "pyramid", HEADS)
    with refused("weights", "SuperAnimal's heads for a pyramid", match="they hold 'heads.* not at all, expected shape"):
        restore(model.build(job, torch.device("cpu")), job)


def test_deeplabcut_does_not_fine_tune_its_human_body_model():
    """What profiles say of it."""
    with pytest.raises(NotImplementedError, match="superanimal_humanbody"):
        build_weight_init({}, "superanimal_humanbody", "rtmpose_x", None)
