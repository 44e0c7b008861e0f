"""The DeepLabCut project of a PyTorch run; see :mod:`monkey_transfer.networks.project`."""

from pathlib import Path

from deeplabcut.core.engine import Engine
from deeplabcut.pose_estimation_pytorch.config.pose import PoseConfig, TestConfig

from monkey_transfer.networks.project import Project
from monkey_transfer.networks.pytorch.model import model_config, settings_of

_USAGE = """
from pathlib import Path

import deeplabcut
import yaml

import monkey_transfer.networks.pytorch.parts  # what the network is made of; DeepLabCut cannot build it without

config = Path("config.yaml").absolute()
[folder] = Path("dlc-models-pytorch").absolute().glob("*/*shuffle1/train")
[snapshot] = folder.glob("snapshot-*.pt")
model = yaml.safe_load((folder / "pytorch_config.yaml").read_text())["model"]
deeplabcut.evaluate_network(config)
deeplabcut.create_training_dataset(config, Shuffles=[2])
deeplabcut.train_network(config, shuffle=2, snapshot_path=snapshot, pytorch_cfg_updates={"model": model}, epochs=10)
"""


class PyTorchProject(Project):
    """A project whose networks are files of PyTorch, built from ``pytorch_config.yaml``."""

    # Pixel centres are what this engine means by coordinates; its loader takes only whole numbers from the file.
    engine, corner, stored, augmenter = Engine.PYTORCH, 0.0, int, "albumentations"
    usage = _USAGE

    @property
    def net_type(self) -> str:
        """Of DeepLabCut's closed list, which lacks most of ours; what is built stands in the configuration's model."""
        theirs = {"resnet_50_gn": "resnet_50", "hrnet_w32": "hrnet_w32"}
        return theirs.get(self.job.training.net_type, "resnet_50")

    @property
    def config(self) -> Path:
        """What DeepLabCut builds the network from; the snapshots lie beside it."""
        return self.model / "train" / "pytorch_config.yaml"

    def snapshot(self, iteration: int) -> Path:
        """The file of that iteration's weights."""
        return self.config.with_name(f"snapshot-{iteration:03}.pt")

    def write_pose_configs(self, data_file: str, metadata_file: str) -> None:
        """Write the network, and how DeepLabCut is to see pictures: as they are."""
        training = settings_of(self.job)
        config = PoseConfig.build(self.settings, self.config, top_down=False, net_type=self.net_type).to_dict()
        config["model"] = model_config(self.job)
        config["data"]["train"] = {"normalize_images": True}
        config["data"]["inference"] = {"normalize_images": True}
        config["train_settings"] |= {"batch_size": training.batch_size, "seed": self.job.seed}
        written = PoseConfig.from_dict(config)
        written.to_yaml(self.config, overwrite=True)
        TestConfig.build(written, test_config_path=self.model / "test" / "pose_cfg.yaml", save=True)
