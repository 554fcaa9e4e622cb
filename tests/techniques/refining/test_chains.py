"""Several chains side by side: each revises its own, and the best of all of them stands."""

import pytest

from tests.fake_server import Behaviour, FakeServer
from tests.techniques.refining.revising import numbering, tenths, versions
from tests.techniques.searching import QUESTION, ask, asked_of, told
from tscale_graph import Budget, refine


def refining(model, verifier=tenths, **more):
    return refine(model, verifier, answer="number", **more)


async def test_chains_start_apart_and_each_revises_its_own_best():
    model = numbering(1, 2, 3, 4, 5, 6)
    result = await ask(refining(model, chains=3, max_revisions=1))
    assert versions(result) == ["1", "2", "3", "4", "5", "6"]
    assert (result.answer, result.status) == ("6", "complete")
    assert [node.parent for node in result.tree.nodes[1:]] == [0, 0, 0, 1, 2, 3]
    assert [prompt[1][1][-1] for prompt in asked_of(model)[3:]] == ["1", "2", "3"]
    assert model.most_in_flight == 3


async def test_one_that_passes_ends_them_all():
    model = numbering(1, 2, 10, 3, 4)
    result = await ask(refining(model, chains=2, max_revisions=4))
    assert (result.answer, len(model.calls)) == ("10", 4)


async def test_a_chain_that_ends_by_itself_leaves_the_others_going():
    model = numbering(1, 2, 1, 3, 4, 5)
    result = await ask(refining(model, chains=2, max_revisions=3, repeats=1))
    assert [node.parent for node in result.tree.nodes[1:]] == [0, 0, 1, 2, 4, 5]
    assert result.answer == "5"
    assert "revising ended with repeats=1: nothing new had come" in result.notes


async def test_max_parallel_holds_and_no_chain_starves():
    model = numbering(*range(1, 10))
    result = await ask(refining(model, chains=3, max_revisions=2, max_parallel=2))
    assert model.most_in_flight <= 2
    depths = [node.depth for node in result.tree.nodes[1:]]
    assert sorted(depths) == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert depths[:3] == [1, 1, 1], "all chains begin before any goes on"


@pytest.mark.parametrize("calls", range(1, 12))
async def test_what_the_budget_buys_is_shared_by_the_chains(calls):
    model = numbering(*[1, 2, 3] * 4)
    result = await ask(refining(model, lambda q, a: 0.5, chains=3, max_revisions=2, repeats=9),
                       Budget(calls=calls))  # fmt: skip
    assert len(model.calls) == result.usage.calls == min(calls, 9)
    assert result.status == ("cut_off" if calls < 9 else "complete")
    roots = [node for node in result.tree.nodes if node.parent == 0]
    assert len(roots) == min(calls, 3)


async def test_without_a_verifier_chains_vote_with_the_versions_that_stood_up():
    def decide(prompt, number):
        if "Check that answer" not in prompt[-1].text:
            return f"The answer is {number % 3 // 2}"
        return "Verdict: correct" if prompt[-2].text[-1] in "01" else "Verdict: revise"

    result = await ask(refine(told(decide), answer="number", chains=3))
    assert versions(result) == ["0", "0", "1"]
    assert (result.answer, result.agreement) == ("0", pytest.approx(2 / 3))


async def test_first_answers_are_completions_of_one_request_where_the_provider_has_that():
    from langchain_openai import ChatOpenAI

    with FakeServer(Behaviour(answers={"The answer is 3": 1.0}), in_process=True) as server:
        model = ChatOpenAI(model="fake", base_url=server.url, api_key="none")
        result = await ask(
            refining(model, lambda q, a: 0.5, chains=4, max_revisions=1), question=QUESTION
        )
        requests = server.ledger().requests
    assert [request.n for request in requests] == [4, 1, 1, 1, 1]
    assert result.usage.calls == 8
    assert len(result.candidates) == 8
