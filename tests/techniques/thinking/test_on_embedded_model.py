"""Budget forcing on the embedded model: a hundred thoughts, each kept to the token.

What was asked and what the server reported is taken down call by call, beside the library's own
account of it; what the model ended by itself is counted by the model's own tokenizer.
"""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import HumanMessage

from tscale_graph import Budget, Result, extended_thinking

pytestmark = [pytest.mark.model, pytest.mark.timeout(900)]

RUNS = 100
AT_ONCE = 16
QUESTIONS = (
    "How many r's are in strawberry?",
    "What is 17 + 26?",
    "Solve 3x + 4 = 19 for x.",
    "Name three colours of the rainbow.",
    "Is 91 a prime number?",
    "Say good morning in Japanese.",
    "Schreib einen Satz über Käse.",
    "Draw a farm with emoji.",
    "Which is heavier, a kilogram of feathers or a kilogram of iron?",
    "Say yes.",
)
RANGES = ((0, 1), (1, 1), (3, 3), (0, 8), (8, 8), (5, 20), (20, 20), (0, 24), (36, 40), (44, 56))


@dataclass
class Call:
    """One request to the server.

    Attributes:
        limit: the output limit that it was given.
        thinks: it was told to stop where a thought ends.
        prompt: tokens that the server reported of the prompt.
        output: tokens that it reported of the completion.
        cut: it was ended by its limit.
        text: what came.
    """

    limit: int
    thinks: bool
    prompt: int = 0
    output: int = 0
    cut: bool = False
    text: str = ""


class Ledger(BaseCallbackHandler):
    """Takes down the calls of one run, one after another."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def on_chat_model_start(self, serialized, messages, *, invocation_params, **more):
        limit = invocation_params["max_completion_tokens"]
        self.calls.append(Call(limit, thinks=bool(invocation_params.get("stop"))))

    def on_llm_end(self, response, **more):
        [[generation]] = response.generations
        usage, call = generation.message.usage_metadata, self.calls[-1]
        call.prompt, call.output = usage["input_tokens"], usage["output_tokens"]
        call.cut = generation.message.response_metadata["finish_reason"] == "length"
        call.text = generation.message.text


@dataclass
class Run:
    """One question, what it was asked under, and what came of it."""

    number: int
    way: str
    least: int
    most: int
    answer_tokens: int
    budget: Budget
    alone: int
    result: Result = field(init=False)
    calls: list[Call] = field(init=False)

    @property
    def question(self) -> str:
        return question_of(self.number)

    @property
    def thoughts(self) -> list[Call]:
        return [call for call in self.calls if call.thinks]

    @property
    def thought_tokens(self) -> int:
        return self.result.usage.reasoning_tokens

    @property
    def shortened(self) -> bool:
        """The run says itself that its budget kept the thought short, and after how many tokens."""
        tokens = self.thought_tokens
        ended = f"the budget's tokens ended the thought after {tokens} tokens"
        none = "the budget's tokens left no room for a thought"
        told = ended in self.result.notes or (none in self.result.notes and not tokens)
        return told and self.result.cut_off_by == "tokens"

    async def take(self) -> None:
        graph = extended_thinking(
            "local",
            way=self.way,
            thinking_tokens=self.most,
            min_thinking_tokens=self.least,
            max_output_tokens=self.answer_tokens,
            seed=self.number,
            answer="text",
            on_exceeded="return",
        ).compile()
        ledger = Ledger()
        asked = {"messages": [("user", self.question)], "budget": self.budget}
        out = await graph.ainvoke(asked, {"callbacks": [ledger]})
        self.result, self.calls = out["result"], ledger.calls


def question_of(number: int) -> str:
    """Of a run: each range, in each way, meets one question after another."""
    return QUESTIONS[(number + number // (2 * len(RANGES))) % len(QUESTIONS)]


def drawn(model: Any) -> list[Run]:
    """Every range in both ways, five times each; a third of the budgets are tight."""
    rng, runs = random.Random("budget forcing"), list[Run]()
    for number in range(RUNS):
        least, most = RANGES[number // 2 % len(RANGES)]
        way, answer_tokens = ("prefill", "prompt")[number % 2], rng.choice([2, 4])
        alone = model.get_num_tokens_from_messages([HumanMessage(question_of(number))])
        tight = alone + answer_tokens + rng.choice([-2, 0, 150, 200, 250])
        tokens = tight if number % 3 == 2 else 20_000
        runs.append(Run(number, way, least, most, answer_tokens, Budget(tokens=tokens), alone))
    return runs


@pytest.fixture(scope="module")
def model():
    from tscale_graph.models.embedded import embedded_model

    return embedded_model()


@pytest.fixture(scope="module")
def runs(model):
    async def side_by_side(several: list[Run]) -> None:
        room = asyncio.Semaphore(AT_ONCE)

        async def when_there_is_room(run: Run) -> None:
            async with room:
                await run.take()

        await asyncio.gather(*map(when_there_is_room, several))

    taken = drawn(model)
    asyncio.run(side_by_side(taken))
    return taken


def test_every_thought_has_at_least_its_minimum(runs):
    for run in runs:
        assert run.thought_tokens >= run.least or run.shortened, run


def test_no_thought_has_more_than_its_maximum(runs):
    for run in runs:
        assert run.thought_tokens <= run.most, run


def test_a_thought_that_goes_on_is_ended_exactly_at_its_maximum(runs):
    for run in runs:
        if run.thoughts and run.thoughts[-1].cut and not run.shortened:
            assert run.thought_tokens == run.most, run


def test_the_tokens_of_a_thought_are_those_that_the_model_made_of_it(runs, model):
    """By the server's count where a limit ended it, by the tokenizer's where the model did."""
    for run in runs:
        made = [
            call.output if call.cut else min(call.output, model.get_num_tokens(call.text))
            for call in run.thoughts
        ]
        assert run.thought_tokens == sum(made), run


def test_one_that_stopped_too_early_went_on_with_the_word_for_it(runs):
    for run in runs:
        early = [call for call in run.thoughts[:-1] if not call.cut]
        thought = "".join(candidate.reasoning for candidate in run.result.candidates)
        assert thought.count("\n\nWait") >= len(early), run


def test_the_answers_reserve_is_never_spent_on_a_thought(runs):
    for run in runs:
        left = run.budget.tokens - run.alone
        answers = [call.limit for call in run.calls if not call.thinks]
        assert answers == ([min(left, run.answer_tokens)] if left > 0 else []), run
        assert left >= run.answer_tokens or run.thoughts == [], run


def test_the_usage_is_what_the_server_reported_and_within_the_budget(runs):
    for run in runs:
        usage = run.result.usage
        assert usage.tokens == sum(call.prompt + call.output for call in run.calls), run
        assert usage.calls == len(run.calls), run
        assert usage.tokens <= run.budget.tokens, run


def test_the_runs_are_of_every_kind(runs):
    """Else the tests above would show less than they say."""
    kinds = Counter[str]()
    for run in runs:
        kinds["shortened"] += run.shortened and run.thought_tokens > 0
        kinds["no room"] += run.shortened and run.thought_tokens == 0
        kinds["ended at the maximum"] += bool(run.thoughts) and run.thoughts[-1].cut
        kinds["ended by the model"] += bool(run.thoughts) and not run.thoughts[-1].cut
        kinds["went on"] += len(run.thoughts) > 1
        kinds["too little for both"] += run.budget.tokens < run.alone + run.answer_tokens
    assert min(kinds.values()) >= 1, kinds
