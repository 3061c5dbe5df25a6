"""How likely chance does something: upper bounds, so that nothing is called surer than it is (Chernoff)."""

from __future__ import annotations

from math import exp, inf, log


def at_least(count: int, of: int, share: float) -> float:
    """Bound of the probability that at least ``count`` of so many have something that each has with the probability
    ``share``, 0..1.
    """
    if count <= of * share:
        return 1.0
    if share <= 0.0:
        return 0.0
    part = count / of
    divergence = part * log(part / share)
    if part < 1.0:
        divergence += (1.0 - part) * log((1.0 - part) / (1.0 - share))
    return exp(-of * divergence)


def at_least_of_rate(count: int, expected: float) -> float:
    """Bound of the probability of ``count`` or more where ``expected`` are expected (Poisson)."""
    if count <= expected:
        return 1.0
    if expected <= 0.0:
        return 0.0
    return exp(count - expected - count * log(count / expected))


def times(probability: float, trials: float) -> float:
    """Probability that it happens in one of so many trials at least (Bonferroni)."""
    return min(1.0, probability * trials) if trials < inf else 1.0
