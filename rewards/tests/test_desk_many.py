"""The bars of size of the finance desk, on a ledger of 1,000,000 entries: `make scale`."""

import time

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from rewards.models import Account, Entry, Transaction
from rewards.tests.test_desk import MODELS, confirmed, make_finance, opening_of, page

pytestmark = [pytest.mark.scale, pytest.mark.django_db(transaction=True)]

TRANSACTIONS = 500_000  # of two entries each
FIRMS = 2_000
MEMBERS = 20_000
PAYOUTS = 100_000
AT_ONCE = 25_000  # transactions of one commit, through all triggers

FILL = [
    """
    INSERT INTO rewards_firm (name, kind, shows_name, is_covered, registration_id, products, is_active, joined_at)
    SELECT 'Firm ' || n, 'pharma', true, true, n, '[]', true, now() FROM generate_series(1, %(firms)s) n
    """,
    "INSERT INTO rewards_account (kind, balance) VALUES ('deposits', 0)",
    "INSERT INTO rewards_account (kind, firm_id, balance) SELECT 'reserved', id, 0 FROM rewards_firm",
    """
    INSERT INTO rewards_account (kind, subject, balance)
    SELECT 'payable', gen_random_uuid(), 0 FROM generate_series(1, %(members)s)
    """,
]
BULK = [
    """
    INSERT INTO rewards_transaction (kind, key, at, note, xact)
    SELECT CASE WHEN n <= %(firms)s THEN 'top_up' ELSE 'honorarium' END, 'many:' || n,
           now() - (%(transactions)s - n) * interval '1 minute', '', 0
      FROM generate_series(%(first)s, %(last)s) n
    """,
    """
    WITH least AS (
      SELECT min(id) FILTER (WHERE kind = 'reserved') AS reserved, min(id) FILTER (WHERE kind = 'payable') AS payable,
             min(id) FILTER (WHERE kind = 'deposits') AS deposits
        FROM rewards_account
    )
    INSERT INTO rewards_entry (transaction_id, account_id, amount, balance_after)
    SELECT t.id, side.account, side.amount, 0
      FROM rewards_transaction t, least, LATERAL (SELECT substr(t.key, 6)::int AS n) number, LATERAL (
        SELECT deposits AS account, -1000000 AS amount WHERE t.kind = 'top_up'
        UNION ALL SELECT reserved + n %% %(firms)s, 1000000 WHERE t.kind = 'top_up'
        UNION ALL SELECT reserved + n %% %(firms)s, -500 WHERE t.kind = 'honorarium'
        UNION ALL SELECT payable + n %% %(members)s, 500 WHERE t.kind = 'honorarium'
      ) side
     WHERE t.xact = pg_current_xact_id()::text::bigint
     ORDER BY t.id
    """,
]
REST = [
    """
    INSERT INTO rewards_payout
      (key, submission, subject, method, provider, cents, state, requested_at, promised_on, tries, reference, problem,
       ended_at, paid_on, held_id, settled_id)
    SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'check', 'manual', 2500, state, at,
           at::date + 14, 0, '', '', CASE WHEN state = 'paid' THEN now() END,
           CASE WHEN state = 'paid' THEN now()::date END, id,
           CASE WHEN state = 'paid' THEN id END
      FROM (SELECT id, at, CASE WHEN id %% 50 = 0 THEN 'requested' ELSE 'paid' END AS state
              FROM rewards_transaction ORDER BY id DESC LIMIT %(payouts)s) chosen
    """,
    """
    INSERT INTO rewards_award (firm_id, cause, cents, entry_id, awarded_at)
    SELECT (SELECT min(id) FROM rewards_firm), 'group', 500, id, now()
      FROM rewards_entry WHERE amount = 500 ORDER BY id LIMIT %(payouts)s
    """,
    """
    INSERT INTO rewards_openpayment
      (award_id, firm_id, subject, year, paid_on, cents, form, nature, products, charity_name, recipient, is_blind,
       unblinded_by, dispute, disputed_at, excluded)
    SELECT id, firm_id, gen_random_uuid(), 2026, '2026-03-01', 500, 'Cash', 'Honoraria', '{}', '', '', true,
           '', CASE WHEN id %% 5000 = 0 THEN 'open' ELSE '' END, CASE WHEN id %% 5000 = 0 THEN now() END, false
      FROM rewards_award
    """,
    """
    INSERT INTO rewards_earmark
      (firm_id, question_id, post_id, author_cents, voter_cents, voter_slots, state, why, votes_before, was_public,
       placed_at, key, reserved_id)
    SELECT f.id, %(question)s, %(post)s, 500, 0, 0, 'open', '', 0, false, now(), gen_random_uuid(), t.id
      FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM rewards_firm) f
      JOIN (SELECT id, row_number() OVER (ORDER BY id) AS n FROM rewards_transaction) t USING (n)
    """,
    "ANALYZE",
]


@transaction.atomic
def run(statements, values):
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement, values)


@pytest.fixture
def ledger_of_a_million(physician):
    post = opening_of(physician)
    numbers = {
        **{"transactions": TRANSACTIONS, "firms": FIRMS, "members": MEMBERS, "payouts": PAYOUTS},
        **{"question": post.question_id, "post": post.pk},
    }
    run(FILL, numbers)
    for first in range(1, TRANSACTIONS, AT_ONCE):
        run(BULK, {**numbers, "first": first, "last": first + AT_ONCE - 1})
    run(REST, numbers)
    assert Entry.objects.count() == 2 * TRANSACTIONS


def test_the_desk_opens_quickly_on_a_million_entries(ledger_of_a_million):
    desk = confirmed(make_finance())
    account = Account.objects.filter(kind="payable").order_by("pk")[9]
    deposits = Account.objects.get(kind="deposits")
    addresses = {
        "front": reverse("admin:app_list", args=["rewards"]),
        **{model: page(model) for model in MODELS},
        "payouts, all": page("payout") + "?queue=all",
        "payouts, late": page("payout") + "?queue=late",
        "transactions of a kind": page("transaction") + "?kind__exact=top_up",
        "transactions of none": page("transaction") + "?kind__exact=late",
        "entries, far back": page("entry") + "?p=9000",
        "entries of a kind": page("entry") + "?account__kind__exact=deposits",
        "an account by subject": f"{page('account')}?q={account.subject}",
        "accounts not zero": page("account") + "?owed=yes",
        "an account": page("account", "change", account.pk),
        "an account of the house": page("account", "change", deposits.pk),
        "a transaction": page("transaction", "change", Transaction.objects.latest("pk").pk),
        "open disputes": page("openpayment") + "?dispute__exact=open",
    }
    desk.get(page("firm"))

    found = {}
    for name, address in addresses.items():
        with CaptureQueriesContext(
            connection,
        ) as queries:
            began = time.perf_counter()
            answer = desk.get(address)
            seconds = time.perf_counter() - began
        assert answer.status_code == 200, name
        found[name] = (len(queries), seconds)
        print(f"{name:28} {len(queries):3} queries {seconds * 1000:7.0f} ms")

    assert {name: number for name, (number, _) in found.items() if number > 10} == {}
    assert {name: seconds for name, (_, seconds) in found.items() if seconds > 2} == {}
