"""What the embedded model has in mind, for real: against what its chat server says."""

import os
import threading

import numpy as np
import pytest

pytestmark = pytest.mark.model

QUESTION = "Tom has 3 apples and gets 4 more. How many has he?"
TEXT = "3 + 4 = 7\nDie Lösung ist 日 🎉 7.\n"


def test_log_probabilities_are_those_that_the_chat_server_reports():
    from tscale_graph.models.embedded import embedded_model
    from tscale_graph.models.embedded_states import log_probabilities, states_of

    chat = embedded_model(temperature=0.0, logprobs=True)
    reply = chat.invoke(QUESTION, max_completion_tokens=24)
    told = reply.response_metadata["logprobs"]["content"]
    states = states_of(QUESTION, reply.text)
    found = log_probabilities(states)
    same = 0
    while same < len(found) and told[same]["token"] == states.texts[same]:
        same += 1
    assert same >= 12
    differences = np.abs(found[:same] - [one["logprob"] for one in told[:same]])
    assert differences.mean() < 0.1
    assert (found <= 0).all()


def test_a_text_is_told_token_by_token_and_a_beginning_as_the_whole():
    from tscale_graph.models.embedded_states import DIMENSIONS, states_of

    whole = states_of(QUESTION, TEXT)
    assert "".join(whole.texts) == TEXT
    assert whole.hidden.shape == (len(whole.ids) + 1, DIMENSIONS)
    part = states_of(QUESTION, TEXT[:10])
    count = len(part.ids)
    assert part.texts == whole.texts[:count]
    np.testing.assert_allclose(part.hidden, whole.hidden[: count + 1], rtol=1e-3, atol=1e-3)
    other = states_of("What is the capital of France?", TEXT[:10])
    assert np.linalg.norm(other.hidden[-1] - part.hidden[-1]) > 0.05 * np.linalg.norm(
        part.hidden[-1]
    ), "the question is part of it"


def test_the_same_text_is_asked_for_once():
    from tscale_graph.models import embedded_states

    first = embedded_states.states_of(QUESTION, TEXT)
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(embedded_states.states_of(QUESTION, TEXT)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(states is first for states in found)


def test_its_process_is_its_own_and_ends_with_the_program():
    from tscale_graph.models import embedded, embedded_states

    embedded_states.states_of(QUESTION, TEXT)
    pid = embedded_states._server.pid
    assert pid not in (None, os.getpid(), embedded._server.pid)
    embedded_states._server.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_question_that_leaves_no_room_is_refused_in_one_line():
    from tscale_graph.models.embedded_states import LocalModelError, states_of

    with pytest.raises(LocalModelError, match="the question must have fewer than 2048 tokens"):
        states_of("one two three " * 1_000, TEXT)
