"""The few probability distributions that stopping rules need, in plain Python."""

from __future__ import annotations

import math

_EXACT_UP_TO = 60
"""Binomial coefficients of so many trials are exact in a float's 53 bits, or nearly."""
_NEGLIGIBLE = 1e-17
_TINY = 1e-300


def probability_of_lead(first: int, second: int) -> float:
    """P(p > 1/2) for p ~ Beta(first + 1, second + 1): the uniform prior after so many votes.

    For whole numbers the regularised incomplete beta function at 1/2 is a binomial tail
    (Abramowitz and Stegun 26.5.24), so no numerical integration is needed. Accurate to 1e-12.

    >>> probability_of_lead(4, 0)
    0.96875
    """
    if first < second:
        return 1 - probability_of_lead(second, first)
    trials = first + second + 1
    if trials <= _EXACT_UP_TO:
        term = math.comb(trials, second) / 2**trials
    else:
        chosen = math.lgamma(trials + 1) - math.lgamma(second + 1) - math.lgamma(first + 2)
        term = math.exp(chosen - trials * math.log(2))
    tail, k = term, second
    while k > 0 and term > _NEGLIGIBLE:
        term *= k / (trials - k + 1)
        tail += term
        k -= 1
    return 1 - tail


def gamma_cdf(shape: int, x: float) -> float:
    """P(X <= x) for X ~ Gamma(shape, 1), for a whole positive shape.

    Either the sum of its Poisson tail or the power series, whichever has falling terms
    (Abramowitz and Stegun 6.5.13 and 6.5.29).
    """
    if x <= 0:
        return 0.0
    log_x = math.log(x)
    if x < shape:
        total = term = math.exp(shape * log_x - x - math.lgamma(shape + 1))
        k = shape
        while term > _NEGLIGIBLE:
            k += 1
            term *= x / k
            total += term
        return min(1.0, total)
    k = shape - 1
    tail = term = math.exp(k * log_x - x - math.lgamma(shape))
    while k > 0 and term > _NEGLIGIBLE:
        term *= k / x
        tail += term
        k -= 1
    return max(0.0, 1 - tail)


def student_t_pdf(t: float, degrees: float) -> float:
    """Density of Student's t with so many degrees of freedom."""
    log_scale = (
        math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2) - math.log(degrees * math.pi) / 2
    )
    return math.exp(log_scale - (degrees + 1) / 2 * math.log1p(t * t / degrees))


def student_t_cdf(t: float, degrees: float) -> float:
    """P(T <= t) for Student's t (Abramowitz and Stegun 26.7.1)."""
    square = t * t
    if square < degrees:  # near the middle, where the tail would lose the digits of t
        middle = incomplete_beta(0.5, degrees / 2, square / (degrees + square)) / 2
        return 0.5 + math.copysign(middle, t)
    tail = incomplete_beta(degrees / 2, 0.5, degrees / (degrees + square)) / 2
    return 1 - tail if t > 0 else tail


def incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function I_x(a, b), for positive a and b, 0 <= x <= 1.

    Its continued fraction (Abramowitz and Stegun 26.5.8), evaluated by Lentz's method.
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(b, a, 1 - x)
    log_front = (
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    fraction = upper = 1.0
    lower = 0.0
    for step in range(1000):
        half, odd = divmod(step, 2)
        if step == 0:
            numerator = 1.0
        elif odd:
            numerator = -(a + half) * (a + b + half) * x / ((a + step - 1) * (a + step))
        else:
            numerator = half * (b - half) * x / ((a + step - 1) * (a + step))
        lower = 1 / (_away_from_zero(1 + numerator * lower))
        upper = _away_from_zero(1 + numerator / upper)
        fraction *= upper * lower
        if abs(upper * lower - 1) < 1e-13:
            break
    return math.exp(log_front) * (fraction - 1) / a


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
