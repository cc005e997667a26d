"""OBJECTIVES: the rows of the training objectives, the default one first. One file for each objective."""

from workbench.training.objectives import domain, dpo, ipo, kto, orpo, reward, simpo, supervised

OBJECTIVES = (supervised.ROW, domain.ROW, dpo.ROW, ipo.ROW, simpo.ROW, orpo.ROW, kto.ROW, reward.ROW)
