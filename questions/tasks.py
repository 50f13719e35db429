from celery import shared_task

from questions import pairs, ranking
from questions.services import closing, revoking


@shared_task
def close_due_questions():
    """Close what has been silent for 30 days."""
    for question_id in closing.silent_questions():
        closing.close_if_silent(question_id=question_id)


@shared_task
def recount_ranks():
    """The day's pairs to look at, points, tiers and leaderboards, shortly after 00:00 UTC.

    What the revoked still had in flight when their votes were removed goes first.
    """
    revoking.remove_all_of_the_revoked()
    pairs.flag_pairs()
    ranking.recount_ranks()
