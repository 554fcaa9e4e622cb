from hypothesis import given
from hypothesis import strategies as st

from tscale_graph.budget import Usage
from tscale_graph.sleeping.books import Books, Use, least_earning

EMPTY = Books(name="menu", changed_at=0)


def use(at, **more):
    return Use(id=str(at), at=at, **{"served": "full", **more})


uses = st.lists(
    st.builds(
        use,
        st.integers(0, 30),
        served=st.sampled_from(["answer", "dense", "full"]),
        matched=st.none() | st.sampled_from(["a", "b"]),
        saved_tokens=st.integers(0, 100),
        usage=st.builds(Usage, input_tokens=st.integers(0, 50)),
    ),
    max_size=12,
    unique_by=lambda one: one.id,
)


@given(uses, st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=4))
def test_a_use_counts_once_however_often_it_is_killed(log, kills):
    """Sums are written first and the log is deleted after: in between, both are there."""
    books, lying, to_come = EMPTY, [], list(log)
    for come, deleted in [*kills, (len(log), 0)]:
        lying, to_come = lying + to_come[:come], to_come[come:]
        books = books.with_uses(lying)
        lying = lying[deleted:]
    once = EMPTY.with_uses(log)
    for sums in ("asked", "saved_tokens", "awake", "earned"):
        assert getattr(books, sums) == getattr(once, sums)


@given(uses)
def test_sums_are_those_of_the_uses(log):
    books = EMPTY.with_uses(log)
    assert books.questions == len(log)
    assert books.saved_tokens == sum(one.saved_tokens for one in log)
    assert books.awake.tokens == sum(one.usage.tokens for one in log)


def test_who_is_not_asked_is_given_up_and_taken_up_again_when_somebody_asks():
    books = EMPTY
    for at in range(3):
        assert not books.given_up(after=3)
        books = books.worked_through(str(at)).worked_through(str(at))
    assert books.given_up(after=3)
    assert not books.with_uses([use(5)]).given_up(after=3)


def test_sleeping_pays_off_by_the_papers_formula():
    books = EMPTY.with_run("1", Usage(input_tokens=1000), at=0)
    books = books.with_uses(
        use(at, served="answer", usage=Usage(input_tokens=20), saved_tokens=180) for at in (1, 2)
    )
    assert not books.paid_off()
    assert books.paid_off(phi=0.1)
    assert books.questions_to_pay_off() == 1000 / 180
    assert books.amortised_tokens() == 1000 / 2 + 20
    assert books.amortised_tokens(questions=10, phi=0.5) == 50 + 20


def test_before_the_first_question_nothing_is_amortised():
    assert EMPTY.amortised_tokens() is None
    assert EMPTY.questions_to_pay_off() is None


@given(st.dictionaries(st.text(max_size=3), st.integers(0, 5), max_size=6), st.integers(0, 7))
def test_those_that_have_saved_least_go_first(saved, keep):
    books = {key: EMPTY.model_copy(update={"saved_tokens": n}) for key, n in saved.items()}
    gone = least_earning(books, keep=keep)
    stay = set(saved) - set(gone)
    assert len(stay) == min(keep, len(saved))
    assert all(saved[one] <= saved[other] for one in gone for other in stay)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 9)), max_size=80))
def test_a_run_counts_once_however_often_it_is_said(said):
    """As long as no more than twenty others were in between, however their turns interleave."""
    books, costs = EMPTY, {}
    for run, more in sorted(said, key=lambda one: one[0] // 20):
        costs[run] = costs.get(run, 0) + more
        books = books.with_run(str(run), Usage(input_tokens=costs[run]), at=run)
        books = books.with_run(str(run), Usage(input_tokens=costs[run]), at=run)
    assert books.slept.tokens == sum(costs.values())
    assert len(books.runs) <= 20
    assert Books.model_validate_json(books.model_dump_json()) == books


def test_all_that_is_kept_is_in_the_books_until_it_is_let_go_of():
    books = EMPTY.holding("v1", ["a", "b"]).holding("v2", ["b", "c"])
    assert books.current == "v1"
    assert books.keys == {"v1", "v2", "a", "b", "c"}
    books = books.model_copy(update={"earned": {"why": 3, "who": 2}})
    books = books.begun("v2", questions=["why"])
    assert books.earned == {"why": 3}
    assert books.of_current().keys == {"v2", "b", "c"}
