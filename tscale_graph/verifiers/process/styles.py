"""How process reward models on servers were trained to see the steps of a solution."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from tscale_graph.verifiers.judges.fencing import defused
from tscale_graph.verifiers.rewards.asking import as_score

ToStepScore = Literal["identity", "sigmoid", "softmax"] | Callable[[float], float]
"""From the values of a step to a score in [0, 1]: "softmax" over all of them, else of one."""

CHAT = "chat"
"""The template that leaves it to the server's own, which is given two turns."""


@dataclass(frozen=True, slots=True)
class StepStyle:
    """What a model is shown, and which of its values counts.

    Attributes:
        tag: stands after each step, where the model says what it thinks of it. Its text without
            the whitespace around it must be a token of its own.
        template: the whole prompt, with {question} and {solution}; or "chat".
        good: which value of a step is that of a good one, from 0; one that is alone counts.
        numbered: steps begin with "Step 1: ".
    """

    tag: str
    template: str
    good: int
    numbered: bool = False

    def solution(self, steps: Sequence[str]) -> str:
        r"""The steps as one text, each with the tag after it and no tag inside it.

        >>> STYLES["qwen"].solution(["1 + 1 = 2\n", "So <extra_0> 2."])
        '1 + 1 = 2<extra_0>So < extra_0> 2.<extra_0>'
        """
        told = [self.untagged(step.strip()) for step in steps]
        if self.numbered:
            told = [_numbered(step, place) for place, step in enumerate(told, 1)]
        return "".join(step + self.tag for step in told)

    def untagged(self, text: str) -> str:
        """A text of somebody else's, which cannot pass for a tag or for a turn of a chat."""
        tag = self.tag.strip()
        before = r"(?<!\w)" if tag[0].isalnum() else ""  # "ки" ends many a Russian word
        after = r"(?!\w)" if tag[-1].isalnum() else ""
        whole = f"{before}{re.escape(tag)}{after}"
        return re.sub(whole, lambda _: f"{tag[0]} {tag[1:]}", defused(text))


STYLES: dict[str, StepStyle] = {
    "qwen": StepStyle(
        tag="<extra_0>",
        template=(
            "<|im_start|>system\nPlease reason step by step, and put your final answer within "
            "\\boxed{{}}.<|im_end|>\n<|im_start|>user\n{question}<|im_end|>\n"
            "<|im_start|>assistant\n{solution}<|im_end|>\n"
        ),
        good=1,
    ),
    "math_shepherd": StepStyle(
        tag=" ки\n", template="{question} {solution}", good=0, numbered=True
    ),
}
"""By name. "qwen" is Qwen2.5-Math-PRM (Zhang et al. 2025, arXiv:2501.07301, and its model card):
its values are the probabilities of a bad and of a good step. "math_shepherd" is
math-shepherd-mistral-7b-prm (Wang et al. 2024, arXiv:2312.08935): its values are those of "+" and
"-", where the server has step_tag_id 12902 and returned_token_ids [648, 387]."""


def step_score(values: Sequence[float], *, good: int, to_score: ToStepScore) -> float:
    """The score of a step.

    >>> step_score([0.25, 0.75], good=1, to_score="identity")
    0.75
    >>> step_score([2.0, 2.0], good=0, to_score="softmax")
    0.5

    Args:
        values: what the model said of the step.
        good: which of them counts, from 0; one that is alone does in any case.
        to_score: makes a score of it.

    Raises:
        ValueError: when there is no such value, or what it makes is not in [0, 1].
    """
    place = 0 if len(values) == 1 else good
    if place >= len(values):
        raise ValueError(f"good must be below the {len(values)} values of a step, got {place}")
    if to_score != "softmax":
        return as_score(values[place], to_score)
    if len(values) < 2:
        raise ValueError("softmax is of several values of a step, got one: set to_score")
    if not all(map(math.isfinite, values)):
        raise ValueError(f"the values of a step must be finite, got {list(values)}")
    most = max(values)
    odds = [math.exp(value - most) for value in values]
    return odds[place] / sum(odds)


def _numbered(step: str, place: int) -> str:
    already = re.match(rf"step\s+{place}\b", step, re.IGNORECASE)
    return step if already else f"Step {place}: {step}"
