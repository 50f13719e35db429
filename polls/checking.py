"""Whether the counts of polls fit one another. They can only be looked at: nothing else says what anybody chose."""

from collections.abc import Callable

from django.db import connection

MISFITS = """
SELECT poll_id, voters, voted - on_their_way, firsts, ballots
  FROM (SELECT t.poll_id, t.voters, p.kind, p.may_change OR p.kind = 'ranked' AS keeps_ballots,
               (SELECT count(*) FROM polls_receipt r WHERE r.poll_id = t.poll_id AND r.kind = 'voted') AS voted,
               (SELECT count(*) FROM polls_ticket k WHERE k.poll_id = t.poll_id) AS on_their_way,
               (SELECT coalesce(sum(n), 0) FROM unnest(t.counts) AS n) AS firsts,
               (SELECT count(*) FROM polls_ballot b WHERE b.poll_id = t.poll_id) AS ballots
          FROM polls_tally t JOIN polls_poll p ON p.question_id = t.poll_id) AS counted
 WHERE voters <> voted - on_their_way
    OR (kind <> 'multiple' AND firsts <> voters)
    OR (keeps_ballots AND ballots <> voters)
 ORDER BY poll_id
"""


def check(say: Callable[[str], object]) -> int:
    """Say which polls have another number of votes than of receipts, choices or ballots; return how many, and change
    nothing.

    A vote that is cut off between its receipt and its count has a ticket, and is no misfit.
    """
    with connection.cursor() as cursor:
        cursor.execute(MISFITS)
        rows = cursor.fetchall()
    for poll_id, voters, receipts, firsts, ballots in rows:
        say(
            f"  poll {poll_id} does not fit: {voters} votes, {receipts} receipts, {firsts} choices, {ballots} ballots"
        )
    say(f"  {len(rows)} polls whose counts do not fit")
    return len(rows)
