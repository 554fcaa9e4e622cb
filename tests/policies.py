"""Policies for tests: one that has a line for everything, and any valid one."""

from hypothesis import strategies as st

from tscale_graph.budget import Budget
from tscale_graph.policy import ClassPolicy, Policy
from tscale_graph.recipe import Recipe

POLICY = """\
default_class: plain
classes:
  plain:
    technique: self_consistency
    arguments:
      max_samples: 4
      stop: fixed
    budget:
      tokens: 20000
  checked:
    technique: best_of_n
    verifier: equation
    model:
      technique: extended_thinking
      model: openai:gpt-5-mini
      arguments:
        thinking_tokens: 4096
    arguments:
      n: 8
    fallback: plain
  searched:
    technique: ab_mcts
    models: [openai:gpt-5-mini, openai:gpt-5]
    fallback: checked
"""

names = st.from_regex(r"\A[A-Za-z][A-Za-z0-9_-]{0,8}\Z")
scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
scalars |= st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
budgets = st.builds(
    Budget,
    calls=st.integers(1, 10**9),
    tokens=st.none() | st.integers(1, 10**12),
    usd=st.none() | st.floats(1e-6, 1e6),
    seconds=st.none() | st.floats(1e-6, 1e9),
)
arguments = st.dictionaries(
    st.text(min_size=1, max_size=8).filter(
        lambda name: name not in ("model", "models", "rungs", "verifier", "budget")
    ),
    values,
    max_size=3,
)
texts = st.text(min_size=1, max_size=8)


def _recipes(inner):
    choice = texts | inner
    return st.builds(
        Recipe,
        technique=texts,
        arguments=arguments,
        models=st.none() | st.lists(choice, min_size=1, max_size=3),
        verifier=st.none() | texts,
        budget=st.none() | budgets,
    )


recipes = st.recursive(st.builds(Recipe, technique=texts), _recipes, max_leaves=4)


@st.composite
def policies(draw):
    """Any valid policy: each class falls back to one before it, if to any."""
    classes = {}
    for name in draw(st.lists(names, min_size=1, max_size=4, unique=True)):
        model = draw(st.none() | texts | recipes)
        classes[name] = ClassPolicy(
            technique=draw(texts),
            arguments=draw(arguments),
            model=model,
            rungs=None if model is not None else draw(st.none() | st.lists(recipes, min_size=1)),
            verifier=draw(st.none() | texts),
            budget=draw(st.none() | budgets),
            description=draw(st.text(max_size=20)),
            fallback=draw(st.sampled_from([None, *classes])),
        )
    return Policy(classes=classes, default_class=draw(st.sampled_from(sorted(classes))))
