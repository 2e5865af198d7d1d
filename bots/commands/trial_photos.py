"""The photos that came with what triers said, for whoever runs the trial."""

from __future__ import annotations

from functools import partial

from bots.context import Context, Safe
from bots.message import Image, Reply
from bots.trial_words import STARS, Telling
from referral.pictures import is_kept, picture_of
from referral.trials.feedback import all_feedback

SHOWN = 10
"""Photos shown at once, the latest last."""


def photos(ctx: Context, telling: Telling) -> list[Reply]:
    """Each with the rating, the name, and whether it may be shown around."""
    said = all_feedback(ctx.session, ctx.brand.id, telling.campaign.id)
    shown = [
        (one, member) for one, _, member in said if one.picture and is_kept(ctx.session, ctx.brand.id, one.picture)
    ]
    replies = []
    for one, member in shown[-SHOWN:]:
        body = picture_of(ctx.session, ctx.brand.id, one.picture or "")
        name = member.name or ctx.say("member.unnamed")
        may = ctx.say("trial.voice.may" if one.consent else "trial.voice.may_not")
        text = ctx.say("trial.voice", stars=Safe(STARS[one.rating]), name=name, may=may)
        image = Image(partial(bytes, body), "photo.jpg", ctx.say("trial.photo_alt", name=name))
        replies.append(Reply(text, image=image, private=True, brief=ctx.say("group.brief")))
    back = (telling.button("button.trial_voices", "voices"),)
    ending = ctx.say("trial.photos", title=telling.title, n=len(replies))
    return [*replies, Reply(ending, buttons=(back,), private=True, brief=ctx.say("group.brief"))]
