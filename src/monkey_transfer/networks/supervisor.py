"""Runs a job in a child process: live progress, and a clear end whatever happens to the child."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from tqdm.auto import tqdm

from monkey_transfer.environment import of_children
from monkey_transfer.errors import StudyError
from monkey_transfer.files import refuse_full_disk
from monkey_transfer.networks.job import JobFolder

# Importing TensorFlow on a cold disk takes up to a minute; nothing between two signs takes longer.
HANGS_AFTER_SECONDS = 600.0
# Set where a notebook runs with nobody looking: a bar that redraws itself would fill its output.
HEADLESS = "MONKEY_TRANSFER_HEADLESS"
_POLL_SECONDS = 0.5
_LOG_LINES_IN_AN_ERROR = 15
_SECONDS_BETWEEN_LINES = 30.0


def run_job(folder: JobFolder, title: str, hangs_after: float = HANGS_AFTER_SECONDS, program: str = "child") -> None:
    """Run the job in ``folder`` to its end in a process of its own: a ``program`` of this package.

    Progress is shown as a bar where there is a terminal or a notebook that can draw one, else as a line every half
    minute. StudyError, with the end of the child's log, if it reports an error, ends without its result, or gives no
    sign of progress for ``hangs_after`` seconds, after which it is killed.
    """
    for stale in (folder.progress, folder.error):
        stale.unlink(missing_ok=True)
    command = [sys.executable, "-W", "ignore", "-m", f"monkey_transfer.networks.{program}", str(folder.path)]
    with folder.log.open("ab") as log:
        child = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=of_children()
        )
    try:
        _follow(child, folder, title, hangs_after)
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
    if folder.error.is_file():
        raise StudyError(f"{title}: {json.loads(folder.error.read_text(encoding='utf-8'))['message']}")
    if code := child.returncode:
        refuse_full_disk(folder.path)
        ended = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit status {code}"
        raise StudyError(f"{title}: its process {ended}; {_end_of_log(folder.log)}")


def _follow(child: subprocess.Popen, folder: JobFolder, title: str, hangs_after: float) -> None:
    last_sign, last_change = 0, time.monotonic()
    with closing(_Display(title)) as shown:
        while child.poll() is None:
            time.sleep(_POLL_SECONDS)
            sign = folder.progress.stat().st_mtime_ns if folder.progress.is_file() else 0
            if sign != last_sign:
                last_sign, last_change = sign, time.monotonic()
                shown.update(json.loads(folder.progress.read_text(encoding="utf-8")))
            elif time.monotonic() - last_change > hangs_after:
                child.kill()
                stopped = f"no progress for {hangs_after:.0f} s, so its process was stopped"
                raise StudyError(f"{title}: {stopped}; {_end_of_log(folder.log)}")


class _Display:
    """A progress bar for people; a line now and then where the output is kept."""

    def __init__(self, title: str):
        self.title, self.stage, self.last_line, self.bar = title, "", 0.0, tqdm(disable=True)
        in_notebook = "JPY_PARENT_PID" in os.environ and HEADLESS not in os.environ
        self.live = sys.stderr.isatty() or in_notebook

    def update(self, progress: dict) -> None:
        stage, done, of, rate = (progress[key] for key in ("stage", "done", "of", "per_second"))
        if stage == "validating":  # a moment between two stretches of training
            return
        if self.live:
            if stage != self.stage:
                self.close()
                self.stage, self.bar = stage, tqdm(total=of, desc=f"{self.title}: {stage}")
            self.bar.update(done - self.bar.n)
            if "loss" in progress:
                self.bar.set_postfix(loss=f"{progress['loss']:.4f}")
        elif stage != "starting" and (time.monotonic() - self.last_line > _SECONDS_BETWEEN_LINES or done == of):
            self.last_line = time.monotonic()
            loss = f", loss {progress['loss']:.4f}" if "loss" in progress else ""
            # At the beginning of a stretch no rate is known yet.
            pace = f", {rate * progress.get('pictures_each', 1):.0f} pictures/s" if rate else ""
            left = f", {_clock((of - done) / rate)} left" if rate and done < of else ""
            print(f"{self.title}: {stage} {done}/{of}{loss}{pace}{left}", flush=True)

    def close(self) -> None:
        self.bar.close()


def _clock(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


def _end_of_log(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES_IN_AN_ERROR:]
    return f"the end of {log}:\n" + "\n".join(lines)
