"""The page on the chat model: its program runs, on a scripted model in the place of OpenAI's."""

import re
from pathlib import Path

from tests.scripted_calls import ScriptedCalls, calling

PAGE = (Path(__file__).parents[1] / "docs/chat-model.md").read_text()


def test_the_program_runs(monkeypatch, capsys):
    turn = [calling(("add", {"a": 9, "b": 9}))] + [calling(("add", {"b": 3.0, "a": 2}))] * 3
    inner = ScriptedCalls(answers=[*turn, *["There are 5"] * 4])
    monkeypatch.setattr("langchain.chat_models.init_chat_model", lambda name: inner)
    program = re.search(r"<!-- runs in CI -->\n```python\n(.*?)```", PAGE, re.DOTALL)[1]
    exec(program.replace("max_samples=8", 'max_samples=4, stop="fixed"'), {})
    called, said = capsys.readouterr().out.splitlines()
    assert called.startswith(" [{'name': 'add', 'args': {'b': 3.0, 'a': 2}")
    assert called.endswith("] 0.75 4")
    assert said == "There are 5 [] 1.0 4"
