"""Initial weights: what is restored, what is not, and what makes random weights usable.

TensorFlow 1 graphs, as DeepLabCut builds them: every function works on the default graph.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import tensorflow as tf

from monkey_transfer.errors import StudyError
from monkey_transfer.networks.engine import Restored
from monkey_transfer.networks.heads import with_heads
from monkey_transfer.networks.tensorflow.weights import checkpoint_files, expected_files

BACKBONE_SCOPES = {"resnet": "resnet_v1_", "mobilenet": "MobilenetV2/"}
CALIBRATION_BATCHES = 4


def is_backbone(variable_name: str) -> bool:
    """Whether a variable belongs to the backbone rather than to a head (DeepLabCut, core/train.py)."""
    return variable_name.startswith(tuple(BACKBONE_SCOPES.values()))


def refuse_other_backbone(checkpoint: str, net_type: str) -> None:
    """Raise StudyError if a checkpoint holds nothing of a backbone, such as ``resnet_50``, or cannot be read.

    Names alone are compared, which needs no network; :func:`restore` compares every variable.
    """
    family, _, depth = net_type.partition("_")
    scope = f"{BACKBONE_SCOPES[family]}{depth}/" if family == "resnet" else BACKBONE_SCOPES[family]
    with _opened(checkpoint) as reader:
        backbone = [name for name in reader.get_variable_to_shape_map() if name.startswith(scope)]
        for name in backbone:  # names are in one file, values in another, which may be cut
            reader.get_tensor(name)
    if not backbone:
        raise StudyError(
            f"checkpoint {checkpoint} holds no variable of {net_type} ({scope}...), so nothing would be restored: "
            "name a checkpoint of that backbone"
        )


def restore(
    session: tf.compat.v1.Session, variables: list, checkpoint: str | None, heads: Sequence[int | None]
) -> Restored:
    """Overwrite initialised ``variables`` with those of ``checkpoint``: the backbone, and the heads of some joints.

    Parameters
    ----------
    variables : the network's own, without optimiser slots; initialised.
    heads : for each joint of the network, in the order of its outputs, which joint's head of the checkpoint it takes
        over; None leaves it at its initial weights.

    Raises
    ------
    StudyError
        If the checkpoint is missing or unreadable, or lacks a wanted variable, or holds it in another shape:
        it is then of another backbone, or of a network without those joints.
    """
    backbone = [v for v in variables if is_backbone(v.op.name)]
    outputs = [v for v in variables if not is_backbone(v.op.name)]
    taken = sum(theirs is not None for theirs in heads) if checkpoint else 0
    counts = {"backbone_total": len(backbone), "heads_total": len(outputs), "joints_total": len(heads)}
    if checkpoint is None:
        return Restored(None, backbone=0, heads=0, joints=0, **counts)
    with _opened(checkpoint) as reader:
        shapes = reader.get_variable_to_shape_map()
    expected = {variable.op.name: variable.shape.as_list() for variable in backbone}
    if taken:
        expected |= _expected_heads(outputs, heads, shapes)
    for name, shape in expected.items():
        if shapes.get(name) != shape:
            found = f"in shape {shapes[name]}" if name in shapes else "not at all"
            raise StudyError(
                f"checkpoint {checkpoint} does not fit: it holds variable '{name}' {found}, expected shape {shape}; "
                "name a checkpoint of the same backbone (and with those keypoints, if heads are restored)"
            )
    with _opened(checkpoint) as reader:
        tf.compat.v1.train.Saver(backbone).restore(session, checkpoint)
        for variable in outputs if taken else ():
            theirs = reader.get_tensor(variable.op.name)
            axis = _joint_axis(list(theirs.shape))
            variable.load(with_heads(session.run(variable), theirs, heads, axis), session)
    return Restored(checkpoint, backbone=len(backbone), heads=len(outputs) if taken else 0, joints=taken, **counts)


def _expected_heads(outputs: list, heads: Sequence[int | None], shapes: dict[str, list[int]]) -> dict[str, list[int]]:
    """The shapes of a checkpoint's heads, which may have more joints than ours, but all as many."""
    ours = {variable.op.name: variable.shape.as_list() for variable in outputs}
    first, shape = next(iter(ours.items()))
    axis = _joint_axis(shape)
    stored = shapes.get(first, shape)
    theirs = stored[axis] * len(heads) // shape[axis] if len(stored) == len(shape) else 0
    theirs = max(theirs, *(joint + 1 for joint in heads if joint is not None))
    for shape in ours.values():
        shape[_joint_axis(shape)] *= theirs
        shape[_joint_axis(shape)] //= len(heads)
    return ours


def _joint_axis(shape: list[int]) -> int:
    """Biases have one axis; the weights of transposed convolutions end in joints and the channels that come in."""
    return 0 if len(shape) == 1 else 2


@contextmanager
def _opened(checkpoint: str) -> Iterator[Any]:
    """A checkpoint's reader; StudyError if the files are not there or what is read cannot be."""
    if not checkpoint_files(checkpoint):
        raise StudyError(f"checkpoint {checkpoint} is missing: {expected_files(checkpoint)}")
    try:
        yield tf.train.load_checkpoint(checkpoint)
    except (tf.errors.OpError, LookupError, ValueError, RuntimeError) as error:
        reason = re.sub(r"^Unable to open .*?: [A-Z_]+: |: perhaps your file .*", "", str(error).splitlines()[0])
        raise StudyError(
            f"checkpoint {checkpoint} cannot be read, expected a whole one of TensorFlow: copy or name another "
            f"({reason})"
        ) from None


def freeze(blocks: int) -> list[str]:
    """Take the first ``blocks`` blocks of the backbone off the list of what is trained; returns their names.

    Blocks are those of :data:`~monkey_transfer.networks.tensorflow.settings.BLOCKS`. Frozen are weights and batch-norm
    scale and offset; a MobileNet's stored statistics go on following the data, as with DeepLabCut's ``freezeencoder``.
    """
    trainable = tf.compat.v1.get_default_graph().get_collection_ref(tf.compat.v1.GraphKeys.TRAINABLE_VARIABLES)
    block = {v.op.name: v.op.name.split("/")[1] for v in trainable if is_backbone(v.op.name)}
    frozen = list(dict.fromkeys(block.values()))[:blocks]
    trainable[:] = [v for v in trainable if block.get(v.op.name) not in frozen]
    return frozen


def calibrate_batch_norm(session: tf.compat.v1.Session, inputs: tf.Tensor, batches: list[np.ndarray]) -> int:
    """Set the stored statistics of every layer that uses them in training to those of ``batches``.

    DeepLabCut's ResNets normalise by stored statistics in training too; with random weights and the default statistics
    (mean 0, variance 1) their activations grow without bound. Layers are set one after the other, from the picture on,
    since each one's input depends on those before.

    ``batches`` are fed to ``inputs``, the training graph's picture placeholder. Returns the number of layers that were
    set: 0 where batch statistics are used.
    """
    variables = {v.op.name: v for v in tf.compat.v1.global_variables()}
    fed = _operations_fed_by(inputs)  # the prediction graph's layers share the variables, not the input
    layers = [
        op
        for op in inputs.graph.get_operations()
        if op in fed and op.type == "FusedBatchNormV3" and not op.get_attr("is_training")
    ]
    # All operations first: each change of the graph makes the session read it anew.
    moments_of_layers = [tf.nn.moments(layer.inputs[0], axes=[0, 1, 2]) for layer in layers]
    for layer, mean_and_variance in zip(layers, moments_of_layers, strict=True):
        scope = layer.name.rsplit("/", 1)[0]
        moments = np.array([session.run(mean_and_variance, {inputs: batch}) for batch in batches])
        means, variances = moments[:, 0], moments[:, 1]
        variables[f"{scope}/moving_mean"].load(means.mean(axis=0), session)
        # law of total variance over batches of equal size
        variables[f"{scope}/moving_variance"].load(variances.mean(axis=0) + means.var(axis=0), session)
    return len(layers)


def _operations_fed_by(tensor: tf.Tensor) -> set[tf.Operation]:
    fed: set[tf.Operation] = set()
    ahead = [tensor]
    while ahead:
        new = set(ahead.pop().consumers()) - fed
        fed |= new
        ahead.extend(output for op in new for output in op.outputs)
    return fed
