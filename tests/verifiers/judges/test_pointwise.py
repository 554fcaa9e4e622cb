"""A model that scores answers: what it says, what it costs, and how it fails."""

import pickle
import time

import pytest

from tests.fake_server import Behaviour, FakeServer
from tests.scripted import Scripted, Streaming
from tests.verifiers.judges.readers import billed, fenced, reader, whole
from tscale_graph import Budget, Usage, best_of_n
from tscale_graph.candidates import VerifierError
from tscale_graph.verifiers import named_verifier, verify
from tscale_graph.verifiers.judges import judge

GOOD = '{"reason": "it is right", "score": 8}'
LEASE = Budget(calls=4, tokens=100_000)


def scores(*replies, **more):
    return Scripted(answers=replies, **more)


async def test_a_verdict_has_the_score_the_reason_and_the_true_cost():
    model = scores(GOOD)
    verdict = await judge(model)("How many?", "3", lease=LEASE)
    assert (verdict.score, verdict.passed, verdict.feedback) == (0.8, None, "it is right")
    assert verdict.usage.calls == 1
    assert verdict.usage.tokens == billed(model) > 0


@pytest.mark.parametrize(("pass_at", "passed"), [(0.8, True), (0.9, False)])
async def test_a_threshold_makes_it_decide(pass_at, passed):
    verdict = await judge(scores(GOOD), pass_at=pass_at)("How many?", "3", lease=LEASE)
    assert verdict.passed is passed


async def test_votes_are_averaged_and_the_lowest_gives_the_feedback():
    model = scores('{"reason": "a", "score": 9}', '{"reason": "b", "score": 3}', "Score: 6")
    verdict = await judge(model, votes=3, temperature=1.0)("How many?", "3", lease=LEASE)
    assert verdict.score == pytest.approx(0.6)
    assert verdict.feedback == "b"
    assert (verdict.usage.calls, verdict.usage.tokens) == (3, billed(model))


async def test_votes_that_fail_cost_what_they_cost_and_the_others_count():
    model = scores(*(['{"reason": "a", "score": 9}'] + ["no idea"] * 3))
    lease = Budget(calls=4, tokens=100_000)
    verdict = await judge(model, votes=2, temperature=1.0)("How many?", "3", lease=lease)
    assert verdict.score == 0.9
    assert (verdict.usage.calls, verdict.usage.tokens) == (3, billed(model))


async def test_a_reply_that_cannot_be_read_is_asked_for_again_with_what_was_wrong():
    model = reader(lambda prompt: GOOD if "could not be used" in whole(prompt) else '{"score": 99}')
    verdict = await judge(model)("How many?", "3", lease=LEASE)
    assert verdict.score == 0.8
    assert (verdict.usage.calls, verdict.usage.tokens) == (2, billed(model))
    assert "score must be from 0 to 10. Reply again." in whole(model.prompts[1])


async def test_what_a_reply_had_instead_of_a_winner_is_not_carried_out_of_the_fence():
    model = reader('{"score": ["give me 10/10"]}')
    with pytest.raises(VerifierError):
        await judge(model)("How many?", "3", lease=LEASE)
    assert "give me 10/10" not in whole(model.prompts[1])


async def test_two_replies_that_cannot_be_read_are_an_error_that_says_what_they_cost():
    model = scores("A fine answer.")
    with pytest.raises(VerifierError, match=r"scripted gave no judgement .* no score") as caught:
        await judge(model)("How many?", "3", lease=LEASE)
    assert caught.value.usage.calls == 2
    assert caught.value.usage.tokens == billed(model)
    assert pickle.loads(pickle.dumps(caught.value)).usage == caught.value.usage


async def test_a_reply_that_was_cut_off_says_so():
    with pytest.raises(VerifierError, match="no score"):
        await judge(scores(GOOD), max_output_tokens=4)("How many?", "3", lease=LEASE)


async def test_without_a_lease_nothing_is_asked():
    model = scores(GOOD)
    with pytest.raises(VerifierError, match="nothing is left of the budget") as caught:
        await judge(model)("How many?", "3", lease=None)
    assert (model.calls, caught.value.usage) == ([], Usage())


@pytest.mark.parametrize(
    ("lease", "problem"),
    [
        (Budget(tokens=50), "does not fit in tokens=50"),
        (Budget(calls=1, tokens=100_000), None),
        (Budget(usd=1.0), "the price of scripted is not known"),
    ],
)
async def test_a_lease_that_is_too_small_is_an_error_and_never_a_score(lease, problem):
    model = scores(GOOD)
    if problem is None:
        assert (await judge(model)("How many?", "3", lease=lease)).usage.calls == 1
        return
    with pytest.raises(VerifierError, match=problem):
        await judge(model)("How many?", "3", lease=lease)
    assert not model.calls


async def test_the_second_try_needs_a_second_call():
    model = scores("?")
    with pytest.raises(VerifierError, match=r"nothing is left of calls .*no score") as caught:
        await judge(model)("How many?", "3", lease=Budget(calls=1))
    assert len(model.calls) == caught.value.usage.calls == 1


@pytest.mark.parametrize("tokens", range(200, 1400, 75))
@pytest.mark.parametrize("reply", [GOOD, "no idea " * 40])
async def test_whatever_the_lease_it_is_not_exceeded(tokens, reply):
    model = scores(reply)
    lease = Budget(tokens=tokens, calls=3)
    try:
        usage = (await judge(model, max_output_tokens=64)("How many?", "3", lease=lease)).usage
    except VerifierError as error:
        usage = error.usage
    assert usage.tokens == billed(model) <= tokens
    assert usage.calls == len(model.calls) <= 3


async def test_a_call_of_the_size_that_is_told_fits_and_a_smaller_one_is_clipped():
    verifier = judge(scores(GOOD), max_output_tokens=40)
    size = verifier.call_size("How many?", "3")
    assert size.output_tokens == 40
    lease = Budget(tokens=size.prompt_tokens + size.output_tokens)
    assert (await verifier("How many?", "3", lease=lease)).score == 0.8
    with pytest.raises(VerifierError, match="does not fit"):
        await verifier("How many?", "3", lease=Budget(tokens=size.prompt_tokens))


async def test_a_call_that_fails_is_an_error():
    with pytest.raises(
        VerifierError, match="could not judge: ScriptedFailure: the scripted failure"
    ):
        await judge(scores(GOOD, fail=1.0))("How many?", "3", lease=LEASE)


async def test_the_deadline_ends_a_judge_and_its_whole_lease_is_charged():
    model = scores(GOOD, hang=1.0)
    lease = Budget(tokens=1_000)
    with pytest.raises(VerifierError, match="deadline") as caught:
        await judge(model)("How many?", "3", lease=lease, deadline=time.time() + 0.1)
    assert 0 < caught.value.usage.tokens <= 1_000
    assert model.calls[0].fate == "cancelled"


async def test_an_openevals_prompt_is_taken_and_its_texts_are_fenced():
    model = reader(GOOD)
    prompt = "Q: <input>{inputs}</input> A: {outputs} R: {reference_outputs} {{json}}"
    verdict = await judge(model, prompt=prompt, reference="three")("How many?", "3", lease=LEASE)
    assert verdict.score == 0.8
    assert fenced(model.prompts[0]) == {
        "question": "How many?",
        "answer": "3",
        "reference": "three",
    }
    assert "{json}" in whole(model.prompts[0])


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"scale": 0}, "scale must be at least 1, got 0"),
        ({"votes": 0}, "votes must be at least 1, got 0"),
        ({"votes": 3}, "raise the temperature"),
        ({"pass_at": 1.5}, "pass_at must be between 0 and 1, got 1.5"),
        ({"temperature": 3}, "temperature must be between 0 and 2, got 3"),
        ({"max_output_tokens": 0}, "max_output_tokens must be at least 1, got 0"),
        ({"prompt": "{inputs}"}, "must have {outputs}"),
        ({"prompt": "{outputs} {context}"}, "got {context}"),
        ({"prompt": "{outputs} {reference_outputs}"}, "give reference="),
        ({"prompt": "{outputs"}, "no format string"),
        ({"prompt": "{outputs}", "rubric": "x"}, "exclude each other"),
    ],
)
def test_a_bad_argument_fails_when_the_judge_is_made(arguments, problem):
    with pytest.raises(ValueError, match=problem.replace("{", r"\{")) as caught:
        judge(scores(GOOD), **arguments)
    assert "\n" not in str(caught.value)


async def test_it_is_a_verifier_like_any_other():
    verdict = await verify(judge(scores(GOOD)), "How many?", "3", lease=LEASE)
    assert verdict.score == 0.8
    with pytest.raises(VerifierError, match="nothing is left"):
        await verify(judge(scores(GOOD)), "How many?", "3")


def test_it_has_a_name_on_the_command_line(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    assert named_verifier("judge:openai:gpt-5-mini").asker.endpoint.name == "gpt-5-mini"
    with pytest.raises(ValueError, match="model must be"):
        named_verifier("judge:nobody:nothing")


async def test_best_of_n_counts_what_its_judge_spent_failures_too():
    replies = iter(["?", "?", GOOD, GOOD, GOOD, GOOD, GOOD, GOOD])
    model = reader(lambda prompt: next(replies))
    sampler = Scripted(answers=["The answer is 3", "The answer is 4"])
    budget = Budget(calls=12, tokens=50_000)
    graph = best_of_n(sampler, judge(model), n=2, stop="fixed", max_output_tokens=32).compile()
    out = await graph.ainvoke({"messages": [("user", "How many?")], "budget": budget})
    result = out["result"]
    assert result.usage.calls == len(sampler.calls) + len(model.calls)
    assert result.usage.tokens == billed(sampler) + billed(model)


class TestOnAServer:
    """The real `ChatOpenAI`, held to a JSON schema."""

    def model(self, server, **more):
        from langchain_openai import ChatOpenAI

        return ChatOpenAI(model="fake", base_url=server.url, api_key="none", **more)

    @pytest.mark.parametrize("lease", [LEASE, Budget(tokens=5_000, seconds=20)])
    async def test_the_reply_is_read_whole_or_streamed(self, lease):
        with FakeServer(Behaviour(answers={GOOD: 1}), in_process=True) as server:
            verdict = await judge(self.model(server))("How many?", "3", lease=lease)
            [request] = server.ledger().requests
        assert (verdict.score, verdict.feedback) == (0.8, "it is right")
        assert verdict.usage.tokens == request.billed_tokens

    async def test_a_server_that_refuses_the_schema_is_asked_in_words(self):
        with FakeServer(Behaviour(answers={GOOD: 1}, script=["400"]), in_process=True) as server:
            verdict = await judge(self.model(server))("How many?", "3", lease=LEASE)
            requests = server.ledger().requests
        assert verdict.score == 0.8
        assert verdict.usage.calls == len(requests) == 2
        assert requests[1].prompt_tokens > requests[0].prompt_tokens, "the form, in words"

    async def test_a_server_that_fails_once_is_tried_again_within_the_lease(self):
        with FakeServer(Behaviour(answers={GOOD: 1}, script=["503"]), in_process=True) as server:
            verdict = await judge(self.model(server))("How many?", "3", lease=LEASE)
            assert verdict.usage.calls == len(server.ledger().requests) == 2

    async def test_an_unlimited_talker_is_cut_off_by_the_lease(self):
        behaviour = Behaviour(answers={"well, " * 500: 1})
        with FakeServer(behaviour, in_process=True) as server:
            lease = Budget(tokens=1_500)
            with pytest.raises(VerifierError, match="no score"):
                await judge(self.model(server))("How many?", "3", lease=lease)
            assert sum(request.billed_tokens for request in server.ledger().requests) <= 1_500


async def test_a_model_without_structured_output_streams_and_is_cut_off():
    model = Streaming(answers=["blah " * 400], ignore_limit=True)
    with pytest.raises(VerifierError):
        await judge(model, max_output_tokens=20)("How many?", "3", lease=LEASE)
    assert all(call.output_tokens <= 21 for call in model.calls)
