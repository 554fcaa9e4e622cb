"""Cascade: which rung answers, what it is rated by, and what the result says of it."""

import pytest

from tests.scripted import Scripted
from tests.techniques.cascading.climbing import answers, says, unsure
from tests.techniques.searching import QUESTION, ask
from tscale_graph import (
    Budget,
    SamplingError,
    Verdict,
    asolve,
    best_of_n,
    cascade,
    extended_thinking,
    self_consistency,
    solve,
)
from tscale_graph.models.replay import ReplayModel
from tscale_graph.recordings.records import RecordedQuestion, RecordedSample


async def test_what_cheap_samples_agree_on_is_accepted_and_nobody_else_is_asked():
    small, large = says("small", 3), says("large", 7)
    result = await ask(cascade([small, large]))
    assert (result.answer, result.status, result.technique) == ("3", "complete", "cascade")
    assert (len(small.calls), len(large.calls)) == (3, 0)
    assert (result.agreement, answers(result)) == (1.0, ["3"])
    assert result.notes[0] == "rung 1 (small) answered"


async def test_where_they_do_not_agree_the_next_rung_is_asked_once():
    small, large = unsure(), says("large", 7)
    result = await ask(cascade([small, large]))
    assert (result.answer, answers(result)) == ("7", ["3", "7"])
    assert (len(small.calls), len(large.calls)) == (3, 1)
    assert result.notes[:2] == [
        "rung 1 (small): agreement 0.33 is below 0.8",
        "rung 2 (large) answered",
    ]
    assert result.usage.calls == 4
    assert result.usage.tokens == sum(call.billed for m in (small, large) for call in m.calls)


async def test_a_threshold_for_each_rung_but_the_last():
    def ladder():
        return [says("small", 3, 3, 4), says("middle", 5, 5, 6), says("large", 7)]

    assert (await ask(cascade(ladder(), accept=[0.6, 0.9]))).answer == "3"
    assert (await ask(cascade(ladder(), accept=[0.9, 0.6]))).answer == "5"
    assert (await ask(cascade(ladder(), accept=(0.9, 0.9)))).answer == "7"
    assert (await ask(cascade(ladder(), accept=0))).answer == "3"
    assert (await ask(cascade([says("small", 3), says("large", 7)], accept=1.01))).answer == "7"


async def test_the_note_has_the_digits_that_tell_a_rating_from_its_threshold():
    ladder = [says("small", 3, 3, 4), says("large", 7)]
    result = await ask(cascade(ladder, accept=0.67))
    assert result.notes[0] == "rung 1 (small): agreement 0.667 is below 0.670"
    result = await ask(cascade(ladder, accept=2 / 3 + 1e-9))
    assert result.notes[0] == "rung 1 (small): agreement 0.666666667 is below 0.666666668"


async def test_a_sample_that_cannot_be_read_agrees_with_no_other():
    small = says("small", 3, 3, "I would rather not say.")
    result = await ask(cascade([small, says("large", 7)], answer="number"))
    assert result.answer == "7"
    assert result.notes[0] == "rung 1 (small): agreement 0.67 is below 0.8"


async def test_techniques_are_rungs_and_rated_by_their_own_agreement():
    small, large = says("small", 3, 4), says("large", 7)
    ladder = [self_consistency(small, max_samples=6, stop="fixed"), extended_thinking(large)]
    result = await ask(cascade(ladder))
    assert (result.answer, len(small.calls)) == ("7", 6)
    assert result.notes[0] == "rung 1 (self_consistency(small)): agreement 0.5 is below 0.8"
    assert result.candidates[1].reasoning


async def test_a_technique_that_says_nothing_of_its_answer_is_run_several_times():
    small, large = says("small", 3), says("large", 7)
    result = await ask(cascade([extended_thinking(small), large]))
    assert (result.answer, result.agreement) == ("3", 1.0)
    assert len(small.calls) == 6, "a thought and an answer, three times"


async def test_a_techniques_own_verdict_comes_before_its_agreement():
    small, large = says("small", 3), says("large", 7)
    ladder = [best_of_n(small, lambda question, answer: answer == "7", n=2), large]
    result = await ask(cascade(ladder))
    assert (result.answer, answers(result)) == ("7", ["3", "7"])
    assert "the verifier did not pass its answer" in result.notes[0]


async def test_with_a_verifier_bare_models_are_asked_once_and_its_word_counts():
    def tenths(question, answer):
        return int(answer) / 10

    small, large = says("small", 3), says("large", 9)
    result = await ask(cascade([small, large], verifier=tenths))
    assert (result.answer, len(small.calls), len(large.calls)) == ("9", 1, 1)
    assert result.notes[0] == "rung 1 (small): the verifier's score 0.3 is below 0.8"
    assert [candidate.verdict.score for candidate in result.candidates] == [0.3, 0.9]
    assert result.verdict.score == 0.9
    assert (
        await ask(cascade([says("small", 3), large], verifier=tenths, accept=0.3))
    ).answer == "3"


async def test_a_verifier_that_decides_is_not_overruled_by_a_threshold():
    def contrary(question, answer):
        return Verdict(score=0.9 if answer == "3" else 0.1, passed=answer == "7")

    ladder = [says("small", 3), says("middle", 7), says("large", 5)]
    result = await ask(cascade(ladder, verifier=contrary, accept=0.5))
    assert (result.answer, answers(result)) == ("7", ["3", "7"])


async def test_by_a_verifier_the_best_rated_answer_stands_and_not_the_last_as_such():
    ladder = [says("small", 6), says("large", 4)]
    result = await ask(cascade(ladder, verifier=lambda q, a: int(a) / 10))
    assert (result.answer, answers(result)) == ("6", ["6", "4"])
    ladder = [says("small", 6), says("large", "So the answer is 6")]
    result = await ask(cascade(ladder, verifier=lambda q, a: int(a) / 10))
    assert result.text == "So the answer is 6", "the later among equals"


async def test_equal_answers_are_verified_once():
    asked = []

    def counting(question, answer):
        asked.append(answer)
        return Verdict(score=0.5, usage={"calls": 1})

    result = await ask(cascade([says("a", 3), says("b", 3), says("c", 4)], verifier=counting))
    assert asked == ["3", "4"]
    assert result.usage.calls == 5


async def test_a_verifier_that_fails_is_climbed_past_with_a_note():
    def broken(question, answer):
        raise RuntimeError("no idea")

    result = await ask(cascade([says("small", 3), says("large", 7)], verifier=broken))
    assert result.answer == "7"
    assert "rung 1 (small): not verified: RuntimeError: no idea" in result.notes


async def test_confidence_instead_of_agreement_takes_one_sample():
    small = says("small", "The answer is 3\nConfidence: 95%")
    result = await ask(cascade([small, says("large", 7)], confidence="stated"))
    assert (result.answer, len(small.calls)) == ("3", 1)
    small = says("small", "The answer is 3\nConfidence: 40%")
    result = await ask(cascade([small, says("large", 7)], confidence="stated"))
    assert result.answer == "7"
    assert result.notes[0] == "rung 1 (small): stated confidence 0.4 is below 0.8"
    result = await ask(cascade([says("small", 3), says("large", 7)], confidence="stated"))
    assert result.notes[0] == "rung 1 (small): nothing says how good its answer is"


async def test_a_rung_that_fails_is_climbed_past_and_its_usage_counts():
    small, large = says("small", 3, fail=1.0), says("large", 7)
    result = await ask(cascade([small, large]))
    assert (result.answer, result.status) == ("7", "complete")
    assert result.notes[0].startswith("rung 1 (small): failed: self_consistency: all 3")
    assert result.usage.calls == len(small.calls) + len(large.calls)


async def test_a_rung_that_has_no_answer_is_climbed_past():
    small = says("small", "I would rather not say.")
    result = await ask(cascade([small, says("large", 7)], answer="number"))
    assert (result.answer, answers(result)) == ("7", [None, "7"])
    assert result.notes[0] == "rung 1 (small): no answer could be read"


async def test_where_the_last_rung_fails_the_best_rated_answer_so_far_stands():
    ladder = [says("a", 3, 3, 4), says("b", 5, 6, 7), says("c", 7, fail=1.0)]
    result = await ask(cascade(ladder))
    assert (result.answer, answers(result)) == ("3", ["3", "5", None])
    ladder = [unsure("a"), says("b", 5, 6, 7), says("c", 7, fail=1.0)]
    assert (await ask(cascade(ladder))).answer == "5", "the later among equals"


async def test_a_last_rung_that_does_not_stand_is_told_of_with_the_reason():
    ladder = [unsure(), says("large", 7, fail=1.0)]
    result = await ask(cascade(ladder))
    assert (result.answer, result.status) == ("3", "complete")
    assert result.notes[1].startswith("rung 2 (large): failed: self_consistency: all 1 samples")
    assert result.notes[2] == "rung 1 (small) answered"
    ladder = [unsure(), says("large", "I would rather not say.")]
    result = await ask(cascade(ladder, answer="number"))
    assert result.notes[1] == "rung 2 (large): no answer could be read"
    ladder = [says("small", 6), says("large", 4)]
    result = await ask(cascade(ladder, verifier=lambda q, a: int(a) / 10))
    assert result.notes[1] == "rung 2 (large): the verifier's score 0.4 is below 0.6"


async def test_where_no_rung_has_an_answer_and_the_last_one_failed_that_is_raised():
    ladder = [says("small", "I would rather not say."), says("large", 7, fail=1.0)]
    told = r"none of 2 rungs has an answer: the last failed with .*scripted failure"
    with pytest.raises(SamplingError, match=told) as caught:
        await ask(cascade(ladder, answer="number"))
    assert caught.value.usage.calls == sum(len(one.calls) for one in ladder)
    assert answers(caught.value.result) == [None, None]


async def test_where_every_rung_fails_the_last_error_is_raised_with_the_usage():
    ladder = [says("small", 3, fail=1.0), says("large", 7, fail=1.0)]
    with pytest.raises(SamplingError, match=r"all 2 rungs failed, .*scripted failure"):
        await ask(cascade(ladder))


async def test_a_cascade_is_a_rung_and_a_model_too():
    inner = cascade([unsure("a"), says("b", 5, 6, 7)], accept=0.5)
    result = await ask(cascade([inner, says("c", 9)]))
    assert (result.answer, result.usage.calls) == ("9", 5)
    result = await ask(self_consistency(cascade([says("a", 3), says("b", 5)]), max_samples=4))
    assert result.answer == "3"


async def test_by_name_models_are_listed_with_commas():
    with pytest.raises(ValueError, match=r"rungs must be at least 2 .* got 1 \(local\)"):
        solve("How many?", "cascade", budget=Budget(calls=9))
    result = await asolve(
        "How many?", "cascade", budget=Budget(calls=9), rungs=[says("a", 3), says("b", 5)]
    )
    assert result.answer == "3"


@pytest.mark.parametrize(
    ("arguments", "says_"),
    [
        (
            {"rungs": [Scripted()]},
            "rungs must be at least 2 models or techniques, cheap first, got 1",
        ),
        ({"rungs": Scripted()}, "rungs must be at least 2 .*, got Scripted"),
        ({"rungs": [Scripted(), "", Scripted()]}, "got an empty string among them"),
        ({"rungs": [Scripted(), 3]}, "model must be a chat model, .* got int"),
        ({"accept": [0.5, 0.6]}, "one for each of 1 rungs .*, got 2"),
        ({"accept": 80}, r"accept must be at most 1\.01, which no rating reaches, got 80"),
        ({"accept": [1.1]}, r"accept must be at most 1\.01, .* got 1\.1"),
        ({"accept": "high"}, "accept must be a finite number, got 'high'"),
        ({"accept": [-1]}, "accept must be at least 0, got -1"),
        ({"accept": float("nan")}, "accept must be at least 0, got nan"),
        ({"samples": 1}, "samples must be at least 2, got 1"),
        ({"confidence": "vibes"}, "confidence must be one of agreement, logprob, stated"),
        ({"first": "dearest"}, 'first must be "auto" or "cheapest"'),
        ({"verifier": "no such"}, "verifier"),
        ({"temperature": 3}, "temperature must be between 0 and 2"),
        ({"max_output_tokens": 0}, "max_output_tokens must be at least 1"),
        ({"on_exceeded": "shrug"}, "on_exceeded must be"),
    ],
)
def test_bad_arguments_are_told_in_one_line_when_the_graph_is_built(arguments, says_):
    given = {"rungs": [Scripted(), Scripted()], **arguments}
    with pytest.raises(ValueError, match=says_) as caught:
        cascade(given.pop("rungs"), **given)
    assert len(str(caught.value).splitlines()) == 1


async def test_log_probabilities_of_one_sample_may_rate_it():
    def small(logprob):
        sample = RecordedSample(
            text="The answer is 3", answer="3", output_tokens=4, mean_logprob=logprob
        )
        asked = RecordedQuestion(id="q", question=QUESTION, samples=(sample,))
        return ReplayModel(questions=[asked], model_name="small")

    sure = await ask(cascade([small(-0.05), says("large", 7)], confidence="logprob"))
    assert (sure.answer, sure.usage.calls) == ("3", 1)
    unsure_ = await ask(cascade([small(-0.7), says("large", 7)], confidence="logprob"))
    assert unsure_.answer == "7"
    assert unsure_.notes[0] == "rung 1 (small): the mean token's probability 0.5 is below 0.8"


async def test_a_model_that_gives_no_log_probabilities_is_climbed_past():
    result = await ask(cascade([says("small", 3), says("large", 7)], confidence="logprob"))
    assert result.answer == "7"
    assert "rung 1 (small): failed" in result.notes[0]
    assert "log-probabilities" in result.notes[0]
