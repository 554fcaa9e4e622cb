"""A chat model that solves a question in three steps, and errs in the second one now and then."""

from langchain_core.messages import AIMessage

from tests.techniques.searching import Told, told

QUESTION = "How many are 1 and 2 and 3?"
GOOD = ("1 + 2 = 3", "3 + 3 = 6", "The answer is 6.")
BAD = ("1 + 2 = 3", "3 + 3 = 7", "The answer is 7.")


def solving(every: int = 3, *, words: bool = False, **more) -> Told:
    """Every so-manieth completion that begins before the second step errs there.

    Args:
        every: which.
        words: it is asked in words to go on, and does not go on from an assistant message.
        more: fields of the model.
    """

    def decide(prompt, number):
        last = prompt[-1]
        so_far = last.text if isinstance(last, AIMessage) else ""
        if "so far:\n\n" in last.text:
            so_far = last.text.split("so far:\n\n")[1].split("\n\nWrite")[0]
        done = [line for line in so_far.splitlines() if line]
        if len(done) >= 2:
            solution = GOOD if done[1] == GOOD[1] else BAD
        else:
            solution = BAD if number % every == 0 else GOOD
        return "\n".join(solution[len(done) :])

    metadata = {} if words else {"metadata": {"continues_assistant_message": True}}
    return told(decide, **metadata, **more)
