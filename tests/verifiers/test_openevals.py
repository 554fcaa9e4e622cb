"""The evaluators of the real openevals package, as verifiers."""

from functools import partial

import pytest
from openevals.exact import exact_match, exact_match_async
from openevals.llm import create_async_llm_as_judge, create_llm_as_judge
from openevals.prompts import CONCISENESS_PROMPT, CORRECTNESS_PROMPT

from tests.scripted import Scripted
from tests.verifiers.judges.readers import fenced, reader
from tscale_graph import Budget
from tscale_graph.verifiers import verify
from tscale_graph.verifiers.judges import judge


@pytest.mark.parametrize("evaluator", [exact_match, exact_match_async])
async def test_an_evaluator_with_a_reference_is_given_it_beforehand(evaluator):
    verifier = partial(evaluator, reference_outputs="3")
    assert (await verify(verifier, "How many?", "3")).passed is True
    assert (await verify(verifier, "How many?", "4")).passed is False


async def test_an_evaluator_that_lacks_its_reference_says_how_to_give_it():
    with pytest.raises(ValueError, match=r"partial\(evaluator, reference_outputs=…\)"):
        await verify(exact_match, "How many?", "3")


class Structured(Scripted):
    """Answers whatever schema it is given with the same fields."""

    def with_structured_output(self, schema, **more):
        from langchain_core.runnables import RunnableLambda

        async def answer(messages, config=None):
            await self.ainvoke(messages)
            return {"reasoning": "so it is", "score": True}

        return RunnableLambda(
            lambda messages: {"reasoning": "so it is", "score": True}, afunc=answer
        )


@pytest.mark.parametrize("create", [create_llm_as_judge, create_async_llm_as_judge])
async def test_an_llm_evaluator_brings_a_model_of_its_own(create):
    evaluator = create(prompt=CONCISENESS_PROMPT, judge=Structured())
    verdict = await verify(evaluator, "How many?", "3")
    assert (verdict.passed, verdict.feedback) == (True, "so it is")


async def test_its_prompts_serve_a_judge_that_keeps_to_the_budget():
    model = reader('{"reason": "short", "score": 9}')
    verifier = judge(model, prompt=CONCISENESS_PROMPT)
    verdict = await verify(verifier, "How many?", "3", lease=Budget(tokens=5_000))
    assert (verdict.score, verdict.usage.calls) == (0.9, 1)
    assert fenced(model.prompts[0]) == {"question": "How many?", "answer": "3"}
    judge(model, prompt=CORRECTNESS_PROMPT, reference="3")
    with pytest.raises(ValueError, match="give reference="):
        judge(model, prompt=CORRECTNESS_PROMPT)
