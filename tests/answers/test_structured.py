"""Answers that are JSON or code."""

import pytest

from tests.answers.reading import kind_of, read


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('{"b": 1.0, "a": [true, null]}', '{"a":[true,null],"b":1}'),
        ('Here it is:\n```json\n{"a": 1}\n```\nI hope [this] helps.', '{"a":1}'),
        ('First {"a": 1}, then {"a": 2}. Done.', '{"a":2}'),
        ('See [the docs {"a": "} ]"} ]', '{"a":"} ]"}'),
        ('A list: [1, {"x": [2]}]', '[1,{"x":[2]}]'),
        ("The answer is 42.", "42"),
        ('"abc"', '"abc"'),
        ("no JSON at all", None),
        ("[NaN]", None),
        ('{"a": 1', None),
    ],
)
def test_the_last_complete_json_value_of_a_text(text, key):
    assert read("json", text) == key


def test_json_numbers_are_compared_by_value_and_true_is_not_one():
    key = kind_of("json").key
    assert key("[1]") == key("[1.0]") == key("[1e0]")
    assert len({key("[1]"), key("[true]"), key('["1"]'), key("[null]")}) == 4


def test_code_is_the_last_complete_block():
    text = "```python\nx = 1\n```\nBetter:\n```py\nx = 2\n```\nIt prints\n```output\n2\n```\n"
    assert kind_of("code").extract(text) == "x = 2"
    assert kind_of("code").extract("x = 3") == "x = 3"
    assert kind_of("code").extract("```python\nx = 4\n") == "x = 4"
    assert kind_of("code").extract('```\ns = """\nQ: why?\n"""\n```') == 's = """\nQ: why?\n"""'


def test_comments_and_spacing_of_python_make_no_difference():
    key = kind_of("code").key
    assert key("def f(x):\n  return x+1  # next") == key("def f(x):\n\n    return (x + 1)")
    assert key("x = 1") != key("x = 2")
    assert key("let  x = 1;\nx") == key("let x = 1; x")
    assert key(r"re.match('\d', x)") == key(r"re.match( '\d' , x)")
