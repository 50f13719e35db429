"""Whether the books are right: everything that must hold between entries, balances and what they stand for."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

MOST = 20  # faults told of one kind; the rest is counted

# What a row of each query says is wrong. The queries find nothing in books that are right.
CHECKS = {
    "transaction {} has {} entries that sum to {} cents, not two or more that sum to zero": """
        SELECT t.id, count(e.id), coalesce(sum(e.amount), 0)
        FROM rewards_transaction t LEFT JOIN rewards_entry e ON e.transaction_id = t.id
        GROUP BY t.id HAVING count(e.id) < 2 OR sum(e.amount) <> 0
        ORDER BY t.id
    """,
    "entry {} leaves {} cents on account {}, but the entries up to it make {}": """
        SELECT id, balance_after, account_id, running
        FROM (
            SELECT id, account_id, balance_after,
                sum(amount) OVER (PARTITION BY account_id ORDER BY id ROWS UNBOUNDED PRECEDING) AS running
            FROM rewards_entry
        ) AS entry
        WHERE running <> balance_after
        ORDER BY id
    """,
    "account {} ({}) holds {} cents, but its entries make {}": """
        SELECT a.id, a.kind, a.balance, coalesce(e.cents, 0)
        FROM rewards_account a
        LEFT JOIN (SELECT account_id, sum(amount) AS cents FROM rewards_entry GROUP BY account_id) AS e
            ON e.account_id = a.id
        WHERE a.balance <> coalesce(e.cents, 0)
        ORDER BY a.id
    """,
    "account {} ({}) is overdrawn: {} cents": """
        SELECT id, kind, balance FROM rewards_account
        WHERE balance < 0 AND kind IN ('firm', 'reserved', 'payable', 'charity', 'sending')
        ORDER BY id
    """,
    "transaction {} is not the exact opposite of transaction {}, which it reverses: account {}": """
        SELECT pair.id, pair.reverses_id, e.account_id
        FROM rewards_transaction pair
        JOIN rewards_entry e ON e.transaction_id IN (pair.id, pair.reverses_id)
        WHERE pair.reverses_id IS NOT NULL
        GROUP BY pair.id, pair.reverses_id, e.account_id HAVING sum(e.amount) <> 0
        ORDER BY pair.id, e.account_id
    """,
    "firm {} has {} cents reserved, but its earmarks, polls and groups have promised {}": """
        WITH promised AS (
            SELECT m.firm_id, m.author_cents + m.voter_cents::bigint * m.voter_slots
                - coalesce((SELECT sum(cents) FROM rewards_award w WHERE w.earmark_id = m.id), 0) AS cents
            FROM rewards_earmark m WHERE m.state IN ('open', 'held')
            UNION ALL
            SELECT s.firm_id, l.honorarium::bigint * l.quota
                - coalesce((SELECT sum(cents) FROM rewards_award w WHERE w.sponsorship_id = s.label_id), 0)
            FROM rewards_sponsorship s JOIN polls_sponsor l ON l.poll_id = s.label_id WHERE s.ended_at IS NULL
            UNION ALL
            SELECT r.firm_id, l.budget::bigint
                - coalesce((SELECT sum(cents) FROM rewards_award w WHERE w.room_id = r.label_id), 0)
            FROM rewards_roomsponsorship r JOIN focusgroups_sponsor l ON l.room_id = r.label_id
            WHERE r.ended_at IS NULL
        ), reserved AS (
            SELECT firm_id, balance FROM rewards_account WHERE kind = 'reserved'
        ), due AS (
            SELECT firm_id, sum(cents) AS cents FROM promised GROUP BY firm_id
        )
        SELECT firm_id, coalesce(balance, 0), coalesce(cents, 0)
        FROM reserved FULL JOIN due USING (firm_id)
        WHERE coalesce(balance, 0) <> coalesce(cents, 0)
        ORDER BY firm_id
    """,
    "focus group {} says that {} cents are reserved for it, but its movements make {}": """
        WITH moved AS (
            SELECT split_part(t.key, ':', 5) AS first, sum(e.amount) AS cents
            FROM rewards_transaction t
            JOIN rewards_entry e ON e.transaction_id = t.id
            JOIN rewards_account a ON a.id = e.account_id AND a.kind = 'reserved'
            WHERE t.key LIKE 'group:room:%%:fit:%%'
            GROUP BY 1
        )
        SELECT r.label_id, l.budget, e.amount + coalesce(moved.cents, 0)
        FROM rewards_roomsponsorship r
        JOIN focusgroups_sponsor l ON l.room_id = r.label_id
        JOIN rewards_entry e ON e.transaction_id = r.reserved_id
        JOIN rewards_account a ON a.id = e.account_id AND a.kind = 'reserved'
        LEFT JOIN moved ON moved.first = r.reserved_id::text
        WHERE l.budget <> e.amount + coalesce(moved.cents, 0)
        ORDER BY r.label_id
    """,
    "{} cents are on their way, but the payouts that did not end make {}": """
        SELECT sending, under_way FROM (
            SELECT
                (SELECT coalesce(sum(balance), 0) FROM rewards_account WHERE kind = 'sending') AS sending,
                (SELECT coalesce(sum(cents), 0) FROM rewards_payout WHERE ended_at IS NULL) AS under_way
        ) AS sums
        WHERE sending <> under_way
    """,
    "{} cents were paid out, but the paid payouts make {}": """
        SELECT paid, payouts FROM (
            SELECT
                (SELECT coalesce(sum(balance), 0) FROM rewards_account WHERE kind = 'paid') AS paid,
                (
                    SELECT coalesce(sum(cents), 0) FROM rewards_payout
                    WHERE settled_id IS NOT NULL AND put_back_id IS NULL
                ) AS payouts
        ) AS sums
        WHERE paid <> payouts
    """,
    "payout {} is of {} cents, but its transaction {} moves {}": """
        SELECT p.id, p.cents, moved.transaction_id, moved.cents
        FROM rewards_payout p
        CROSS JOIN LATERAL (
            SELECT transaction_id, sum(amount) AS cents FROM rewards_entry
            WHERE transaction_id IN (p.held_id, p.settled_id, p.put_back_id) AND amount > 0
            GROUP BY transaction_id
        ) AS moved
        WHERE moved.cents <> p.cents
        ORDER BY p.id, moved.transaction_id
    """,
    "entry {} is of {} cents, but the awards that explain it make {}": """
        SELECT e.id, e.amount, sum(a.cents)
        FROM rewards_award a JOIN rewards_entry e ON e.id = a.entry_id
        GROUP BY e.id, e.amount HAVING e.amount <> sum(a.cents)
        ORDER BY e.id
    """,
    "entry {} credits account {} for work, but no award explains it": """
        SELECT e.id, e.account_id
        FROM rewards_entry e
        JOIN rewards_account a ON a.id = e.account_id AND a.kind IN ('payable', 'charity')
        JOIN rewards_transaction t ON t.id = e.transaction_id AND t.kind IN ('settle', 'honorarium')
        WHERE e.amount > 0 AND NOT EXISTS (SELECT FROM rewards_award w WHERE w.entry_id = e.id)
        ORDER BY e.id
    """,
    "discussion {} says that {} cents were paid in it, but its awards that stand make {}": """
        WITH stands AS (
            SELECT m.question_id, sum(w.cents) AS cents
            FROM rewards_award w
            JOIN rewards_earmark m ON m.id = w.earmark_id
            JOIN rewards_entry e ON e.id = w.entry_id
            LEFT JOIN rewards_transaction undone ON undone.reverses_id = e.transaction_id
            WHERE undone.id IS NULL
            GROUP BY m.question_id
        )
        SELECT s.question_id, s.paid_cents, coalesce(stands.cents, 0)
        FROM rewards_settlement s LEFT JOIN stands ON stands.question_id = s.question_id
        WHERE s.paid_cents <> coalesce(stands.cents, 0)
        ORDER BY s.question_id
    """,
    "award {} is explained by entry {} on somebody else's account": """
        SELECT w.id, w.entry_id
        FROM rewards_award w
        JOIN rewards_entry e ON e.id = w.entry_id
        JOIN rewards_account a ON a.id = e.account_id
        WHERE CASE
            WHEN w.charity_id IS NOT NULL THEN a.charity_id IS DISTINCT FROM w.charity_id
            WHEN w.payee_id IS NOT NULL THEN a.subject IS DISTINCT FROM w.payee_id
            ELSE a.subject IS NULL
        END
        ORDER BY w.id
    """,
}


def faults() -> Iterator[str]:
    """Each thing that is wrong, in words with the ids to look at; nothing where the books are right.

    All of it is judged as of one moment, whatever is written meanwhile.
    """
    with _one_moment(), connection.cursor() as cursor:
        for words, query in CHECKS.items():
            cursor.execute(f"{query} LIMIT {MOST + 1}", [])
            rows = cursor.fetchall()
            yield from (words.format(*row) for row in rows[:MOST])
            if len(rows) > MOST:
                yield f"... and more like it: {words.format(*rows[MOST])}"


@contextmanager
def _one_moment():
    """A transaction that reads one state of the database, unless the caller's own has begun."""
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield
