"""What a person sees while a run goes on: a model's text is text, whatever is in it."""

import io

import pytest
from rich.console import Console

from tscale_graph import Budget, Usage
from tscale_graph.answers import answer_kind
from tscale_graph.candidates import Candidate, Result, Tally, Verdict
from tscale_graph.cli.watching import Plain, Terminal, draw_votes, print_result, summary

MARKUP = ["The answer is 3 [/INST]", "[bold]3[/bold]", "[red]", "3 [/", "a [link=x]b", "3\\"]


def console(**settings):
    return Console(file=io.StringIO(), width=100, **settings)


def drawn(screen, what):
    screen.print(what)
    return screen.file.getvalue()


def watched(texts, **settings):
    screen = console()
    watching = Terminal("Which?", Budget(calls=9), console=screen, **settings)
    for index, text in enumerate(texts):
        watching.saw(Candidate(index=index, text=text))
    return drawn(screen, watching._draw())


@pytest.mark.parametrize("text", MARKUP)
def test_what_looks_like_markup_is_shown_as_the_model_wrote_it(text):
    screen = console()
    Plain(screen).saw(Candidate(index=0, text=text))
    assert screen.file.getvalue() == f"  1  {text}\n"
    assert text in watched([text], kind=answer_kind("text"))
    assert text in drawn(console(), draw_votes([Tally(answer=text, count=1, weight=1)]))


def test_the_agreement_of_a_cascade_is_told_with_its_rungs_and_not_as_samples():
    told = {"status": "complete", "usage": Usage(calls=3), "agreement": 2 / 3, "answer": "3"}
    told["votes"] = [Tally(answer="3", count=2, weight=2), Tally(answer="4", count=1, weight=1)]
    told["candidates"] = [Candidate(index=0, answer="3")]
    assert "agreement: 67% of 3 answers (1 rung)" in summary(Result(technique="cascade", **told))
    assert "agreement: 67% of 3 answers (1 sample)" in summary(Result(technique="other", **told))


@pytest.mark.parametrize("text", MARKUP)
def test_what_a_verifier_says_is_text_too(text, capsys):
    screen = console()
    verdict = Verdict(score=0, passed=False, feedback=text)
    result = Result(
        answer="3", status="complete", usage=Usage(calls=1), technique="t", verdict=verdict
    )
    print_result(result, screen)
    assert f"verdict: failed, 0.00: {text}\n" in screen.file.getvalue()
    assert capsys.readouterr().out == "3\n"


def test_a_model_cannot_move_the_cursor_of_a_terminal():
    screen = console(force_terminal=True)
    Plain(screen).saw(Candidate(index=0, text="\x1b[2Jgone\x07"))
    assert screen.file.getvalue() == "  1  [2Jgone\n"


def test_the_live_vote_reads_answers_as_the_technique_does():
    texts = ["It is red", "It is blue", "It is red"]
    shown = watched(texts, kind=answer_kind(lambda text: text.split()[-1]))
    assert "2 of 3" in shown
    assert "1 of 3" in shown
    assert "1 of 1" in watched(["The answer is B, not 3"], kind=answer_kind("choice"))


def test_failed_samples_have_no_vote_and_no_say_in_how_answers_are_read():
    screen = console()
    watching = Terminal("Which?", Budget(calls=9), console=screen)
    for index in range(3):
        watching.saw(Candidate(index=index, text="3"))
    watching.saw(Candidate(index=3, error="RateLimitError: slow down"))
    shown = drawn(screen, watching._draw())
    assert "3 of 3" in shown
    assert "failed: RateLimitError: slow down" in shown


def test_only_the_leading_answers_are_drawn():
    tallies = [Tally(answer=str(k), count=9 - k, weight=1) for k in range(8)]
    shown = drawn(console(), draw_votes(tallies))
    assert "9 of 44" in shown
    assert "and 2 more answers" in shown
