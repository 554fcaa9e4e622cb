"""What the model is shown: the whole conversation, and candidates after its last question."""

from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from tscale_graph.techniques.aggregating.prompts import (
    BETTER_THAN_ALL,
    BETTER_THAN_ONE,
    to_aggregate,
)


def test_candidates_follow_the_question_in_one_message():
    asked = [SystemMessage("Be brief."), HumanMessage("How many?")]
    system, question = to_aggregate(asked, ["It is 3.\n", "It is 4."])
    assert system == asked[0]
    assert question.type == "human"
    assert question.text == (
        "How many?\n\n"
        "These are candidate solutions to the request above, from earlier attempts. "
        "Any of them may be wrong or incomplete.\n\n"
        "Candidate 1:\nIt is 3.\n\nCandidate 2:\nIt is 4.\n\n" + BETTER_THAN_ALL
    )
    assert asked[1].text == "How many?", "the conversation itself is left as it was"


def test_one_candidate_is_spoken_of_as_one():
    [question] = to_aggregate([HumanMessage("How many?")], ["It is 3."])
    assert "a candidate solution" in question.text
    assert question.text.endswith(BETTER_THAN_ONE)


def test_pictures_stay_in_the_question():
    picture = {"type": "image", "url": "https://example.org/a.png"}
    content = [{"type": "text", "text": "What is this?"}, picture]
    [question] = to_aggregate([HumanMessage(content)], ["A cat.", "A dog."])
    assert question.content[:2] == content
    assert question.content[2]["text"].startswith("These are candidate solutions")


def test_where_the_user_did_not_speak_last_there_is_a_message_more():
    asked = [HumanMessage("How many?"), AIMessage("Let me see.")]
    said = to_aggregate(asked, ["It is 3."])
    assert said[:2] == asked
    assert said[2].type == "human"
