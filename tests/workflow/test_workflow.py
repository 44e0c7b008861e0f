"""The workflow: what would run, and what is refused before anything starts."""

import subprocess
import sys

from monkey_transfer.profiles import ROOT


def dry_run(tmp_path, profile: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "snakemake", "--snakefile", "workflow/Snakefile", "--dry-run", "--cores", "1"]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "MONKEY_TRANSFER_RUNS": str(tmp_path / "runs")}
    return subprocess.run(
        [*command, "--nolock", "--config", f"profile={profile}"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )


def test_demo_trains_each_arm_of_each_seed_once_and_parents_first(tmp_path):
    shown = dry_run(tmp_path, "demo-seeds")
    assert shown.returncode == 0, shown.stderr
    text = shown.stdout + shown.stderr
    for seed in (0, 1, 2):
        for images in (30, 100):
            assert f"04_transfer_training-transfer-n{images}-s{seed}.ipynb" in text
        assert f"02_baseline_replication-s{seed}.ipynb" in text
        assert f"03_human_benchmark-s{seed}.ipynb" in text
    jobs = {
        line.split()[0]: int(line.split()[1])
        for line in text.splitlines()
        if len(line.split()) == 2 and line.split()[1].isdigit()
    }
    assert jobs["training"] == 27  # two arms at two sizes and five at one, three seeds
    assert jobs["baseline"] == jobs["benchmark"] == 3
    assert jobs["exploration"] == jobs["analysis"] == jobs["controls_and_learning_curves"] == jobs["rare_poses"] == 1
    assert "33 runs of profile demo-seeds: 0 exist, 33 to train; how long is not known" in text


def test_an_unknown_profile_is_refused(tmp_path):
    shown = dry_run(tmp_path, "nonsense")
    assert shown.returncode != 0
    assert "profile 'nonsense' is unknown: expected one of" in shown.stdout + shown.stderr
