"""What the benchmark of the search loop measures; not run here, for it counts milliseconds."""

from tests.benchmarks.search_loop import BATCH, Rounds, measure, rounds


async def test_every_round_is_timed():
    took = await rounds(80)
    assert [known for known, _ in took] == list(range(0, 80, BATCH))
    assert all(ms > 0 for _, ms in took)


async def test_a_round_takes_longer_than_its_calls_alone():
    measured = await measure(400)
    assert 0 < measured.calls < measured.leased < measured.late
    assert measured.adds == measured.late - measured.leased


def test_what_is_printed_says_what_was_missed():
    met = Rounds(early=7.0, late=7.0, calls=1.0, leased=2.0)
    assert "adds 5.0 ms" in str(met)
    assert "MISSED" not in str(met)
    assert "MISSED" in str(Rounds(early=7.0, late=7.1, calls=1.0, leased=2.0))
