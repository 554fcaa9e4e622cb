"""A process reward model on a server, as a verifier that scores every step."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, cast

from tscale_graph.budget import Usage
from tscale_graph.candidates import Verdict
from tscale_graph.search.steps import StepSplitter, step_splitter
from tscale_graph.verifiers.process.aggregates import Aggregate, check_aggregate, step_verdict
from tscale_graph.verifiers.process.styles import (
    CHAT,
    STYLES,
    StepStyle,
    ToStepScore,
    step_score,
)
from tscale_graph.verifiers.rewards.asking import (
    ask_server,
    check_server,
    check_template,
    check_to_score,
)

_IN_FLIGHT = 16
"""Requests at once, where a server takes one conversation in each."""


@dataclass(frozen=True, slots=True)
class RemoteProcessRewardModel:
    """Has a server score the steps of a solution; spends no tokens of the budget, only seconds.

    A verifier with `step_scores`, as `ProcessRewardModel` is: for `beam_search`, for `best_of_n` on
    whole solutions, and as the value function of `lats`.

    Attributes:
        url: the whole address.
        model: its name, where the server wants one.
        api_key: sent as a bearer token.
        style: how the model sees steps.
        to_score: from what it says of a step to a score.
        splitter: cuts a solution into steps.
        aggregate: makes one score of theirs.
        seconds: the most that one attempt may take.
    """

    judges_partial: ClassVar[bool] = True
    reads_solutions: ClassVar[bool] = True
    only_scores: ClassVar[bool] = True

    url: str
    model: str | None
    api_key: str | None = field(repr=False)
    style: StepStyle
    to_score: ToStepScore
    splitter: StepSplitter
    aggregate: Aggregate
    seconds: float

    async def __call__(
        self, question: str, answer: str, *, deadline: float | None = None
    ) -> Verdict:
        """The scores of the steps, and what they come to; no step is worth 0, unasked.

        Args:
            question: what was asked.
            answer: the solution, whole or as far as it has come.
            deadline: when to give up, in seconds since the epoch.

        Raises:
            VerifierError: when the server does not say one score in [0, 1] for each step.
        """
        [verdict] = await self.verdicts([(question, answer)], deadline=deadline)
        return verdict

    async def verdicts(
        self, solutions: Sequence[tuple[str, str]], *, deadline: float | None = None
    ) -> list[Verdict]:
        """The same of many pairs of a question and a solution.

        In one request, unless the server's own chat template is used, which takes one pair in
        each. Each verdict has an equal part of the seconds.

        Raises:
            VerifierError: when one of them has no verdict.
        """
        cut = [
            [step for step in self.splitter.split(solution) if step.strip()]
            for _, solution in solutions
        ]
        asked = [(q, steps) for (q, _), steps in zip(solutions, cut, strict=True) if steps]
        scores, usage = await self._scores(asked, deadline) if asked else ([], Usage())
        each = Usage(seconds=usage.seconds / max(1, len(asked)))
        told = iter(scores)
        return [
            step_verdict(next(told), self.aggregate, usage=each)
            if steps
            else step_verdict((), self.aggregate)
            for steps in cut
        ]

    async def _scores(
        self, asked: Sequence[tuple[str, Sequence[str]]], deadline: float | None
    ) -> tuple[list[list[float]], Usage]:
        counts = [len(steps) for _, steps in asked]
        pairs = [(self.style.untagged(q), self.style.solution(steps)) for q, steps in asked]
        if self.style.template != CHAT:
            template = self.style.template
            texts = [template.format(question=q, solution=s) for q, s in pairs]
            return await self._ask({"input": texts}, counts, deadline)
        places = asyncio.Semaphore(_IN_FLIGHT)

        async def one(pair: tuple[str, str], count: int) -> tuple[list[list[float]], Usage]:
            async with places:
                return await self._ask({"messages": _turns(*pair)}, [count], deadline)

        outcomes = await asyncio.gather(*map(one, pairs, counts), return_exceptions=True)
        replies = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        return [scores for [scores], _ in replies], Usage.total(usage for _, usage in replies)

    async def _ask(
        self, body: Mapping[str, Any], counts: Sequence[int], deadline: float | None
    ) -> tuple[list[list[float]], Usage]:
        def read(reply: Any) -> list[list[float]]:
            rows = read_steps(reply, counts)
            good, to_score = self.style.good, self.to_score
            return [[step_score(row, good=good, to_score=to_score) for row in one] for one in rows]

        return await ask_server(
            self.url,
            {**({"model": self.model} if self.model is not None else {}), **body},
            read,
            what="the process reward model",
            api_key=self.api_key,
            seconds=self.seconds,
            deadline=deadline,
        )


def remote_process_reward_model(
    url: str,
    *,
    style: str = "qwen",
    model: str | None = None,
    api_key: str | None = None,
    steps: str | StepSplitter = "paragraph",
    step_tag: str | None = None,
    template: str | None = None,
    good: int | None = None,
    to_score: ToStepScore = "identity",
    aggregate: str = "min",
    seconds: float = 60.0,
) -> RemoteProcessRewardModel:
    """A verifier that has a process reward model behind HTTP score each step.

    The server is vLLM's `/pooling`, with a model that is pooled at its step tag: Qwen2.5-Math-PRM
    is so by itself, others by `--pooler-config '{"pooling_type": "STEP", "step_tag_id": …,
    "returned_token_ids": […]}'`. What question and solution hold of tags and of a chat template's
    markers is defused, so that a solution has as many scores as steps.

    Args:
        url: the whole address, such as "http://localhost:8000/pooling".
        style: how the model was trained to see steps: "qwen" or "math_shepherd"; what follows
            changes parts of it.
        model: its name, where the server wants one.
        api_key: sent as a bearer token.
        steps: where a step ends: "paragraph", "line", "sentence", "delimiter:…".
        step_tag: what stands after each step; without the whitespace around it, a token.
        template: the prompt, with {solution} and {question}; "chat": the server's own chat
            template, with the question and the solution as two turns.
        good: which of the values of a step is that of a good one, from 0; a value that is alone
            counts in any case.
        to_score: from that value to a score in [0, 1]. vLLM returns probabilities unless it is
            started otherwise: "identity". Of log-odds: "softmax" over the values of a step, or
            "sigmoid" where a step has only one, as in value heads; or a function of the value.
        aggregate: how step scores become one: "last", "min", "prod" or "mean".
        seconds: the most that one attempt may take.

    Raises:
        ValueError: for a bad argument, in one line.
        ImportError: when httpx is not installed.
    """
    check_server(url, seconds=seconds, example="/pooling", wanted_by="remote_process_reward_model")
    if style not in STYLES:
        raise ValueError(f"style must be one of {', '.join(STYLES)}, got {style!r}")
    if step_tag is not None and not step_tag.strip():
        raise ValueError(f"step_tag must have more than whitespace, got {step_tag!r}")
    if template is not None and template != CHAT:
        check_template(template, answer="solution")
    if good is not None and (isinstance(good, bool) or good < 0):
        raise ValueError(f"good must be a place from 0, got {good}")
    check_to_score(to_score, named=("identity", "sigmoid", "softmax"))
    known = STYLES[style]
    return RemoteProcessRewardModel(
        url=url,
        model=model,
        api_key=api_key,
        style=replace(
            known,
            tag=known.tag if step_tag is None else step_tag,
            template=known.template if template is None else template,
            good=known.good if good is None else good,
        ),
        to_score=to_score,
        splitter=step_splitter(steps),
        aggregate=check_aggregate(aggregate),
        seconds=seconds,
    )


def read_steps(body: Any, counts: Sequence[int]) -> list[list[list[float]]]:
    """The values of each step of each solution, in vLLM's reply to `/pooling`.

    Args:
        body: the JSON that came: `data` has one entry for each solution, with its `index`, whose
            own `data` has the values of each step, in a list or, where there is one, bare.
        counts: how many steps each solution has.

    Raises:
        ValueError: one line on what does not fit.
    """
    try:
        entries: list[Any] = sorted(body["data"], key=lambda entry: entry["index"])
        found = [entry["data"] for entry in entries]
    except (KeyError, TypeError) as error:
        raise ValueError(f"the reply is none of pooling: {type(error).__name__} {error}") from None
    if len(found) != len(counts):
        raise ValueError(f"the reply is of {len(found)} solutions, asked was for {len(counts)}")
    return [_rows(rows, count) for rows, count in zip(found, counts, strict=True)]


def _rows(rows: Any, count: int) -> list[list[float]]:
    if isinstance(rows, str):
        raise ValueError("the reply is encoded: the server must return floats")
    if not isinstance(rows, list):
        raise ValueError(f"the scores of a solution must be a list, got {type(rows).__name__}")
    given = cast(list[Any], rows)
    if len(given) != count:
        raise ValueError(
            f"the reply has {len(given)} scores for {count} steps: the server must pool at the "
            "step tag, and the tag must be one token"
        )
    return [[_number(value) for value in _listed(row)] for row in given]


def _listed(row: Any) -> list[Any]:
    return cast(list[Any], row) if isinstance(row, list) else [row]


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"the value of a step must be a number, got {value!r}")
    return float(value)


def _turns(question: str, solution: str) -> list[dict[str, str]]:
    turns = (("user", question), ("assistant", solution))
    return [{"role": role, "content": content} for role, content in turns]
