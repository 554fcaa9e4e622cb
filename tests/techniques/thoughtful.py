"""Models that think and then answer, as the tests of extended thinking tell them to."""

from tests.techniques.searching import told

CONTINUES = {"continues_assistant_message": True}
ANSWER = "The answer is 3"


def asked_to_think(prompt):
    """Whether a prompt asks for a thought: in words, or by beginning one."""
    last = prompt[-1]
    if last.type == "ai":
        return "</think>" not in last.text
    return "Think this through" in last.text


def thoughtful(*pieces, answer=ANSWER, prefill=False, metadata=None, **more):
    """Thinks piece by piece, the last piece again and again, and answers when it is asked to."""
    thought = iter(pieces[:-1])

    def decide(prompt):
        return next(thought, pieces[-1]) if asked_to_think(prompt) else answer

    continues = CONTINUES if prefill else {}
    return told(decide, metadata={**continues, **(metadata or {})}, **more)


def words(tokens):
    """A text of so many tokens, by the count of scripted models."""
    return "abc " * tokens
