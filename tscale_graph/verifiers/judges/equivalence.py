"""A model that says whether two answers mean the same, to count free text by its meaning.

Clusters of answers that entail each other are the classes over which semantic entropy is taken
(Kuhn et al. 2023, arXiv:2302.09664).
"""

from __future__ import annotations

from dataclasses import dataclass

from tscale_graph.budget import Budget, Usage
from tscale_graph.leases import SampleSize
from tscale_graph.models.endpoint import Askable
from tscale_graph.verifiers.judges.asking import Asker, Prompt, asker
from tscale_graph.verifiers.judges.fencing import fence
from tscale_graph.verifiers.judges.forms import SameForm


@dataclass(frozen=True, slots=True)
class EquivalenceJudge:
    """Compares the meaning of two answers."""

    asker: Asker

    async def same(
        self,
        question: str,
        first: str,
        second: str,
        *,
        lease: Budget | None,
        deadline: float | None = None,
    ) -> tuple[bool, Usage]:
        """Whether two answers to a question say the same, and what it cost to ask.

        The pair is shown in one order, whichever way it is given, so that the relation is
        symmetric. Equal texts are the same for nothing.

        Args:
            question: what was asked.
            first: an answer.
            second: another.
            lease: the most that may be spent.
            deadline: when to give up, in seconds since the epoch.

        Raises:
            VerifierError: when there is no judgement; it carries what was spent.
        """
        if first.strip() == second.strip():
            return True, Usage()
        prompt = _prompt(question, first, second)
        reply = await self.asker.ask(prompt, SameForm(), lease=lease, deadline=deadline)
        return reply.value, reply.usage

    def call_size(self, question: str, first: str, second: str) -> SampleSize:
        """The most that one call takes; a comparison takes one."""
        return self.asker.size(_prompt(question, first, second), SameForm())


def equivalent(
    model: str | Askable,
    *,
    max_output_tokens: int = 1024,
    temperature: float | None = 0.0,
    structured: bool = True,
) -> EquivalenceJudge:
    """A model that says whether two answers mean the same.

    Args:
        model: a chat model, "local", or "provider:model".
        max_output_tokens: the most tokens of one reply, reasoning included.
        temperature: 0 to 2; None leaves the model's own.
        structured: hold the model to a JSON schema where its provider offers that.

    Raises:
        ValueError: for a bad argument, in one line.
        ImportError: when the model needs a package that is not installed.
    """
    asks = asker(
        model,
        max_output_tokens=max_output_tokens,
        temperature=temperature,
        structured=structured,
    )
    return EquivalenceJudge(asks)


def _prompt(question: str, first: str, second: str) -> Prompt:
    texts = [question, *sorted((first, second))]
    fenced = fence(*texts)
    task = (
        "You are given two answers to a question. Say whether they mean the same as answers to "
        "that question, however they are worded. An answer that adds, omits or contradicts "
        f"something that matters to the question is not the same.\n\n{fenced.rule}"
    )
    labels = ("question", "first", "second")
    told = [fenced.around(label, text) for label, text in zip(labels, texts, strict=True)]
    return Prompt(task, "\n\n".join(told))
