"""A model that verifies a solution step by step."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, ClassVar

from tscale_graph.budget import Budget, Usage
from tscale_graph.candidates import Verdict, VerifierError
from tscale_graph.leases import SampleSize
from tscale_graph.models.endpoint import Askable
from tscale_graph.search.steps import StepSplitter, step_splitter
from tscale_graph.verifiers.judges.asking import Asker, Prompt, Reply, asker, side_by_side, spent_on
from tscale_graph.verifiers.judges.fencing import fence
from tscale_graph.verifiers.process.aggregates import Aggregate, check_aggregate, step_verdict

DEFAULT_STEP_CRITERIA = (
    "A step is wrong when it has a mistake in its reasoning or its calculations, when it takes the "
    "question for another, or when it contradicts what came before it."
)


@dataclass(frozen=True, slots=True)
class StepJudge:
    """A verifier that asks a model about each step, all of them in one call.

    A verifier with `step_scores`, as a process reward model is: for `beam_search`, for `best_of_n`
    on whole solutions, and as the value function of `lats`. Called as
    `await judge(question, solution, lease=lease)`.
    """

    judges_partial: ClassVar[bool] = True
    reads_solutions: ClassVar[bool] = True
    only_scores: ClassVar[bool] = True

    asker: Asker
    criteria: str
    splitter: StepSplitter
    aggregate: Aggregate
    samples: int

    async def __call__(
        self,
        question: str,
        answer: str,
        *,
        lease: Budget | None = None,
        deadline: float | None = None,
    ) -> Verdict:
        """The scores of the steps, and what they come to; no step is worth 0, unasked.

        A step's score is the share of the verifications that came which found it, and all before
        it, correct: what builds on a wrong step is worth no more than that step. The feedback is
        that of the verification that found a mistake first.

        Args:
            question: what was asked.
            answer: the solution, whole or as far as it has come.
            lease: the most that may be spent.
            deadline: when to give up, in seconds since the epoch.

        Raises:
            VerifierError: when no verification came; it carries what was spent.
        """
        steps = self._steps(answer)
        if not steps:
            return step_verdict((), self.aggregate)
        prompt, form = self._prompt(question, steps), FirstWrongForm(len(steps))

        async def verification(part: Budget | None) -> Reply[int]:
            return await self.asker.ask(prompt, form, lease=part, deadline=deadline)

        asks = [verification] * self.samples
        replies, errors = await side_by_side(asks, lease, what="verifying the steps")
        usage = spent_on(replies, errors)
        if not replies:
            raise VerifierError(str(errors[0]), usage, errors[0].cut_off_by)
        right = [reply.value - 1 if reply.value else len(steps) for reply in replies]
        scores = [fmean(place < count for count in right) for place in range(len(steps))]
        harshest = replies[right.index(min(right))].reason
        return step_verdict(scores, self.aggregate, feedback=harshest, usage=usage)

    def call_size(self, question: str, answer: str) -> SampleSize:
        """The most that one call takes; verifying a solution takes `samples` of them."""
        steps = self._steps(answer)
        return self.asker.size(self._prompt(question, steps), FirstWrongForm(max(1, len(steps))))

    def needs(self, question: str, *, answer_tokens: int) -> Usage:
        """An estimate from above of what verifying a solution of so many tokens takes.

        Numbers and indents are taken to be no more than what they number.
        """
        size = self.call_size(question, "")
        return size.cost(calls=self.samples, more_prompt_tokens=2 * answer_tokens)

    @property
    def unpriced(self) -> str | None:
        """The name of a model whose price is not known, or None."""
        return self.asker.unpriced

    def _steps(self, solution: str) -> list[str]:
        return [step for step in self.splitter.split(solution) if step.strip()]

    def _prompt(self, question: str, steps: Sequence[str]) -> Prompt:
        shown = laid_out(steps)
        fenced = fence(question, shown)
        task = (
            "You verify a solution to a question, step by step. A step begins with its number in "
            "brackets at the very start of a line; its other lines are indented, and numbers in "
            "them number nothing. Say of each step in turn whether it is correct, and why, and "
            f"stop at the first one that is wrong. {self.criteria} The solution may not have come "
            "to its end: that is no mistake. Then give first_wrong_step: the number of the first "
            f"wrong step, or 0 when every step is correct.\n\n{fenced.rule}"
        )
        told = [fenced.around("question", question), fenced.around("solution", shown)]
        return Prompt(task, "\n\n".join(told))


def step_judge(
    model: str | Askable = "local",
    *,
    steps: str | StepSplitter = "paragraph",
    criteria: str | None = None,
    aggregate: str = "min",
    samples: int = 1,
    max_output_tokens: int = 1024,
    temperature: float | None = 0.0,
    structured: bool = True,
) -> StepJudge:
    """A verifier that has a model reason about each step of a solution, and score it.

    A generative verifier (Zhang et al. 2024, arXiv:2408.15240; of steps, Khalifa et al. 2025,
    arXiv:2504.16828), asked as Zheng et al. 2024 (arXiv:2412.06559) ask: for the first wrong step.
    So the reply is as short for a thousand steps as for one, and only the prompt grows: where that
    does not fit the lease, nothing is asked. Its calls are paid for by the lease that it is called
    with, and the solution is fenced off from the instructions.

    Args:
        model: a chat model, "local", or "provider:model".
        steps: where a step ends: "paragraph", "line", "sentence", "delimiter:…".
        criteria: when a step is wrong; by default for mistakes and contradictions.
        aggregate: how step scores become one: "last", "min", "prod" or "mean".
        samples: how often a solution is verified, at least 1; scores are the mean.
        max_output_tokens: the most tokens of one reply, reasoning included.
        temperature: 0 to 2; None leaves the model's own. Several samples need it above 0.
        structured: hold the model to a JSON schema where its provider offers that.

    Raises:
        ValueError: for a bad argument, in one line.
        ImportError: when the model needs a package that is not installed.
    """
    if isinstance(samples, bool) or samples < 1:
        raise ValueError(f"samples must be at least 1, got {samples}")
    if samples > 1 and temperature == 0:
        raise ValueError(f"samples={samples} at temperature=0 are one: raise the temperature")
    asks = asker(
        model,
        max_output_tokens=max_output_tokens,
        temperature=temperature,
        structured=structured,
    )
    cut, one = step_splitter(steps), check_aggregate(aggregate)
    return StepJudge(asks, criteria or DEFAULT_STEP_CRITERIA, cut, one, samples)


def laid_out(steps: Sequence[str]) -> str:
    r"""The steps, numbered so that none can pass for several.

    >>> print(laid_out(["1 + 1 = 2\n[2] It is right.", "So 2."]))
    [1] 1 + 1 = 2
        [2] It is right.
    [2] So 2.
    """
    return "\n".join(
        f"[{number}] " + "\n    ".join(step.strip().splitlines())
        for number, step in enumerate(steps, 1)
    )


_FIRST_WRONG = re.compile(
    r"\bfirst[ _-](?:wrong|incorrect|false|erroneous)[ _-]step\b\W{0,12}"
    r"(?:(?:is|was|step|number)\b\W{0,12}){0,3}(\d{1,6}|none)\b",
    re.IGNORECASE,
)
_HEADING = re.compile(
    r"^\W{0,12}step\s{0,3}(\d{1,6})\b|\bstep\s{0,3}(\d{1,6})\W{0,4}:", re.IGNORECASE | re.MULTILINE
)
_OF_A_STEP = re.compile(
    r"\\boxed\{\W{0,3}(?:\\text\{)?(?P<boxed>correct|incorrect)\b"
    r"|^\W{0,12}step\s{0,3}\d{1,6}\W{1,12}(?:is\W{1,4})?(?P<plain>correct|right|incorrect|wrong)"
    r"(?=[*_`]{0,3}\s{0,3}(?:$|[.,;:!(–—-]))",
    re.IGNORECASE | re.MULTILINE,
)
_SHORT = 20
"""Characters of a reply that may be nothing but the number."""


@dataclass(frozen=True, slots=True)
class FirstWrongForm:
    """The number of the first wrong one of `count` steps, from 1; 0 when all are correct."""

    count: int
    name: str = "verification"
    field: str = "first_wrong_step"
    example: str = "0"
    reason: str = "of each step in turn whether it is correct, and why"

    def schema(self) -> dict[str, Any]:
        """A number of a step, or 0."""
        told = "the number of the first wrong step; 0 when every step is correct"
        return {"type": "integer", "minimum": 0, "maximum": self.count, "description": told}

    def read(self, value: Any) -> int:
        """The number.

        >>> [FirstWrongForm(3).read(told) for told in (2, "Step 3", None)]
        [2, 3, 0]
        """
        if value is None:
            return 0
        if isinstance(value, str):
            told = re.fullmatch(r"\W*(?:step\s*)?(\d{1,6}|none)\W*", value, re.IGNORECASE)
            value = int(told[1].casefold().replace("none", "0")) if told else value
        if isinstance(value, bool) or not isinstance(value, int):
            must = f"must be a number from 0 to {self.count}"
            raise ValueError(f"first_wrong_step {must}, got {value!r}")
        if not 0 <= value <= self.count:
            raise ValueError(f"first_wrong_step must be from 0 to {self.count}, got {value}")
        return value

    def read_prose(self, text: str) -> int:
        r"""What the text says last of the first wrong step, else what it says of each step.

        >>> FirstWrongForm(2).read_prose(r"Step 1: fine. \boxed{correct} Step 2: \boxed{incorrect}")
        2
        """
        if found := _FIRST_WRONG.findall(text):
            return self.read(found[-1])
        if labels := self._labels(text):
            wrong = [step for step, correct in labels.items() if not correct]
            if wrong:
                return min(wrong)
            if len(labels) == self.count:
                return 0
            raise ValueError(f"the reply judges {len(labels)} of {self.count} steps")
        if len(text) < _SHORT:
            return self.read(text)
        raise ValueError("there is no first_wrong_step in the reply")

    def _labels(self, text: str) -> dict[int, bool]:
        """Whether each step that is judged by itself is correct; the last word counts."""
        headings = _HEADING.finditer(text)
        named = [(found.start(), int(found[1] or found[2])) for found in headings]
        labels: dict[int, bool] = {}
        for found in _OF_A_STEP.finditer(text):
            before = [step for at, step in named if at < found.end()]
            if before and 1 <= before[-1] <= self.count:
                word = (found["boxed"] or found["plain"]).casefold()
                labels[before[-1]] = word in ("correct", "right")
        return labels
