"""What is worth keeping of a rewriting, and of a better one."""

from tests.reader import Reader, written
from tests.techniques.sleeping.asleep import MENU, asked, asleep, kept
from tscale_graph import Budget


async def test_a_dense_context_that_says_something_else_is_not_faithful():
    class Forgets(Reader):
        def say(self, shown, told):
            said = super().say(shown, told)
            return "tea is nice." if told.startswith(("Rewrite", "This is a rew")) else said

    graph, store = asleep(Forgets())
    await graph.ainvoke(asked())
    dense = (await kept(store)).dense["context"]
    assert len(dense.best.tests) == 2
    assert not dense.best.faithful(0.75)


async def test_a_better_one_that_is_worse_goes_back():
    class GetsWorse(Reader):
        def say(self, shown, told):
            said = super().say(shown, told)
            return "tea is nice." if told.startswith("This is a rew") else said

    graph, store = asleep(GetsWorse())
    for _ in range(3):
        await graph.ainvoke(asked())
        dense = (await kept(store)).dense["context"]
        assert dense.best.text == "tea costs 2.\ncake costs 3."
        assert dense.best.faithful(0.75)
        assert dense.draft is None
    assert dense.rounds == 3


async def test_numbers_from_nowhere_are_left_out_and_told():
    class Invents(Reader):
        def say(self, shown, told):
            said = super().say(shown, told)
            return f"{said}\nwine costs 99." if told.startswith("Rewrite") else said

    graph, store = asleep(Invents())
    slept = (await graph.ainvoke(asked()))["slept"]
    assert "99" not in (await kept(store)).dense["context"].best.text
    assert "context: a line left out, with numbers that come from nowhere" in slept.notes


async def test_what_passed_its_tests_stays_until_a_better_one_has_passed_them():
    """A run that ends between an improvement and its tests leaves what was there in its place."""

    class Untested(Reader):
        def say(self, shown, told):
            said = super().say(shown, told)
            return "tea is nice." if told.startswith("This is a rew") else said

    graph, store = asleep(Untested())
    await graph.ainvoke(asked())
    slept = (await graph.ainvoke(asked(budget=Budget(calls=3))))["slept"]
    assert slept.status == "cut_off"
    there = (await kept(store)).dense["context"]
    assert there.draft.text == "tea is nice."
    assert there.best.text == "tea costs 2.\ncake costs 3."
    assert there.usable(1.0)


async def test_a_rewriting_that_was_cut_short_does_not_replace_a_whole_one():
    class Rambles(Reader):
        def say(self, shown, told):
            said = super().say(shown, told)
            longer = f"{said}\n{'That is all there is. ' * 40}"
            return longer if told.startswith("This is a rew") else said

        def finish(self, call, text):
            said = super().finish(call, text)
            cut = call.output_tokens == call.max_tokens
            said.generations[0].message.response_metadata["finish_reason"] = (
                "length" if cut else "stop"
            )
            return said

    graph, store = asleep(Rambles(), max_output_tokens=100)
    await graph.ainvoke(asked())
    slept = (await graph.ainvoke(asked()))["slept"]
    assert "context: a rewriting was cut short, and what there is stays" in slept.notes
    dense = (await kept(store)).dense["context"]
    assert (dense.best.text, dense.draft, dense.rounds) == ("tea costs 2.\ncake costs 3.", None, 2)


async def test_a_test_counts_for_the_documents_that_the_question_is_about():
    documents = {"menu": written(MENU), "bar": written({"wine": 7, "beer": 4})}

    class Forgets(Reader):
        def say(self, shown, told):
            said = super().say(shown, told)
            return "wine is red." if told.startswith("Rewrite") and "wine" in said else said

    graph, store = asleep(Forgets())
    await graph.ainvoke(asked(documents))
    dense = (await kept(store, documents)).dense
    assert dense["menu"].usable(1.0)
    assert set(dense["menu"].best.tests) == {"how much is tea", "how much is cake"}
    assert not dense["bar"].usable(0.5)


async def test_lines_that_were_lost_are_worked_out_again_in_the_same_run():
    class Slips(Reader):
        """Its first rewriting has a wrong number, and its later ones only what was lost."""

        def say(self, shown, told):
            if told.startswith("Rewrite"):
                return "tea costs 2.\ncake costs 4."
            if told.startswith("This is a rewriting"):
                assert "tea costs 2." in told
                return "cake costs 3."
            return super().say(shown, told)

    graph, store = asleep(Slips())
    await graph.ainvoke(asked())
    dense = (await kept(store)).dense["context"]
    assert dense.best.text == "tea costs 2.\ncake costs 3."
    assert (dense.rounds, dense.best.dropped) == (2, 0)
