"""What a failed attempt teaches is shown to later ones."""

from tests.scripted import ScriptedFailure
from tests.techniques.arithmetic_agent import QUESTION, TOOLS, is_wrong, results, solve
from tests.techniques.searching import acts, asked_of, told


async def test_a_reflection_on_a_failure_is_shown_to_later_turns():
    def decide(prompt, number):
        if "This attempt did not pass" in prompt[-1].text:
            return "I forgot  to\nmultiply."
        learnt = any("forgot to multiply" in message.text for message in prompt)
        match results(prompt):
            case []:
                return acts("add", a=2 + number, b=3 - number)
            case ["5"] if learnt:
                return acts("multiply", a=5, b=4)
            case [*_, last]:
                return f"The answer is {last}"

    model = told(decide)
    result = await solve(model, tools=TOOLS, width=2)
    reflecting = next(p for p in asked_of(model) if "This attempt did not pass" in p[-1][1])
    assert reflecting == [
        ("human", QUESTION),
        ("ai", ""),
        ("tool", "5"),
        ("ai", "The answer is 5"),
        (
            "human",
            "This attempt did not pass: not 20. In one or two sentences, say what is wrong with it "
            "and what should be done differently next time. Do not solve the task.",
        ),
    ]
    after = asked_of(model)[asked_of(model).index(reflecting) + 1 :]
    learnt = (
        f"{QUESTION}\n\nEarlier attempts at this did not pass. What was learnt from them:\n"
        "- I forgot to multiply."
    )
    assert {prompt[0] for prompt in after} == {("human", learnt)}
    assert (result.answer, len(after)) == ("20", 4)
    assert result.usage.calls == len(model.calls), "reflections count"


async def test_after_so_many_reflections_no_more_are_made():
    def decide(prompt, number):
        failed = "This attempt did not pass" in prompt[-1].text
        return f"Lesson {number}." if failed else f"The answer is {number}"

    for most in (0, 2):
        model = told(decide)
        await solve(model, is_wrong, width=1, max_nodes=3, reflections=most)
        assert (
            sum("This attempt did not pass" in prompt[-1].text for prompt in model.prompts) <= most
        )

    def always_acts_first(prompt, number):
        if "This attempt did not pass" in prompt[-1].text:
            return f"Lesson {number}."
        if not results(prompt):
            return acts("add", a=number, b=0)
        return f"The answer is {number}"

    model = told(always_acts_first)
    await solve(model, is_wrong, tools=TOOLS, width=3, max_nodes=15, reflections=2)
    assert sum("This attempt did not pass" in prompt[-1].text for prompt in model.prompts) == 2
    told_of = [p[0].text for p in model.prompts if "learnt" in p[0].text]
    assert max(text.count("Lesson") for text in told_of) == 2


async def test_an_answer_that_a_value_function_likes_is_not_reflected_on():
    model = told(lambda prompt, number: f"The answer is {number}")
    await solve(model, lambda q, a: 0.6, width=2, max_nodes=2)
    assert len(model.calls) == 2


async def test_nothing_is_reflected_on_once_an_answer_has_passed():
    model = told(lambda prompt, number: f"The answer is {18 + number}")
    await solve(model, width=3)
    assert len(model.calls) == 3


async def test_nothing_is_reflected_on_when_no_turn_is_left_that_could_learn_from_it():
    model = told(lambda prompt: "The answer is 5" if len(prompt) > 2 else acts("add", a=2, b=3))
    await solve(model, tools=TOOLS, width=1, max_nodes=1)
    assert not any("This attempt did not pass" in prompt[-1].text for prompt in model.prompts)


async def test_every_failure_of_a_round_teaches_something():
    def decide(prompt, number):
        if "This attempt did not pass" in prompt[-1].text:
            return f"Not {prompt[-2].text.split()[-1]}."
        if not results(prompt) and number % 2:
            return acts("add", a=number, b=0)
        return f"The answer is {number}"

    model = told(decide)
    await solve(model, is_wrong, tools=TOOLS, width=4, max_nodes=8, reflections=3)
    asked = [prompt for prompt in asked_of(model) if "This attempt did not pass" in prompt[-1][1]]
    assert [prompt[-2][1] for prompt in asked[:2]] == ["The answer is 0", "The answer is 2"]
    later = model.prompts[-1][0].text
    assert "- Not 0.\n- Not 2." in later


async def test_a_lesson_that_is_repeated_counts_as_a_reflection():
    def decide(prompt, number):
        if "This attempt did not pass" in prompt[-1].text:
            return "Think."
        return f"The answer is {number}" if results(prompt) else acts("add", a=number, b=0)

    model = told(decide)
    await solve(model, is_wrong, tools=TOOLS, width=2, max_nodes=30, reflections=2)
    assert sum("This attempt did not pass" in prompt[-1].text for prompt in model.prompts) == 2


async def test_a_reflection_that_fails_is_noted():
    def decide(prompt, number):
        if "This attempt did not pass" in prompt[-1].text:
            raise ScriptedFailure("too thoughtful")
        return f"The answer is {number}" if number == 0 else acts("add", a=number, b=0)

    result = await solve(told(decide), is_wrong, tools=TOOLS, width=2, max_nodes=4)
    assert any("a reflection failed" in n and "too thoughtful" in n for n in result.notes)


async def test_nothing_is_reflected_on_after_the_answer_that_ends_the_search():
    def decide(prompt, number):
        if "This attempt did not pass" in prompt[-1].text:
            return "Think."
        return "The answer is 5" if len(model.prompts) > 4 else acts("add", a=number, b=0)

    model = told(decide)
    result = await solve(model, is_wrong, tools=TOOLS, width=2, max_depth=2, max_nodes=20)
    assert result.answer == "5"
    assert not any("This attempt did not pass" in prompt[-1].text for prompt in model.prompts[-1:])
