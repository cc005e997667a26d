"""Frozen layers by oneDNN: the numbers and gradients of torch's own product, and only where it is the faster one."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from workbench.training.weights import frozen_linear  # noqa: E402
from workbench.training.weights.frozen_linear import FrozenLinear, onednn_is_faster, product, speed_up  # noqa: E402


@pytest.fixture(params=[False, True], ids=["torch", "oneDNN"])
def _either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param and not (torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")):
        pytest.skip("this torch has no oneDNN")
    monkeypatch.setattr(frozen_linear, "onednn_is_faster", lambda: request.param)


@pytest.mark.usefixtures("_either")
@pytest.mark.parametrize("bias", [False, True])
def test_values_and_gradients_are_those_of_a_linear_layer(bias: bool) -> None:
    torch.manual_seed(0)
    own = torch.nn.Linear(40, 24, bias=bias).requires_grad_(False)
    model = torch.nn.Sequential(torch.nn.Linear(40, 24, bias=bias).requires_grad_(False))
    model.load_state_dict({f"0.{name}": value for name, value in own.state_dict().items()})
    layer = speed_up(model)[0]
    layer.__class__ = FrozenLinear
    x = torch.randn(3, 7, 40, requires_grad=True)
    upstream = torch.randn(3, 7, 24)
    (wanted,) = torch.autograd.grad((own(x) * upstream).sum(), x)
    (found,) = torch.autograd.grad((layer(x) * upstream).sum(), x)
    torch.testing.assert_close(layer(x), own(x), rtol=0, atol=1e-5)
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-5)


@pytest.mark.usefixtures("_either")
def test_a_trained_weight_gets_its_gradient_and_autocast_its_type() -> None:
    layer = torch.nn.Linear(8, 5)
    layer.__class__ = FrozenLinear
    layer(torch.randn(2, 8)).sum().backward()
    assert layer.weight.grad is not None
    layer.requires_grad_(False)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert layer(torch.randn(2, 8)).dtype == torch.bfloat16


@pytest.mark.usefixtures("_either")
def test_columns_of_a_matrix_can_be_multiplied() -> None:
    wide, weight = torch.randn(6, 30), torch.randn(9, 10)
    torch.testing.assert_close(product(wide[:, 10:20], weight), wide[:, 10:20] @ weight.T, rtol=0, atol=1e-5)


def test_the_choice_depends_on_the_maker_of_the_processor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    monkeypatch.setattr(frozen_linear, "CPUINFO", cpuinfo)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    monkeypatch.setattr(torch.backends.mkl, "is_available", lambda: True)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
    wanted = {"AuthenticAMD": hasattr(torch.ops.mkldnn, "_linear_pointwise"), "GenuineIntel": False}
    try:
        for maker, faster in wanted.items():
            cpuinfo.write_text(f"processor : 0\nvendor_id\t: {maker}\n")
            onednn_is_faster.cache_clear()
            assert onednn_is_faster() is faster
            assert (type(speed_up(torch.nn.Sequential(torch.nn.Linear(2, 2)))[0]) is FrozenLinear) is faster
        cpuinfo.unlink()
        onednn_is_faster.cache_clear()
        assert not onednn_is_faster()
    finally:
        onednn_is_faster.cache_clear()
