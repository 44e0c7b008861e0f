"""Depthwise convolutions learn what PyTorch's own do."""

import pytest
import torch
from timm.layers import Conv2dSame
from torch import Tensor, nn

from monkey_transfer.networks.pytorch.depthwise import learn_depthwise_fast

CHANNELS = 24


def gradients(convolution: nn.Module, x: Tensor, towards: Tensor) -> tuple[Tensor, ...]:
    """What a convolution gives, in the precision of x, and the gradients of its input and weight."""
    given = x.clone(memory_format=torch.channels_last).requires_grad_()
    with torch.autocast("cpu", torch.bfloat16, enabled=x.dtype == torch.bfloat16):
        found = convolution(given)
    found.backward(towards.to(found.dtype))
    return found.detach(), given.grad, convolution.weight.grad


@pytest.fixture(params=[(5, 1, 3, 4), (5, 1, 8, 8), (5, 1, 4, 9), (3, 1, 4, 4), (5, 2, 6, 8), (3, 2, 7, 5)], ids=str)
def case(request):
    """Kernel, stride, height and width; some maps are smaller than the kernel."""
    return request.param


def made(kind: type[nn.Conv2d], kernel: int, stride: int) -> nn.Conv2d:
    torch.manual_seed(0)
    padding = {} if kind is Conv2dSame else {"padding": kernel // 2}
    made = kind(CHANNELS, CHANNELS, kernel, stride=stride, groups=CHANNELS, bias=False, **padding)
    return made.to(memory_format=torch.channels_last)


@pytest.mark.parametrize("kind", [nn.Conv2d, Conv2dSame])
def test_outputs_and_gradients_are_those_of_pytorch(case, kind):
    kernel, stride, height, width = case
    own, fast = made(kind, kernel, stride), made(kind, kernel, stride)
    learn_depthwise_fast(nn.ModuleList([fast]))
    x = torch.randn(6, CHANNELS, height, width)
    towards = torch.randn_like(own(x))
    for theirs, ours in zip(gradients(own, x, towards), gradients(fast, x, towards), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)
    with torch.inference_mode():
        assert torch.equal(fast(x), own(x))


@pytest.mark.parametrize("kind", [nn.Conv2d, Conv2dSame])
def test_in_bfloat16_the_gradients_are_computed_in_float32(case, kind):
    kernel, stride, height, width = case
    own, fast = made(kind, kernel, stride), made(kind, kernel, stride)
    learn_depthwise_fast(nn.ModuleList([fast]))
    x = torch.randn(6, CHANNELS, height, width).bfloat16()
    towards = torch.randn_like(own(x.float())).bfloat16().float()
    _, of_x, of_weight = gradients(own, x.float(), towards)
    output, of_x_in_half, of_weight_of_half = gradients(fast, x, towards)
    assert output.dtype == of_x_in_half.dtype == torch.bfloat16
    torch.testing.assert_close(of_weight_of_half, of_weight, rtol=1e-5, atol=1e-5)  # no digits were lost
    torch.testing.assert_close(of_x_in_half.float(), of_x, rtol=1e-2, atol=1e-2)


def test_what_is_frozen_has_no_gradient():
    convolution = made(nn.Conv2d, 5, 1)
    learn_depthwise_fast(nn.ModuleList([convolution]))
    convolution.requires_grad_(False)
    x = torch.randn(2, CHANNELS, 4, 4, requires_grad=True)
    convolution(x).sum().backward()
    assert x.grad is not None
    assert convolution.weight.grad is None


def test_other_convolutions_stay_as_they_are():
    network = nn.ModuleList([nn.Conv2d(8, 8, 3), nn.Conv2d(8, 16, 3, groups=8), nn.Conv2d(1, 1, 3)])
    before = [module.forward for module in network]
    learn_depthwise_fast(network)
    assert [module.forward for module in network] == before
