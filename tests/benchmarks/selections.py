"""What selections make of the same samples: `python -m tests.benchmarks.selections`."""

import functools
import random

from tests.recordings.shared_data import SHARED, recorded
from tests.votes.simulated import (
    RIGHT,
    decided_with_mistakes,
    number,
    population,
    scored_with_exploits,
)
from tscale_graph import Candidate, Verdict
from tscale_graph.answers import answer_kind
from tscale_graph.votes import (
    Agreement,
    BestOfMajority,
    Majority,
    Max,
    Pessimistic,
    Weighted,
    choose,
)

text = answer_kind("text")
letter = answer_kind("choice")
QUESTIONS = 300


def main():
    over_optimisation()
    wrong_one_time_in_five()
    if not SHARED.exists():
        print(f"\n{SHARED} is not there: no recordings")
        return
    exams()
    model_written_tests()
    reward_model()


def over_optimisation():
    counts = (1, 4, 8, 16, 64, 256)
    asked = population(1, QUESTIONS, counts[-1], scored_with_exploits)
    print(f"calibrated scores, 2 % exploited; {QUESTIONS} simulated questions; N = {counts}")
    for rule in (Max(), Majority(), Weighted(), BestOfMajority(), Pessimistic()):
        print(f"  {rule.name:28s}", *(f"{accuracy(asked, rule, n):.3f}" for n in counts))


def wrong_one_time_in_five():
    counts = (1, 8, 64)
    print("\na verifier that decides, wrong 20 % of the time; N =", counts)
    for easiness in ((4, 3), (1.2, 1.8), (0.6, 5)):
        for shared in (True, False):
            verdicts = functools.partial(decided_with_mistakes, shared=shared)
            asked = population(2, QUESTIONS, counts[-1], verdicts, easiness=easiness)
            whose = "by answer" if shared else "by sample"
            print(f"  {easiness[0] / sum(easiness):.0%} right in one pass, mistaken {whose}")
            first = [first_of_the_best(asked, n) for n in counts]
            print("    plain arg-max               ", *(f"{value:.3f}" for value in first))
            for rule in (Majority(), Weighted(), Weighted(trust=0.8), Pessimistic()):
                name = f"{rule.name}{'' if rule != Weighted(trust=0.8) else ', trust 0.8'}"
                shares = (accuracy(asked, rule, n, decides=True) for n in counts)
                print(f"    {name:28s}", *(f"{share:.3f}" for share in shares))


def accuracy(asked, rule, count, *, decides=False):
    winners = (
        choose(a.candidates(count, decides=decides), number, select=rule).winner for a in asked
    )
    return sum(winner.answer == RIGHT for winner in winners) / len(asked)


def first_of_the_best(asked, count):
    """A best-of-N that looks at scores alone and takes the first of equal ones."""
    best = (max(range(count), key=lambda k, a=a: a.scores[k]) for a in asked)
    return sum(a.answers[k] == RIGHT for a, k in zip(asked, best, strict=True)) / len(asked)


def exams():
    counts = (1, 8, 64)
    asked = [question for seed in range(3) for question in examined(seed)]
    print(f"\nGPT-3.5, {len(asked) // 3} exam questions × 3 draws, an exact verdict on each answer")
    print("flipped with chance 20 %: % right; N =", counts)
    for rule in (Majority(), Max(), Weighted(), Weighted(trust=0.8), Pessimistic()):
        name = f"{rule.name}{'' if rule != Weighted(trust=0.8) else ', trust 0.8'}"
        print(f"  {name:28s}", *(f"{passed_exams(asked, rule, n):5.1f}" for n in counts))


def examined(seed, *, error=0.2):
    """Recorded answers to exam questions, each with a verdict that is sometimes wrong."""
    rng = random.Random(seed)
    asked = []
    for question in recorded("exams"):
        samples = rng.sample(question["samples"], len(question["samples"]))
        letters = {sample["answer"] for sample in samples} - {None}
        flipped = {answer: rng.random() < error for answer in sorted(letters)}
        candidates = [
            Candidate(
                index=index,
                answer=sample["answer"],
                verdict=decided(sample["correct"] != flipped.get(sample["answer"], False)),
            )
            for index, sample in enumerate(samples)
        ]
        asked.append((candidates, [sample["correct"] for sample in samples]))
    return asked


def decided(passed):
    return Verdict(score=float(passed), passed=passed)


def passed_exams(asked, rule, count):
    winners = (
        (choose(candidates[:count], letter, select=rule).winner, right)
        for candidates, right in asked
    )
    return share([winner is not None and right[winner.index] for winner, right in winners])


def model_written_tests():
    """CodeGen-16B on HumanEval: 100 samples, the model's own tests, two asserts of the question.

    An answer is the behaviour of a program on the model's own tests. It is right where a program
    that behaves so is; the sample that stands for it may still fail the hidden tests.
    """
    print("\nCodeGen-16B, HumanEval, 100 samples: % right by answer, on even / odd questions")
    print(f"  {'':34s} answer   even    odd | sample")
    for given in (0, 2):
        asked = [solutions(question, given=given) for question in codegen()]
        rules = {
            "majority": Majority(),
            "max": Max(),
            "weighted": Weighted(),
            "agreement, |S| |T| (CodeT)": Unshared(given=given),
            "agreement, powers 1 and 1": Agreement(given, solutions_power=1, tests_power=1),
            "agreement": Agreement(given),
            "agreement, by answer": Agreement(given, together="answer"),
        }
        for name, rule in rules.items():
            outcomes = [chosen(question, rule) for question in asked]
            answers, samples = zip(*outcomes, strict=True)
            shares = (share(answers), share(answers[::2]), share(answers[1::2]), share(samples))
            label = f"{name}{', 2 asserts given' if given and 'agree' in name else ''}"
            if not given or "agree" in name:
                print(f"  {label:38s}", "{:5.1f}  {:5.1f}  {:5.1f} | {:5.1f}".format(*shares))


class Unshared(Agreement):
    """CodeT as published: every test counts the same."""

    def __init__(self, given):
        super().__init__(given, solutions_power=1, tests_power=1)

    def _worth(self, size, passed, trust):
        return float(size * sum(passed))


def codegen():
    return recorded("codet")


def solutions(question, *, given):
    """The samples as candidates, and whether each is right."""
    candidates = []
    for index, sample in enumerate(question["samples"]):
        shown = round((sample["visible2"] or 0) * given)
        asserts = (True,) * shown + (False,) * (given - shown)
        own = tuple(bit == "1" for bit in sample["tests"] or "")
        verdict = Verdict(score=sample["score"] or 0.0, tests=asserts + own)
        candidates.append(Candidate(index=index, answer=sample["answer"], verdict=verdict))
    return candidates, [sample["correct"] for sample in question["samples"]]


def chosen(asked, rule):
    """Whether the chosen answer is right, and whether the sample that stands for it is."""
    candidates, right = asked
    winner = choose(candidates, text, select=rule).winner
    if winner is None:
        return False, False
    same = [right[c.index] for c in candidates if c.answer == winner.answer]
    return any(same), right[winner.index]


def reward_model():
    print("\nQwen2.5-Math, 100 MATH problems, 8 samples, scores of a reward model: % right")
    questions = recorded("qwen")
    for rule in (Majority(), Max(), Weighted(), BestOfMajority(), Pessimistic()):
        print(f"  {rule.name:28s} {share([rewarded(q, rule) for q in questions]):5.1f}")


def rewarded(question, rule):
    """Whether the chosen sample is right; scores are shifted into [0, 1] within the question."""
    scores = [sample["score"] for sample in question["samples"]]
    low, high = min(scores), max(scores)
    candidates = [
        Candidate(
            index=index,
            answer=sample["answer"],
            verdict=Verdict(score=(sample["score"] - low) / (high - low) if high > low else 1.0),
        )
        for index, sample in enumerate(question["samples"])
    ]
    winner = choose(candidates, text, select=rule).winner
    return bool(winner and question["samples"][winner.index]["correct"])


def share(outcomes):
    return 100 * sum(outcomes) / len(outcomes)


if __name__ == "__main__":
    main()
