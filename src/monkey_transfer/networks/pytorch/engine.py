"""DeepLabCut's PyTorch engine as the study sees it; see :class:`monkey_transfer.networks.engine.Engine`."""

from pathlib import Path
from typing import TYPE_CHECKING

from monkey_transfer.devices import has_bfloat16
from monkey_transfer.files import file_if_there
from monkey_transfer.networks.engine import Engine, Network, Restored, Trainable, Training
from monkey_transfer.networks.pytorch.settings import BACKBONES, PyTorchTraining
from monkey_transfer.networks.pytorch.superanimal import SUPERANIMAL, archive_of, superanimal_network
from monkey_transfer.networks.pytorch.weights import imagenet_archive, imagenet_weights, read_backbone

if TYPE_CHECKING:
    from monkey_transfer.networks.job import JobFolder


class PyTorch(Engine):
    """Networks of timm's backbones, strong on few pictures."""

    name = "pytorch"
    version = 1
    settings = PyTorchTraining
    published = SUPERANIMAL
    packages = ("torch", "timm")
    environment = {}

    imagenet = staticmethod(imagenet_weights)
    weight_files = staticmethod(file_if_there)
    published_files = staticmethod(superanimal_network)

    def blocks(self, net_type: str) -> tuple[str, ...]:
        return tuple(BACKBONES[net_type].blocks)

    def threads(self, count: int) -> dict[str, str]:
        """One computes, however many there are, so that the same bits come out."""
        return {}

    def archive(self, init: str, training: Training) -> str | None:
        """SuperAnimal's weights, and ImageNet's that are neither named by the profile nor packaged."""
        if init == "imagenet":
            return imagenet_archive(training)
        return archive_of(init, training.net_type) if init in self.published else None

    def refuse_weights(self, weights: str, net_type: str) -> None:
        """Reads them, as a training will; imports PyTorch and timm, which takes seconds."""
        read_backbone(weights, net_type)

    def refuse_machine(self, training: Training) -> None:
        """Without its instructions a processor would compute bfloat16 many times slower than float32."""
        assert isinstance(training, PyTorchTraining)
        if training.precision == "bfloat16" and not has_bfloat16():
            raise ValueError(
                "precision: neither this machine's processor nor a visible GPU computes in 'bfloat16', expected "
                "'float32'; train with that, or where /proc/cpuinfo lists avx512_bf16 or amx_bf16"
            )

    def snapshot(self, run: Path, iteration: int) -> str | None:
        """The file of weights in the DeepLabCut project of the run."""
        found = sorted(run.glob(f"deeplabcut/dlc-models-pytorch/*/*/train/snapshot-{iteration:03}.pt"))
        return str(found[0]) if found else None

    def trainable(self, folder: "JobFolder") -> Trainable:
        from monkey_transfer.networks.pytorch.trainer import PyTorchNetwork

        return PyTorchNetwork(folder)

    def finished(self, folder: "JobFolder") -> tuple[Network, Restored]:
        """The network of a run's snapshot, since none is published that need not learn."""
        network = self.trainable(folder)
        restored, _, _ = network.initialise()
        return network, restored
