"""Points and tiers: the published formula, and nothing else.

Each line of a member's points comes from one deed and is halved in 180 days, counted in whole days (UTC):

    +5 / n   a colleague corroborated an answer
    -3 / n   a colleague disputed an answer, upheld: at least three disputes, and more than corroborate
    +1 / n   a colleague marked a comment helpful, the first 20 a day
    +10      an asker credited an answer with the solution of somebody else's question
    -50      somebody they vouched for was revoked as an impostor, until that is taken back
    +2 x (mean - 3) x sqrt(ratings)   colleagues rated a question important, where the mean is above 3

Rank belongs to the handle, so posts under a real name count nothing: else a vote on one would move the points
shown beside the handle and join the two. For the same reason such votes do not advance n. Above, n says that it was
the n-th vote of the same colleague to the same member within 30 days, by the time it was first cast, whether the
posts were signed with the handle alone or with region and years beside it. Votes between two members whose pair a
moderator discounted count nothing (questions.pairs). A voter's reliability multiplies votes; it is 1.0 until ten
scored outcomes exist, and none are scored yet. Reads, log-ins and referrals give nothing. Each line is rounded to
four decimals, so a sum never depends on its order; whole days, so that no line tells the hour of a vote.

The as-of moment is 00:00 UTC. Deeds of that day count in full, later ones not at all. A change during the day
recomputes the member touched as of the day's 00:00, so `recount` gives the same figures from the rows at any time.

Tiers and leaderboards are drawn once a day from the deeds dated before today (UTC), as they stand when drawn: disputes
upheld, ratings and removals since count as they are now. Tiers, among members active (posted, voted or rated) in the
90 days before: New below ten events, then Contributor; Trusted in the top quarter, Expert in the top 5 %, Top in the
top 1 % or among the first three of a specialty, as handles show it, with 20 active members or more. Nobody without
points is above Contributor.
"""

from questions.ranking.daily import Recounted, recount_ranks
from questions.ranking.lines import Line, lines_of, midnight, points_on, unscored_of
from questions.ranking.points import recompute_points

__all__ = [
    "Line",
    "Recounted",
    "lines_of",
    "midnight",
    "points_on",
    "recompute_points",
    "recount_ranks",
    "unscored_of",
]
