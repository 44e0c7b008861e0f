"""The DeepLabCut project of a TensorFlow run; see :mod:`monkey_transfer.networks.project`.

DeepLabCut hands coordinates to imgaug, whose origin is the corner of the first pixel, not its centre. Coordinates are
therefore shifted by half a pixel on their way in and back on their way out (:data:`CORNER`); with that, a mirrored or
resized label stays on its pixel exactly.
"""

from pathlib import Path

from deeplabcut.core.engine import Engine
from deeplabcut.generate_training_dataset.trainingsetmanipulation import MakeTest_pose_yaml, MakeTrain_pose_yaml
from deeplabcut.utils import auxiliaryfunctions

from monkey_transfer.networks.project import Project, link_or_copy
from monkey_transfer.networks.tensorflow.settings import TensorFlowTraining
from monkey_transfer.networks.tensorflow.weights import checkpoint_files

CORNER = 0.5

_TEST_KEYS = (
    *("dataset", "num_joints", "all_joints", "all_joints_names", "net_type", "init_weights", "global_scale"),
    *("location_refinement", "locref_stdev"),
)
# Settings of a profile's training that stand in pose_cfg.yaml as they are.
_POSE_KEYS = {
    *("batch_size", "optimizer", "global_scale", "pos_dist_thresh", "locref_loss_weight"),
    *("intermediate_supervision", "weigh_only_present_joints"),
}
# Said of finished networks only; its defaults hold otherwise.
_TEST_KEYS_OF_FINISHED_NETWORKS = ("stride", "mean_pixel")
# Keys of DeepLabCut's default file that belong to its other loaders.
_OTHER_LOADERS_KEYS = dict.fromkeys(("pre_resize", "crop_size", "max_shift", "crop_sampling"))


_USAGE = """
from pathlib import Path

import deeplabcut
from deeplabcut.utils.auxiliaryfunctions import edit_config

from monkey_transfer.networks.tensorflow import mobilenet

mobilenet.register()  # with DeepLabCut's own a pose depends on what pictures it is predicted with
config = Path("config.yaml").absolute()
[folder] = Path("dlc-models").absolute().glob("*/*shuffle1/train")
[snapshot] = folder.glob("snapshot-*.index")
deeplabcut.evaluate_network(config)
# This fetches ImageNet weights, which are replaced below.
deeplabcut.create_training_dataset(config, Shuffles=[2], posecfg_template=folder / "pose_cfg.yaml")
[folder] = Path("dlc-models").absolute().glob("*/*shuffle2/train")
edit_config(folder / "pose_cfg.yaml", {"init_weights": str(snapshot.with_suffix(""))})
deeplabcut.train_network(config, shuffle=2, max_iters=1000)
"""


class TensorFlowProject(Project):
    """A project whose networks are TensorFlow checkpoints."""

    engine, corner, stored, augmenter = Engine.TF, CORNER, float, "imgaug"
    usage = _USAGE

    @property
    def net_type(self) -> str:
        return self.job.training.net_type

    @property
    def train_config(self) -> Path:
        """What training reads; the snapshots lie beside it."""
        return self.model / "train" / "pose_cfg.yaml"

    @property
    def test_config(self) -> Path:
        """What prediction reads."""
        return self.model / "test" / "pose_cfg.yaml"

    def snapshot(self, iteration: int) -> Path:
        """Prefix of the checkpoint of that iteration."""
        return self.train_config.with_name(f"snapshot-{iteration}")

    def adopt(self, checkpoint: str) -> None:
        """Make a finished network's checkpoint the project's snapshot 0."""
        own = self.snapshot(0)
        for file in checkpoint_files(checkpoint):
            link_or_copy(file, own.with_name(file.name.replace(Path(checkpoint).name, own.name, 1)))

    def write_pose_configs(self, data_file: str, metadata_file: str) -> None:
        """Write the settings of training and prediction, DeepLabCut's defaults under the profile's."""
        job = self.job
        training = job.training
        assert isinstance(training, TensorFlowTraining)
        default = auxiliaryfunctions.get_deeplabcut_path() / "pose_cfg.yaml"
        own = {
            "dataset": data_file,
            "engine": Engine.TF.aliases[0],
            "metadataset": metadata_file,
            "num_joints": len(job.keypoints),
            "all_joints": [[i] for i in range(len(job.keypoints))],
            "all_joints_names": list(job.keypoints),
            "init_weights": job.checkpoint or "",
            "project_path": str(self.folder),
            "net_type": training.net_type,
            "dataset_type": "imgaug",
            "symmetric_pairs": [[job.keypoints.index(right), job.keypoints.index(left)] for right, left in job.pairs],
            **training.model_dump(include=_POSE_KEYS),
            # DeepLabCut leaves out the weights that this key computes unless this one is set as well.
            "weigh_part_predictions": training.weigh_only_present_joints,
            "multi_step": [list(step) for step in training.multi_step],
            **training.augmentation.model_dump(),
            **(job.finished or {}),
        }
        written = MakeTrain_pose_yaml(own, str(self.train_config), default, _OTHER_LOADERS_KEYS)
        said = [key for key in _TEST_KEYS_OF_FINISHED_NETWORKS if key in written]
        MakeTest_pose_yaml(written, [*_TEST_KEYS, *said], str(self.test_config))
