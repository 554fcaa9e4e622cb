"""Reading answers by the name of their kind, for the tests beside this file."""

from tscale_graph.answers import ANSWER_KINDS, AnswerKind, answer_kind

NAMES = [name for name in ANSWER_KINDS if name != "auto"]


def kind_of(name: str) -> AnswerKind:
    kind = answer_kind(name)
    assert kind is not None
    return kind


def read(name: str, text: str, *, truncated: bool = False) -> str | None:
    """The key of the answer in a text."""
    kind = kind_of(name)
    answer = kind.extract(text, truncated=truncated)
    return None if answer is None else kind.key(answer)
