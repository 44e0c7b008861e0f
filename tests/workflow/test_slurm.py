"""The workflow on a Slurm cluster that is none: its commands are small programs that write down what they are asked.

Jobs run on this machine, as they were submitted. The first is not run at all: it is said to have met its time limit.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from monkey_transfer.places import ROOT

pytestmark = pytest.mark.slow

COMMANDS = {
    "sbatch": """
        id=1
        until mkdir "$FAKE_SLURM/$id" 2>/dev/null; do id=$((id + 1)); done
        cd "$FAKE_SLURM/$id"
        printf '%s\\n' "$@" > asked
        for word; do case $word in --wrap=*) echo "cd '$OLDPWD' && ${word#--wrap=}" > script ;; esac; done
        if [ "$id" = 1 ]; then
            echo TIMEOUT > state
        else
            echo RUNNING > state
            (SLURM_JOB_ID=$id sh script > log 2>&1 && echo COMPLETED > state || echo FAILED > state) > /dev/null 2>&1 &
        fi
        echo "$id"
    """,
    # as what a job's script starts its step
    "srun": """
        echo "$@" > "$FAKE_SLURM/$SLURM_JOB_ID/step"
        while case $1 in -*) ;; *) false ;; esac; do shift; done
        exec "$@"
    """,
    # It answers when no job is running any more, since the plugin asks again after ever longer pauses; or in 20 s.
    "sacct": """
        case "$*" in
            *Account*) echo none; exit ;;
            *Reason*) echo TimeLimit; exit ;;
        esac
        cd "$FAKE_SLURM"
        end=$(($(date +%s) + 20))
        while grep -q RUNNING */state && [ "$(date +%s)" -lt $end ]; do sleep 0.2; done
        for id in *; do echo "$id|$(cat "$id/state")"; done
    """,
    "sinfo": "echo 'PARTITION some long*'",
    "scontrol": "",
    "scancel": "",
}


@dataclass(frozen=True)
class Cluster:
    """The cluster's commands and the jobs that it was given, each in a folder by its number."""

    commands: Path
    jobs: Path

    def asked(self, job: int) -> list[str]:
        """What sbatch was called with."""
        return (self.jobs / str(job) / "asked").read_text().splitlines()

    def file(self, job: int, name: str) -> str:
        return (self.jobs / str(job) / name).read_text()


@pytest.fixture
def cluster(tmp_path, monkeypatch) -> Cluster:
    made = Cluster(tmp_path / "bin", tmp_path / "jobs")
    made.jobs.mkdir()
    made.commands.mkdir()
    for name, body in COMMANDS.items():
        command = made.commands / name
        command.write_text(f"#!/bin/sh\n{body}\n")
        command.chmod(0o755)
    monkeypatch.setenv("PATH", str(made.commands), prepend=":")
    monkeypatch.setenv("FAKE_SLURM", str(made.jobs))
    return made


def value(asked: list[str], option: str) -> str:
    """The word after an option, or behind its equals sign."""
    for word, after in zip(asked, [*asked[1:], ""], strict=True):
        if word == option:
            return after
        if word.startswith(f"{option}="):
            return word.removeprefix(f"{option}=")
    return ""


# The rules that train.
TRAIN = ("baseline", "benchmark", "deciding", "curve", "training")


def planned(said: str) -> dict[str, list[dict[str, str]]]:
    """The resources of each planned job, by its rule."""
    jobs: dict[str, list[dict[str, str]]] = {}
    for rule, resources in re.findall(r"^(?:local)?rule (\w+):$.*?^    resources: (.*?)$", said, re.M | re.S):
        jobs.setdefault(rule, []).append(dict(each.split("=", 1) for each in resources.split(", ")))
    return jobs


def test_a_training_is_submitted_with_a_gpu_and_limits_and_again_after_its_time_limit(project, cluster):
    with project.workflow(
        *("--latency-wait", "5", "--slurm-init-seconds-before-status-checks", "1"),
        *("--seconds-between-status-checks", "1", str(project.trained(8))),
        cluster="slurm",
    ) as workflow:
        assert workflow.wait() == 0, project.said
    assert sorted(job.name for job in cluster.jobs.iterdir()) == ["1", "2"]
    assert [cluster.file(job, "state") for job in (1, 2)] == ["TIMEOUT\n", "COMPLETED\n"]
    for job in (1, 2):
        asked = cluster.asked(job)
        assert value(asked, "--comment") == "rule_deciding_wildcards_scratch_control_8_0"
        assert value(asked, "--gpus") == "1"
        assert value(asked, "--ntasks-per-gpu") == "1"
        assert value(asked, "-t") == "1440"
        assert value(asked, "--mem") == "32000"
        assert value(asked, "--cpus-per-task") == "8"
        assert value(asked, "-p") == "long"
    assert "--gpus=1" in cluster.file(2, "step").split()
    assert project.trained(8).is_file()
    assert (project.runs / "scratch_control" / "n8-s0" / "run.json").is_file()


def test_every_rule_that_trains_has_the_resources_of_a_training():
    asked = yaml.safe_load((ROOT / "config" / "cluster" / "slurm.yaml").read_text(encoding="utf-8"))["set-resources"]
    assert {rule for rule, resources in asked.items() if resources.get("gpu")} == set(TRAIN)


def test_only_trainings_ask_for_a_gpu_and_many_may_run_at_once(project):
    with project.workflow("--dry-run", cluster="slurm") as workflow:
        assert workflow.wait() == 0, project.said
    assert "5 runs of profile tiny: 0 exist, 5 to train; how long is not known before" in project.said
    jobs = planned(project.said)
    counts = {rule: len(of_rule) for rule, of_rule in jobs.items() if rule not in ("all", "bind_chapters")}
    results = {"analysis": 1, "controls_and_learning_curves": 1, "rare_poses": 1}
    assert counts == {"exploration": 1, "baseline": 1, "benchmark": 1, "deciding": 2, "curve": 1, **results}
    for rule, of_rule in jobs.items():
        trains = rule in TRAIN
        for resources in of_rule:
            assert resources.get("gpu") == ("1" if trains else None)
            assert int(resources["runtime"]) > 0
            assert int(resources["mem_mb"]) > 0
