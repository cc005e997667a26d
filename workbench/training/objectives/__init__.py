"""OBJECTIVES: the rows of the training objectives, the default one first. One file for each objective."""

from workbench.training.objectives import domain, supervised

OBJECTIVES = (supervised.ROW, domain.ROW)
