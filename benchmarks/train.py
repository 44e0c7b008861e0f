"""``python -m benchmarks.train``: pictures a second that our PyTorch training learns, over DeepLabCut's own runner.

Both learn the same rendered people with the same network, each in its own way: ours as a study trains, with all of its
augmentation, one thread computing and others drawing ahead; DeepLabCut's by its own ``train``, with its data set,
transforms, optimiser, batch size and workers as they come. One of its defaults is left out, since it would flatter us:
it pads pictures to 448 pixels, which are twelve times as many to compute. Beside them are the TensorFlow engine with
the MobileNet that studies had before, another and smaller network, and the limit of computing: the same steps of ours
on one batch in memory, without a loop or a loader. Each trains alone, and two of each side by side, one thread each, as
a study trains; alone DeepLabCut's has the threads that PyTorch takes by itself. Nothing is validated meanwhile.

All take turns, so that a machine that is busy for a while is busy for all; rates are medians over turns. The last line
is what a study gets out of the whole machine, over what DeepLabCut does: two of our trainings over one of its own.
Where a GPU is visible, a ResNet-50 learns pictures of 256 pixels there as well.
"""

import argparse
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import mean, median
from typing import Any, Literal, NamedTuple

import pandas as pd

from benchmarks.people import job_of, people
from monkey_transfer.devices import cores, has_bfloat16, visible_gpus
from monkey_transfer.networks.engine import Training
from monkey_transfer.networks.engines import engine_of
from monkey_transfer.networks.job import JobFolder
from monkey_transfer.networks.loop import Trainer
from monkey_transfer.networks.pytorch.settings import PyTorchTraining
from monkey_transfer.networks.tensorflow.settings import Augmentation, TensorFlowTraining

PEOPLE, SIZE, TURNS, SECONDS, SIDE_BY_SIDE = 400, 128, 5, 3.0, 2
# Steps of a turn before its clock starts. Of ours more than are drawn ahead while others have their turn.
WARM_UP = {"ours": 9, "theirs": 1}
FOREVER = 1_000_000
OURS = PyTorchTraining(iterations=FOREVER, validate_every=FOREVER)
TENSORFLOW = TensorFlowTraining(
    iterations=FOREVER,
    validate_every=FOREVER,
    net_type="mobilenet_v2_0.35",
    batch_size=8,
    optimizer="adam",
    multi_step=((0.002, FOREVER),),
    global_scale=1.0,
    augmentation=Augmentation(
        scale_jitter_lo=1.0,
        scale_jitter_up=1.0,
        fliplr=True,
        motion_blur=False,
        covering=False,
        elastic_transform=False,
    ),
)
ON_GPU, GPU_SIZE = PyTorchTraining(iterations=FOREVER, validate_every=FOREVER, net_type="resnet_50", batch_size=32), 256


class Turn(NamedTuple):
    """What a training is to do, for how long, and on how many threads, if that is to change.

    'loop' is the training itself, 'memory' are the same steps on one batch.
    """

    what: Literal["loop", "memory"]
    seconds: float
    threads: int | None = None


class Pace:
    """In the process of a training: has it wait for its turns, and says how many pictures a second it learnt in each.

    The clock of a turn starts after its first steps, ``warm_up``; ``step`` learns one batch in memory.
    """

    def __init__(self, turns: Connection, pictures_each: int, warm_up: int, step: Callable[[], object] = lambda: None):
        self.turns, self.pictures_each, self.warm_up, self.step = turns, pictures_each, warm_up, step
        self.turn: Turn | None = None
        self.steps, self.started = 0, 0.0

    def wait(self) -> None:
        """Until it is the turn of the training itself."""
        self.turn = None
        while self.turn is None or self.turn.what == "memory":
            self.turn, self.steps = self.turns.recv(), 0
            if self.turn.threads is not None:
                import torch

                torch.set_num_threads(self.turn.threads)
            while self.turn.what == "memory" and not self._over():
                self.step()

    def stepped(self, *_: object) -> None:
        """A step of the training is done."""
        if self._over():
            self.wait()

    def _over(self) -> bool:
        assert self.turn is not None
        self.steps, now = self.steps + 1, time.perf_counter()
        if self.steps <= self.warm_up:
            self.started = now
        seconds = now - self.started
        if self.steps <= self.warm_up or seconds < self.turn.seconds:
            return False
        self.turns.send((self.steps - self.warm_up) * self.pictures_each / seconds)
        return True


def train_ours(folder: JobFolder, turns: Connection) -> None:
    """The loop of a study, on the engine that the job names."""
    training = folder.read()[0].training
    network = engine_of(training).trainable(folder)
    batch = network.batch(0)
    step = partial(network.update, batch, training.rate(0))
    pace = Pace(turns, training.batch_size, WARM_UP["ours"], step)
    turns.send("ready")
    pace.wait()
    Trainer(network, folder.resume, pace.stepped).run(_never)


def _never() -> Any:
    raise AssertionError("a validation would be timed as training")


def train_deeplabcut(folder: JobFolder, turns: Connection) -> None:
    """DeepLabCut's own training in a project with the same network and pictures, from the same random weights."""
    import torch
    from deeplabcut.pose_estimation_pytorch import DLCLoader
    from deeplabcut.pose_estimation_pytorch.apis.training import train
    from deeplabcut.pose_estimation_pytorch.config.pose import PoseConfig
    from deeplabcut.pose_estimation_pytorch.runners.train import PoseTrainingRunner
    from deeplabcut.pose_estimation_pytorch.task import Task

    from monkey_transfer.networks.pytorch.model import build
    from monkey_transfer.networks.pytorch.project import PyTorchProject

    project = PyTorchProject.opened(folder)
    weights = {"model": build(project.job, torch.device("cpu")).state_dict(), "metadata": {"epoch": 0}}
    torch.save(weights, project.snapshot(0))  # it begins from a snapshot or from ImageNet's weights alone
    config = PoseConfig.build(project.settings, project.config, top_down=False, net_type=project.net_type).to_dict()
    config["model"] = PoseConfig.from_yaml(project.config).to_dict()["model"]
    config["data"]["train"]["crop_sampling"] = None
    PoseConfig.from_dict(config).to_yaml(project.config, overwrite=True)

    pace = Pace(turns, config["train_settings"]["batch_size"], WARM_UP["theirs"])
    learn = PoseTrainingRunner.step

    def paced(runner: PoseTrainingRunner, batch: dict[str, Any], mode: str = "train") -> dict[str, Any]:
        losses = learn(runner, batch, mode)
        if mode == "train":
            pace.stepped()
        return losses

    PoseTrainingRunner.step = paced
    loader = DLCLoader(project.folder / "config.yaml", shuffle=1)
    turns.send("ready")
    pace.wait()
    train(loader, loader.model_cfg, Task.BOTTOM_UP, device="cpu", snapshot_path=project.snapshot(0))


class Contender:
    """A training that stands ready in a process of its own, which ends with this one."""

    def __init__(self, train: Callable[..., None], folder: Path, environment: dict[str, str]):
        self.log = folder / "log.txt"
        context = get_context("spawn")
        self.turns, theirs = context.Pipe()
        self.process = context.Process(target=_child, args=(train, folder, theirs, self.log, environment), daemon=True)
        self.process.start()
        theirs.close()

    def answer(self) -> Any:
        """What it says next: that it is ready, then pictures a second of each turn when that is over."""
        try:
            return self.turns.recv()
        except EOFError:
            raise SystemExit(f"error: a training ended: {self.log.read_text()[-2000:]}") from None


def _child(train: Callable[..., None], folder: Path, turns: Connection, log: Path, environment: dict[str, str]) -> None:
    os.environ.update(environment)
    with log.open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    train(JobFolder(folder), turns)


def together(contenders: Sequence[Contender], turn: Turn) -> float:
    """Pictures a second of all of them, who have a turn at the same time."""
    for one in contenders:
        one.turns.send(turn)
    return sum(one.answer() for one in contenders)


def job_in(folder: Path, training: Training, pictures: pd.DataFrame, joints: pd.DataFrame) -> Path:
    """A job that learns all pictures but the last."""
    roles = ["train"] * (len(pictures) - 1) + ["validation"]
    JobFolder(folder).write(job_of(training), pictures.assign(role=roles), joints.assign(within=float("nan")))
    return folder


def on_the_processor(folder: Path, asked: argparse.Namespace) -> dict[str, list[float]]:
    """Pictures a second in every turn, by what was trained; 'all' is side by side."""
    pictures, joints = people(folder, asked.size, asked.people)

    def started(name: str, many: int, train: Callable[..., None], training: Training) -> list[Contender]:
        engine = engine_of(training)
        environment = {**engine.environment, **engine.threads(1), "CUDA_VISIBLE_DEVICES": "-1"}
        folders = [job_in(folder / f"{name}{i}", training, pictures, joints) for i in range(many)]
        return [Contender(train, each, environment) for each in folders]

    many, default = asked.side_by_side, cores()
    ours = started("ours", many, train_ours, OURS.model_copy(update={"precision": asked.precision}))
    theirs = started("theirs", many, train_deeplabcut, OURS)
    tensorflow = started("tensorflow", many, train_ours, TENSORFLOW) if "tensorflow" in asked.engines else []
    for one in (*ours, *theirs, *tensorflow):
        one.answer()
    plan = {
        "ours": (ours[:1], Turn("loop", asked.seconds)),
        "theirs": (theirs[:1], Turn("loop", asked.seconds, default)),
        "limit": (ours[:1], Turn("memory", asked.seconds)),
        "tensorflow": (tensorflow[:1], Turn("loop", asked.seconds)),
        "all ours": (ours, Turn("loop", asked.seconds)),
        "all theirs": (theirs, Turn("loop", asked.seconds, 1)),
        "all limit": (ours, Turn("memory", asked.seconds)),
        "all tensorflow": (tensorflow, Turn("loop", asked.seconds)),
    }
    plan = {name: (contenders, turn) for name, (contenders, turn) in plan.items() if contenders}
    rates: dict[str, list[float]] = {name: [] for name in plan}
    for _ in range(asked.turns):
        for name, (contenders, turn) in plan.items():
            rates[name].append(together(contenders, turn))
    for one in (*ours, *theirs, *tensorflow):
        one.process.kill()
    return rates


def utilisation(work: Callable[[], float]) -> tuple[float, float]:
    """What some work returns, and the GPU's utilisation meanwhile: the mean of what nvidia-smi says, in percent."""
    ask = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "--loop-ms=200"]
    with subprocess.Popen(ask, stdout=subprocess.PIPE, text=True) as sampler:
        done = work()
        sampler.terminate()
        said = sampler.communicate()[0].split()
    return done, mean(map(float, said)) if said else float("nan")


def on_the_gpu(folder: Path, asked: argparse.Namespace) -> str:
    """A sentence on one training of a ResNet-50 there."""
    if not visible_gpus():
        return "GPU: not measured"
    (folder / "gpu").mkdir()
    pictures, joints = people(folder / "gpu", GPU_SIZE, asked.people)
    training = ON_GPU.model_copy(update={"precision": asked.precision})
    one = Contender(train_ours, job_in(folder / "gpu" / "job", training, pictures, joints), {})
    one.answer()
    rates, busy, limits = [], [], []
    for _ in range(asked.turns):
        rate, share = utilisation(lambda: together([one], Turn("loop", asked.seconds)))
        rates.append(rate)
        busy.append(share)
        limits.append(together([one], Turn("memory", asked.seconds)))
    return (
        f"GPU ({visible_gpus()[0]}): {training.net_type}, {GPU_SIZE} px, batch {training.batch_size}, "
        f"{training.precision}: {median(rates):.0f} pictures a second, {100 * median(rates) / median(limits):.0f} % "
        f"of the limit of computing, {median(busy):.0f} % utilisation"
    )


def ratio(rates: dict[str, list[float]], ours: str, other: str) -> float:
    """The median of what two rates are of each other in a turn."""
    return median(one / two for one, two in zip(rates[ours], rates[other], strict=True))


def table(rates: dict[str, list[float]], asked: argparse.Namespace) -> str:
    """What was trained, alone and side by side."""
    rows = {
        f"ours: {OURS.net_type}, {asked.precision}, batch {OURS.batch_size}": "ours",
        f"DeepLabCut's runner: the same network, float32, batch 8; alone {cores()} threads": "theirs",
        f"TensorFlow engine: {TENSORFLOW.net_type}, batch {TENSORFLOW.batch_size}": "tensorflow",
        "the same steps as ours on one batch in memory": "limit",
    }
    lines = [("pictures learnt a second", "alone", f"{asked.side_by_side} side by side")]
    for what, name in rows.items():
        if name in rates:
            lines.append((what, *(f"{median(rates[key]):.1f}" for key in (name, f"all {name}"))))
    shares = (100 * ratio(rates, *pair) for pair in (("ours", "limit"), ("all ours", "all limit")))
    lines += [("share of that which our loop reaches, %", *(f"{share:.0f}" for share in shares))]
    return "\n".join(f"{what:76}{alone:>7}{beside:>16}" for what, alone, beside in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--size", type=int, default=SIZE, help="pixels")
    parser.add_argument("--turns", type=int, default=TURNS)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each turn")
    parser.add_argument("--side-by-side", type=int, default=SIDE_BY_SIDE, help="trainings at a time")
    parser.add_argument("--engines", nargs="+", choices=("pytorch", "tensorflow"), default=("pytorch", "tensorflow"))
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32", help="of our networks")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        rates = on_the_processor(Path(name), asked)
        on_gpu = on_the_gpu(Path(name), asked)
    packages = ", ".join(f"{package} {version(package)}" for package in ("torch", "timm", "deeplabcut", "tensorflow"))
    features = "bfloat16" if has_bfloat16() else "no bfloat16"
    print(f"{cores()} cores, {features}, load {os.getloadavg()[0]:.1f}, {packages}")
    print(
        f"{asked.people} rendered people of {asked.size} px, {asked.turns} turns of {asked.seconds:g} s, a thread each"
    )
    print(table(rates, asked))
    print(on_gpu)
    print(f"thread for thread, side by side: {ratio(rates, 'all ours', 'all theirs'):.2f} times DeepLabCut's")
    print(f"ratio {ratio(rates, 'all ours', 'theirs'):.2f}")


if __name__ == "__main__":
    main()
