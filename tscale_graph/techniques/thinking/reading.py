"""Reading what a model thought: kept to its limit, counted, and told apart from the answer."""

from __future__ import annotations

from collections.abc import Callable

from tscale_graph.candidates import Candidate
from tscale_graph.models.replies import Completion
from tscale_graph.models.tokens import TokenCounter
from tscale_graph.techniques.requesting import candidate_of
from tscale_graph.techniques.thinking.settings import ThinkingSettings
from tscale_graph.techniques.thinking.state import Step, Turn
from tscale_graph.techniques.tree_search.conversation import what_came_new

REFUSED = (400, 422)
"""The HTTP statuses of a request that a provider does not take."""


def turn_of(step: Step, completion: Completion, candidate: Candidate) -> Turn:
    """A turn, before anything of it is counted."""
    return Turn(
        index=step.index,
        phase=step.phase,
        way=step.way,
        candidate=candidate,
        refused=completion.status in REFUSED,
    )


def thought_turn(settings: ThinkingSettings, step: Step, completion: Completion) -> Turn:
    """What a call that only thinks came to: never more tokens of thought than it was given.

    Tokens of thought are those that the model made of it. What ends it (a marker, or the token
    that ends a message) is none of them, and neither is what we put in.
    """
    counter, (opening, close) = settings.endpoint.counter, settings.markers
    begun = settings.begun(step.shown, step.cue)
    prefill = opening + begun.rstrip() if step.way == "prefill" else ""
    said = completion.reasoning + what_came_new(completion.text, prefill)
    if step.way == "prompt" and said.lstrip().startswith(opening):
        said = said.lstrip().removeprefix(opening)
    piece, marker, _ = said.partition(close)
    made = counter.text(piece) if marker else _tokens(counter, piece, completion)
    if made > step.output_tokens:
        piece = within(piece, step.output_tokens, counter.text)
    tokens = min(made, step.output_tokens)
    ended = completion.error is None and (bool(marker) or not completion.truncated)
    piece = piece.lstrip() if step.way == "prompt" else piece
    piece = piece.rstrip() if ended else piece
    cue = f"\n\n{step.cue}" if step.cue else ""
    joined = cue + _gap(step.shown + cue, piece, step)
    added = joined + piece if piece else ""
    candidate = candidate_of(completion, index=0)
    usage = completion.usage
    candidate.usage = usage.model_copy(update={"reasoning_tokens": min(made, usage.output_tokens)})
    candidate.text, candidate.reasoning = "", added
    turn = turn_of(step, completion, candidate)
    if counter.exact or completion.output_tokens is None:
        bound = counter.text_bound(added) + slack(tokens)
    else:
        # The count may be of more than the thought, where the server did not stop at its end.
        base = min(counter.text_bound(piece), completion.output_tokens)
        bound = base + slack(base) + counter.text_bound(joined)
    return turn.model_copy(update={"tokens": tokens, "bound": bound, "ended": ended})


def native_turn(settings: ThinkingSettings, step: Step, completion: Completion) -> Turn:
    """What a call came to that thinks as its provider does, and then answers.

    A thought that went beyond its tokens, or that the time ended, may have left too little for
    the answer.
    """
    counter = settings.endpoint.counter
    candidate = candidate_of(completion, index=0)
    thought, candidate.text = apart(completion.text, settings.markers)
    candidate.reasoning += thought
    tokens = completion.usage.reasoning_tokens or counter.text(candidate.reasoning)
    usage = completion.usage
    candidate.usage = usage.model_copy(
        update={"reasoning_tokens": min(tokens, usage.output_tokens)}
    )
    late = completion.cut_off_by == "seconds"
    bound = min(counter.text_bound(candidate.reasoning), tokens + slack(tokens))
    return turn_of(step, completion, candidate).model_copy(
        update={
            "tokens": tokens,
            "bound": bound,
            "ended": completion.error is None and not completion.truncated,
            "overdrawn": completion.truncated and (late or tokens > (step.thinking or 0)),
        }
    )


def apart(text: str, markers: tuple[str, str]) -> tuple[str, str]:
    """A thought that a server left in the text, and the text after it.

    The thought is at the beginning: its opening marker is, or was in the prompt, so that only the
    closing one came. An answer that speaks of the markers stays whole.

    >>> apart("<think>Two and one.</think> The answer is 3", ("<think>", "</think>"))
    ('Two and one.', 'The answer is 3')
    >>> apart("A thought ends with </think>", ("<think>", "</think>"))
    ('', 'A thought ends with </think>')
    """
    opening, close = markers
    said = text.strip()
    thought, ended, answer = (part.strip() for part in said.partition(close))
    if said.startswith(opening):
        return thought.removeprefix(opening).strip(), answer
    if ended and answer and opening not in thought:
        return thought, answer
    return "", said


def within(text: str, tokens: int, count: Callable[[str], int]) -> str:
    """The longest beginning of a text that counts at most so many tokens.

    >>> within("one two three", 2, lambda text: len(text.split()))
    'one two '
    """
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if count(text[:middle]) <= tokens else (low, middle - 1)
    return text[:low]


def slack(tokens: int) -> int:
    """Tokens that a thought may count in a prompt beyond those that were made of it."""
    return 2 + tokens // 64


def _tokens(counter: TokenCounter, piece: str, completion: Completion) -> int:
    """The tokens of a piece of thought that nothing follows.

    A piece that its limit cut short has the tokens that the provider reported: of its text a
    tokenizer may count fewer, because models do not always write as tokenizers split, and what
    was cut within a character is not told. Of a piece that the model ended, the provider counts
    the end too, so that the model's own tokenizer knows better.
    """
    told = completion.output_tokens
    if not completion.truncated and not piece.strip():
        return 0
    if told is None:
        return counter.text(piece)
    if not counter.own:
        return told
    counted = counter.text(piece)
    return max(told, counted) if completion.truncated else min(told, counted)


def _gap(begun: str, piece: str, step: Step) -> str:
    """What keeps words apart where a model was asked to go on in a message of its own."""
    apart = not begun or not piece or begun[-1].isspace() or piece[0].isspace()
    return "" if step.way == "prefill" or apart else " "
