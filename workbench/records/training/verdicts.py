"""What the gate found, in words that the report, the terminal and the window share: what was compared, what was needed,
and why it passes or not.
"""

from __future__ import annotations

from workbench.records.training.results import Agreement, Parity

COUNTED = {"exact_match": "answers", "token_accuracy": "learnt tokens"}


def why(found: Agreement) -> str:
    """``agreement_words`` as the gate wrote them down; of a report from before it did, made now."""
    return found.why or agreement_words(found)


def agreement_words(found: Agreement) -> str:
    """``Trained, in torch – as served: the same next token at 99.1% of 5,000 places, where 97.7% is needed; KL ...``"""
    enough = is_enough(found)
    same, needed = shares_apart(found.top1, found.needed)
    places = f"{found.positions:,} {'place' if found.positions == 1 else 'places'}"
    compared = f"{found.first[:1].upper()}{found.first[1:]} – {found.second}: the same next token at {same} of {places}"
    if not found.needed:
        asked = "Nothing is asked of it: it tells what to expect."
        return f"{compared}; {divergence_words(found.kl)}. {asked if found.passed else 'These are no numbers.'}"
    if enough and found.passed:
        return f"{compared}, where {needed} is needed; {divergence_words(found.kl)}. That is enough."
    if enough:
        return f"{compared}, but some of its numbers are none. That does not pass."
    allowed = divergence_words(found.kl, found.near)
    if found.passed:
        return (
            f"{compared}, less than the {needed} that is enough by itself. It passes because the tokens that differ "
            f"were about equally likely: {allowed}."
        )
    return f"{compared}, where {needed} is needed; {allowed}. That is not enough."


def counted_words(parity: Parity) -> str:
    """``Of 64 answers the trained model says 64 right, as served 63 (at least 60 needed), the base 2.``"""
    if parity.served is None or parity.metric not in COUNTED:
        return ""
    if not parity.counted:  # a report of before that was kept
        sides = (("as trained", parity.trained), ("as served", parity.served), ("base", parity.base))
        shown = ", ".join(f"{name} {share(value)}" for name, value in sides if value is not None)
        return f"Right of all {COUNTED[parity.metric]}: {shown}."
    at_least = f" (at least {parity.needed:,} needed)" if parity.needed is not None else ""
    trained = (
        f"the trained model says {_of(parity.trained, parity.counted)} right, " if parity.trained is not None else ""
    )
    base = f", the base {_of(parity.base, parity.counted)}" if parity.base is not None else ""
    served = f"as served {_of(parity.served, parity.counted)}{' are right' if not trained else ''}"
    return f"Of {parity.counted:,} {COUNTED[parity.metric]} {trained}{served}{at_least}{base}."


def verdict(parity: Parity) -> str:
    """``verdict_words`` as the gate wrote them down, or made now."""
    return parity.verdict or verdict_words(parity)


def verdict_words(parity: Parity) -> str:
    """All of it in a few sentences, for a report that is read by itself."""
    if not parity.passed:
        return f"Not passed. {' '.join(parity.reasons) or 'It does not say what was trained.'}"
    if not parity.agreements:
        return " ".join(parity.notes) or "Nothing was compared."
    near = any(one.needed and one.passed and not is_enough(one) for one in parity.agreements)
    how = (
        "Its likeliest tokens are the same less often than would be enough by itself, but those that differ were about "
        "equally likely."
        if near
        else "It agrees as far as is needed."
    )
    return " ".join(part for part in ("Passed.", how, counted_words(parity)) if part)


def is_enough(found: Agreement) -> bool:
    """Whether the likeliest tokens agree as often as is needed, whatever the divergence."""
    return found.top1 * found.positions >= found.needed * found.positions - 1e-9


def share(value: float, digits: int = 1) -> str:
    """``97.6%``, ``95%``"""
    number = f"{100 * value:.{digits}f}"
    return f"{number.rstrip('0').rstrip('.') if digits else number}%"


def shares_apart(one: float, other: float) -> tuple[str, str]:
    """Two shares with as many digits as it takes to tell them apart."""
    digits = next((d for d in (1, 2, 3) if share(one, d) != share(other, d)), 1)
    return share(one, digits), share(other, digits)


def divergence_words(kl: float, near: float = 0.0) -> str:
    """``KL divergence 0.41 nats, where at most 0.02 is allowed``"""
    words = f"KL divergence {_nats(kl)} nats" if kl < 1e6 else "KL divergence beyond measure"
    return f"{words}, where at most {_nats(near)} is allowed" if near else words


def _nats(value: float) -> str:
    text = f"{value:.4f}" if value < 0.1 else f"{value:.2f}"
    return text.rstrip("0").rstrip(".") if float(text) else text


def _of(part: float | None, total: int) -> str:
    return f"{round((part or 0.0) * total):,}"
