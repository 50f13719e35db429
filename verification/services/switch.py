"""Whether the questions are asked, for the whole site: the setting, and below it what staff and the alarm turn.

Off, applicants go straight to documents; tries that run are finished.
"""

from django.db import transaction

from accounts.models import User
from sermo.errors import RuleBroken
from verification import rules
from verification.models import ChallengeSwitch
from verification.services import events, notices

LONGEST_REASON = 200


class NotAllowed(RuleBroken):
    message = "Only verification reviewers turn the questions on and off."


class ReasonMissing(RuleBroken):
    message = "Write why, in a sentence."


class OffInSettings(RuleBroken):
    message = "The questions are off in the site's settings. Whoever runs the site turns them on there."


def questions_on() -> bool:
    """Whether a try of the questions may start now."""
    if not rules.CHALLENGE_ON:
        return False
    newest = last_turn()
    return newest is None or newest.is_on


def last_turn() -> ChallengeSwitch | None:
    """How the switch was turned last, or None while nobody has."""
    return ChallengeSwitch.objects.first()


@transaction.atomic
def turn(*, on: bool, by: User | None, why: str) -> ChallengeSwitch | None:
    """Turn the questions on or off. `by` is None where the alarm does it, which then writes to the reviewers.

    Returns the turn that rules now: where they were so already it is the last one, if any, and nothing is written.
    Raises NotAllowed, ReasonMissing, and OffInSettings when they cannot be turned on here.
    """
    if by is not None and not by.has_perm("verification.turn_questions"):
        raise NotAllowed
    if not why.strip():
        raise ReasonMissing
    if on and not rules.CHALLENGE_ON:
        raise OffInSettings
    events.lock_chain()  # so that two who turn it at once do it once
    newest = last_turn()
    if on == (newest is None or newest.is_on):
        return newest
    newest = ChallengeSwitch.objects.create(is_on=on, by=by, why=why.strip()[:LONGEST_REASON])
    events.record(
        kind="questions_on" if on else "questions_off",
        by=by,
        reason="reviewer" if by else "alarm",
        key=f"switch:{newest.pk}",
    )
    if by is None:
        notices.tell_reviewers("questions_off", "admin:verification_challengeswitch_changelist")
    return newest
