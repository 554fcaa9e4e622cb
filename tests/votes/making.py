"""Candidates for tests of votes, in few words."""

from hypothesis import strategies as st

from tscale_graph import Candidate, Verdict
from tscale_graph.answers import answer_kind

number = answer_kind("number")


def candidate(index, answer, score=None, passed=None, tests=None, **more):
    verdict = None if score is None else Verdict(score=score, passed=passed, tests=tests)
    text = "" if answer is None else f"The answer is {answer}."
    return Candidate(index=index, text=text, answer=answer, verdict=verdict, **more)


confidences = st.one_of(st.none(), st.floats(min_value=0, max_value=1))


@st.composite
def candidate_lists(draw, *, min_size=1, max_size=12):
    """Candidates of few answers, some failed, discarded, silent, unscored or contradicted."""
    made = []
    for index in range(draw(st.integers(min_size, max_size))):
        made.append(
            candidate(
                index,
                draw(st.sampled_from(["1", "2", "2.0", "3", None])),
                draw(st.one_of(st.none(), st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]))),
                draw(st.sampled_from([None, None, True, False])),
                draw(st.one_of(st.none(), st.tuples(st.booleans(), st.booleans()))),
                error=draw(st.sampled_from([None, None, None, "boom"])),
                discarded=draw(st.sampled_from([None, None, None, "red flag"])),
                stated_confidence=draw(confidences),
                mean_logprob=draw(st.one_of(st.none(), st.floats(-5, 0))),
                confidence=draw(traces),
            )
        )
    return made


traces = st.one_of(
    st.none(),
    st.floats(min_value=0, max_value=20).map(
        lambda x: dict(mean=x, lowest_group=x / 2, bottom_groups=x, tail=x)
    ),
)
