"""Rendered primates: drawn pictures of people and macaques whose joints are known exactly.

They let the whole study run without a download, and its tests with it; results on them say nothing about real monkeys
or people. A picture depends on its species, seed and number alone: asking for more pictures never changes those that
were there. Joints are centres of rotation, 0-based pixels. To read from the ground up: choices, kinematics, postures,
parts, bodies, drawing, noise, shading, props, backgrounds, rendering, dataset.
"""

from monkey_transfer.rendered.dataset import rendered_dataset
from monkey_transfer.rendered.rendering import SPECIES, Rendered, render

__all__ = ["SPECIES", "Rendered", "render", "rendered_dataset"]
