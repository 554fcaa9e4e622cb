"""Decisions against the distributions of arms as the paper defines them, from lists of scores."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tscale_graph.search.adaptive import FRESH, VARIANTS, AdaptiveBranching
from tscale_graph.search.asking import Costs
from tscale_graph.search.mixed import MixedModel
from tscale_graph.search.tree import ROOT, Status, Tree

DRAWS = 20_000
AGGREGATES = ("beta", "gaussian")

TREES = {
    "one child": [(0, 0.6)],
    "two": [(0, 0.3), (0, 0.7)],
    "one good and deep": [(0, 0.8), (1, 0.85), (2, 0.9), (0, 0.2), (0, 0.3)],
    "all zero": [(0, 0.0), (0, 0.0), (1, 0.0)],
    "wide": [(0, place / 16) for place in range(16)],
    "refining hurts": [(0, 0.9), (1, 0.2), (1, 0.1), (0, 0.5), (4, 0.4)],
}
"""The parent and the score of each node from row 1 on."""

trees = pytest.mark.parametrize("nodes", TREES.values(), ids=TREES)
variants = pytest.mark.parametrize("variant", VARIANTS)
aggregates = pytest.mark.parametrize("variant", AGGREGATES)


def grown(nodes, policy, *, models=1):
    tree = Tree(models=models)
    for parent, score in nodes:
        tell(tree, policy, tree.append(parent).first, score)
    return tree


def tell(tree, policy, node, score, status=Status.OPEN):
    assert tree.tell(node, score, value=policy.value(score), status=status)


def frequencies(policy, tree, node=ROOT, draws=DRAWS, **how):
    rng = np.random.default_rng(5)
    chosen = Counter(policy.decide(tree, node, rng, **how) for _ in range(draws))
    return {choice: count / draws for choice, count in chosen.items()}


def total_variation(first, second):
    return sum(abs(first.get(key, 0) - second.get(key, 0)) for key in {*first, *second}) / 2


def posterior(variant, scores):
    """Of the mean of an arm, with the priors of the paper's code."""
    n, total = len(scores), sum(scores)
    if variant == "beta":
        return stats.beta(0.5 + total, 0.5 + n - total)
    mean = total / max(n, 1)
    kappa, nu = 1 + n, 1 + n
    squares = sum((score - mean) ** 2 for score in scores) + n * mean**2 / kappa
    return stats.t(nu, n * mean / kappa, math.sqrt((0.1 + squares) / nu / kappa))


def expected(variant, nodes, at=ROOT):
    """P(each choice) at a node, by simulating from the lists of scores of its arms."""
    parents = dict(enumerate((parent for parent, _ in nodes), start=1))

    def within(row, top):
        return row == top or (row != ROOT and within(parents[row], top))

    scores = {row: score for row, (_, score) in enumerate(nodes, start=1)}
    children = [row for row in scores if parents[row] == at]
    below = [row for row in scores if row != at and within(row, at)]
    rng = np.random.default_rng(11)

    def draw(rows):
        arm = posterior(variant, [scores[row] for row in rows])
        return arm.rvs(200_000, random_state=rng)

    wide = draw(children) > draw([row for row in below if row not in children])
    drawn = [draw([row for row in below if within(row, child)]) for child in children]
    best = np.bincount(np.argmax(drawn, axis=0)[~wide], minlength=len(children)) / len(wide)
    return {FRESH: wide.mean(), **dict(zip(children, best.tolist(), strict=True))}


@pytest.mark.slow
@trees
@aggregates
def test_scores_as_they_are_decide_as_in_the_paper(variant, nodes):
    policy = AdaptiveBranching(variant, emphasis=None)
    decided = frequencies(policy, grown(nodes, policy))
    assert total_variation(decided, expected(variant, nodes)) < 0.015


@aggregates
def test_below_the_root_the_score_of_the_node_itself_does_not_count(variant):
    policy, nodes = AdaptiveBranching(variant, emphasis=None), TREES["refining hurts"]
    nodes = [*nodes, (2, 0.3), (6, 0.7)]
    decided = frequencies(policy, grown(nodes, policy), node=1)
    assert total_variation(decided, expected(variant, nodes, at=1)) < 0.015


@aggregates
def test_with_emphasis_scores_near_the_best_one_count_most(variant):
    policy, nodes = AdaptiveBranching(variant, emphasis=0.25), TREES["one good and deep"]
    valued = [(parent, score * math.exp((score - 0.9) / 0.25)) for parent, score in nodes]
    decided = frequencies(policy, grown(nodes, policy))
    assert total_variation(decided, expected(variant, valued)) < 0.015
    assert total_variation(decided, expected(variant, nodes)) > 0.03


@pytest.mark.slow
def test_while_every_answer_has_failed_most_are_fresh():
    cautious, plain = AdaptiveBranching("beta"), AdaptiveBranching("beta", emphasis=None)
    for count in (3, 10, 30):
        nodes = [(ROOT, 0.0)] * count
        fresh, usual = (frequencies(one, grown(nodes, one))[FRESH] for one in (cautious, plain))
        assert usual < 0.5
        assert 0.6 < fresh < 0.99, "refining is tried now and then"
    one_good = [*nodes, (ROOT, 0.2)]
    assert frequencies(cautious, grown(one_good, cautious))[FRESH] < 0.6


@pytest.mark.parametrize("count", [1, 2, 5])
def test_refining_that_costs_next_to_nothing_is_decided_on_all_the_same(count):
    policy = AdaptiveBranching("beta")
    tree = grown([(ROOT, 0.0)] * count, policy)
    cheaper = (np.array([20.0]), np.array([0.0]))  # by 20 doublings
    rng = np.random.default_rng(0)
    decided = {policy.decide(tree, ROOT, rng, dear=cheaper) for _ in range(200)}
    assert decided <= {FRESH, *range(1, count + 1)}


@pytest.mark.slow
@aggregates
def test_decisions_are_those_of_the_authors(variant):
    nodes = TREES["refining hurts"]
    treequest = pytest.importorskip("treequest")
    np.random.seed(7)  # where treequest draws from
    algorithm = treequest.ABMCTSA(dist_type=variant)
    state = algorithm.init_tree()
    rows = [state.tree.root]
    for parent, score in nodes:
        state.thompson_states.get_or_create(rows[parent], ["answer"])
        trial = state.trial_store.create_trial(rows[parent], "answer")
        algorithm.tell(state, trial.trial_id, ("an answer", score))
        rows.append(rows[parent].children[-1])
    root, rewards = state.thompson_states.get(rows[ROOT]), state.all_rewards_store
    children = [row for row, (parent, _) in enumerate(nodes, start=1) if parent == ROOT]
    chosen = Counter(root.select_next(rewards) for _ in range(DRAWS))
    theirs = {
        FRESH if choice == "answer" else children[choice]: count / DRAWS
        for choice, count in chosen.items()
    }
    policy = AdaptiveBranching(variant, emphasis=None)
    assert total_variation(frequencies(policy, grown(nodes, policy)), theirs) <= 0.03


@pytest.mark.parametrize("nodes", [TREES["one good and deep"], TREES["all zero"]])
def test_the_mixed_model_decides_by_one_more_score_of_each_child(nodes):
    policy = AdaptiveBranching("mixed")

    groups = {1: [1, 2, 3], 4: [4], 5: [5]} if len(nodes) == 5 else {1: [1, 3], 2: [2]}
    scores = [np.array([nodes[row - 1][1] for row in rows]) for rows in groups.values()]
    columns = [[len(each), each.sum(), (each**2).sum()] for each in scores]
    fitted, rng = MixedModel().fit(*np.array(columns, dtype=float).T), np.random.default_rng(9)
    arms = [FRESH, *groups]
    drawn = (fitted.draw(rng) for _ in range(8000))
    best = Counter(arms[int(np.argmax([fresh, *again]))] for fresh, again in drawn)
    exact = {arm: count / 8000 for arm, count in best.items()}
    decided = frequencies(policy, grown(nodes, policy), draws=8000)
    assert total_variation(decided, exact) < 0.025


@variants
def test_a_leaf_always_generates(variant):
    policy, rng = AdaptiveBranching(variant), np.random.default_rng(0)
    assert policy.decide(Tree(), ROOT, rng) == FRESH
    assert {policy.decide(grown([(0, 1.0)], policy), 1, rng) for _ in range(50)} == {FRESH}
    (ask,) = policy.ask(Tree(), 1, rng)
    assert (ask.parent, ask.first, ask.count, ask.model) == (ROOT, 1, 1, 0)


@variants
def test_only_open_children_are_gone_into(variant):
    policy = AdaptiveBranching(variant)
    tree = Tree()
    tree.append(ROOT, count=6)
    tell(tree, policy, 1, 1.0, Status.TERMINAL)
    tell(tree, policy, 2, 0.99, Status.CLOSED)
    tree.fail(3)
    assert set(frequencies(policy, tree, draws=100)) == {FRESH}
    tell(tree, policy, 5, 0.95)
    assert set(frequencies(policy, tree, draws=300)) == {FRESH, 5}
    tell(tree, policy, 6, 0.9)
    assert set(frequencies(policy, tree, draws=1000)) == {FRESH, 5, 6}


@variants
@given(seed=st.integers(0, 2**32), batch=st.integers(1, 12))
@settings(max_examples=12, deadline=None)
def test_a_batch_is_in_flight_and_never_below_itself(variant, seed, batch):
    policy, rng = AdaptiveBranching(variant), np.random.default_rng(seed)
    tree = grown(TREES["one good and deep"], policy)
    size = tree.size
    asks = policy.ask(tree, batch, rng)
    assert [row for ask in asks for row in ask.nodes] == list(range(size, size + batch))
    assert all(ask.parent < size for ask in asks)
    assert len({ask.parent for ask in asks}) == len(asks), "one ask for those of one parent"
    assert tree.pending[ROOT] == batch
    assert (tree.status[size : tree.size] == Status.PENDING).all()


@aggregates
def test_answers_in_flight_make_an_arm_surer_of_its_mean(variant):
    # Of one arm alone little is known, so that it is often drawn above the other; a score in
    # flight takes from that as a seen one at its mean would.
    policy = AdaptiveBranching(variant, emphasis=None)
    nodes = [(0, 0.7), (1, 0.7), (2, 0.7), (3, 0.7), (0, 0.3)]
    tree = grown(nodes, policy)
    alone = frequencies(policy, tree, draws=6000)
    tree.append(5, count=20)
    beside = frequencies(policy, tree, draws=6000)
    assert beside[5] / (beside[1] + beside[5]) < alone[5] / (alone[1] + alone[5]) - 0.03


@variants
@pytest.mark.parametrize("dearer", ["fresh", "refined"])
def test_what_is_dearer_is_chosen_less(variant, dearer):
    nodes = TREES["two"]
    same, dear = Costs((1.0,), (1.0,)), Costs((1.0,), (3.0,))
    if dearer == "fresh":
        dear = Costs((3.0,), (1.0,))
    share = []
    for costs in (same, dear):
        policy, rng = AdaptiveBranching(variant, cost_weight=0.2), np.random.default_rng(2)
        tree = grown(nodes, policy)
        fresh = 0
        for _ in range(2000):
            (ask,) = policy.ask(tree, 1, rng, costs=costs)
            fresh += ask.parent == ROOT
            tree.withdraw(ask)
        share.append(fresh / 2000)
    assert share[1] < share[0] - 0.05 if dearer == "fresh" else share[1] > share[0] + 0.05


@variants
@pytest.mark.parametrize("weight", [0.0, 0.5])
def test_costs_count_only_by_their_weight(variant, weight):
    policy = AdaptiveBranching(variant, cost_weight=weight)
    tree = grown(TREES["two"], policy, models=2)
    asked = []
    for costs in (None, Costs((1.0, 9.0), (5.0, 2.0))):
        rng = np.random.default_rng(4)
        asked.append([])
        for _ in range(100):
            asks = policy.ask(tree, 1, rng, costs=costs)
            asked[-1].append((asks[0].parent, asks[0].model))
            tree.withdraw(asks[0])
    assert (asked[0] == asked[1]) is (weight == 0.0)


def models_asked(policy, scores, costs=None):
    """How often each model is asked after the scores that each has had."""
    tree, rng = Tree(models=len(scores)), np.random.default_rng(8)
    for model, told in enumerate(scores):
        for score in told:
            tell(tree, policy, tree.append(ROOT, model=model).first, score)
    asked = Counter()
    for _ in range(1000):
        (ask,) = policy.ask(tree, 1, rng, costs=costs)
        asked[ask.model] += 1
        tree.withdraw(ask)
    return asked


@variants
def test_a_model_with_better_scores_is_asked_more(variant):
    asked = models_asked(AdaptiveBranching(variant), [[0.2, 0.3, 0.2], [0.8, 0.9, 0.8], []])
    assert asked[1] > 2 * asked[0]
    assert asked[2] > 0


@variants
def test_a_dearer_model_is_asked_less(variant):
    scores, costs = [[0.5, 0.6], [0.5, 0.6]], Costs((1.0, 4.0), (1.0, 4.0))
    policy = AdaptiveBranching(variant)
    alike, dear = models_asked(policy, scores), models_asked(policy, scores, costs)
    assert dear[1] < alike[1] - 50
    assert dear[1] > 0


@aggregates
@pytest.mark.parametrize("nodes", [nodes for name, nodes in TREES.items() if name != "all zero"])
def test_a_new_best_score_counts_as_if_all_values_were_worked_out_again(variant, nodes):
    emphasised = AdaptiveBranching(variant, emphasis=0.1)
    plain = AdaptiveBranching(variant, emphasis=None)
    told = grown(nodes, emphasised)
    best = max(score for _, score in nodes)
    again = Tree()
    for parent, score in nodes:
        value = score * math.exp((score - best) / 0.1)
        again.tell(again.append(parent).first, score, value=value)
    for seed in range(300):
        first, second = (np.random.default_rng(seed) for _ in range(2))
        decided = emphasised.decide(told, ROOT, first)
        assert decided == plain.decide(again, ROOT, second)


@variants
def test_the_value_of_the_best_possible_score_is_one(variant):
    policy = AdaptiveBranching(variant)
    assert policy.value(1.0) == 1.0
    assert policy.value(0.0) == 0.0
    mediocre = 0.5 if variant == "mixed" else 0.5 * math.exp(-5)
    assert policy.value(0.5) == pytest.approx(mediocre)


@variants
@given(st.permutations(range(1, 7)), st.permutations(range(7, 13)), st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_the_order_of_telling_does_not_matter(variant, first, second, seed):
    policy = AdaptiveBranching(variant)
    asked = []
    for orders in ((range(1, 7), range(7, 13)), (first, second)):
        tree, rng = Tree(models=2), np.random.default_rng(seed)
        tree.append(ROOT, count=6)
        for order in orders:
            for node in order:
                tell(tree, policy, node, node * 5 % 13 / 13)
            if tree.size == 7:
                for parent in (1, 1, 3, 3, 3, 6):
                    tree.append(parent, model=1)
        asked.append(policy.ask(tree, 8, rng))
    assert asked[0] == asked[1]
