"""The order "hot": importance and activity, decaying with age.

    hot = log2(1 + weight) + days from 2020-01-01 to the opening

    weight = 4 x answers + comments + votes + 3 x ratings x max(0, importance - 3) (+ 2 if needed today)

Each doubling of the weight lifts a discussion as far as one day of youth does. The form, a logarithm of the
votes plus the time of posting, is the one Reddit published for its front page (reddit/r2, `_sorts.pyx`). The
reason to take it: age never enters as "now minus opened", so a stored rank stays right in comparison with all
others, only writes to a discussion change its own rank, and the list is read from an index. Importance is the
Bayesian mean (prior 3.0, weight 5).
"""

import math
from datetime import UTC, datetime
from decimal import Decimal

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
PRIOR_MEAN, PRIOR_WEIGHT = 3, 5


def bayesian_importance(total: int, count: int) -> Decimal:
    """Mean of the ratings with five imagined ratings of 3.0 mixed in; four decimals, from 1 to 5."""
    mean = Decimal(PRIOR_MEAN * PRIOR_WEIGHT + total) / (PRIOR_WEIGHT + count)
    return mean.quantize(Decimal("0.0001"))


def hot_rank(question) -> float:
    """The stored order key of a question, from its own counters."""
    weight = 4 * question.answer_count + question.comment_count + question.vote_count
    weight += 3 * question.importance_count * max(0.0, float(question.importance) - PRIOR_MEAN)
    weight += 2 if question.urgency == question.Urgency.TODAY else 0
    days = (question.opened_at - EPOCH).total_seconds() / 86400
    return round(math.log2(1 + weight) + days, 6)
