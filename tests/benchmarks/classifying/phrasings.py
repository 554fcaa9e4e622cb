"""What people and programs write around a question; the tests have other phrases than training."""

import random
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Phrasing:
    """Texts to put before and behind a question."""

    before: tuple[str, ...]
    behind: tuple[str, ...]

    def around(self, question: str, rng: random.Random) -> str:
        """The question, half of the time with something around it."""
        if rng.random() < 0.5:
            return question
        before = rng.choice(self.before) if rng.random() < 0.6 else ""
        behind = rng.choice(self.behind) if rng.random() < 0.6 else ""
        return f"{before}{question}{behind}"


TRAINING = Phrasing(
    before=(
        "Please help me with this: ",
        "Question: ",
        "Q: ",
        "Task:\n",
        "You are a helpful assistant.\n\n",
        "Hi! Could you do the following for me? ",
        "I have a question for you.\n",
        "### Instruction\n",
        "My teacher gave me this one. ",
        "Please ",
        "Can you help? ",
        "User: ",
        "Here is the task.\n\n",
        "You are an expert. Read carefully and answer.\n\n",
        "Quick one: ",
        "For my work I need this: ",
        "Below is an instruction that describes a task.\n\n",
        "Be concise. ",
        "Okay, next: ",
        "Solve the following problem.\n\n",
        "I want to know the following. ",
    ),
    behind=(
        " Thanks!",
        "\n\nAnswer:",
        "\nA:",
        " Give only the final answer.",
        "\n\nThink step by step.",
        " Put your answer in \\boxed{}.",
        "\n\n### Response",
        " Please explain your reasoning.",
        " Reply with the answer and nothing else.",
        "\nLet's think about it carefully.",
        " Thank you very much.",
        " Keep it short.",
        "\n\nYour answer should end with 'The answer is ...'.",
        " I am in a hurry.",
        " What would you answer?",
        "\n\nRespond in English.",
        " Show your work.",
    ),
)
TESTING = Phrasing(
    before=(
        "I'd be grateful for a hand here. ",
        "Problem statement:\n",
        "[INST] ",
        "Prompt: ",
        "Dear assistant, ",
        "A colleague asked me this, and I don't know what to say: ",
        "System: answer as well as you can.\n\n",
        "Consider the request below.\n\n",
        "Exercise 7. ",
        "Hey, one more thing - ",
        "Would you mind? ",
    ),
    behind=(
        " [/INST]",
        " Many thanks in advance.",
        "\n\nFinal answer:",
        " No explanation needed.",
        "\nWrite down your thoughts first.",
        "\n\nOutput the result between <answer> tags.",
        " Take your time.",
        "\n\nSolution:",
        " Any help is welcome.",
        " Just the result, please.",
    ),
)

_FORM = re.compile(
    r"\b(?:final answer|your (?:answer|output|response|solution)|output should|respond with"
    r"|reply (?:only )?with|return only|answer (?:with|in|yes)"
    r"|provide (?:your|you|only|the|a comma)|only reply|format(?:ting|ted)?"
    r"|guidelines|following instructions|for example)\b",
    re.IGNORECASE,
)


def without_form(question: str) -> str:
    """The question without the sentences that say how the answer is to be written.

    >>> without_form("What is 2 + 2? Give only the sum as your final answer.")
    'What is 2 + 2?'
    """
    kept: list[str] = []
    for line in question.splitlines():
        parts = re.split(r"(?<=[.?!]) +", line)
        left = [part for part in parts if not _FORM.search(part)]
        if left or not line:
            kept.append(" ".join(left))
    told = "\n".join(kept).strip()
    return told if len(told) > 12 else question
