"""Models that revise as they are told, and what verifiers make of it."""

from tests.techniques.searching import told


def numbering(*numbers, critiques=(), **more):
    """A model whose versions are these numbers, one after the other, the last one for ever.

    Its critiques are these, in their order; after the last it finds fault again.
    """
    made, said = iter(numbers), iter(critiques)
    last = numbers[-1]

    def decide(prompt, _):
        if "Check that answer" in prompt[-1].text:
            return next(said, "It is wrong.\nVerdict: revise")
        version = next(made, last)
        return version if isinstance(version, str) else f"The answer is {version}"

    return told(decide, **more)


def tenths(question, answer):
    """A number is worth so many tenths; nothing passes but 10."""
    return {"score": int(answer) / 10, "feedback": f"{answer} is not it"}


def versions(result):
    return [candidate.answer for candidate in result.candidates]
