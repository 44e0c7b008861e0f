"""TensorFlow's TFLite interpreter as the study sees it; see :class:`monkey_transfer.networks.engine.Engine`."""

from pathlib import Path
from typing import TYPE_CHECKING

from monkey_transfer.errors import StudyError
from monkey_transfer.files import file_if_there, sha256_of
from monkey_transfer.networks.engine import Engine, Network, PublishedFiles, Restored, Trainable, Training
from monkey_transfer.networks.tflite.networks import LAYOUTS, PUBLISHED, TFLiteTraining
from monkey_transfer.places import data_folder

if TYPE_CHECKING:
    from monkey_transfer.networks.job import JobFolder

_TRAINS_NOTHING = "networks of engine tflite are used as they are; expected an arm that learns nothing"


class TFLite(Engine):
    """Finished networks of others. It trains nothing, and its runs leave no DeepLabCut project."""

    name = "tflite"
    version = 1
    settings = TFLiteTraining
    published = PUBLISHED
    packages = ("tensorflow",)
    environment = {"TF_CPP_MIN_LOG_LEVEL": "3"}

    weight_files = staticmethod(file_if_there)

    def blocks(self, net_type: str) -> tuple[str, ...]:
        return ()

    def threads(self, count: int) -> dict[str, str]:
        """One computes a picture, however many there are."""
        return {}

    def imagenet(self, training: Training, /) -> str:
        raise StudyError(_TRAINS_NOTHING)

    def archive(self, init: str, training: Training) -> str | None:
        return init if init in self.published else None

    def published_files(self, init: str, net_type: str) -> PublishedFiles:
        """StudyError also if the file that lies there is another than was published."""
        from monkey_transfer.acquire.acquire import acquire  # which asks servers
        from monkey_transfer.acquire.archives import ARCHIVES

        file, expected = acquire(init, data_folder()), ARCHIVES[init].sha256
        if (found := sha256_of(file)) != expected:
            raise StudyError(
                f"{file}: is not the network {net_type} that was published, its sha256 is {found}, expected "
                f"{expected}: move it away to have it fetched anew"
            )
        return PublishedFiles(str(file), LAYOUTS[net_type].keypoints, {})

    def refuse_weights(self, weights: str, net_type: str) -> None:
        """None that were published: their checksum was compared."""

    def refuse_machine(self, training: Training) -> None:
        """It runs on any."""

    def snapshot(self, run: Path, iteration: int) -> str | None:
        return None

    def trainable(self, folder: "JobFolder") -> Trainable:
        raise StudyError(_TRAINS_NOTHING)

    def finished(self, folder: "JobFolder") -> tuple[Network, Restored]:
        """The file as it is; DeepLabCut opens none of its kind."""
        from monkey_transfer.networks.tflite.prediction import Predictor

        job = folder.read()[0]
        joints = len(job.keypoints)
        # Of the variables in the file nobody but the interpreter knows.
        restored = Restored(job.checkpoint, 0, 0, 0, 0, joints=joints, joints_total=joints)
        return Predictor(Path(str(job.checkpoint)), job.training.net_type), restored
