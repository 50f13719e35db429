"""The draws of paid voters, published so that anybody can repeat them."""

from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.doors import physician_required
from questions.models import Question
from rewards import drawing
from rewards.models import DrawDay, Payee, Settlement
from rewards.services import draws
from rewards.templatetags.rewards import words_of
from rewards.words import dollars
from sermo.paging import page

DAYS_PER_PAGE = 60
PROGRAM = """import hashlib, hmac

key = "{key}"
question, slots = {question}, {slots}  # of pool {number}
with open("tickets.txt") as file:  # of that pool, from this page
    tickets = file.read().split()

def sign(text):
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()

seed = sign(f"seed:{{question}}")
place = lambda ticket: hashlib.sha256(f"{{seed}}:{number}:{{ticket}}".encode()).hexdigest()
print(hashlib.sha256(key.encode()).hexdigest())  # the hash that was published before
print(seed, *sorted(tickets, key=place)[:slots], sep="\\n")"""


@require_safe
def days(request):
    """Every day's hash, from days ahead on, and its key once it is over; whether anything was drawn that day or not."""
    found = page(DrawDay.objects.all(), order=("-day",), after=request.GET.get("after"), size=DAYS_PER_PAGE)
    for row in found:
        row.published = draws.published_key(row)
    context = {"page": found, "more_url": f"?after={found.next}" if found.next else ""}
    return render(request, "rewards/draws.html", context)


@physician_required
@require_safe
def draw(request, question_id):
    """What was paid in one discussion and how its voters were drawn, for whoever may read the discussion."""
    visible = Question.objects.visible_to(request.user).listed()
    question = get_object_or_404(visible, pk=question_id)
    settlement = get_object_or_404(
        Settlement.objects.select_related("draw_day"), pk=question.pk, paid_cents__gt=0
    )
    if question.is_open:
        raise Http404
    pools = list(settlement.pools.order_by("number"))
    context = {
        "question": question,
        "words": words_of(settlement),
        "settlement": settlement,
        "pools": pools,
    }
    if settlement.draw_day:
        context |= _drawn(settlement, pools, own=_own_ticket(settlement, request.user))
    return render(request, "rewards/draw.html", context)


def _drawn(settlement, pools, *, own):
    for pool in pools:
        pool.sum = dollars(pool.cents)
        winners = set(pool.winners)
        pool.rows = [(ticket, ticket in winners, ticket == own) for ticket in pool.tickets]
    key = draws.published_key(settlement.draw_day)
    first = pools[0] if pools else None
    return {
        "key": key,
        "own": next((own for pool in pools if own in pool.tickets), ""),
        "has_won": any(own in pool.winners for pool in pools),
        "program": PROGRAM.format(
            key=key or "the key, once it is published",
            question=settlement.pk,
            slots=first.slots,
            number=first.number,
        )
        if first
        else "",
    }


def _own_ticket(settlement, user) -> str:
    """What the reader would have been drawn by; nobody else can tell whose it is."""
    member = user.as_member
    payee = Payee.objects.filter(member=member).first() if member else None
    return drawing.ticket(settlement.draw_day.key, settlement.pk, payee.subject) if payee else ""
