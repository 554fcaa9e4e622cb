"""The example of an agent with tools, on a scripted model."""

from examples.agent_with_tools import main
from tests.scripted_calls import Deciding, calling


def test_an_agent_votes_on_its_first_turn_and_shows_its_bill(capsys):
    apples, pear = (calling(("price_of", {"fruit": fruit})) for fruit in ("apples", "pear"))
    think = calling(("deliberate", {"question": "What is 3 * 30 + 2 * 45?"}))

    def says(told, number):
        if told is None:
            return "It is 180"
        return [pear if number == 0 else apples, pear, think, "180 pence"][len(told)]

    inner = Deciding(says=says)
    main(inner)
    said, *lines = capsys.readouterr().out.splitlines()
    assert said == "180 pence"
    assert [line.split()[0] for line in lines] == [
        "scaled",
        "model",
        "model",
        "deliberate",
        "model",
        "together",
    ]
    assert int(lines[-1].split()[1]) == len(inner.calls)
    asked = [str(message.text) for message in inner.seen[-1][0] if message.type == "tool"]
    assert asked == ["30 pence", "45 pence", "It is 180"], "what was voted on was done once"
