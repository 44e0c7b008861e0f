"""Where rendered primates are: backgrounds painted straight into the picture.

A canvas is (3, size, size), colour first: NumPy is many times faster when the last axis is a long one.
Colours are 0 to 1. Level ground ends at the row that the camera gives for the horizon.
"""

import cv2
import numpy as np

from monkey_transfer.rendered.choices import COLOURS, Rng, choose
from monkey_transfer.rendered.noise import NOISE_SIDE, noise, rolled

Array = np.ndarray
# Where one sits on stools and climbs poles, not rocks and trees.
BUILT = ("room", "gym", "street", "enclosure")


def paint(place: str, size: int, horizon: float, rng: Rng) -> tuple[Array, bool]:
    """The background of ``place`` (3, size, size), and whether it has a ground on which a shadow falls."""
    canvas = np.zeros((3, size, size), np.float32)
    _PAINTERS[place](canvas, horizon, rng)
    return np.clip(canvas, 0, 1), place not in ("foliage", "sky")


def _cloud(size: int, zoom: float, rng: Rng) -> Array:
    """Fractal noise (size, size) in 0 to 1, ``zoom`` times coarser than its tile."""
    side = max(int(size / zoom), 2)
    down, across = rng.integers(0, NOISE_SIDE, 2).tolist()
    tile = rolled("cloud", (down, across), (side, side))
    return cv2.resize(tile, (size, size), interpolation=cv2.INTER_CUBIC)


def _blend(canvas: Array, colours: Array, share: Array) -> None:
    canvas += (colours - canvas) * share


def _colour(rng: Rng, of: str, vary: float = 0.06) -> Array:
    return _rgb(*choose(rng, COLOURS[of])) * np.float32(rng.uniform(1 - vary, 1 + vary))


def _rgb(red: float, green: float, blue: float) -> Array:
    """A colour (3, 1, 1)."""
    return np.array((red, green, blue), np.float32)[:, None, None]


def _below(size: int, horizon: float) -> tuple[Array, Array, Array]:
    """Of the rows below the horizon: which they are, and the (across, away) coordinates of level ground."""
    rows = np.arange(max(int(np.ceil(horizon)), 0), size)
    away = 1 / (rows - horizon + 3.0).astype(np.float32)[:, None]
    across = (np.arange(size, dtype=np.float32) - size / 2)[None] * away
    return rows, across, np.broadcast_to(away, across.shape) * size


def _ground(canvas: Array, horizon: float, colour: Array, contrast: float, rng: Rng, grain: str = "fine") -> None:
    """Level ground of one colour: patches that shrink towards the horizon, and a grain that gets coarser near by."""
    rows, across, away = _below(canvas.shape[2], horizon)
    if not len(rows):
        return
    shift = rng.integers(0, NOISE_SIDE)
    # Texture laid out by the logarithm of the distance looks alike, and as steep, at every distance.
    patches = noise("cloud")[
        (np.log(away) * -170 + shift).astype(int) % NOISE_SIDE, (across * 75 + shift).astype(int) % NOISE_SIDE
    ]
    nearness = np.linspace(0.3, 1.0, len(rows), dtype=np.float32)[:, None]
    speckle = rolled(grain, (shift, 3 * shift), (len(rows), canvas.shape[2]))
    shade = 1 + contrast * (patches - 0.5) * (0.5 + 0.5 * nearness) + 0.9 * contrast * (speckle - 0.5) * nearness
    canvas[:, rows[0] :] = colour * (shade * np.linspace(0.9, 1.04, len(rows), dtype=np.float32)[:, None])


def _sky(canvas: Array, horizon: float, rng: Rng) -> None:
    size = canvas.shape[2]
    top, low = _colour(rng, "high_sky"), _colour(rng, "low_sky")
    ramp = np.clip((np.arange(size) + 0.4 * size) / max(horizon + 0.4 * size, 40), 0, 1)[:, None]
    canvas[:] = top + (low - top) * ramp
    clouds = np.clip(_cloud(size, 1.6, rng) * 3 - 1.5, 0, 0.85)
    _blend(canvas, _rgb(0.98, 0.98, 0.99), clouds)


def _treeline(canvas: Array, horizon: float, rng: Rng, height: float) -> None:
    """Distant trees or hills above the horizon."""
    size = canvas.shape[2]
    wave = _cloud(size, 2.0, rng)[0]
    tops = horizon - size * height * (0.4 + 1.2 * wave)
    depth = np.arange(size)[:, None] - tops[None]
    colour = _colour(rng, "treeline")
    texture = 0.75 + 0.5 * _cloud(size, 0.8, rng)
    _blend(canvas, colour * texture, np.clip(depth / 2, 0, 1) * 0.92)


def _meadow(canvas: Array, horizon: float, rng: Rng) -> None:
    _sky(canvas, horizon, rng)
    _treeline(canvas, horizon, rng, rng.uniform(0.05, 0.25))
    _ground(canvas, horizon, _colour(rng, "grass", vary=0.12), 0.5, rng, "strand")


def _park(canvas: Array, horizon: float, rng: Rng) -> None:
    _meadow(canvas, horizon, rng)
    _leaf_masses(canvas, rng, int(horizon * 0.75), 40)


def _beach(canvas: Array, horizon: float, rng: Rng) -> None:
    _sky(canvas, horizon, rng)
    _ground(canvas, horizon, _colour(rng, "sand"), 0.18, rng)
    sea = slice(max(int(horizon), 0), max(int(horizon + 0.09 * canvas.shape[2]), 0))
    canvas[:, sea] = _colour(rng, "sea") * (0.9 + 0.2 * _cloud(canvas.shape[2], 1, rng)[sea])


def _leaf_masses(canvas: Array, rng: Rng, bottom: int, count: int) -> None:
    """Overlapping blurred clumps of leaves, dark behind and bright in front, above row ``bottom``."""
    size = canvas.shape[2]
    if bottom <= 0:
        return
    base = _colour(rng, "leaves", vary=0.12)
    for layer, strength in enumerate((0.55, 0.85, 1.2)):
        radius = size / (9 + 7 * layer)
        spots = np.zeros((size, size), np.float32)
        places = rng.uniform((0, -0.1 * size), (size, bottom), (count, 2))
        for (x, y), r in zip(places, rng.uniform(0.4, 1.1, count) * radius, strict=True):
            cv2.circle(spots, (int(x), int(y)), max(int(r), 1), float(rng.uniform(0.7, 1)), -1, cv2.LINE_AA)
        spots = cv2.GaussianBlur(spots, (0, 0), 1.2 + 0.8 * (2 - layer))
        texture = 0.6 + 0.8 * _cloud(size, 0.7, rng)
        _blend(canvas, base * strength * texture, np.clip(spots, 0, 1) * 0.9)


def _foliage(canvas: Array, horizon: float, rng: Rng) -> None:
    size = canvas.shape[2]
    canvas[:] = _colour(rng, "behind_leaves") * (0.7 + 0.6 * _cloud(size, 2, rng))
    _leaf_masses(canvas, rng, size, 55)
    sigma = rng.uniform(0.6, 2.0)
    for channel in canvas:
        cv2.GaussianBlur(channel, (0, 0), sigma, dst=channel)


def _forest(canvas: Array, horizon: float, rng: Rng) -> None:
    size = canvas.shape[2]
    haze = _colour(rng, "haze")
    canvas[:] = haze * (0.75 + 0.5 * _cloud(size, 1.6, rng))
    _leaf_masses(canvas, rng, int(horizon), 30)
    _ground(canvas, horizon, _colour(rng, "forest_floor"), 0.55, rng)
    for nearness in np.sort(rng.uniform(0.2, 1, rng.integers(2, 6))):
        x, width = rng.uniform(0, size), size * (0.015 + 0.05 * nearness)
        foot = int(np.clip(horizon + 0.25 * nearness**2 * size, 0, size))
        off_axis = (np.arange(size) - x) / width
        light = np.clip(1.1 - 0.5 * (off_axis + 0.4) ** 2, 0.35, 1.1) * (0.7 + 0.6 * _cloud(size, 0.6, rng)[:foot])
        bark = haze + (_rgb(0.30, 0.23, 0.17) - haze) * (0.3 + 0.65 * nearness)
        edges = np.clip((1 - np.abs(off_axis)) * width / 1.5, 0, 1)
        roots = np.clip((foot - np.arange(foot))[:, None] - 0.06 * width * off_axis**2, 0, 1)
        _blend(canvas[:, :foot], bark * light, edges * roots * 0.95)


def _rocks(canvas: Array, horizon: float, rng: Rng) -> None:
    _meadow(canvas, horizon, rng)
    _ground(canvas, horizon, _colour(rng, "rocky_ground"), 0.5, rng)
    size = canvas.shape[2]
    for _ in range(rng.integers(2, 7)):
        x, y, r = rng.uniform(0, size), horizon + rng.uniform(0, 0.15) * size, rng.uniform(0.06, 0.2) * size
        mask = np.zeros((size, size), np.float32)
        half_axes, tilt = (int(r * 1.3), int(r * 0.8)), rng.uniform(-15, 15)
        cv2.ellipse(mask, (int(x), int(y)), half_axes, tilt, 0, 360, 1.0, -1, cv2.LINE_AA)
        slope = 0.95 - 0.35 * np.clip((np.arange(size)[:, None] - y + r) / (1.6 * r), 0, 1)
        stone = _colour(rng, "rock") * (slope * (0.75 + 0.5 * _cloud(size, 0.9, rng)))
        _blend(canvas, stone, mask)


def _wall(canvas: Array, horizon: float, rng: Rng, colour: Array) -> int:
    """A wall down to the floor's edge, lit unevenly; returns the row of the edge."""
    size = canvas.shape[2]
    edge = int(np.clip(horizon + rng.uniform(0.10, 0.32) * size, 0.05 * size, 0.86 * size))
    fall = 1.06 - 0.22 * np.abs(np.linspace(-1, 1, size) - rng.uniform(-0.8, 0.8))
    canvas[:] = colour * fall
    canvas *= 0.97 + 0.06 * _cloud(size, 1, rng)
    return edge


def _floor(canvas: Array, horizon: float, edge: int, rng: Rng, kind: str) -> None:
    rows, across, away = _below(canvas.shape[2], min(horizon, edge - 4.0))
    rows, across, away = (a[rows >= edge] for a in (rows, across, away))
    plank = np.floor(across * 6).astype(int)
    if kind == "planks":
        tone = noise("fine")[plank % NOISE_SIDE, (plank * 7) % NOISE_SIDE] * 0.25 + 0.85
        tone = tone - 0.18 * ((across * 6) % 1 < 0.06)
        colour = _colour(rng, "planks")
    elif kind == "tiles":
        square = (plank + np.floor(away * 1.2).astype(int)) % 2
        tone = 0.86 + rng.uniform(0.05, 0.25) * square
        colour = _colour(rng, "tiles")
    else:
        tone = 0.85 + 0.3 * noise("fine")[(away * 60).astype(int) % NOISE_SIDE, (across * 90).astype(int) % NOISE_SIDE]
        colour = _colour(rng, "carpet")
    grain = 0.94 + 0.12 * noise("strand")[(away * 8).astype(int) % NOISE_SIDE, (across * 200).astype(int) % NOISE_SIDE]
    canvas[:, edge:] = colour * (tone * grain)


def _room(canvas: Array, horizon: float, rng: Rng) -> None:
    size = canvas.shape[2]
    edge = _wall(canvas, horizon, rng, _colour(rng, "room_wall", vary=0.1))
    ornament = choose(rng, ("none", "window", "picture", "stripes", "curtain"))
    x, y = int(rng.uniform(0.02, 0.65) * size), int(rng.uniform(-0.05, 0.15) * size)
    w, h = int(rng.uniform(0.22, 0.36) * size), int(rng.uniform(0.25, 0.42) * size)
    if ornament == "stripes":
        canvas *= 1 - 0.07 * (np.arange(size) // max(size // rng.integers(14, 26), 1) % 2)
    if ornament == "curtain":
        folds = 0.82 + 0.18 * np.sin(np.arange(w) / size * 90)
        canvas[:, : int(edge * 0.95), x : x + w] = (_colour(rng, "curtain") * folds)[..., : size - x]
    if ornament in ("window", "picture") and y + h < edge:
        frame = (0.95, 0.94, 0.92) if ornament == "window" else (0.30, 0.22, 0.16)
        view = np.zeros((3, size, size), np.float32)
        _meadow(view, 0.7 * size, rng)
        top, left = max(y, 0), max(x, 0)
        for channel, seen, colour in zip(canvas, view, frame, strict=True):
            cv2.rectangle(channel, (x - 3, y - 3), (x + w + 3, y + h + 3), colour, -1)
            inside = channel[top : y + h, left : x + w]
            inside[:] = cv2.resize(seen, inside.shape[::-1], interpolation=cv2.INTER_AREA)
            if ornament == "window":
                cv2.line(channel, (x + w // 2, y), (x + w // 2, y + h), colour, 2)
    _floor(canvas, horizon, edge, rng, choose(rng, ("planks", "tiles", "carpet")))
    canvas[:, max(edge - 4, 0) : edge] = _colour(rng, "skirting")


def _gym(canvas: Array, horizon: float, rng: Rng) -> None:
    size = canvas.shape[2]
    edge = _wall(canvas, horizon, rng, _colour(rng, "gym_wall"))
    band = int(edge * rng.uniform(0.45, 0.7))
    canvas[:, band:edge] *= _colour(rng, "gym_band")
    step = int(rng.uniform(0.07, 0.14) * size)
    canvas[:, ::step] *= 0.94
    canvas[..., :: 2 * step] *= 0.94
    _floor(canvas, horizon, edge, rng, "planks")


def _bricks(canvas: Array, edge: int, rng: Rng) -> None:
    size = canvas.shape[2]
    height, width = size / rng.uniform(18, 26), size / rng.uniform(8, 11)
    row, column = np.arange(edge)[:, None] / height, np.arange(size)[None] / width
    column = column + 0.5 * (np.floor(row) % 2)
    each = np.floor(row).astype(int) % NOISE_SIDE, np.floor(column).astype(int) * 5 % NOISE_SIDE
    tone = 0.85 + 0.3 * noise("fine")[each]
    mortar = ((row % 1 < 0.14) | (column % 1 < 0.06)) * 1.0
    canvas[:, :edge] *= tone
    _blend(canvas[:, :edge], _rgb(0.78, 0.75, 0.71), mortar * 0.7)


def _street(canvas: Array, horizon: float, rng: Rng) -> None:
    edge = _wall(canvas, horizon, rng, _colour(rng, "bricks", vary=0.1))
    _bricks(canvas, edge, rng)
    _floor(canvas, horizon, edge, rng, choose(rng, ("tiles", "asphalt")))


def _enclosure(canvas: Array, horizon: float, rng: Rng) -> None:
    """Concrete with stains, straw or earth on the floor, sometimes wire mesh."""
    size = canvas.shape[2]
    edge = _wall(canvas, horizon, rng, _colour(rng, "concrete"))
    canvas *= 0.72 + 0.5 * _cloud(size, 1.4, rng)
    if rng.random() < 0.5:
        step = int(rng.uniform(0.05, 0.09) * size)
        canvas[:, ::step] *= 0.72
        canvas[..., ::step] *= 0.72
    _ground(canvas, float(edge), _colour(rng, "straw"), 0.4, rng, "strand")


_PAINTERS = {
    "room": _room, "gym": _gym, "street": _street, "enclosure": _enclosure,
    "meadow": _meadow, "park": _park, "beach": _beach, "forest": _forest, "rocks": _rocks,
    "foliage": _foliage, "sky": _sky,
}  # fmt: skip
