"""Work on many pictures in several processes, none of which outlives the one that asked for it."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.process import BaseProcess
from threading import Thread
from typing import TypeVar

import cv2

from monkey_transfer.errors import StudyError

Item = TypeVar("Item")
Done = TypeVar("Done")


def in_processes(work: Callable[[Item], Done], items: Sequence[Item], processes: int) -> Iterator[Done]:
    """What ``work`` makes of one item after the other, in their order, by up to ``processes`` at once.

    With one process, or one item, the work is done in this one.
    """
    workers = min(processes, len(items))
    if workers < 2:
        yield from map(work, items)
        return
    try:
        # A fresh interpreter each: forking a process in which TensorFlow runs can hang.
        with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _start_worker) as pool:
            yield from pool.map(work, items)
    except BrokenProcessPool as error:
        raise StudyError(
            "a process that makes pictures ended early: see that there is memory for it, and let a script call the "
            "study below if __name__ == '__main__', since every such process reads the script again"
        ) from error


def _start_worker() -> None:
    cv2.setNumThreads(1)
    # A worker whose parent is killed would wait for work for ever.
    if parent := multiprocessing.parent_process():
        Thread(target=_end_after, args=(parent,), daemon=True).start()


def _end_after(process: BaseProcess) -> None:
    process.join()
    os._exit(1)
