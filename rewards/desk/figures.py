"""What waits for somebody at the finance desk, and how much money stands where."""

from django.conf import settings
from django.db.models import Count, Q, QuerySet, Sum
from django.urls import reverse

from rewards import business_days, providers
from rewards.models import Account, Method, OpenPayment, Payout, Reconciliation
from rewards.words import dollars

BY_HAND = "manual"  # the provider that is people with a file
MOST_COUNTED = 1_000
State = Payout.State
HELD = {  # names of what stands on all accounts of a kind
    Account.Kind.FIRM: "Balances of firms",
    Account.Kind.RESERVED: "Reserved by firms",
    Account.Kind.PAYABLE: "Owed to members",
    Account.Kind.CHARITY: "Owed to charities",
    Account.Kind.SENDING: "On its way",
    Account.Kind.PAID: "Paid out",
}


def today():
    return business_days.today()


def methods_by_hand() -> list[tuple[str, str]]:
    """What is taken away in files on this site, and what waits for that since it was."""
    waiting = Payout.objects.filter(state=State.APPROVED, provider=BY_HAND)
    left = set(waiting.order_by().values_list("method", flat=True).distinct())
    return [
        (method, words)
        for method, words in Method.choices
        if method in left or settings.PAYOUT_PROVIDERS.get(method) == BY_HAND
    ]


def providers_that_list() -> list[str]:
    """Providers in use that keep a list of their own."""
    names = sorted({name for name in settings.PAYOUT_PROVIDERS.values() if name and name != BY_HAND})
    return [name for name in names if providers.of(name).is_ready()]


def queue(payouts: QuerySet[Payout], name: str | None) -> QuerySet[Payout]:
    """Payouts that wait for the same thing; those for approval where none is named."""
    if name == "all":
        return payouts
    wanted = {
        "file": Q(state=State.APPROVED, provider=BY_HAND),
        "sent": Q(state=State.SUBMITTED, provider=BY_HAND),
        "doubt": Q(state=State.IN_DOUBT),
        "late": Q(state__in=Payout.UNDER_WAY, promised_on__lt=today()),
    }
    return payouts.filter(wanted.get(name, Q(state=State.REQUESTED)))


def payouts_said() -> str:
    """One sentence of how many payouts are where, and what they come to."""
    found = Payout.objects.filter(state__in=[*Payout.UNDER_WAY, State.FAILED]).aggregate(
        all=Count("pk"), cents=Sum("cents", default=0)
    )
    are = "payout is" if found["all"] == 1 else "payouts are"
    return f"{found['all']:,} {are} under way, {dollars(found['cents'])} in all."


def waiting() -> list[dict]:
    """What needs somebody now: words, how many, and the list of them."""
    of_payouts = Payout.objects.filter(state__in=Payout.UNDER_WAY).aggregate(
        approval=Count("pk", filter=Q(state=State.REQUESTED)),
        file=Count("pk", filter=Q(state=State.APPROVED, provider=BY_HAND)),
        sent=Count("pk", filter=Q(state=State.SUBMITTED, provider=BY_HAND)),
        doubt=Count("pk", filter=Q(state=State.IN_DOUBT)),
        late=Count("pk", filter=Q(promised_on__lt=today())),
    )
    payouts = reverse("admin:rewards_payout_changelist")
    rows = [
        ("Payouts waiting for approval", of_payouts["approval"], payouts),
        ("To be downloaded as a file", of_payouts["file"], f"{payouts}?queue=file"),
        ("Downloaded, to be confirmed", of_payouts["sent"], f"{payouts}?queue=sent"),
        ("In doubt", of_payouts["doubt"], f"{payouts}?queue=doubt"),
        ("Late", of_payouts["late"], f"{payouts}?queue=late"),
        ("Differences", _differences(), reverse("admin:rewards_reconciliation_changelist")),
        ("Disputes", _disputes(), f"{reverse('admin:rewards_openpayment_changelist')}?dispute__exact=open"),
    ]
    return [{"words": words, "number": number, "address": address} for words, number, address in rows]


def _differences() -> int:
    """Of the latest comparison with each provider."""
    latest = Reconciliation.objects.order_by("provider", "-at", "-pk").distinct("provider")
    return sum(len(each.differences) for each in latest)


def _disputes() -> int:
    return OpenPayment.objects.filter(dispute=OpenPayment.Dispute.OPEN)[:MOST_COUNTED].count()


def standing() -> list[dict]:
    """How much stands on all accounts of a kind, with the list of them."""
    sums = dict(
        Account.objects.order_by()
        .values_list("kind")
        .annotate(cents=Sum("balance"))
        .values_list("kind", "cents")
    )
    accounts = reverse("admin:rewards_account_changelist")
    return [
        {
            "words": words,
            "cents": abs(sums.get(kind, 0)),
            "address": f"{accounts}?kind__exact={kind}&owed=yes",
        }
        for kind, words in HELD.items()
    ]
