from celery import shared_task

from questions import pairs, ranking
from questions.search import alerts
from questions.services import closing, follow_ups, lexemes, limits, publishing, revoking
from questions.services.moderation import undoing


@shared_task
def close_due_questions():
    """Close what has been silent for 30 days."""
    for question_id in closing.silent_questions():
        closing.close_if_silent(question_id=question_id)


@shared_task
def ask_what_became():
    """Ask the askers of solved questions what became of them, 7, 30 and 90 days later."""
    for question_id in follow_ups.due():
        follow_ups.ask(question_id=question_id)


@shared_task
def post_due_drafts():
    """Post the questions whose askers wanted to wait."""
    for draft_id in publishing.due():
        publishing.post_due(draft_id=draft_id)


@shared_task
def recount_ranks():
    """The day's pairs to look at, points, tiers and leaderboards, shortly after 00:00 UTC.

    What the revoked still had in flight when their votes were removed goes first.
    """
    revoking.remove_all_of_the_revoked()
    pairs.flag_pairs()
    ranking.recount_ranks()


@shared_task
def forget_moderated():
    """Delete what acts of moderators put aside and nobody can undo any more, and yesterday's counts of writing."""
    undoing.forget_before()
    limits.forget_days()


@shared_task
def recount_lexemes():
    """Count every night in how many posts each word occurs."""
    lexemes.recount_lexemes()


@shared_task
def tell_saved_searches():
    """Tell members of posts that newly match what they saved with alerts."""
    alerts.tell_of_new_matches()
