"""Pictures that are nearly the same, found by a perceptual hash.

The hash is pHash (C. Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010) with
more bits: a picture is shrunk to 32 x 32 grey pixels, whatever its shape; of the 16 x 16 lowest frequencies of
their discrete cosine transform, all but the mean, a bit says whether each is above the median of the 255. Two
pictures are as far apart as they have bits that differ (Hamming distance): 0 to 255.

What is near was chosen on photographs, by eye and by copies: docs/data.md has the numbers.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
from PIL import Image

from monkey_transfer.devices import cores
from monkey_transfer.images import opened, rgb, upright

# A quarter of the bits.
NEAR = 64

_COMPARED_AT_ONCE = 1000
_SIDE = 32
_FREQUENCIES = 16
_BITS = _FREQUENCIES**2 - 1


def near_duplicates(first: Iterable[str], second: Iterable[str], within: int = NEAR) -> pd.DataFrame:
    """The pairs of a picture of the first list and one of the second that are at most ``within`` bits apart.

    A path that is named twice counts once; one that is in both lists is a pair. Returns ``first``, ``second`` (paths)
    and ``distance``. StudyError if a file is missing or not a picture.
    """
    one, other = (list(dict.fromkeys(paths)) for paths in (first, second))
    both = list(dict.fromkeys([*one, *other]))
    # Of two vectors of signs, the product is the number of bits that agree less those that differ.
    signs = dict(zip(both, np.where(picture_hashes(both), 1, -1).astype(np.float32), strict=True))
    columns = np.array([signs[path] for path in other], np.float32).reshape(-1, _BITS)
    pairs = []
    for start in range(0, len(one), _COMPARED_AT_ONCE):
        rows = np.array([signs[path] for path in one[start : start + _COMPARED_AT_ONCE]])
        distances = (_BITS - rows @ columns.T) / 2
        pairs += [(one[start + i], other[j], int(distances[i, j])) for i, j in np.argwhere(distances <= within)]
    return pd.DataFrame(pairs, columns=["first", "second", "distance"])


def kept_together(images: pd.DataFrame, alike: pd.DataFrame) -> pd.DataFrame:
    """The images table with one ``group`` for all pictures that a chain of near duplicates, or of groups, connects.

    ``alike`` are the :func:`near_duplicates` of its pictures. Groups that were joined have the name of the one that
    comes first in the alphabet.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    names, group = np.unique(images["group"].to_numpy(str), return_inverse=True)
    group_of = pd.Series(group, images["path"])
    group_of = group_of[~group_of.index.duplicated()]
    # Also of each picture with the first of its file, since a file may show several people.
    first = np.concatenate([group_of[alike["first"]], group])
    second = np.concatenate([group_of[alike["second"]], group_of[images["path"]]])
    links = coo_array((np.ones(len(first)), (first, second)), shape=(len(names), len(names)))
    _, chain = connected_components(links, directed=False)
    first_of_chain = pd.Series(names).groupby(chain).transform("first")
    return images.assign(group=first_of_chain.to_numpy()[group])


def picture_hashes(paths: Sequence[str]) -> np.ndarray:
    """(pictures, 255) bool, the hash of each picture; StudyError if a file is missing or not a picture."""
    from scipy.fft import dctn

    with ThreadPoolExecutor(cores()) as pool:  # decoding releases the interpreter
        small = np.array(list(pool.map(_thumbnail, paths)), np.float32).reshape(-1, _SIDE, _SIDE)
    lowest = dctn(small, axes=(1, 2))[:, :_FREQUENCIES, :_FREQUENCIES]
    frequencies = lowest.reshape(-1, _BITS + 1)[:, 1:]
    return frequencies > np.median(frequencies, axis=1, keepdims=True)


def _thumbnail(path: str) -> np.ndarray:
    """The picture as (32, 32) grey levels, turned upright: so are the copies that a program saves without the tag."""
    with opened(path) as picture:
        # A JPEG is decoded at an eighth of its size where that is enough, three times as fast.
        picture.draft("L", (2 * _SIDE, 2 * _SIDE))
        return np.asarray(upright(rgb(picture)).convert("L").resize((_SIDE, _SIDE), Image.Resampling.LANCZOS))
