"""OBJECTIVES: the rows of the training objectives, the default one first. One file for each objective."""

from workbench.training.objectives import (
    domain,
    dpo,
    dr_grpo,
    grpo,
    ipo,
    kto,
    orpo,
    ppo,
    reward,
    rloo,
    simpo,
    supervised,
)

OBJECTIVES = (
    supervised.ROW,
    domain.ROW,
    dpo.ROW,
    ipo.ROW,
    simpo.ROW,
    orpo.ROW,
    kto.ROW,
    reward.ROW,
    ppo.ROW,
    grpo.ROW,
    dr_grpo.ROW,
    rloo.ROW,
)
