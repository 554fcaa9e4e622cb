"""The model as a critic of its own answers, for questions without a verifier."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from tscale_graph.budget import Budget, Usage
from tscale_graph.candidates import Verdict, VerifierError
from tscale_graph.models.attempts import Request
from tscale_graph.models.calls import complete
from tscale_graph.techniques.checking import Checker
from tscale_graph.techniques.requesting import watched
from tscale_graph.techniques.settings import SamplingSettings
from tscale_graph.techniques.state import Admission, Snapshot
from tscale_graph.verifiers import Verifier

CRITIQUE = (
    "Check that answer against the question, step by step. Say in a few sentences what is wrong "
    "with it and what would put it right. Do not write a new answer. End with one line: "
    '"Verdict: correct" if nothing has to be changed, or "Verdict: revise".'
)
"""What a model is told to make it criticise its answer."""
_VERDICT = re.compile(
    r"""
    verdict\W*
    (?: revise\b
      | (?P<correct>correct)\b [^\S\n]*[*_"'`]*[^\S\n]*
        (?: $ | [^\w\s/|]  # nothing more is said, or it is, but for what takes that back
            (?![^\w\n]*\b(?:or|if|but|except|unless|once|when|after|apart|only|however|though
                             |although|provided|assuming|revise|not)\b) )
    )
    [^\w\n(]*
    """,
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)
_WORDS_TOKENS = 64
"""More than what a template and a second and third turn add to a prompt."""


def read_critique(text: str) -> tuple[bool, str]:
    r"""Whether a critique found nothing wrong, and what it says without its verdict.

    One that comes to no verdict has found something.

    >>> read_critique("All steps are right.\nVerdict: correct")
    (True, 'All steps are right.')
    >>> read_critique("The sum is 13, not 12.")
    (False, 'The sum is 13, not 12.')
    """
    verdicts = list(_VERDICT.finditer(text))
    if not verdicts:
        return False, text.strip()
    last = verdicts[-1]
    before, after = text[: last.start()], text[last.end() :]
    said = (before.strip(" \n\t*#_\"'"), after.strip(" \n\t*#_\"'()"))
    return last["correct"] is not None, "\n".join(part for part in said if part)


@dataclass(frozen=True)
class Critic:
    """Asks the model what is wrong with its answer (Madaan et al. 2023, arXiv:2303.17651).

    Attributes:
        settings: the model, and how it is asked.
        max_output_tokens: the most tokens of one critique.
        messages: the conversation that it is about; none for the bare question.
        distrusted: the model is watched for its output limit.
        seed: of the run, or None.
    """

    reads_solutions: ClassVar[bool] = True

    settings: SamplingSettings
    max_output_tokens: int
    messages: tuple[BaseMessage, ...] = ()
    distrusted: bool = False
    seed: int | None = None

    def for_one(self, admission: Admission) -> Usage:
        """An estimate from above of what one critique takes."""
        settings = self.settings
        words = settings.endpoint.counter.text_bound(CRITIQUE) + _WORDS_TOKENS
        return settings.endpoint.size(
            prompt_tokens=admission.prompt_bound + settings.max_output_tokens + words,
            output_tokens=self.max_output_tokens,
        ).each

    def of(self, messages: Sequence[BaseMessage], *, distrusted: bool, seed: int | None) -> Critic:
        """The critic of answers to one conversation.

        Args:
            messages: the conversation as the model gets it.
            distrusted: the model went over its output limit before, so it is watched.
            seed: of the run, or None.
        """
        return replace(self, messages=tuple(messages), distrusted=distrusted, seed=seed)

    async def __call__(
        self, question: str, answer: str, *, lease: Budget | None, deadline: float | None = None
    ) -> Verdict:
        """Criticise an answer: 1 and passed where nothing is wrong, else 0, and why.

        Raises:
            VerifierError: when there is no critique.
        """
        name = self.settings.endpoint.name
        if lease is None:
            raise VerifierError(f"{name} was not asked: nothing is left of the budget", Usage())
        asked = self.messages or self.settings.prompt([HumanMessage(question)])
        [said] = await complete(
            watched(self.settings.endpoint, distrusted=self.distrusted),
            Request(
                messages=[*asked, AIMessage(answer), HumanMessage(CRITIQUE)],
                max_output_tokens=self.max_output_tokens,
                temperature=self.settings.temperature,
                seed=self.seed,
            ),
            lease,
            deadline=deadline,
        )
        if said.error is not None or not said.text.strip():
            told = said.error or "it said nothing"
            raise VerifierError(f"{name} gave no critique: {told}", said.usage, said.cut_off_by)
        satisfied, feedback = read_critique(said.text)
        score = float(satisfied)
        return Verdict(score=score, passed=satisfied, feedback=feedback, usage=said.usage)


@dataclass(frozen=True)
class SelfChecker(Checker):
    """Has the model criticise every answer of its own that it has not seen yet."""

    def judge(self, run: Snapshot) -> Verifier:
        """The critic, who knows the conversation."""
        critic = self.verifier
        if not isinstance(critic, Critic):
            return critic
        return critic.of(
            self.settings.prompt(run.messages),
            distrusted=run.distrusted,
            seed=run.admission.seed if run.admission else None,
        )
