"""Closing calls: a model ranks the finalists, within what was reserved for that."""

import asyncio
import random

import pytest
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver

from tests.scripted import Scripted
from tests.verifiers.judges.readers import Reader, billed, fenced, reader
from tscale_graph import Budget, BudgetExceeded, best_of_n, self_consistency
from tscale_graph.candidates import SamplingError
from tscale_graph.techniques.comparing import RoundRobin, Tournament
from tscale_graph.verifiers.judges import listwise_judge, most_consistent, pairwise_judge

POEMS = ("Roses are red", "Violets are blue", "Roses really are red", "Sugar is sweet")
NUMBERS = tuple(f"The answer is {number}" for number in (4, 7, 5, 7, 9, 1))


class TwoFaced(Reader):
    """Writes the next answer when asked a question, and judges when shown answers."""

    writes: tuple[str, ...] = POEMS

    def begin(self, messages, options):
        written = sum(1 for prompt in self.prompts if not fenced(prompt))
        judging = self.reply
        if not fenced(messages):
            self.reply = lambda prompt: self.writes[written % len(self.writes)]
        try:
            return super().begin(messages, options)
        finally:
            self.reply = judging

    @property
    def judged(self):
        return sum(1 for prompt in self.prompts if fenced(prompt))


def picks(wanted):
    """Chooses the shown answer that has a word, else the first."""

    def reply(prompt):
        shown = [text for label, text in fenced(prompt).items() if label.startswith("answer")]
        found = [n for n, text in enumerate(shown, 1) if wanted in text]
        return f'{{"choice": {(found or [1])[0]}}}'

    return reply


def larger(prompt):
    """Prefers the larger number."""
    shown = fenced(prompt)
    first, second = (int(shown[label].split()[-1]) for label in ("first", "second"))
    return f'{{"winner": "{"first" if first > second else "second"}"}}'


def by_size(prompt):
    shown = {k.split()[1]: v for k, v in fenced(prompt).items() if k.startswith("answer")}
    numbers = sorted(shown, key=lambda k: -int(shown[k].split()[-1]))
    return f'{{"ranking": {[int(n) for n in numbers]}}}'


async def ask(graph, budget=None, config=None):
    asked = {"messages": [("user", "Which?")], "budget": budget or Budget(tokens=100_000)}
    out = await graph.compile().ainvoke(asked, config)
    return out["result"]


def tokens_of(model, *more):
    return sum(billed(one) for one in (model, *more))


async def test_universal_self_consistency_takes_the_text_that_the_model_itself_picks():
    model = TwoFaced(reply=picks("really"))
    result = await ask(
        self_consistency(model, vote="universal", max_samples=4, stop="fixed", answer="text")
    )
    assert result.answer == "Roses really are red"
    assert (model.judged, len(model.calls)) == (2, 6)
    assert (result.usage.calls, result.usage.tokens) == (6, billed(model))


async def test_another_model_can_pick():
    sampler, picker = Scripted(answers=POEMS), reader(picks("Sugar"))
    graph = self_consistency(
        sampler, vote=most_consistent(picker), max_samples=4, stop="fixed", answer="text"
    )
    result = await ask(graph)
    assert result.answer == "Sugar is sweet"
    assert (len(sampler.calls), len(picker.calls)) == (4, 2)
    assert result.usage.tokens == tokens_of(sampler, picker)


@pytest.mark.parametrize("technique", ["vote", "best_of_n"])
async def test_a_listwise_judge_ranks_distinct_answers_with_one_call(technique):
    sampler, ranker = Scripted(answers=NUMBERS), reader(by_size)
    judge = listwise_judge(ranker)
    graph = (
        self_consistency(sampler, vote=judge, max_samples=6, stop="fixed")
        if technique == "vote"
        else best_of_n(sampler, judge, n=6)
    )
    result = await ask(graph)
    assert result.answer == "9"
    assert (len(sampler.calls), len(ranker.calls), result.usage.calls) == (6, 1, 7)
    assert result.usage.tokens == tokens_of(sampler, ranker)
    assert len(fenced(ranker.prompts[0])) == 1 + 5, "the question, and 7 only once"


@pytest.mark.parametrize(
    ("select", "matches"), [(None, 4), ("tournament", 4), ("bradley_terry", 10)]
)
async def test_a_pairwise_judge_compares_finalists_in_both_orders(select, matches):
    sampler, judge = Scripted(answers=NUMBERS), reader(larger)
    result = await ask(best_of_n(sampler, pairwise_judge(judge), n=6, select=select))
    assert result.answer == "9"
    assert result.usage.calls == 6 + 2 * matches == len(sampler.calls) + len(judge.calls)
    assert result.usage.tokens == tokens_of(sampler, judge)
    assert (result.status, len(result.candidates)) == ("complete", 6)


@pytest.mark.parametrize("kind", [Tournament, RoundRobin])
@pytest.mark.parametrize("seed", range(6))
async def test_where_the_judge_sees_no_difference_the_votes_decide(kind, seed):
    sampler = Scripted(answers=NUMBERS)
    closing = kind(pairwise_judge(reader('{"winner": "tie"}')))
    result = await ask(self_consistency(sampler, vote=closing, max_samples=6, seed=seed))
    assert result.answer == "7"


FAILING = {
    "that fails": lambda: Scripted(fail=1.0),
    "that talks rubbish": lambda: Scripted(answers=["I cannot say which."]),
    "that says nothing": lambda: Scripted(answers=[""]),
}


@pytest.mark.parametrize("how", FAILING)
@pytest.mark.parametrize("kind", ["universal", "listwise", "tournament", "bradley_terry"])
async def test_with_a_judge_that_is_no_use_the_votes_decide_and_a_note_says_so(kind, how):
    sampler, judge = Scripted(answers=NUMBERS), FAILING[how]()
    closing = {
        "universal": lambda: self_consistency(
            sampler, vote=most_consistent(judge), max_samples=6, stop="fixed"
        ),
        "listwise": lambda: best_of_n(sampler, listwise_judge(judge), n=6),
        "tournament": lambda: best_of_n(sampler, pairwise_judge(judge), n=6),
        "bradley_terry": lambda: best_of_n(
            sampler, pairwise_judge(judge), n=6, select="bradley_terry"
        ),
    }[kind]
    result = await ask(closing())
    assert (result.answer, result.status) == ("7", "complete")
    assert f"{kind} ranked nothing, so the votes decided" in result.notes
    assert any(note.startswith(f"{kind}: ") for note in result.notes), "and why"
    assert judge.calls
    assert result.usage.calls == len(sampler.calls) + len(judge.calls)
    assert result.usage.tokens == tokens_of(sampler, judge)


async def test_a_comparison_that_fails_costs_only_itself():
    def confused_by_nine(prompt):
        return "?" if "answer is 9" in str(prompt[-1].text) else larger(prompt)

    sampler, judge = Scripted(answers=NUMBERS), reader(confused_by_nine)
    result = await ask(best_of_n(sampler, pairwise_judge(judge), n=6, select="bradley_terry"))
    assert result.answer == "7", "9 was never seen to win"
    assert any("bradley_terry: " in note and "(4 times)" in note for note in result.notes)
    assert result.usage.tokens == tokens_of(sampler, judge)


@pytest.mark.parametrize("calls", range(4, 12))
async def test_a_tight_budget_takes_fewer_samples_and_still_has_its_closing_calls(calls):
    model = TwoFaced(reply=picks("really"))
    graph = self_consistency(model, vote="universal", max_samples=12, stop="fixed", answer="text")
    result = await ask(graph, Budget(calls=calls))
    assert model.judged == 2
    assert result.usage.calls == len(model.calls) == calls
    assert (result.status, result.cut_off_by) == ("cut_off", "calls")
    if calls >= 5:
        assert result.answer == "Roses really are red"


async def test_tokens_are_kept_back_for_the_closing_calls():
    sampler, judge = Scripted(answers=["long " * 80 + n for n in NUMBERS]), reader(by_size)
    graph = best_of_n(
        sampler, listwise_judge(judge, max_output_tokens=60), n=40, max_output_tokens=110
    )
    result = await ask(graph, Budget(tokens=4_000))
    assert 2 <= len(sampler.calls) < 40
    assert len(judge.calls) == 1
    assert result.answer == "9"
    assert result.usage.tokens == tokens_of(sampler, judge) <= 4_000


@pytest.mark.parametrize("calls", [2, 3])
async def test_nothing_is_kept_back_that_would_not_pay_for_the_closing_calls(calls):
    model = TwoFaced(reply=picks("Roses"))
    graph = self_consistency(model, vote="universal", max_samples=8, stop="fixed", answer="text")
    result = await ask(graph, Budget(calls=calls))
    assert (len(result.candidates), model.judged, result.usage.calls) == (calls, 0, calls)
    assert "universal: calls was used up, so the votes decided" in result.notes


async def test_a_budget_for_one_sample_gets_that_sample():
    sampler, judge = Scripted(answers=NUMBERS), reader(by_size)
    prompt = sampler.prompt_tokens([HumanMessage("Which?")])
    graph = best_of_n(sampler, listwise_judge(judge), n=8, max_output_tokens=50)
    result = await ask(graph, Budget(tokens=prompt + 50))
    assert result.answer == "4"
    assert judge.calls == []


@pytest.mark.parametrize("calls", [8, 10, 13, 16])
async def test_with_few_calls_left_a_tournament_has_fewer_entrants(calls):
    sampler, judge = Scripted(answers=NUMBERS), reader(larger)
    result = await ask(best_of_n(sampler, pairwise_judge(judge), n=6), Budget(calls=calls))
    spent = len(sampler.calls) + len(judge.calls)
    assert len(judge.calls) >= 2
    assert result.usage.calls == spent <= calls
    entrants = {fenced(p)[label] for p in judge.prompts for label in ("first", "second")}
    assert len(judge.calls) == 2 * (len(entrants) - 1), "every match of it was played"
    assert int(result.answer) == max(int(text.split()[-1]) for text in entrants)


@pytest.mark.parametrize("seed", range(40))
async def test_closing_calls_never_exceed_a_limit(seed):
    rng = random.Random(seed)
    price = {"usd_per_million_tokens": {"input": 2.0, "output": 10.0}}
    sampler = Scripted(answers=NUMBERS, metadata=price, fail=rng.choice([0, 0.2]))
    said = {"universal": picks("9"), "listwise": by_size}
    kind = rng.choice(["universal", "listwise", "tournament", "bradley_terry"])
    judge = reader(
        rng.choice([said.get(kind, larger), "rubbish"]), metadata=price, fail=rng.choice([0, 0.3])
    )
    size = rng.choice([20, 80])
    graph = {
        "universal": lambda: self_consistency(
            sampler, vote=most_consistent(judge, max_output_tokens=size), max_samples=6
        ),
        "listwise": lambda: best_of_n(sampler, listwise_judge(judge, max_output_tokens=size), n=6),
        "tournament": lambda: best_of_n(
            sampler, pairwise_judge(judge, max_output_tokens=size), n=6
        ),
        "bradley_terry": lambda: best_of_n(
            sampler, pairwise_judge(judge, max_output_tokens=size), n=6, select="bradley_terry"
        ),
    }[kind]()
    limits = {"calls": rng.randint(1, 30), "tokens": rng.randint(20, 9_000), "usd": 10**-3.5}
    budget = Budget.model_validate({n: limits[n] for n in rng.sample([*limits], rng.randint(1, 3))})
    try:
        usage = (await ask(graph, budget)).usage
    except (BudgetExceeded, SamplingError) as error:
        usage = error.usage
    assert usage.calls == len(sampler.calls) + len(judge.calls)
    assert usage.tokens == tokens_of(sampler, judge)
    assert budget.exceeded_by(usage.model_copy(update={"seconds": 0.0})) is None


async def test_the_deadline_ends_the_closing_calls_and_the_votes_decide():
    sampler, judge = Scripted(answers=NUMBERS), reader(by_size, hang=1.0)
    graph = best_of_n(sampler, listwise_judge(judge), n=6)
    result = await asyncio.wait_for(ask(graph, Budget(seconds=0.4)), 5)
    assert result.answer == "7"
    assert "listwise ranked nothing, so the votes decided" in result.notes
    assert result.usage.calls == 7
    assert {call.fate for call in judge.calls} == {"cancelled"}


async def test_a_resumed_run_does_not_pay_for_its_ranking_again():
    sampler, judge = Scripted(answers=NUMBERS), reader(by_size)
    graph = best_of_n(sampler, listwise_judge(judge), n=6)
    kept = graph.compile(checkpointer=InMemorySaver(), interrupt_before=["finish"])
    thread = {"configurable": {"thread_id": "1"}}
    asked = {"messages": [("user", "Which?")], "budget": Budget(tokens=50_000)}
    await kept.ainvoke(asked, thread)
    assert len(judge.calls) == 1
    result = (await kept.ainvoke(None, thread))["result"]
    assert result.answer == "9"
    assert (len(sampler.calls), len(judge.calls), result.usage.calls) == (6, 1, 7)
    assert result.usage.tokens == tokens_of(sampler, judge)


async def test_a_second_question_on_the_same_thread_is_ranked_afresh():
    sampler, judge = Scripted(answers=NUMBERS), reader(by_size)
    graph = best_of_n(sampler, listwise_judge(judge), n=6).compile(checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "1"}}
    asked = {"messages": [("user", "Which?")], "budget": Budget(tokens=50_000)}
    for times in (1, 2):
        result = (await graph.ainvoke(asked, thread))["result"]
        assert (len(judge.calls), result.usage.calls) == (times, 7)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"select": "weighted"}, "select must be one of tournament, bradley_terry"),
        ({"select": "max"}, "with a pairwise judge, got 'max'"),
    ],
)
def test_a_selection_that_does_not_go_with_the_judge_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        best_of_n(Scripted(), pairwise_judge(Scripted()), **arguments)
    with pytest.raises(ValueError, match="leave select out"):
        best_of_n(Scripted(), listwise_judge(Scripted()), **arguments)


def test_an_unknown_vote_is_refused_with_the_names():
    with pytest.raises(ValueError, match="vote must be one of majority, logprob"):
        self_consistency(Scripted(), vote="loudest")


@pytest.mark.parametrize("closing", [Tournament, RoundRobin])
def test_fewer_than_two_finalists_are_refused(closing):
    with pytest.raises(ValueError, match="at_most must be at least 2, got 1"):
        closing(pairwise_judge(Scripted()), at_most=1)
