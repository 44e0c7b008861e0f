"""``python -m benchmarks.render``: how many rendered pictures one core draws in a second, against the 100 wanted.

Times are processor time of one core, so that a busy machine does not change them much; each species is
timed a few times and its best time taken. The last line is pictures per second of both species over 100.
"""

import argparse
import time

import cv2
from threadpoolctl import threadpool_limits

from monkey_transfer.rendered import SPECIES, render

WANTED, PICTURES, REPEATS = 100, 60, 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("--pictures", type=int, default=PICTURES, help="of each species")
    count = parser.parse_args().pictures
    print(f"{count} pictures of 160 x 160 pixels of each species, one core, best of {REPEATS}")
    seconds = {species: best_time(species, count) for species in SPECIES}
    for species, spent in seconds.items():
        print(f"  {species:8} {count / spent:5.1f} pictures a second")
    print(f"ratio {len(SPECIES) * count / sum(seconds.values()) / WANTED:.2f}")


def best_time(species: str, pictures: int) -> float:
    """Seconds for the pictures, without those of the first one, which fills the tables of noise."""
    render(species, 0, 0)
    times = []
    for _ in range(REPEATS):
        start = time.process_time()
        for index in range(pictures):
            render(species, 1, index)
        times.append(time.process_time() - start)
    return min(times)


if __name__ == "__main__":
    cv2.setNumThreads(1)
    with threadpool_limits(1):
        main()
