"""How the PyTorch engine varies pictures, and its maps, loss and positions, against definitions written apart."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from monkey_transfer.networks.pytorch.augmentation import varied
from monkey_transfer.networks.pytorch.batches import BACKGROUND, IGNORED, LABELLED
from monkey_transfer.networks.pytorch.model import HEAD
from monkey_transfer.networks.pytorch.parts import GaussianShares, SmoothedPeak, SpatialCrossEntropy
from monkey_transfer.networks.pytorch.prediction import poses_of
from monkey_transfer.networks.pytorch.settings import Warping

NOTHING = Warping(rotation=0, any_angle=0, scaling=0, shift=0, flip=0, brightness=0, cutout=0)
MIRRORED = np.array([1, 0, 2])  # right, left, top
WIDTH, HEIGHT = 96, 72
STRIDE, SD = 4, 1.5
seeds = st.integers(0, 2**32 - 1)
unhurried = settings(deadline=None, max_examples=40)


def only(**settings) -> Warping:
    """Pictures that are varied in one way alone."""
    return NOTHING.model_copy(update=settings)


warps = st.builds(
    only,
    rotation=st.floats(0, 180),
    any_angle=st.floats(0, 1),
    scaling=st.floats(0, 0.3),
    shift=st.floats(0, 0.3),
    flip=st.sampled_from([0.0, 1.0]),
)


def grids(width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    return np.meshgrid(np.arange(width), np.arange(height))


def marked(joints: np.ndarray, sd: float = 3.0) -> np.ndarray:
    """A black picture with a blob at each of three joints, each in a colour of its own."""
    x, y = grids(WIDTH, HEIGHT)
    blobs = [np.exp(-((x - joint[0]) ** 2 + (y - joint[1]) ** 2) / (2 * sd**2)) for joint in joints]
    return np.rint(255 * np.stack(blobs, axis=-1)).astype(np.uint8)


def centre_of(blob: np.ndarray) -> np.ndarray:
    x, y = grids(blob.shape[1], blob.shape[0])
    return np.array([(x * blob).sum(), (y * blob).sum()]) / blob.sum()


def is_whole(blob: np.ndarray) -> bool:
    return bool(blob.any()) and not (blob[[0, -1]].any() or blob[:, [0, -1]].any())


# how pictures are varied


@unhurried
@given(
    warping=warps,
    seed=seeds,
    places=st.lists(st.tuples(st.floats(0.2, 0.8), st.floats(0.2, 0.8)), min_size=3, max_size=3),
)
def test_a_marker_stays_under_its_label(warping, seed, places):
    joints = np.array(places) * [WIDTH - 1, HEIGHT - 1]
    picture, moved = varied(marked(joints), joints, MIRRORED, warping, np.random.default_rng(seed))
    colours = MIRRORED if warping.flip else np.arange(3)  # what was the right hand is the left one in a mirror
    whole = [joint for joint in range(3) if is_whole(picture[..., colours[joint]])]
    assume(whole)
    for joint in whole:
        np.testing.assert_allclose(moved[joint], centre_of(picture[..., colours[joint]]), atol=0.3)


@pytest.fixture(scope="module")
def noise() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8), np.array(
        [[20.25, 30.5], [np.nan, np.nan], [95, 0]]
    )


@unhurried
@given(seed=seeds)
def test_where_all_is_switched_off_nothing_changes(noise, seed):
    picture, joints = varied(*noise, MIRRORED, NOTHING, np.random.default_rng(seed))
    np.testing.assert_array_equal(picture, noise[0])
    np.testing.assert_array_equal(joints, noise[1])


@unhurried
@given(seed=seeds)
def test_a_mirror_flips_exactly_and_swaps_sides(noise, seed):
    picture, joints = varied(*noise, MIRRORED, only(flip=1.0), np.random.default_rng(seed))
    np.testing.assert_array_equal(picture, noise[0][:, ::-1])
    np.testing.assert_array_equal(joints, [[np.nan, np.nan], [WIDTH - 1 - 20.25, 30.5], [0, 0]])


@unhurried
@given(seed=seeds, shift=st.floats(0, 0.49))
def test_a_joint_that_leaves_the_picture_is_not_labelled(seed, shift):
    x, y = grids(WIDTH, HEIGHT)
    joints = np.column_stack([x[::6, ::6].ravel(), y[::6, ::6].ravel()]).astype(float)
    rng, unmirrored = np.random.default_rng(seed), np.arange(len(joints))
    _, moved = varied(np.zeros((HEIGHT, WIDTH, 3), np.uint8), joints, unmirrored, only(shift=shift), rng)
    way = np.nanmedian(moved - joints, axis=0)  # of all that are still there
    expected = joints + way
    assert (np.abs(way) <= shift * np.array([WIDTH, HEIGHT]) + 1e-9).all()
    outside = ((expected < -0.5) | (expected > np.array([WIDTH, HEIGHT]) - 0.5)).any(axis=1)
    np.testing.assert_allclose(moved, np.where(outside[:, None], np.nan, expected), atol=1e-9)


@unhurried
@given(seed=seeds, off=st.sets(st.sampled_from(sorted(Warping.model_fields))))
def test_the_same_numbers_are_drawn_whatever_is_switched_off(noise, seed, off):
    def with_settings(warping: Warping):
        rng = np.random.default_rng(seed)
        return varied(*noise, MIRRORED, warping, rng), rng.bit_generator.state

    (_, joints), state = with_settings(Warping())
    (_, fewer), state_of_fewer = with_settings(Warping(**dict.fromkeys(off, 0)))
    assert state == state_of_fewer
    if off <= {"brightness", "cutout"}:
        np.testing.assert_array_equal(joints, fewer)


@unhurried
@given(seed=seeds)
def test_a_hole_is_a_grey_rectangle_and_values_change_all_at_once(noise, seed):
    picture, joints = varied(*noise, MIRRORED, only(cutout=1.0), np.random.default_rng(seed))
    np.testing.assert_array_equal(joints, noise[1])
    rows, columns = np.nonzero((picture != noise[0]).any(axis=2))
    hole = picture[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    assert (hole == 128).all()
    assert HEIGHT / 10 - 1 <= hole.shape[0] <= 0.4 * HEIGHT
    assert WIDTH / 10 - 1 <= hole.shape[1] <= 0.4 * WIDTH

    grey = np.tile(np.arange(256, dtype=np.uint8)[None, :, None], (2, 1, 3))
    brighter, _ = varied(grey, noise[1], MIRRORED, only(brightness=0.15), np.random.default_rng(seed))
    inside = (brighter[0, :, 0] > 0) & (brighter[0, :, 0] < 255)
    gain, bias = np.polyfit(np.arange(256)[inside], brighter[0, inside, 0], 1)
    assert 0.84 < gain < 1.16
    assert abs(bias) < 0.16 * 255
    assert (
        np.abs(gain * np.arange(256) + bias - brighter[0, :, 0])[inside].max() < 1
    )  # a straight line, but for rounding


# what a map, its loss and its position are


def labels(joints: np.ndarray, seen: np.ndarray | None = None) -> dict[str, torch.Tensor]:
    """As DeepLabCut's loaders give them: (pictures, 1, joints, 3)."""
    seen = np.full(joints.shape[:2], LABELLED) if seen is None else seen
    return {"keypoints": torch.from_numpy(np.concatenate([joints, seen[..., None]], axis=2)[:, None]).float()}


def target_of(joints: np.ndarray, seen: np.ndarray | None = None, width=WIDTH, height=HEIGHT, sd=SD):
    maps = torch.zeros(*joints.shape[:2], height // STRIDE, width // STRIDE)
    made = GaussianShares(sd)(STRIDE, {"heatmap": maps}, labels(joints, seen))["heatmap"]
    return made["target"].numpy(), made["weights"].numpy()


def gaussian_by_definition(x: float, y: float) -> np.ndarray:
    """A normalised Gaussian over the middles of cells, in pixels of the picture."""
    shares = np.zeros((HEIGHT // STRIDE, WIDTH // STRIDE))
    for row in range(shares.shape[0]):
        for column in range(shares.shape[1]):
            pixels = np.arange(STRIDE)
            dx, dy = (column * STRIDE + pixels).mean() - x, (row * STRIDE + pixels).mean() - y
            shares[row, column] = np.exp(-(dx**2 + dy**2) / (2 * (SD * STRIDE) ** 2))
    return shares / shares.sum()


places = st.tuples(st.floats(-0.5, WIDTH - 0.5), st.floats(-0.5, HEIGHT - 0.5))


@unhurried
@given(place=places)
def test_a_target_is_a_gaussian_that_sums_to_one(place):
    target, weight = target_of(np.array([[place]]))
    np.testing.assert_allclose(target[0, 0], gaussian_by_definition(*place), atol=1e-6)
    assert target.sum() == pytest.approx(1, abs=1e-5)
    assert weight == 1


def test_what_is_not_labelled_has_no_weight():
    joints = np.array([[[10, 10], [0, 0], [np.nan, np.nan], [20, 20]]])
    target, weights = target_of(joints, np.array([[LABELLED, IGNORED, IGNORED, BACKGROUND]]))
    assert weights.tolist() == [[1, 0, 0, 0]]
    assert np.isfinite(target).all()
    assert target[0, 1:].sum() == 0


def loss_of(logits: np.ndarray, target: np.ndarray, weights: np.ndarray) -> tuple[float, np.ndarray]:
    """The loss, and its gradient by the logits."""
    given = torch.tensor(logits, dtype=torch.float32, requires_grad=True)
    loss = SpatialCrossEntropy()(given, torch.from_numpy(target).float(), torch.from_numpy(weights).float())
    loss.backward()
    assert given.grad is not None
    return float(loss.detach()), given.grad.numpy()


def test_the_loss_is_the_cross_entropy_of_labelled_joints_alone():
    rng = np.random.default_rng(0)
    joints = rng.uniform(10, 60, (2, 3, 2))
    target, _ = target_of(joints)
    weights = np.array([[1, 0, 1], [1, 0, 0]])
    logits = rng.normal(0, 3, target.shape)
    entropies = []
    for picture, joint in zip(*np.nonzero(weights), strict=True):
        powers = np.exp(logits[picture, joint])
        entropies.append(-(target[picture, joint] * np.log(powers / powers.sum())).sum())
    loss, gradient = loss_of(logits, target, weights)
    assert loss == pytest.approx(np.mean(entropies), rel=1e-5)
    assert ((np.abs(gradient).sum(axis=(2, 3)) > 0) == (weights > 0)).all()

    logits[weights == 0] = rng.normal(0, 30, logits[weights == 0].shape)
    assert loss_of(logits, target, weights)[0] == loss
    none, flat = loss_of(logits, target, np.zeros_like(weights))
    assert none == 0
    assert not flat.any()


def found_in(shares: np.ndarray, sd: float = SD) -> np.ndarray:
    """(pictures, joints, 3) that the predictor finds in maps of logits whose softmax is ``shares``."""
    logits = torch.from_numpy(np.log(np.maximum(shares, 1e-30))).float()
    poses = SmoothedPeak(sd)(STRIDE, {"heatmap": logits})["poses"]
    assert poses.shape == (shares.shape[0], 1, shares.shape[1], 3)
    return poses[:, 0].numpy()


@unhurried
@given(x=st.floats(20, WIDTH - 21), y=st.floats(20, HEIGHT - 21), sd=st.sampled_from([1.0, 1.5]))
def test_a_perfect_map_gives_its_joint(x, y, sd):
    target, _ = target_of(np.array([[[x, y]]]), sd=sd)
    pose = found_in(target, sd)[0, 0]
    np.testing.assert_allclose(pose[:2], [x, y], atol=0.05)
    assert pose[2] > 0.98


@unhurried
@given(away=st.floats(0, 18))
def test_near_the_edge_a_perfect_map_is_drawn_inwards_by_no_more_than_is_said(away):
    joints = np.array([[[away, 36], [WIDTH - 1 - away, 36], [48, away], [48, HEIGHT - 1 - away]]])
    inwards = (found_in(target_of(joints)[0])[0, :, :2] - joints[0]) * [[1, 0], [-1, 0], [0, 1], [0, -1]]
    inwards = inwards.sum(axis=1)
    assert np.ptp(inwards) < 1e-3  # the same at all four
    assert -0.01 < inwards[0] < np.interp(away, [0, 4, 8, 12, 16], [4.1, 1.9, 0.5, 0.1, 0.01])


@unhurried
@given(seed=seeds, shape=st.tuples(st.integers(1, 20), st.integers(1, 20)), sd=st.floats(0.3, 3))
def test_a_position_is_the_peak_of_the_smoothed_map(seed, shape, sd):
    shares = np.random.default_rng(seed).dirichlet(np.full(shape[0] * shape[1], 0.5)).reshape(shape)
    rows, columns = np.indices(shape)
    smooth = np.array(
        [
            [(shares * np.exp(-((rows - i) ** 2 + (columns - j) ** 2) / (2 * sd**2))).sum() for j in range(shape[1])]
            for i in range(shape[0])
        ]
    )
    row, column = np.unravel_index(smooth.argmax(), shape)
    x, y, likelihood = found_in(shares[None, None], sd)[0, 0]
    place = [peak_of(np.log(smooth[row]), column), peak_of(np.log(smooth[:, column]), row)]
    np.testing.assert_allclose([x, y], (np.array(place) + 0.5) * STRIDE - 0.5, atol=0.02)
    near = (np.abs(rows - row) <= 3 * sd) & (np.abs(columns - column) <= 3 * sd)
    assert likelihood == pytest.approx(shares[near].sum(), rel=1e-4)


def peak_of(heights: np.ndarray, highest: int) -> float:
    """Where a parabola through three values has its peak, those beyond the ends being as high as the last."""
    padded = np.pad(heights, 1, mode="edge")[highest : highest + 3]
    curve, slope, _ = np.polyfit([-1, 0, 1], padded, 2)
    return highest + (np.clip(-slope / (2 * curve), -0.5, 0.5) if curve < 0 else 0.0)


# a picture and its mirror image


class SeesColours(nn.Module):
    """A network of three joints: the logits of each are those of the blob in its colour."""

    def __init__(self):
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))
        self.heads = {HEAD: nn.Module()}
        self.heads[HEAD].predictor = SmoothedPeak(SD)

    def forward(self, pictures: torch.Tensor) -> dict[str, dict[str, torch.Tensor]]:
        shallowest = pictures.amin(dim=(2, 3), keepdim=True)  # black
        cells = nn.functional.avg_pool2d(pictures - shallowest, STRIDE, ceil_mode=True)
        return {HEAD: {"heatmap": torch.log(cells + 1e-9)}}

    def get_stride(self, head: str) -> int:
        return STRIDE


@unhurried
@given(
    width=st.integers(64, 80),
    left=st.booleans(),
    joints=st.lists(st.tuples(st.floats(25, 40), st.floats(25, 46)), min_size=3, max_size=3),
)
def test_a_picture_and_its_mirror_image_agree_on_where_things_are(width, left, joints):
    """Whatever the width: cells of a mirror image are those of the picture only where they fill it."""
    joints = np.array(joints)
    picture = marked(joints, sd=SD * STRIDE)[:, :width]
    if left:
        picture, joints = picture[:, ::-1], np.array([width - 1, 0]) + joints * [-1, 1]
    unswapped = poses_of(SeesColours(), np.ascontiguousarray(picture)[None], np.arange(3))[0]
    np.testing.assert_allclose(unswapped[:, :2], joints, atol=0.2)
