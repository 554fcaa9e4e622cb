"""The rule for tasks that take reasoning: right on most of a table, and never high on look-ups."""

import time

import pytest

from tscale_graph.reasoning import reasoning_heavy

LOOK_UPS = (
    "What is the capital of Australia?",
    "Who wrote Pride and Prejudice?",
    "When did the Berlin Wall fall?",
    "Translate 'good morning' into Spanish.",
    "What is the chemical symbol for gold?",
    "Define photosynthesis in one sentence.",
    "What is 7 + 5?",
    "Is 91 even or odd?",
    "Which is larger, 34 or 91?",
    "List three fruits that are red.",
    "What does HTTP stand for?",
    "How many days are there in a leap year?",
    "Rewrite this sentence in the past tense: She goes to school.",
    "Summarize the plot of Hamlet in two sentences.",
    "What is the population of Japan, and who is its prime minister?",
    "Write a short greeting for a birthday card.",
    "Which planet is closest to the sun?",
    "Convert 5 kilometres to miles.",
    "What is an integral part of a good breakfast?",
    "What is the optimal temperature to brew green tea?",
    "Recommend a riddle book for kids.",
    "The probability of rain is high. Translate that to French.",
    "I must leave before 5 and cannot be late; write an email to my boss.",
    "Between you and me, is it either tea or coffee after dinner?",
)
HEAVY = (
    "Prove that the sum of two odd numbers is even.",
    "Anna, Ben and Cara sit in a row. Anna is not next to Ben, and Cara is to the left of Ben. "
    "Who sits in the middle?",
    "A train leaves at 3 pm at 80 km/h and another at 4 pm at 100 km/h on the same track. When "
    "does the second catch up?",
    "In how many different ways can 8 people be seated around a round table?",
    "Here is my code:\n```python\ndef f(n):\n    return f(n - 1)\n```\nIt fails with "
    "RecursionError. Find the bug.",
    "A shop gives a 20 percent discount on a coat that costs 150 dollars, and then takes "
    "10 percent off the rest. How much does it cost?",
    "On an island, knights always tell the truth and knaves always lie. A says: B is a knave. What "
    "are A and B?",
    "What is (17 * 23) + (14 * 8) - 95 / 5?",
    "What is the probability that two dice show a sum of at least 10?",
    "Find the smallest number of coins that make 63 cents from 1, 5, 10 and 25 cent coins.",
    "Five friends finished a race. Dan was faster than Eve but slower than Flo. Gil came before "
    "Dan, and Hal was neither first nor last. Who won?",
    "If 3 workers build a wall in 8 days, how many days do 4 workers take together, if each works "
    "at the same speed?",
    "Find all real x such that the polynomial x^3 - 6x^2 + 11x - 6 is zero.",
    "Derive the formula for the sum of the first n squares.",
    "My two threads wait for each other's lock. Explain the deadlock in transfer(a, b): and fix "
    "it.",
    "Plan the shortest route that visits five towns, must start in A, and cannot go through C "
    "before D.",
    "A farmer must take a wolf, a goat and a cabbage over a river in a boat that holds one of "
    "them. The wolf cannot be left with the goat, nor the goat with the cabbage. How?",
    "Two trains are 215 miles apart and go towards each other at 60 mph and 70 mph. When do they "
    "meet?",
    "A train leaves Boston at 60 mph and another leaves New York, 215 miles away, at 70 mph. After "
    "how many hours do they meet?",
    "Find all integer solutions of x^2 - 7y^2 = 1 with x below 100.",
    "Is 2^31 - 1 prime?",
    "Using 3, 5, 7 and 9 once each, make 24.",
)


@pytest.mark.parametrize("question", LOOK_UPS)
def test_what_asks_for_one_fact_is_never_heavy(question):
    found = reasoning_heavy(question)
    assert not found.heavy, found


def test_it_is_right_on_at_least_85_percent_of_the_table():
    right = [not reasoning_heavy(question).heavy for question in LOOK_UPS]
    missed = [question for question in HEAVY if not reasoning_heavy(question).heavy]
    right += [question not in missed for question in HEAVY]
    assert len(right) >= 46
    assert sum(right) >= 0.85 * len(right), missed


@pytest.mark.parametrize("question", [one for one in HEAVY if reasoning_heavy(one).heavy])
def test_what_is_heavy_has_a_reason(question):
    found = reasoning_heavy(question)
    assert found.reason
    assert 0.5 <= found.score <= 1


def test_a_long_text_is_not_heavy_for_its_length():
    text = "The hotel was quiet, the garden was lovely and breakfast was served on time. " * 20
    assert not reasoning_heavy(f"Summarize this review: {text}").heavy
    assert not reasoning_heavy(text).heavy


@pytest.mark.parametrize("question", ["", "?", "1" * 5000, "(" * 2000, "a b " * 5000])
def test_odd_texts_are_no_trouble(question):
    assert not reasoning_heavy(question).heavy


def test_code_is_told_by_any_of_its_lines():
    assert reasoning_heavy("Find the bug.\nclass A {").reason == "code to debug"
    assert reasoning_heavy("It fails:\r\n  def f(x):\r\n    pass").reason == "code to debug"
    assert reasoning_heavy("What is wrong here? f(1); g(2);").reason == "code to debug"


ENDLESS = {
    "word": "w", "calls": "a( ", "called": "f() ", "parentheses": "(", "lines": "\n", "spaces": " ",
    "blocks": "def :", "loops": "for x: ", "classes": "class A {\n", "errors": "Error",
    "digits": "1", "groups": "1,", "points": "1.", "sums": "1 + ", "minus": "1-", "pads": "1   ",
    "what is": "what is ", "names": "what is a stand ", "fences": "``", "trains": "each 2 km/h ",
    "find all": "find all a ", "primes": "1234^5 ", "using": "use make ", "listed": "a, an ",
    "written": "write me a ", "named": "a B, ", "not": "not ", "how many": "how many different ",
    "semicolons": "f(a);", "tabs": "f()\t",
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("unit", ENDLESS.values(), ids=ENDLESS)
@pytest.mark.parametrize("longest", [20_000, 1_000_000], ids=["as it is", "read to its end"])
def test_time_grows_no_faster_than_the_text(unit, longest, monkeypatch):
    monkeypatch.setattr("tscale_graph.reasoning._LONGEST", longest)

    def seconds(length: int) -> float:
        text = (unit * (length // len(unit) + 1))[:length]
        start = time.thread_time()  # of this thread alone: others on the machine may stall it
        reasoning_heavy(f"Find the bug. {text} !")
        return time.thread_time() - start

    def grows_too_fast() -> bool:
        long = seconds(100_000)
        return long > 0.1 and long > 28 * seconds(10_000)

    assert not grows_too_fast() or not grows_too_fast()


def test_a_very_long_question_is_read_at_both_ends():
    filler = "The garden was lovely. " * 4000
    assert reasoning_heavy(f"Prove that it is so. {filler}").heavy
    assert reasoning_heavy(f"{filler} Prove that it is so.").heavy
