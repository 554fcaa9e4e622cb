"""What the benchmark of search trees calls slow; it is not run here, for it counts microseconds."""

from dataclasses import replace

from tests.benchmarks.tree_search import Grown, Measured, Took
from tests.search.landscapes import LANDSCAPES
from tscale_graph.search.uct import UCT

MET = Measured("UCT", "hill", Took(99, 10), Took(148, 20), target=100, peer=1000)


def test_an_ask_is_slow_only_above_its_target_and_grows_only_above_its_growth():
    assert not MET.slow
    assert not MET.grows
    assert replace(MET, small=Took(101, 10)).slow
    assert replace(MET, large=Took(149, 20)).grows


def test_what_is_printed_says_what_was_missed_and_the_share_of_the_peer():
    assert "0.099 of treequest's" in str(MET)
    assert "MISSED" not in str(MET)
    assert "MISSED" in str(replace(MET, target=98))
    assert "treequest" not in str(replace(MET, peer=None))


def test_of_two_measurements_each_time_is_the_lesser():
    again = replace(MET, small=Took(120, 5), large=Took(130, 30))
    better = replace(MET, large=Took(130, 20), small=Took(99, 5))
    assert MET.better(again) == again.better(MET) == better


def test_measuring_leaves_a_tree_as_it_is():
    grown = Grown(UCT(width=2), LANDSCAPES[1], seed=0).until(50)
    size = grown.tree.size
    assert grown.took().ask > 0
    assert grown.tree.size == size
    assert grown.tree.pending[0] == 0
