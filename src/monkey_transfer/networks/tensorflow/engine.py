"""DeepLabCut's TensorFlow engine as the study sees it; see :class:`monkey_transfer.networks.engine.Engine`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from monkey_transfer.environment import messages_into
from monkey_transfer.networks.engine import Engine, Network, PublishedFiles, Restored, Trainable
from monkey_transfer.networks.tensorflow import weights, zoo
from monkey_transfer.networks.tensorflow.settings import BLOCKS, TensorFlowTraining
from monkey_transfer.places import data_folder

if TYPE_CHECKING:
    from monkey_transfer.networks.job import JobFolder


class TensorFlow(Engine):
    """The engine of the paper's networks: ResNets and MobileNets on TensorFlow 1 graphs."""

    name = "tensorflow"
    settings = TensorFlowTraining
    published = zoo.ZOO
    packages = ("tensorflow", "imgaug")
    environment = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_FORCE_GPU_ALLOW_GROWTH": "true"}

    def blocks(self, net_type: str) -> tuple[str, ...]:
        return BLOCKS[net_type.split("_")[0]]

    def threads(self, count: int) -> dict[str, str]:
        return dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"), str(count))

    def imagenet(self, net_type: str, named: str | None) -> str:
        """Prefix of the checkpoint: :func:`~monkey_transfer.networks.tensorflow.weights.imagenet_checkpoint`."""
        return weights.imagenet_checkpoint(named, net_type)

    def lacks_imagenet(self, net_type: str, named: str | None) -> bool:
        return not weights.named_checkpoint(named) and not (data_folder() / "imagenet" / net_type).is_dir()

    def archive(self, init: str, net_type: str, named: str | None) -> str | None:
        """Networks of the zoo by their init; ImageNet weights unless the profile or the machine names a checkpoint."""
        if init == "imagenet":
            return None if weights.named_checkpoint(named) else f"imagenet:{net_type}"
        return init if init.startswith("zoo:") else None

    def published_files(self, name: str) -> PublishedFiles:
        return zoo.zoo_network(name)

    def weight_files(self, weights_prefix: str) -> list[Path]:
        """The files of a checkpoint, of its old one-file format too."""
        return weights.checkpoint_files(weights_prefix)

    def refuse_weights(self, checkpoint: str, net_type: str) -> None:
        """Names alone are compared, which needs no network; imports TensorFlow, which takes seconds."""
        os.environ.update(self.environment)
        with messages_into(Path(os.devnull)):
            from monkey_transfer.networks.tensorflow.initialisation import refuse_other_backbone

            refuse_other_backbone(checkpoint, net_type)

    def snapshot(self, run: Path, iteration: int) -> str | None:
        """Prefix of a checkpoint in the DeepLabCut project of the run."""
        found = sorted(run.glob(f"deeplabcut/dlc-models/*/*/train/snapshot-{iteration}.index"))
        return str(found[0].with_suffix("")) if found else None

    def trainable(self, folder: "JobFolder") -> Trainable:
        from monkey_transfer.networks.tensorflow import mobilenet, project, trainer

        mobilenet.register()
        return trainer.TensorFlowNetwork(folder.read()[0], project.open_project(folder))

    def finished(self, folder: "JobFolder") -> tuple[Network, Restored]:
        """Its checkpoint becomes the project's snapshot 0."""
        from monkey_transfer.networks.tensorflow import mobilenet, prediction, project

        mobilenet.register()
        job = folder.read()[0]
        opened = project.open_project(folder)
        opened.adopt(str(job.checkpoint))
        return prediction.load(opened.test_config, job)
