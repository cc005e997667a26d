"""The engine samples by the policy as its weights are now, and says how probable what it sampled was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from tests.short_model import write_short  # noqa: E402
from workbench.base.errors import Cancelled  # noqa: E402
from workbench.engine.library import multiplied_type  # noqa: E402
from workbench.records.training import WeightsPart  # noqa: E402
from workbench.techniques.registry import METHODS  # noqa: E402
from workbench.training.experience.engine_rollouts import EngineRollouts  # noqa: E402
from workbench.training.experience.policy_loss import PolicyModel  # noqa: E402
from workbench.training.experience.rollouts import Ask, Sampled  # noqa: E402
from workbench.training.methods.weights_method import method_of  # noqa: E402
from workbench.training.peft_models import trainable_parameters  # noqa: E402
from workbench.training.sequences import TokenSequence  # noqa: E402
from workbench.training.weights.loading import load_base  # noqa: E402

PROMPTS = [(1, 9690, 198, 2683, 359, 253), (1, 520, 9531, 198)]
ASKS = [Ask(prompt, (7, place)) for place, prompt in enumerate([PROMPTS[0]] * 3 + [PROMPTS[1]] * 2)]


def differences(policy: PolicyModel, found: list[Sampled]) -> Any:
    """By how much torch and the engine differ in the log-probability of each sampled token."""
    rows = [
        TokenSequence((*ask.prompt, *one.tokens), (False,) * len(ask.prompt) + (True,) * len(one.tokens), (), place)
        for place, (ask, one) in enumerate(zip(ASKS, found, strict=True))
    ]
    policy.forget()
    with torch.no_grad():
        logps = policy(rows).logps
    return (logps - torch.tensor([value for one in found for value in one.logprobs])).abs()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("unpacked", [False, True])
def test_the_engine_follows_the_weights_and_shares_prompts(
    unpacked: bool, tmp_path: Path, smollm_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = write_short(smollm_path, tmp_path / "short.gguf")
    torch.manual_seed(0)
    model = method_of(WeightsPart(base="f32", rank=4, adapted_layers=1), METHODS).apply(load_base(base, "f32"))
    policy = PolicyModel(model, 1.0, valued=True, sample=PROMPTS[0])
    assert policy.shares_trunk
    parameters = trainable_parameters(model)
    assert "value_head.weight" in parameters
    rollouts = EngineRollouts(
        model, base, tmp_path / "policy", longest_prompt=6, new_tokens=12, threads=1, unpacked=unpacked
    )
    try:
        rollouts.refresh()
        formats = {tensor.type for tensor in rollouts._engine.model.tensors.values() if len(tensor.shape) > 1}
        assert formats == ({multiplied_type()} if unpacked else {"Q4_1", "Q8_0"})
        assert os.name == "nt" or not list((tmp_path / "policy").glob("base*"))  # it lives on as long as it is mapped
        engine, reused = rollouts._engine, list[int]()
        submit = engine.submit_all

        def looked(jobs: Any) -> None:
            contexts = engine._decode_contexts
            reused.append(engine.ask(lambda: max(one.cached_length(job) for one in contexts for job in jobs)))
            submit(jobs)

        monkeypatch.setattr(engine, "submit_all", looked)
        first = rollouts.sample(ASKS, 12, 1.0, lambda: None)
        again = rollouts.sample(ASKS, 12, 1.0, lambda: None)
        assert [one.tokens for one in again] == [one.tokens for one in first]
        assert len({one.tokens for one in first[:3]}) == 3  # seeds of their own
        assert all(len(one.tokens) == len(one.logprobs) <= 12 for one in first)
        assert float(differences(policy, first).mean()) < (0.02 if unpacked else 0.15)
        optimiser = torch.optim.AdamW(parameters.values(), lr=0.05, fused=True)  # its steps leave version counters
        for parameter in parameters.values():
            parameter.grad = torch.ones_like(parameter)
        optimiser.step()
        assert float(differences(policy, first).mean()) > 0.5  # another policy now
        rollouts.refresh()
        moved = rollouts.sample(ASKS, 12, 1.0, lambda: None)
        assert [one.tokens for one in moved] != [one.tokens for one in first]
        assert float(differences(policy, moved).mean()) < 0.3

        def stop() -> None:
            raise Cancelled

        with pytest.raises(Cancelled):
            rollouts.sample(ASKS, 12, 1.0, stop)
        assert rollouts.sample(ASKS, 12, 1.0, lambda: None) == moved
        assert len(engine._adapters._loras) == 1  # the policy of before is out of memory
        assert len(reused) == 5
        assert not any(reused)  # what is computed depends on the call alone
    finally:
        rollouts.close()
    assert not (tmp_path / "policy").exists()


KILLED = """
import os, signal, sys
from pathlib import Path
from workbench.records.training import WeightsPart
from workbench.techniques.registry import METHODS
from workbench.training.experience.engine_rollouts import EngineRollouts
from workbench.training.methods.weights_method import method_of
from workbench.training.weights.loading import load_base
base = Path(sys.argv[1])
model = method_of(WeightsPart(base="f32", rank=4, adapted_layers=1), METHODS).apply(load_base(base, "f32"))
rollouts = EngineRollouts(model, base, Path(sys.argv[2]), longest_prompt=6, new_tokens=4, threads=1)
rollouts.refresh()
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.timeout(300)
@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_what_a_killed_process_leaves_is_in_its_folder_and_gone_at_the_next_start(
    tmp_path: Path, smollm_path: Path
) -> None:
    base = write_short(smollm_path, tmp_path / "short.gguf")
    folder, temporary = tmp_path / "run" / "policy", tmp_path / "temporary"
    temporary.mkdir()
    environment = {**os.environ, "TMPDIR": str(temporary)}
    ended = subprocess.run([sys.executable, "-c", KILLED, str(base), str(folder)], env=environment, cwd=Path.cwd())
    assert ended.returncode == -signal.SIGKILL
    left = {path.name for path in folder.iterdir()}
    assert "policy-1.gguf" in left
    assert not list(temporary.iterdir())
    (folder / "policy-7.gguf").write_bytes(b"half of one")
    (folder / "base.gguf").write_bytes(b"half of a copy")
    model = method_of(WeightsPart(base="f32", rank=4, adapted_layers=1), METHODS).apply(load_base(base, "f32"))
    rollouts = EngineRollouts(model, base, folder, longest_prompt=6, new_tokens=4, threads=1)
    try:
        assert not list(folder.iterdir())
    finally:
        rollouts.close()
    assert not folder.exists()
