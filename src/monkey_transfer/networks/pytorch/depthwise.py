"""Depthwise convolutions that are learnt fast on a processor.

Their backward pass by oneDNN takes ten times as long as the forward one where a map is smaller than a kernel of 5 x 5,
as maps of 32 pixels to a cell are, and in bfloat16 three to six times as long as in float32.
"""

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from timm.layers import Conv2dSame, pad_same
from torch import Tensor, nn

_SMALL = 8  # cells across a map


def learn_depthwise_fast(network: nn.Module) -> None:
    """Have the depthwise convolutions in a network do so; what they compute, and their weights, are as before."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.groups == module.in_channels == module.out_channels > 1:
            module.forward = partial(_forward, module, module.forward)  # type: ignore[method-assign]


def _forward(module: nn.Conv2d, own: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    if x.device.type != "cpu" or not torch.is_grad_enabled():
        return own(x)
    if not isinstance(module, Conv2dSame):
        return Depthwise.apply(x, module.weight, module.stride, module.padding)
    padded = pad_same(x, list(module.kernel_size), list(module.stride), list(module.dilation))
    return Depthwise.apply(padded, module.weight, module.stride, (0, 0))


class Depthwise(torch.autograd.Function):
    """x (batch, channels, h, w) and weight (channels, 1, k, k); gradients are computed in float32."""

    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, stride: tuple[int, int], padding: tuple[int, int]) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.stride, ctx.padding = stride, padding
        return F.conv2d(x, weight, None, stride, padding, groups=len(weight))

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        of_x, of_weight = ctx.needs_input_grad[:2]
        by_maps = max(weight.shape[2:]) > 3 and max(x.shape[2:]) <= _SMALL and max(ctx.stride) == 1
        given = gradient.float(), x.float(), weight.float()
        wanted = (of_x, of_weight and not by_maps, False)
        x_gradient, weight_gradient, _ = torch.ops.aten.convolution_backward(
            *given, None, ctx.stride, ctx.padding, (1, 1), False, (0, 0), len(weight), wanted
        )
        if of_weight and by_maps:
            weight_gradient = _by_maps(*given[:2], ctx.padding)
        return x_gradient.to(x.dtype) if of_x else None, weight_gradient, None, None


def _by_maps(gradient: Tensor, x: Tensor, padding: tuple[int, int]) -> Tensor:
    """The weight's gradient at stride 1: each map convolved with its gradient, summed over the batch."""
    batch, channels = x.shape[:2]
    maps = x.permute(2, 3, 0, 1).reshape(1, *x.shape[2:], batch * channels).permute(0, 3, 1, 2)  # channels last
    kernels = gradient.reshape(batch * channels, 1, *gradient.shape[2:])
    each = F.conv2d(maps, kernels, padding=padding, groups=len(kernels))
    return each.view(batch, channels, 1, *each.shape[2:]).sum(dim=0)
