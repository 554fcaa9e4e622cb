"""How sure the model was of one sample: what it states, and what its log-probabilities say."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tscale_graph.candidates import Candidate
from tscale_graph.models.replies import Completion
from tscale_graph.techniques.state import Floor
from tscale_graph.votes import DeepConf, group_size, trace_confidence, warm_up_threshold

STATE_CONFIDENCE = (
    'After your answer, write a last line of the form "Confidence: N", where N is a number '
    "from 0 to 100: how likely your answer is right, in percent."
)
"""The instruction for votes weighted by stated confidence."""

_STATED = re.compile(
    r"""^[ \t>*_#-]{0,8} (?:my[ ]|overall[ ])? confidence (?:[ ](?:level|score))?
        [ \t*_]{0,4} (?:[:=]|is)? [ \t*_]{0,4}
        (?P<number>[0-9]{1,3}(?:\.[0-9]{1,4})?) [ \t]? (?P<unit>%|/[ ]?100|/[ ]?10|percent)?
        [*_.]{0,4} [ \t]*$""",
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)


_ROUNDING = 1e-9


class MissingLogprobs(ValueError):
    """A technique needs log-probabilities and the provider gave none."""


def read_stated(text: str) -> tuple[str, float | None]:
    r"""The text without the lines that state a confidence, and the last of these, in [0, 1].

    A number that is no percentage is none: the line goes, and nothing was stated.

    >>> read_stated("The answer is 3.\nConfidence: 85%")
    ('The answer is 3.', 0.85)
    >>> read_stated("The answer is 3.")
    ('The answer is 3.', None)
    """
    lines = list(_STATED.finditer(text))
    if not lines:
        return text, None
    last = lines[-1]
    number = float(last["number"])
    unit = (last["unit"] or "").replace(" ", "")
    if unit == "/10":
        number *= 10
    elif not unit and "." in last["number"] and number <= 1:
        number *= 100  # a probability
    return _STATED.sub("", text).strip(), number / 100 if number <= 100 else None


def check_logprobs(completion: Completion, name: str, *, likely: int | None, select: str) -> None:
    """Refuse a reply without the log-probabilities that a selection needs.

    Raises:
        MissingLogprobs: naming the setting that turns them on.
    """
    if likely is None or completion.error or not completion.text:
        return
    if completion.confidences if likely else completion.logprobs:
        return
    wanted = f"top_logprobs={likely}" if likely else "logprobs=True"
    setting = f"logprobs=True, top_logprobs={likely}" if likely else "logprobs=True"
    raise MissingLogprobs(
        f"{select} needs log-probabilities, and {name} gave none with {wanted}: turn them on "
        f"where it is served, as in model.bind({setting}), or choose another vote"
    )


def confidence_floor(candidates: Sequence[Candidate], select: DeepConf) -> Floor | None:
    """The confidence that further samples must keep to, once the warm-up is over.

    Online DeepConf (Fu et al. 2025, arXiv:2508.15260): learnt from the first `warm_up` samples.
    """
    if not select.online or len(candidates) < select.warm_up:
        return None
    warm = [c for c in candidates[: select.warm_up] if c.confidence and not c.error]
    lengths = [c.usage.output_tokens for c in warm]
    if not warm or not any(lengths):
        return None
    lowest = [c.confidence.lowest_group for c in warm if c.confidence]
    return Floor(
        # A sample exactly as sure as the warm-up may come out lower by a rounding error.
        lowest_group=warm_up_threshold(lowest, keep=select.keep) - _ROUNDING,
        window=group_size(max(1, round(sum(lengths) / len(lengths)))),
    )


def with_confidence(candidate: Candidate, completion: Completion, *, stated: bool) -> Candidate:
    """The candidate with how sure the model was of it."""
    update: dict[str, object] = {}
    if completion.logprobs:
        update["mean_logprob"] = sum(completion.logprobs) / len(completion.logprobs)
    if completion.confidences:
        update["confidence"] = trace_confidence(completion.confidences)
    if stated:
        text, confidence = read_stated(candidate.text)
        update |= {"text": text, "stated_confidence": confidence}
    return candidate.model_copy(update=update)
