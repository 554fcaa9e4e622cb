"""A model that scores one answer at a time."""

from __future__ import annotations

import string
from dataclasses import dataclass
from functools import partial
from statistics import fmean
from typing import ClassVar

from tscale_graph.budget import Budget, Usage
from tscale_graph.candidates import Verdict, VerifierError
from tscale_graph.leases import SampleSize
from tscale_graph.models.endpoint import Askable
from tscale_graph.verifiers.judges.asking import Asker, Prompt, Reply, asker, side_by_side, spent_on
from tscale_graph.verifiers.judges.fencing import fence
from tscale_graph.verifiers.judges.forms import ScoreForm

DEFAULT_RUBRIC = (
    "Is the answer correct, does it answer the question that was asked, and does it keep to "
    "everything that the question demands?"
)


@dataclass(frozen=True, slots=True)
class Judge:
    """A verifier that asks a model; called as `await judge(question, answer, lease=lease)`."""

    judges_partial: ClassVar[bool] = True

    asker: Asker
    rubric: str
    scale: int
    votes: int
    pass_at: float | None
    prompt: str | None
    reference: str | None

    @property
    def only_scores(self) -> bool:
        """It passes no answer."""
        return self.pass_at is None

    async def __call__(
        self,
        question: str,
        answer: str,
        *,
        lease: Budget | None = None,
        deadline: float | None = None,
    ) -> Verdict:
        """The model's score of one answer.

        With several votes the score is the mean of those that came, and the feedback that of
        the lowest.

        Args:
            question: what was asked.
            answer: what to judge.
            lease: the most that may be spent.
            deadline: when to give up, in seconds since the epoch.

        Raises:
            VerifierError: when there is no score; it carries what was spent.
        """
        ask = partial(self._vote, self._prompt(question, answer), deadline)
        replies, errors = await side_by_side([ask] * self.votes, lease, what="a vote of the judge")
        usage = spent_on(replies, errors)
        if not replies:
            raise VerifierError(str(errors[0]), usage, errors[0].cut_off_by)
        score = fmean(reply.value for reply in replies)
        return Verdict(
            score=score,
            passed=None if self.pass_at is None else score >= self.pass_at,
            feedback=min(replies, key=lambda reply: reply.value).reason,
            usage=usage,
        )

    def call_size(self, question: str, answer: str) -> SampleSize:
        """The most that one call takes; judging an answer takes `votes` of them."""
        return self.asker.size(self._prompt(question, answer), self._form)

    def needs(self, question: str, *, answer_tokens: int) -> Usage:
        """An estimate from above of what judging one answer of so many tokens takes."""
        size = self.call_size(question, "")
        return size.cost(calls=self.votes, more_prompt_tokens=answer_tokens)

    @property
    def unpriced(self) -> str | None:
        """The name of a model whose price is not known, or None."""
        return self.asker.unpriced

    @property
    def _form(self) -> ScoreForm:
        return ScoreForm(self.scale)

    async def _vote(
        self, prompt: Prompt, deadline: float | None, lease: Budget | None
    ) -> Reply[float]:
        return await self.asker.ask(prompt, self._form, lease=lease, deadline=deadline)

    def _prompt(self, question: str, answer: str) -> Prompt:
        reference = self.reference or ""
        fenced = fence(question, answer, reference)
        texts = {
            "inputs": fenced.around("question", question),
            "outputs": fenced.around("answer", answer),
            "reference_outputs": fenced.around("reference", reference),
        }
        scale = f"Score the answer with a whole number from 0 (worst) to {self.scale} (best)."
        if self.prompt is not None:
            task = f"You judge an answer to a question. {fenced.rule}"
            lines = {name: f"\n{text}\n" for name, text in texts.items()}
            return Prompt(task, f"{self.prompt.format(**lines)}\n\n{scale}")
        task = f"You judge an answer to a question. {scale}\n\n{self.rubric}\n\n{fenced.rule}"
        told = [texts["inputs"], texts["outputs"]]
        if self.reference is not None:
            told.insert(1, texts["reference_outputs"])
        return Prompt(task, "\n\n".join(told))


def judge(
    model: str | Askable,
    *,
    rubric: str | None = None,
    prompt: str | None = None,
    reference: str | None = None,
    scale: int = 10,
    votes: int = 1,
    pass_at: float | None = None,
    max_output_tokens: int = 1024,
    temperature: float | None = 0.0,
    structured: bool = True,
) -> Judge:
    """A verifier that has a model score answers against a rubric.

    Its calls are paid for by the lease that it is called with. The answer is fenced off from
    the instructions, so that one which asks for a score does not get it for asking.

    Args:
        model: a chat model, "local", or "provider:model".
        rubric: what a good answer is; by default a correct and complete one.
        prompt: a whole prompt with {inputs} and {outputs}, and {reference_outputs} if there is
            a reference, as openevals writes them; instead of a rubric.
        reference: a right answer to compare with.
        scale: the highest score, at least 1; the verdict has the score divided by it.
        votes: how often the model is asked, at least 1; the score is the mean.
        pass_at: the score in [0, 1] from which on an answer has passed; None: it only scores.
        max_output_tokens: the most tokens of one reply, reasoning included.
        temperature: 0 to 2; None leaves the model's own. Several votes need it above 0.
        structured: hold the model to a JSON schema where its provider offers that.

    Raises:
        ValueError: for a bad argument, in one line.
        ImportError: when the model needs a package that is not installed.
    """
    for name, value in (("scale", scale), ("votes", votes)):
        if isinstance(value, bool) or value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    if pass_at is not None and not 0 <= pass_at <= 1:
        raise ValueError(f"pass_at must be between 0 and 1, got {pass_at}")
    if votes > 1 and temperature == 0:
        raise ValueError(f"votes={votes} at temperature=0 are one vote: raise the temperature")
    if prompt is not None:
        if rubric is not None:
            raise ValueError("rubric and prompt exclude each other: put the rubric in the prompt")
        _check_prompt(prompt, has_reference=reference is not None)
    asks = asker(
        model,
        max_output_tokens=max_output_tokens,
        temperature=temperature,
        structured=structured,
    )
    return Judge(asks, rubric or DEFAULT_RUBRIC, scale, votes, pass_at, prompt, reference)


def _check_prompt(prompt: str, *, has_reference: bool) -> None:
    try:
        wanted = {name for _, name, _, _ in string.Formatter().parse(prompt) if name is not None}
    except ValueError as error:
        raise ValueError(f"prompt is no format string: {error}") from None
    known = {"inputs", "outputs", *(["reference_outputs"] if has_reference else [])}
    if "outputs" not in wanted:
        raise ValueError("prompt must have {outputs}, where the answer goes")
    if unknown := sorted(wanted - known):
        hint = "; give reference=" if unknown == ["reference_outputs"] else ""
        told = ", ".join(f"{{{name}}}" for name in sorted(known))
        raise ValueError(f"prompt may have {told}; got {{{unknown[0]}}}{hint}")
