"""The figures that the README shows, as the benchmark on the embedded model measured them."""

import re
from datetime import date
from pathlib import Path

from pydantic import BaseModel

FILE = Path(__file__).with_name("results.json")
README = Path(__file__).parents[2] / "README.md"
BEGIN, END = "<!-- figures -->\n", "<!-- end of figures -->\n"

_ROWS = {
    "counting letters": "counting letters, self-consistency",
    "linear equations": "linear equations, best-of-N with `equation`",
}


class Gain(BaseModel):
    """What more samples bought on one family of questions.

    Attributes:
        family: of questions.
        technique: that was given the samples.
        questions: how many were asked.
        samples: the most that the technique took of each.
        one_pass: share of single passes that were right.
        with_samples: share of the questions that the technique answered right.
        low: of the 95 % interval of the ratio of the two.
        high: of the same.
        tokens: of the technique, mean of a question.
    """

    family: str
    technique: str
    questions: int
    samples: int
    one_pass: float
    with_samples: float
    low: float
    high: float
    tokens: int

    @property
    def ratio(self) -> float:
        """How many times as often the technique is right."""
        return self.with_samples / self.one_pass if self.one_pass else float("inf")


class Results(BaseModel):
    """All that one run of the benchmark measured."""

    date: date
    machine: str
    gains: list[Gain]


def read() -> Results:
    """What was kept last."""
    return Results.model_validate_json(FILE.read_text())


def keep(results: Results) -> None:
    """Write the figures to their file, and their table into the README."""
    FILE.write_text(results.model_dump_json(indent=2) + "\n")
    README.write_text(with_figures(README.read_text(), results))


def with_figures(readme: str, results: Results) -> str:
    """The README with the table of these results where its figures are marked."""
    return between(BEGIN, END, figures(results), page=readme)


def between(begin: str, end: str, text: str, *, page: str) -> str:
    """The page with this text between two marks.

    >>> between("<", ">", "new", page="a <old> page")
    'a <new> page'

    Raises:
        ValueError: unless the page has the marks once.
    """
    pattern = f"{re.escape(begin)}.*?{re.escape(end)}"
    written, places = re.subn(pattern, lambda _: begin + text + end, page, flags=re.DOTALL)
    if places != 1:
        raise ValueError(f"a page must have {begin.strip()} once, got {places} places")
    return written


def figures(results: Results) -> str:
    """The figures as a reader of the README meets them.

    >>> from datetime import date
    >>> gain = Gain(family="linear equations", technique="best_of_n", questions=8, samples=16,
    ...             one_pass=0.1, with_samples=0.5, low=4, high=6, tokens=900)
    >>> print(figures(Results(date=date(2026, 1, 2), machine="2 cores", gains=[gain])))
    The embedded model, at most 16 samples a question, 8 questions of each kind, measured on
    2026-01-02 on 2 cores by `python -m tests.benchmarks.real_model` (the interval is a bootstrap
    over questions):
    <BLANKLINE>
    | questions | one pass | with 16 samples | ratio (95 % interval) |
    | --- | --- | --- | --- |
    | linear equations, best-of-N with `equation` | 10.0 % | 50.0 % | 5.00 (4.00–6.00) |
    <BLANKLINE>
    """
    samples, questions = results.gains[0].samples, results.gains[0].questions
    lines = [
        f"The embedded model, at most {samples} samples a question, {questions} questions of each "
        "kind, measured on",
        f"{results.date} on {results.machine} by `python -m tests.benchmarks.real_model` "
        "(the interval is a bootstrap",
        "over questions):",
        "",
        f"| questions | one pass | with {samples} samples | ratio (95 % interval) |",
        "| --- | --- | --- | --- |",
    ]
    lines += [
        f"| {_ROWS[gain.family]} | {gain.one_pass * 100:.1f} % | {gain.with_samples * 100:.1f} % "
        f"| {gain.ratio:.2f} ({gain.low:.2f}–{gain.high:.2f}) |"
        for gain in results.gains
    ]
    return "\n".join(lines) + "\n"
