"""A model that writes a solution step by step, and a scorer that knows the good ones."""


def writes(*solutions):
    """A model that writes solutions, given as lists of steps; those that may go on take turns."""
    every = dict.fromkeys(step for solution in solutions for step in solution)

    def decide(prompt, number):
        so_far = [step for step in every if step in prompt[-1].text]
        going = [solution for solution in solutions if solution[: len(so_far)] == so_far]
        rest = going[number % len(going)][len(so_far) :]
        return rest[0] if rest else ""

    return decide


GOOD = ["good one", "good two", "The answer is 3"]


BAD = ["bad one", "bad two", "The answer is 2"]


def prefers_good(question, so_far):
    """0.9 for good steps, 0.2 for bad ones."""
    return 0.9 if "good" in so_far else 0.2
