"""Buttons that outlive the process, and forms as modals."""

from __future__ import annotations

from collections.abc import Sequence

from bots.message import Button, Field, Form, Image, Incoming, Pressed, Reply, Said, Submitted
from tests.bots.discord.harness import DiscordHarness, eventually
from tests.bots.discord.world import buttons

ASK = Form("Your code", "join:form", (Field("code", "Invite code", "ABCD2345"), Field("why", "Why?", multiline=True)))


async def test_a_press_is_heard_and_may_replace_its_message(discord: DiscordHarness) -> None:
    def answer(incoming: Incoming) -> Sequence[Reply]:
        if isinstance(incoming, Pressed):
            return [Reply(f"did {incoming.action}", edit=True), Reply("and more")]
        return [Reply("Sure?", ((Button("Yes", action="yes:1"), Button("No", action="no")),))]

    discord.script.answer = answer
    await discord.say("alice", "/me")
    assert (await discord.seen("alice", 1))[0].buttons == ["Yes", "No"]
    await discord.press("alice", "Yes")

    first, second = await discord.seen("alice", 2)
    assert (first.text, first.buttons, first.edited) == ("did yes:1", [], True)
    assert second.text == "and more"


async def test_a_button_works_after_a_restart(discord: DiscordHarness) -> None:
    row = (Button("Go", action="go:42"),)
    discord.script.answer = lambda incoming: [Reply("Go on?", (row,))] if isinstance(incoming, Said) else []
    await discord.server.write("alice", "hi")
    await discord.seen("alice", 1)

    await discord.restart()
    discord.script.answer = lambda incoming: [Reply("gone")] if isinstance(incoming, Pressed) else []
    await discord.press("alice", "Go")

    await discord.seen("alice", 2)
    pressed = next(heard for heard in discord.script.heard if isinstance(heard, Pressed))
    assert (pressed.action, pressed.person.account) == ("go:42", "1")


async def test_the_longest_action_and_the_same_action_twice_are_accepted(discord: DiscordHarness) -> None:
    long = "长" * 21 + "x"
    rows = ((Button("A", action=long), Button("B", action=long)),)
    discord.script.answer = lambda incoming: [Reply("?", rows)] if isinstance(incoming, Said) else []
    await discord.say("alice", "/me")
    await discord.seen("alice", 1)
    await discord.press("alice", "B")

    await eventually(lambda: any(isinstance(heard, Pressed) for heard in discord.script.heard))
    assert next(h for h in discord.script.heard if isinstance(h, Pressed)).action == long


async def test_a_press_with_nothing_to_say_is_acknowledged_in_silence(discord: DiscordHarness) -> None:
    discord.script.answer = lambda incoming: (
        [] if isinstance(incoming, Pressed) else [Reply("?", ((Button("Ok", action="ok"),),))]
    )
    await discord.say("alice", "/me", group=True)
    message = (await eventually(discord.server.public_messages))[0]
    interaction = await discord.server.press("bob", message, "Ok", guild="700")

    assert await eventually(lambda: interaction.answer) == 6
    assert [m.id for m in discord.server.public_messages()] == [message.id]


async def test_a_form_opens_as_a_modal_and_its_answers_come_back(discord: DiscordHarness) -> None:
    discord.script.answer = lambda incoming: (
        [Reply("Thanks")] if isinstance(incoming, Submitted) else [Reply("Tell us", form=ASK)]
    )
    interaction = await discord.server.slash("alice", "me")
    modal = await eventually(lambda: interaction.modal)

    assert (modal["title"], modal["custom_id"]) == ("Your code", "join:form")
    assert [part["type"] for part in modal["components"]] == [10, 18, 18]
    await discord.server.submit(interaction, {"code": "ABCD2345", "why": "two\nlines"})

    assert (await discord.seen("alice", 1))[0].text == "Thanks"
    form = next(heard for heard in discord.script.heard if isinstance(heard, Submitted))
    assert (form.action, form.answers) == ("join:form", {"code": "ABCD2345", "why": "two\nlines"})


async def test_a_form_that_comes_too_late_waits_behind_a_button_even_over_a_restart(discord: DiscordHarness) -> None:
    discord.script.answer = lambda incoming: [Reply("Tell us", form=ASK)] if isinstance(incoming, Said) else []
    await discord.say("alice", "/invite")  # slow: deferred at once, so no modal is possible
    seen = (await discord.seen("alice", 1))[0]
    assert (seen.text, seen.buttons) == ("Tell us", ["…"])

    await discord.restart()
    interaction = await discord.server.press("alice", discord.server.private_messages("alice")[0], "…")

    assert (await eventually(lambda: interaction.modal))["custom_id"] == "join:form"


async def test_a_form_in_the_private_chat_waits_behind_a_button(discord: DiscordHarness) -> None:
    discord.script.answer = lambda incoming: [Reply("Tell us", form=ASK)] if isinstance(incoming, Said) else []
    await discord.say("alice", "邀请码")
    await discord.seen("alice", 1)
    interaction = await discord.server.press("alice", discord.server.private_messages("alice")[0], "…")

    assert (await eventually(lambda: interaction.modal))["title"] == "Your code"


async def test_a_forgotten_form_is_the_cores_to_answer(discord: DiscordHarness) -> None:
    discord.script.answer = lambda incoming: [Reply("Tell us", form=ASK)] if isinstance(incoming, Said) else []
    await discord.say("alice", "hello")
    await discord.seen("alice", 1)
    discord.store.values.clear()
    await discord.press("alice", "…")

    await eventually(lambda: any(isinstance(heard, Pressed) for heard in discord.script.heard))
    assert next(heard for heard in discord.script.heard if isinstance(heard, Pressed)).action == "join:form"


async def test_links_open_and_texts_to_copy_are_shown(discord: DiscordHarness) -> None:
    row = (Button("Open", url="https://example.com/r/AB"), Button("Copy code", copy="ABCD2345"))
    discord.script.answer = lambda incoming: [Reply("Share", (row,))]
    await discord.say("alice", "/me")

    seen = (await discord.seen("alice", 1))[0]
    assert (seen.text, seen.buttons) == ("Share\nCopy code: ABCD2345", ["Open"])
    assert buttons(discord.server.private_messages("alice")[0])[0]["url"] == "https://example.com/r/AB"


async def test_an_edit_may_bring_a_picture_or_take_it_away(discord: DiscordHarness) -> None:
    again = ((Button("Again", action="again"),),)
    picture = Image(lambda: b"second", "c.jpg", "card")
    discord.script.answer = lambda incoming: (
        [Reply("", again, picture, edit=True)] if isinstance(incoming, Pressed) else [Reply("Card?", again)]
    )
    await discord.say("alice", "/me")
    await discord.seen("alice", 1)
    await discord.press("alice", "Again")
    await eventually(lambda: discord.server.private_messages("alice")[0].image == b"second")

    discord.script.answer = lambda incoming: [Reply("No card", edit=True)]
    await discord.press("alice", "Again")
    await eventually(lambda: discord.server.private_messages("alice")[0].content == "No card")
    assert discord.server.private_messages("alice")[0].image is None
