"""Counters computed anew from the rows."""

from django.db import connection, transaction

from questions.hot import bayesian_importance, hot_rank
from questions.models import Question

POST_COUNTERS = """
UPDATE questions_post p SET corroborate_count = s.yes, dispute_count = s.no
  FROM (SELECT p.id, count(v.id) FILTER (WHERE v.value = 1) AS yes, count(v.id) FILTER (WHERE v.value = -1) AS no
          FROM questions_post p LEFT JOIN questions_vote v ON v.post_id = p.id
         WHERE p.question_id = ANY(%(ids)s) GROUP BY p.id) s
 WHERE s.id = p.id AND (p.corroborate_count, p.dispute_count) <> (s.yes, s.no)
"""

QUESTION_COUNTERS = """
UPDATE questions_question q
   SET answer_count = s.answers, comment_count = s.comments, vote_count = s.votes, first_answer_at = s.first_answer,
       importance_sum = i.total, importance_count = i.number
  FROM (SELECT q.id,
               count(p.id) FILTER (WHERE p.kind = 'answer') AS answers,
               count(p.id) FILTER (WHERE p.kind = 'comment') AS comments,
               coalesce(sum(p.corroborate_count + p.dispute_count), 0) AS votes,
               min(p.posted_at) FILTER (WHERE p.kind = 'answer' AND p.author_id <> q.asker_id) AS first_answer
          FROM questions_question q
          LEFT JOIN questions_post p ON p.question_id = q.id AND p.removed_at IS NULL
         WHERE q.id = ANY(%(ids)s) GROUP BY q.id) s
  JOIN (SELECT q.id, coalesce(sum(r.value), 0) AS total, count(r.id) AS number
          FROM questions_question q LEFT JOIN questions_importance r ON r.question_id = q.id
         WHERE q.id = ANY(%(ids)s) GROUP BY q.id) i ON i.id = s.id
 WHERE q.id = s.id
   AND (q.answer_count, q.comment_count, q.vote_count, q.first_answer_at, q.importance_sum, q.importance_count)
       IS DISTINCT FROM (s.answers, s.comments, s.votes, s.first_answer, i.total, i.number)
"""


@transaction.atomic
def recount_questions(ids: list[int]) -> int:
    """Set the counters and ranks of these discussions and their posts from the rows; return how many were wrong."""
    locked = list(Question.objects.select_for_update().filter(pk__in=ids).order_by("pk"))
    with connection.cursor() as cursor:
        cursor.execute(POST_COUNTERS, {"ids": ids})
        wrong = cursor.rowcount
        cursor.execute(QUESTION_COUNTERS, {"ids": ids})
        wrong += cursor.rowcount
    for question in locked:
        question.refresh_from_db()
        before = (question.importance, question.hot)
        question.importance = bayesian_importance(question.importance_sum, question.importance_count)
        question.hot = hot_rank(question)
        if (question.importance, question.hot) != before:
            question.save(update_fields=["importance", "hot"])
            wrong += 1
    return wrong
