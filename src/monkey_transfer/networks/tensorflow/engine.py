"""DeepLabCut's TensorFlow engine as the study sees it; see :class:`monkey_transfer.networks.engine.Engine`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from monkey_transfer.environment import messages_into
from monkey_transfer.networks.engine import Engine, Network, Restored, Trainable, Training
from monkey_transfer.networks.tensorflow import weights, zoo
from monkey_transfer.networks.tensorflow.settings import BLOCKS, TensorFlowTraining

if TYPE_CHECKING:
    from monkey_transfer.networks.job import JobFolder


class TensorFlow(Engine):
    """The engine of the paper's networks: ResNets and MobileNets on TensorFlow 1 graphs."""

    name = "tensorflow"
    version = 2
    settings = TensorFlowTraining
    published = zoo.ZOO
    packages = ("tensorflow", "imgaug")
    environment = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_FORCE_GPU_ALLOW_GROWTH": "true"}

    imagenet = staticmethod(weights.imagenet_checkpoint)
    weight_files = staticmethod(weights.checkpoint_files)
    published_files = staticmethod(zoo.zoo_network)

    def blocks(self, net_type: str) -> tuple[str, ...]:
        return BLOCKS[net_type.split("_")[0]]

    def threads(self, count: int) -> dict[str, str]:
        return dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"), str(count))

    def archive(self, init: str, training: Training) -> str | None:
        """Networks of the zoo by their init; ImageNet weights unless the profile or the machine names a checkpoint."""
        if init == "imagenet":
            return None if weights.named_checkpoint(training) else f"imagenet:{training.net_type}"
        return init if init in self.published else None

    def refuse_weights(self, weights: str, net_type: str) -> None:
        """Names alone are compared, which needs no network; imports TensorFlow, which takes seconds."""
        os.environ.update(self.environment)
        with messages_into(Path(os.devnull)):
            from monkey_transfer.networks.tensorflow.initialisation import refuse_other_backbone

            refuse_other_backbone(weights, net_type)

    def refuse_machine(self, training: Training) -> None:
        """It trains on any, slowly on some."""

    def snapshot(self, run: Path, iteration: int) -> str | None:
        """Prefix of a checkpoint in the DeepLabCut project of the run."""
        found = sorted(run.glob(f"deeplabcut/dlc-models/*/*/train/snapshot-{iteration}.index"))
        return str(found[0].with_suffix("")) if found else None

    def trainable(self, folder: "JobFolder") -> Trainable:
        from monkey_transfer.networks.tensorflow import mobilenet, project, trainer

        mobilenet.register()
        return trainer.TensorFlowNetwork(folder.read()[0], project.TensorFlowProject.opened(folder))

    def finished(self, folder: "JobFolder") -> tuple[Network, Restored]:
        """Its checkpoint becomes the project's snapshot 0."""
        from monkey_transfer.networks.tensorflow import mobilenet, prediction, project

        mobilenet.register()
        job = folder.read()[0]
        opened = project.TensorFlowProject.opened(folder)
        opened.adopt(str(job.checkpoint))
        return prediction.load(opened.test_config, job)
