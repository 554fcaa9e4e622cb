"""The policies that people start from: each loads, and each of its classes runs."""

import re
from pathlib import Path

import pytest

from tests.scripted import Scripted
from tscale_graph import Budget, Policy, router
from tscale_graph.policy_files import PolicyError

ROOT = Path(__file__).parents[1]
PAGE, LADDER = ((ROOT / f"docs/{name}.md").read_text() for name in ("policies", "difficulty"))
TEXTS = {
    "page": re.search(r"<!-- runs in CI -->\n```yaml\n(.*?)```", PAGE, re.DOTALL)[1],
    "ladder": re.search(r"<!-- runs in CI -->\n```yaml\n(.*?)```", LADDER, re.DOTALL)[1],
    "example": (ROOT / "examples/policy.yaml").read_text(),
}
CLASSES = [
    (name, found)
    for name, text in TEXTS.items()
    for found in re.findall(r"^  (\w+):$", text, re.MULTILINE)
]
QUESTIONS = {"combinatorial": "Use the numbers 4, 6, 3 to make 21."}


@pytest.fixture
def loaded(monkeypatch):
    """The models that were asked for by name, none of which is real."""
    models = {}

    def load(name):
        answers = ["Hm.", "x = 5, and 6 * 4 - 3"]
        return models.setdefault(name, Scripted(answers=answers, model_name=name))

    monkeypatch.setattr("tscale_graph.models.loading._from_provider", load)
    return models


@pytest.mark.parametrize(("text", "task_class"), CLASSES)
async def test_every_class_answers_within_its_budget(text, task_class, loaded, tmp_path):
    path = tmp_path / "policy.yaml"
    path.write_text(TEXTS[text])
    policy = Policy.load(path)
    graph = router(policy, model=Scripted()).compile()
    question = QUESTIONS.get(task_class, "Solve 3x + 4 = 19 for x.")
    asked = {"messages": [("user", question)], "task_class": task_class}
    result = (await graph.ainvoke({**asked, "budget": Budget(calls=40, tokens=80_000)}))["result"]
    assert result.notes[0] == f"class {task_class}: as the caller said"
    assert result.text
    own = policy.classes[task_class].technique
    assert result.technique == own or "cannot be served here" in result.notes[1]
    assert 0 < result.usage.calls <= 40


def test_the_line_of_the_page_is_the_line_of_its_policy(tmp_path):
    shown = re.search(r"policy\.yaml:(\d+):(\d+): (.*)", PAGE)
    path = tmp_path / "policy.yaml"
    path.write_text(TEXTS["page"].replace("n: 4", "n: 0"))
    with pytest.raises(PolicyError) as refused:
        Policy.load(path)
    assert str(refused.value) == f"{path}:{shown[1]}:{shown[2]}: {shown[3]}"
