"""What each server takes and returns, on bodies in the shape that their sources define."""

import pytest

from tscale_graph.verifiers.rewards.apis import API_NAMES, Pair, read_reward, request_body

PAIR = Pair("1 + 1?", "2", model="rm")

USAGE = {"prompt_tokens": 4, "total_tokens": 4, "completion_tokens": 0}
HEAD = {"id": "x-1", "object": "list", "created": 0, "model": "rm", "usage": USAGE}


def classified(*probabilities, label="LABEL_0"):
    entry = {"index": 0, "label": label, "probs": [*probabilities]}
    return {**HEAD, "data": [{**entry, "num_classes": len(probabilities)}]}


def pooled(data):
    return {**HEAD, "data": [{"index": 0, "object": "pooling", "data": data}]}


def scored(score):
    return {**HEAD, "data": [{"index": 0, "object": "score", "score": score}]}


def reranked(score):
    found = {"index": 0, "document": {"text": "2", "multi_modal": None}, "relevance_score": score}
    return {**HEAD, "results": [found]}


def predicted(**scores):
    return [{"score": score, "label": label} for label, score in scores.items()]


@pytest.mark.parametrize(
    ("api", "body"),
    [
        (
            "classify",
            {
                "model": "rm",
                "messages": [
                    {"role": "user", "content": "1 + 1?"},
                    {"role": "assistant", "content": "2"},
                ],
            },
        ),
        ("score", {"model": "rm", "text_1": "1 + 1?", "text_2": "2"}),
        ("rerank", {"model": "rm", "query": "1 + 1?", "documents": ["2"]}),
        ("predict", {"inputs": ["1 + 1?", "2"]}),
        ("tei_rerank", {"query": "1 + 1?", "texts": ["2"]}),
    ],
)
def test_each_server_is_asked_in_its_own_words(api, body):
    assert request_body(api, PAIR) == body


def test_a_text_made_from_a_template_is_sent_as_it_is():
    told = Pair("q", "a", text="q -> a")
    assert request_body("classify", told) == {"input": "q -> a"}
    assert request_body("pooling", told) == {"input": "q -> a"}
    assert request_body("predict", told) == {"inputs": "q -> a"}


@pytest.mark.parametrize(
    ("api", "reply", "label", "reward"),
    [
        ("classify", classified(0.8), None, 0.8),
        ("classify", classified(0.3, 0.7), 1, 0.7),
        ("pooling", pooled([-1.5]), None, -1.5),
        ("pooling", pooled([[0.1], [2.5]]), None, 2.5),
        ("pooling", pooled([[0.9, 0.1], [0.2, 0.8]]), 1, 0.8),
        ("score", scored(0.4), None, 0.4),
        ("rerank", reranked(0.4), None, 0.4),
        ("predict", predicted(LABEL_0=0.4), None, 0.4),
        ("predict", predicted(good=0.7, bad=0.3), "bad", 0.3),
        ("tei_rerank", [{"index": 0, "score": 0.4}], None, 0.4),
    ],
)
def test_the_number_is_found_in_the_reply(api, reply, label, reward):
    assert read_reward(api, reply, label=label) == reward


@pytest.mark.parametrize(
    ("api", "reply", "label", "problem"),
    [
        ("classify", classified(0.3, 0.7), None, "which of the model's 2 classes"),
        ("classify", classified(0.3, 0.7), 2, "label must be below 2, got 2"),
        ("classify", classified(0.3), "good", "must be a place"),
        ("pooling", pooled("AAAA"), None, "encoded"),
        ("pooling", pooled([]), None, "0 classes"),
        ("predict", predicted(good=0.7, bad=0.3), None, "which of the model's 2 classes"),
        ("predict", predicted(good=0.7, bad=0.3), "fine", "one of good, bad, got 'fine'"),
        ("predict", predicted(good=0.7), 0, "must be a name"),
    ],
)
def test_a_reply_that_leaves_it_open_is_an_error(api, reply, label, problem):
    with pytest.raises(ValueError, match=problem):
        read_reward(api, reply, label=label)


@pytest.mark.parametrize("api", API_NAMES)
@pytest.mark.parametrize("reply", [{}, [], None, "x", 3, {"data": []}, {"data": [{}]}, [[{}]]])
def test_a_reply_of_another_kind_is_an_error(api, reply):
    with pytest.raises(ValueError, match=r"the reply is none of|classes|values to unpack"):
        read_reward(api, reply, label=None)
