"""How often the intervals of evaluations hold the truth, on simulated scores; wanted: 93 to 97 of 100.

    python benchmarks/coverage.py

Rates (Wilson), shares (bootstrap), and the differences of both between two recipes on the same questions, of 30 to 200
questions. With 2,000 simulations a coverage is known to about one point (its own interval is shown).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from harness import arguments

from workbench.subjects.evaluation.statistics import Comparison, Estimate, compare, estimate, wilson

SIZES = (30, 80, 200)


def simulations(normal: np.random.Generator, n: int) -> dict[str, tuple[Callable[[], Estimate | Comparison], float]]:
    """What is drawn, with the true value."""

    def rate(p: float) -> Callable[[], Estimate]:
        return lambda: wilson(int(normal.binomial(n, p)), n)

    def shares() -> Estimate:
        return estimate(list(normal.beta(2, 3, n)))

    def paired_rates() -> Comparison:
        draws = normal.random(n)  # 12 % won, 6 % lost
        return compare([float(0.12 < d < 0.5) for d in draws], [float(d < 0.44) for d in draws])

    def paired_shares() -> Comparison:
        common = normal.beta(2, 2, n)
        return compare(list(common), list(common + normal.normal(0.05, 0.1, n)))

    def skewed_shares() -> Comparison:
        common = normal.beta(2, 2, n)
        return compare(list(common), list(common + normal.exponential(0.1, n) - 0.05))

    return {
        "rate of 10 %": (rate(0.1), 0.1), "rate of 50 %": (rate(0.5), 0.5), "shares": (shares, 0.4),
        "difference of rates": (paired_rates, 0.06), "difference of shares": (paired_shares, 0.05),
        "skewed difference of shares": (skewed_shares, 0.05),
    }  # fmt: skip


def main() -> None:
    options = arguments(__doc__, times=2000, seed=5).parse_args()
    for n in SIZES:
        for name, (draw, truth) in simulations(np.random.default_rng(options.seed), n).items():
            held = sum(one.low <= truth <= one.high for one in (draw() for _ in range(options.times)))
            share = wilson(held, options.times)
            print(f"{name}, {n} questions: {share.value:.1%} ({share.low:.1%} to {share.high:.1%})", flush=True)


if __name__ == "__main__":
    main()
