"""A small rendered study for tests of finished networks: its data, and how its other arms are trained."""

SMALL = {
    "source": {"data": {"format": "synthetic", "species": "macaque", "images": 20, "seed": 1, "size": 96}, "test": 4},
    "target": {"data": {"format": "synthetic", "species": "human", "images": 30, "seed": 2, "size": 96}, "test": 6},
    "picture": {"framing": "whole", "size": 96},
    "yardstick": "head_size",
    "seeds": [0],
    "smallest_validation": 5,
}
TRAINING = {
    "iterations": 2,
    "multi_step": [[0.001, 2]],
    "global_scale": 1.0,
    "augmentation": {"scale_jitter_lo": 1.0, "scale_jitter_up": 1.0},
}
