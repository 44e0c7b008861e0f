"""A training in its own process ends with all its results, however often it was killed, or with a clear error."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import psutil
import pytest

from monkey_transfer.errors import StudyError
from monkey_transfer.networks.child import mean_distance, share_correct
from monkey_transfer.networks.job import JobFolder
from monkey_transfer.networks.supervisor import run_job

SEED = 2


def child_of(parent: psutil.Process, folder: JobFolder) -> psutil.Process | None:
    """The process that ``parent`` started for that job, if it is there."""
    return next((child for child in parent.children() if str(folder.path) in child.cmdline()), None)


def wait_for(what: Callable, seconds: float = 300):
    """What ``what`` returns once that is not false."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, f"waited {seconds} s in vain"
        time.sleep(0.005)
    return found


def is_gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def iterations_saved(folder: JobFolder) -> int:
    saved = folder.resume / "progress.json"
    return json.loads(saved.read_text())["iteration"] if saved.is_file() else 0


def is_training(folder: JobFolder) -> bool:
    return folder.progress.is_file() and json.loads(folder.progress.read_text())["stage"] == "training"


def run_and_signal(folder: JobFolder, when: Callable[[], bool], sign: signal.Signals, **settings) -> None:
    """Run a job and send its process ``sign`` when it is time."""
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run_job, folder, "small", **settings)
        child = wait_for(lambda: running.done() or child_of(psutil.Process(), folder))
        wait_for(lambda: running.done() or when())
        if not running.done():
            child.send_signal(sign)
        running.result()


def test_a_training_killed_at_three_moments_ends_like_an_uninterrupted_one(finished, small_job, tmp_path):
    killed = small_job(tmp_path / "killed")
    rng = np.random.default_rng(SEED)
    saved = sorted(rng.choice([0, 10, 20, 30], 3, replace=False))  # of 40 iterations; a kill comes a bit later
    for moment in saved:
        pause = rng.uniform(0, 0.1)

        def it_is_time(moment=moment, pause=pause) -> bool:
            ready = is_training(killed) and iterations_saved(killed) >= moment
            time.sleep(pause if ready else 0)
            return ready

        with pytest.raises(StudyError, match="small: its process was killed by SIGKILL; the end of .*log.txt"):
            run_and_signal(killed, it_is_time, signal.SIGKILL)
        assert not killed.outcome.exists()
        assert iterations_saved(killed) >= moment
    run_job(killed, "killed")

    def files(folder: JobFolder) -> set[str]:
        return {str(file.relative_to(folder.path)) for file in folder.path.rglob("*") if file.is_file()}

    assert files(killed) == files(finished)
    ours, theirs = (json.loads(folder.outcome.read_text()) for folder in (killed, finished))
    assert ours.keys() == theirs.keys()
    timed_or_measured = {"seconds", "validation_error", "validation_score"}
    assert {k: v for k, v in ours.items() if k not in timed_or_measured} == {
        k: v for k, v in theirs.items() if k not in timed_or_measured
    }
    assert ours["validation_error"] == pytest.approx(theirs["validation_error"], rel=0.01)

    ours, theirs = (pd.read_csv(folder.learning_curve).drop(columns="seconds") for folder in (killed, finished))
    assert len(ours) == 4
    one_or_two_joints = 15
    np.testing.assert_allclose(ours.pop("validation_score"), theirs.pop("validation_score"), atol=one_or_two_joints)
    pd.testing.assert_frame_equal(ours, theirs, rtol=0.01)
    ours, theirs = (pd.read_parquet(folder.network_predictions) for folder in (killed, finished))
    assert set(ours["role"]) == {"validation", "test"}
    assert np.ptp(theirs["x"]) > 30  # the network does see something
    pd.testing.assert_frame_equal(ours, theirs, atol=0.5)  # of a pixel


def test_the_kept_snapshot_is_the_best_on_the_validation_pictures(finished):
    """What it predicts of them has the error and the score that the training ended with, the best of its curve."""
    outcome, curve = json.loads(finished.outcome.read_text()), pd.read_csv(finished.learning_curve)
    _, pictures, joints = finished.read()
    predicted = pd.read_parquet(finished.network_predictions)
    validation = predicted[predicted["role"] == "validation"]
    assert set(validation["image_id"]) == set(pictures.loc[pictures["role"] == "validation", "image_id"])
    assert outcome["validation_error"] == pytest.approx(mean_distance(validation, joints), abs=0.001)
    assert outcome["validation_score"] == pytest.approx(share_correct(validation, joints), abs=0.001)
    best = curve.sort_values(["validation_score", "validation_error"], ascending=[False, True]).iloc[0]
    assert (best["iteration"], best["validation_score"]) == (
        outcome["chosen_iteration"],
        pytest.approx(outcome["validation_score"]),
    )


def test_what_is_wrong_with_a_job_is_told(write_job, tmp_path):
    """Three jobs at a time, since each spends most of its life importing TensorFlow."""
    exploding = write_job(tmp_path / "exploding", optimizer="sgd", multi_step=[(1e30, 1000)])
    lacking = write_job(tmp_path / "lacking")
    pictures = pd.read_parquet(lacking.pictures)
    pictures.loc[0, "path"] = str(tmp_path / "deleted.png")
    pictures.to_parquet(lacking.pictures)
    broken = write_job(tmp_path / "broken")
    broken.job.write_text(broken.job.read_text()[:100])
    with ThreadPoolExecutor(3) as pool:
        running = [pool.submit(run_job, folder, folder.path.name) for folder in (exploding, lacking, broken)]
    errors = [job.exception() for job in running]
    assert all(isinstance(error, StudyError) for error in errors)
    diverged, missed, died = map(str, errors)
    told = r"exploding: the training loss is infinite or no number at iteration \d+: lower the .* of training"
    assert re.fullmatch(told, diverged)
    assert missed == f"lacking: {tmp_path / 'deleted.png'}: No such file or directory"
    assert died.startswith(f"broken: its process ended with exit status 1; the end of {broken.log}:\n")
    assert "Invalid JSON" in died
    for folder in (exploding, lacking, broken):
        assert not folder.outcome.exists()
        assert not folder.network_predictions.exists()


def test_a_process_that_hangs_is_stopped(write_job, tmp_path):
    folder = write_job(tmp_path)
    child: list[psutil.Process] = []

    def it_has_started() -> bool:
        child.append(child_of(psutil.Process(), folder))
        return True

    with pytest.raises(StudyError, match="small: no progress for 2 s, so its process was stopped; the end of"):
        run_and_signal(folder, it_has_started, signal.SIGSTOP, hangs_after=2)
    assert is_gone(child[0])


def test_the_process_does_not_outlive_its_parent(write_job, tmp_path):
    folder = write_job(tmp_path)
    program = (
        "import sys; from pathlib import Path; from monkey_transfer.networks.job import JobFolder;"
        "from monkey_transfer.networks.supervisor import run_job; run_job(JobFolder(Path(sys.argv[1])), 'small')"
    )
    parent = subprocess.Popen([sys.executable, "-c", program, str(folder.path)], stdout=subprocess.DEVNULL)
    wait_for(folder.progress.is_file)
    child = child_of(psutil.Process(parent.pid), folder)
    assert child is not None
    assert not is_gone(child)
    parent.kill()
    parent.wait()
    wait_for(lambda: is_gone(child), seconds=20)
