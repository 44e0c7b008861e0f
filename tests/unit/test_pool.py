"""Processes do the same work as one, in the same order, and end with the process that started them."""

import operator
import os
import subprocess
import sys
import time

import psutil

from monkey_transfer.pool import in_processes


def test_the_order_is_that_of_the_items_in_any_number_of_processes():
    items = list(range(20))
    assert (
        list(in_processes(operator.neg, items, 2)) == list(in_processes(operator.neg, items, 1)) == [-i for i in items]
    )
    assert list(in_processes(operator.neg, [], 2)) == []


def test_workers_end_when_their_parent_is_killed():
    program = (
        "import time\n"
        "from monkey_transfer.pool import in_processes\n"
        "if __name__ == '__main__': list(in_processes(time.sleep, [60, 60], 2))"
    )
    parent = psutil.Process(subprocess.Popen([sys.executable, "-c", program]).pid)
    deadline = time.monotonic() + 30
    while len(workers := parent.children(recursive=True)) < 3 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert len(workers) >= 3  # two workers and multiprocessing's resource tracker
    time.sleep(3)  # they are past their start
    parent.kill()
    assert not psutil.wait_procs(workers, timeout=20)[1]


def test_a_script_without_a_guard_is_told_so(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from monkey_transfer.study.datasets import open_dataset\n"
        "from monkey_transfer.profiles.data import SyntheticData\n"
        "open_dataset(SyntheticData(format='synthetic', species='human', images=60, size=32))\n"
    )
    environment = {**os.environ, "MONKEY_TRANSFER_RUNS": str(tmp_path / "runs")}
    ended = subprocess.run([sys.executable, str(script)], env=environment, capture_output=True, text=True, timeout=100)
    assert "call the study below if __name__ == '__main__'" in ended.stderr
