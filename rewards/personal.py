"""What rewards know of a person, for the ledger of personal data.

Nothing of an earmark is exported before its discussion closes: then it is an award.
"""

from collections.abc import Mapping

from accounts.leaving.ledger import (
    DERIVED,
    HASH,
    NUMBER,
    OTHERS,
    OWNER,
    PLACE,
    SECRET,
    Entry,
    Fate,
    Person,
    Shown,
)
from rewards.models import (
    Account,
    OpenPayment,
    Payee,
    TaxForm,
)
from rewards.models import (
    Entry as LedgerEntry,
)
from rewards.services import leaving, rooms

LAW = (
    "Tax law wants it kept. It names you by a random number alone, which nothing leads to once you are paid."
)
FIRMS = "a firm's own matter until its discussion closes; then it stands among what you earned"
SUBJECT = "a random number that only stands for you"


# Erasers


def end_payee(person: Person) -> None:
    """What explains money goes now, the way to the rest 90 days later. What is done in focus groups is paid first."""
    if person.member:
        rooms.settle_leaver(member=person.member)
        leaving.leave(member=person.member, address=person.user.email)


ERASERS = (end_payee,)


# Export


def _subjects(person: Person):
    return Payee.objects.filter(member__user=person.user).values("subject")


def _accounts(person: Person):
    return Account.objects.filter(subject__in=_subjects(person))


def _entries(person: Person):
    return LedgerEntry.objects.filter(account__subject__in=_subjects(person))


def _tax_forms(person: Person):
    return TaxForm.objects.filter(subject__in=_subjects(person))


def _open_payments(person: Person):
    return OpenPayment.objects.filter(subject__in=_subjects(person))


def _all(fields: str, why: str) -> Mapping[str, str]:
    return dict.fromkeys(fields.split(), why)


ENTRIES = (
    Entry(
        "rewards.Payee",
        "What becomes of your money",
        Fate.SEVERED,
        "It leads to your money for 90 days, then it goes.",
        path="member__user",
        load=("charity",),
        shown=(
            "subject",
            "takes",
            Shown("charity", "charity", lambda row: row.charity and row.charity.name),
            "may_be_earmarked",
            "left_at",
        ),
        withheld={
            "member": OWNER,
            "claim_hash": HASH,
            "draw_name": "a random name your draw tickets are made from; your ticket stands on each draw",
        },
        eraser=end_payee,
    ),
    Entry(
        "rewards.PayoutMethod",
        "Where your money goes",
        Fate.DELETED,
        "All of it goes.",
        path="payee__member__user",
        shown=("method", "details", "changed_at"),
        withheld={"payee": OWNER},
        eraser=end_payee,
    ),
    Entry(
        "rewards.TaxForm",
        "Your Form W-9",
        Fate.SEVERED,
        LAW,
        find=_tax_forms,
        shown=("form", "certified_at"),
        withheld={"subject": SUBJECT},
    ),
    Entry(
        "rewards.Affiliation",
        "Firms that pay you elsewhere",
        Fate.DELETED,
        "All of it goes.",
        path="member__user",
        load=("firm",),
        shown=(Shown("firm", "firm", lambda row: row.firm.name), "declared_at", "ended_at"),
        withheld={"id": NUMBER, "member": OWNER},
        eraser=end_payee,
    ),
    Entry(
        "rewards.Award",
        "What you earned",
        Fate.ANONYMIZED,
        "What it was for goes; that somebody earned it stays.",
        path="payee__member__user",
        load=("firm", "charity", "room__label__room"),
        shown=(
            "cause",
            "cents",
            "awarded_at",
            Shown("firm", "firm", lambda row: row.payer),
            Shown("room", "group", lambda row: row.room_id),
            Shown("question", "question", lambda row: row.question_id),
            Shown("post", "post", lambda row: row.post_id),
            Shown("charity", "charity", lambda row: row.charity and row.charity.name),
        ),
        withheld={
            "id": NUMBER,
            "payee": OWNER,
            "earmark": "a number of the firm's",
            "sponsorship": "the question is exported",
            "entry": "stands with the lines of your account",
        },
        eraser=end_payee,
    ),
    Entry(
        "rewards.Account",
        "Your balance",
        Fate.SEVERED,
        LAW,
        find=_accounts,
        shown=("balance",),
        withheld={**_all("id", NUMBER), **_all("kind firm charity", DERIVED), "subject": SUBJECT},
    ),
    Entry(
        "rewards.Entry",
        "Lines of your account",
        Fate.SEVERED,
        LAW,
        find=_entries,
        load=("transaction",),
        shown=(
            Shown("transaction", "kind", lambda row: row.transaction.get_kind_display()),
            Shown("", "at", lambda row: row.transaction.at),
            "amount",
            "balance_after",
        ),
        withheld={"id": NUMBER, "account": OWNER},
    ),
    Entry(
        "rewards.Transaction",
        "Movements of money",
        Fate.SEVERED,
        LAW,
        withheld={
            **_all("id kind at xact", "stands with the lines of your account"),
            **_all("key reverses", "a number of the ledger"),
            **_all("by note", OTHERS),
        },
    ),
    Entry(
        "rewards.Payout",
        "Payouts",
        Fate.SEVERED,
        LAW + " Where it went is forgotten 90 days after its end.",
        path="payee__member__user",
        shown=(
            "key",
            "method",
            "details",
            "cents",
            "state",
            "requested_at",
            "promised_on",
            "sent_at",
            "ended_at",
            "paid_on",
            "reference",
            "problem",
            "late_told_at",
        ),
        withheld={
            "id": NUMBER,
            "subject": SUBJECT,
            "payee": OWNER,
            "charity": "of payouts to charities alone",
            "submission": "a number of the form",
            **_all("provider tries batch", "how it was sent"),
            **_all("held settled put_back", "stands with the lines of your account"),
        },
    ),
    Entry(
        "rewards.OpenPayment",
        "What firms may report about you",
        Fate.SEVERED,
        "Federal law wants it reported and kept (42 CFR 403.904, 403.912).",
        find=_open_payments,
        load=("firm", "award__firm", "award__room__label__room"),
        shown=(
            Shown("firm", "firm", lambda row: row.award.payer if row.is_blind else row.firm.name),
            "year",
            "paid_on",
            "cents",
            "form",
            "nature",
            Shown("products", "products", lambda row: row.products if row.award.names_payer else []),
            "charity_name",
            "recipient",
            "is_blind",
            "unblinded_on",
            "unblinded_by",
            "dispute",
            "disputed_at",
            "dispute_words",
            "dispute_answer",
            "answered_at",
            "excluded",
        ),
        withheld={"id": NUMBER, "award": "stands with what you earned", "subject": SUBJECT},
    ),
    Entry(
        "rewards.Slot",
        "Sponsored polls you took that are not credited yet",
        Fate.KEPT,
        "It goes when it is credited.",
        path="member__user",
        shown=(Shown("sponsorship", "question", lambda row: row.sponsorship_id),),
        withheld={"id": "a number drawn by lot", "member": OWNER},
    ),
    Entry(
        "rewards.Earmark",
        "Earmarks of posts",
        Fate.KEPT,
        "A firm's, and no person's.",
        withheld=_all(
            "id firm question post author_cents voter_cents voter_slots state why votes_before was_public placed_at "
            "ended_at key reserved ended",
            FIRMS,
        ),
    ),
    Entry(
        "rewards.Settlement",
        "What was paid in discussions",
        Fate.KEPT,
        "It names nobody who was paid.",
        withheld=_all("question settled_at paid_cents payees firms", PLACE),
    ),
    Entry(
        "rewards.Pool",
        "Draws",
        Fate.KEPT,
        "Its tickets are made from random numbers.",
        withheld=_all("id settlement number earmark draw_day seed cents slots tickets winners", PLACE),
    ),
    Entry(
        "rewards.Sponsorship",
        "Firms that pay for polls",
        Fate.KEPT,
        "A firm's, and no person's.",
        withheld=_all("label firm is_blinded agreed_at ended_at reserved released", PLACE),
    ),
    Entry(
        "rewards.RoomSponsorship",
        "Firms that pay for focus groups",
        Fate.KEPT,
        "A firm's, and no person's.",
        withheld=_all("label firm agreed_at ended_at reserved released", PLACE),
    ),
    Entry(
        "rewards.PayoutStep",
        "Steps of payouts",
        Fate.SEVERED,
        LAW,
        path="payout__payee__member__user",
        shown=(Shown("payout", "payout", lambda row: row.payout_id), "state", "at", "note"),
        withheld={"id": NUMBER, "by": OTHERS},
    ),
    Entry(
        "rewards.Approval",
        "Approvals of payouts",
        Fate.KEPT,
        "The finance desk's own work.",
        withheld={"id": NUMBER, "payout": PLACE, "by": OTHERS, "at": PLACE},
    ),
    Entry(
        "rewards.ProviderEvent",
        "Messages of payment providers",
        Fate.KEPT,
        "It names nobody.",
        withheld=_all("id provider event kind received_at payout", SECRET),
    ),
)
