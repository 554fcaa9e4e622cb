"""How likely the policy model thought the tokens of each step."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from tscale_graph.verifiers.process.features import Matrix, Solution, written

Token = tuple[str, float | None]
"""The text of a token, and its natural log-probability; None or NaN where that is unknown."""
LogprobSource = Callable[[str, str], Sequence[Token]]
"""Called as `source(question, solution)`: the tokens of the solution, as the policy sees it after
the question. What stands before the solution may be among them, at their beginning."""

LEAST = -50.0
"""No log-probability counts as less."""

_REPLACED = "\ufffd"
_SLACK = 8


@dataclass(frozen=True, slots=True)
class TokenLogprobs:
    """Statistics of the log-probabilities of the tokens of each step.

    Tokens of nothing but whitespace do not count: where a step ends is the splitter's doing.

    Attributes:
        source: tells them; `EchoedLogprobs` and `PromptLogprobs` ask servers.
        name: what a saved model calls it by; it has to be given again when that is loaded.
        parallel: how many solutions are asked for at a time, at least 1.

    Raises:
        ValueError: when none may be asked for.
    """

    source: LogprobSource
    name: str = "token_logprobs"
    parallel: int = 8

    def __post_init__(self) -> None:
        if self.parallel < 1:
            raise ValueError(f"parallel must be at least 1, got {self.parallel}")

    @property
    def columns(self) -> tuple[str, ...]:
        """The mean, the least, the 10 % quantile, the last, and the least of all steps so far."""
        return ("mean", "minimum", "low", "last", "lowest_so_far")

    def __call__(self, question: str, steps: Sequence[str]) -> Matrix:
        """[steps, columns], natural logarithms in [-50, 0]; NaN for a step of no known token.

        Raises:
            ValueError: when the tokens are not those of the solution.
            Exception: whatever the source raises.
        """
        text, ends = written(steps)
        if not text:
            return np.full((len(steps), len(self.columns)), np.nan)
        tokens = self.source(question, text)
        starts = starts_of([token for token, _ in tokens], text)
        kept = list(zip(starts, tokens[len(tokens) - len(starts) :], strict=True))
        values: list[list[float]] = [[] for _ in steps]
        places = np.searchsorted(ends, starts, side="right")
        for place, (_, (token, logprob)) in zip(places, kept, strict=True):
            blank = token != "" and token.isspace()
            if logprob is not None and not math.isnan(logprob) and not blank and place < len(steps):
                values[place].append(min(0.0, max(LEAST, logprob)))
        return _statistics(values)

    def several(self, solutions: Sequence[Solution]) -> list[Matrix]:
        """The same of many solutions, some at a time."""
        with ThreadPoolExecutor(max(1, min(self.parallel, len(solutions)))) as pool:
            return list(pool.map(self, *zip(*solutions, strict=True))) if solutions else []


def starts_of(tokens: Sequence[str], text: str) -> list[int]:
    r"""Where the last tokens, of which a text is made, begin in it, in characters.

    Read from the end, since what stands before the text may be among the tokens. A token that
    begins before the text counts as beginning with it. Servers write a part of a character as
    nothing or as U+FFFD, and a space as U+2581, so that a token need not be found as it stands.

    >>> starts_of(["user: hi", "\n", "3 +", " 4"], "3 + 4")
    [0, 3]

    Raises:
        ValueError: when the tokens are not those of the text.
    """
    starts: list[int] = []
    end = len(text)
    for token in reversed(tokens):
        if end == 0 and token:
            break
        end = _start(token, text, end)
        starts.append(end)
    if end > _SLACK:
        raise ValueError(f"the tokens end with another text than {text[:40]!r}")
    return starts[::-1]


def _start(token: str, text: str, end: int) -> int:
    """Where a token that ends at about `end` begins; `end` where that is not to be seen."""
    for stop in (end, len(text[:end].rstrip())):
        if token and text.endswith(token, 0, stop):
            return stop - len(token)
        if len(token) > stop > 0 and token.endswith(text[:stop]):
            return 0
    visible = token.replace(_REPLACED, "").replace("\u2581", " ").strip()
    found = text.rfind(visible, max(0, end - len(token) - _SLACK), end) if visible else -1
    return found if found >= 0 else end


def _statistics(values: Sequence[Sequence[float]]) -> Matrix:
    rows: list[tuple[float, ...]] = []
    lowest = math.inf
    for of_step in values:
        if not of_step:
            rows.append((math.nan,) * 4 + (lowest if lowest < math.inf else math.nan,))
            continue
        least = min(of_step)
        lowest = min(lowest, least)
        low = float(np.quantile(of_step, 0.1))
        rows.append((sum(of_step) / len(of_step), least, low, of_step[-1], lowest))
    return np.array(rows, dtype=np.float64).reshape(len(rows), 5)
