import logging
from collections.abc import Callable, Iterable

from celery import shared_task
from django.db import OperationalError

from questions import pairs, ranking
from questions.search import alerts
from questions.services import closing, follow_ups, inviting, lexemes, publishing, revoking

log = logging.getLogger(__name__)


@shared_task
def close_due_questions():
    """Close what has been silent for 30 days."""
    for question_id in closing.silent_questions():
        closing.close_if_silent(question_id=question_id)


@shared_task
def ask_what_became():
    """Ask the askers of solved questions what became of them, 7, 30 and 90 days later."""
    _each_alone("follow-up of question", follow_ups.due(), lambda pk: follow_ups.ask(question_id=pk))


@shared_task
def expire_invitations():
    """End invitations into private consults that nobody answered in time."""
    _each_alone("invitation", inviting.due(), lambda pk: inviting.expire_due(invitation_id=pk))


@shared_task
def post_due_drafts():
    """Post the questions whose askers wanted to wait."""
    _each_alone(
        "draft",
        publishing.due(),
        lambda pk: publishing.post_due(draft_id=pk),
        otherwise=lambda pk: publishing.give_up(draft_id=pk),
    )


def _each_alone(
    noun: str, ids: Iterable[int], work: Callable[[int], object], otherwise: Callable | None = None
) -> None:
    """Work off one after the other, whatever becomes of those before.

    What failed by a fault of the site is logged without its words, and given to `otherwise`; a busy or absent
    database is no such fault, and the next run tries again.
    """
    for pk in ids:
        try:
            work(pk)
        except OperationalError as error:
            log.warning("%s %d waits: %s", noun, pk, type(error).__name__)
        except Exception as error:
            log.error("%s %d failed: %s", noun, pk, type(error).__name__)
            if otherwise:
                _each_alone(noun, [pk], otherwise)


@shared_task
def recount_ranks():
    """The day's pairs to look at, points, tiers and leaderboards, shortly after 00:00 UTC.

    What the revoked still had in flight when their votes were removed goes first.
    """
    revoking.remove_all_of_the_revoked()
    pairs.flag_pairs()
    ranking.recount_ranks()


@shared_task
def recount_lexemes():
    """Count every night in how many posts each word occurs."""
    lexemes.recount_lexemes()


@shared_task
def tell_saved_searches():
    """Tell members of posts that newly match what they saved with alerts."""
    alerts.tell_of_new_matches()
