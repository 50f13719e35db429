"""The draws of paid voters, published so that anybody can repeat them."""

from itertools import islice

from django.db.models import Exists, OuterRef, Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.doors import physician_required
from polls.models import Receipt
from questions.models import Importance, Post, Question, Vote
from rewards import drawing
from rewards.models import DrawDay, Payee, Pool, Settlement
from rewards.services import draws
from rewards.templatetags.rewards import words_of
from rewards.words import dollars
from sermo.paging import page

DAYS_PER_PAGE = 30
OWN_SHOWN = 20  # pools a reader was in
TICKETS_SHOWN = 200  # of a pool; the file has all
PROGRAM = """import hashlib, hmac

key = "{key}"
question, slots = {question}, {slots}  # of pool {number}
with open("tickets.txt") as file:  # of that pool, from this page
    tickets = file.read().split()

def sign(text):
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()

seed = sign(f"seed:{{question}}")
place = lambda ticket: hashlib.sha256(f"{{seed}}:{number}:{{ticket}}".encode()).hexdigest()
# the hash that was published before, the seed, and the tickets that won
print(hashlib.sha256(key.encode()).hexdigest())
print(seed, *sorted(tickets, key=place)[:slots], sep="\\n")"""


@require_safe
def days(request):
    """Every day's hash, from days ahead on, and its key once it is over; whether anything was drawn that day or not.

    A member reads above it which draws were theirs.
    """
    found = page(DrawDay.objects.all(), order=("-day",), after=request.GET.get("after"), size=DAYS_PER_PAGE)
    for row in found:
        row.published = draws.published_key(row)
    context = {
        "page": found,
        "more_url": f"?after={found.next}" if found.next else "",
        "own": None if "after" in request.GET else _own_pools(request.user),
    }
    return render(request, "rewards/draws.html", context)


@physician_required
@require_safe
def draw(request, question_id):
    """What was paid in one discussion and how its voters were drawn, for whoever may read the discussion."""
    settlement = _shown(request.user, question_id)
    pools = list(settlement.pools.select_related("draw_day").order_by("number"))
    context = {"question": settlement.question, "words": words_of(settlement), "pools": pools}
    if pools:
        context |= _drawn(pools, request.user)
    return render(request, "rewards/draw.html", context)


@physician_required
@require_safe
def tickets(request, question_id, number):
    """All tickets of one pool, a line each, as the program of the page reads them."""
    pool = get_object_or_404(Pool, settlement=_shown(request.user, question_id), number=number)
    answer = HttpResponse("".join(f"{ticket}\n" for ticket in pool.tickets), content_type="text/plain")
    answer["Content-Disposition"] = 'attachment; filename="tickets.txt"'
    return answer


def _shown(user, question_id) -> Settlement:
    """What was paid in a closed discussion that somebody may read."""
    visible = Question.objects.visible_to(user).listed()
    question = get_object_or_404(visible, pk=question_id)
    settlement = get_object_or_404(Settlement, pk=question.pk, paid_cents__gt=0)
    if question.is_open:
        raise Http404
    settlement.question = question
    return settlement


def _own_pools(user) -> list[Pool] | None:
    """The newest pools with a ticket of a member, in discussions they may still read, and whether it was drawn.

    None for who is no member.
    """
    if not (user.is_authenticated and user.as_member):
        return None
    payee = _payee_of(user)
    if payee is None:
        return []
    readable = Question.objects.visible_to(user).filter(status=Question.Status.CLOSED)
    pools = Pool.objects.filter(
        _judged_by(payee.member_id), settlement__in=readable.values("pk"), settlement__paid_cents__gt=0
    )
    found = pools.select_related("draw_day", "settlement__question").order_by("-draw_day__day", "-pk")
    own = []
    for pool in found[:OWN_SHOWN]:
        ticket = _ticket_of(payee, pool)
        if ticket in pool.tickets:
            pool.sum, pool.has_won = dollars(pool.cents), ticket in pool.winners
            own.append(pool)
    return own


def _judged_by(member_id) -> Q:
    """Of a pool: whether a member judged its post, in one of the ways of `rewards.judges`."""
    ratings = Importance.objects.filter(question=OuterRef("settlement"), rater=member_id)
    receipts = Receipt.objects.filter(poll=OuterRef("settlement"), member=member_id)
    is_opening = Q(earmark__post__kind=Post.Kind.OPENING)
    votes = Vote.objects.filter(post=OuterRef("earmark__post"), voter=member_id)
    return Q(Exists(votes)) | is_opening & (Q(Exists(ratings)) | Q(Exists(receipts)))


def _payee_of(user) -> Payee | None:
    member = user.as_member if user.is_authenticated else None
    return Payee.objects.filter(member=member).first() if member else None


def _drawn(pools, user):
    payee = _payee_of(user)
    for pool in pools:
        own = _ticket_of(payee, pool)
        pool.sum, pool.key = dollars(pool.cents), draws.published_key(pool.draw_day)
        pool.own = own if own in pool.tickets else ""
        pool.rows = _rows(pool)
        pool.unshown = len(pool.tickets) - len(pool.rows)
    first = pools[0]
    return {
        "own": next((pool.own for pool in pools if pool.own), ""),
        "has_won": any(pool.own in pool.winners for pool in pools),
        "program": PROGRAM.format(
            key=first.key or "the key, once it is published",
            question=first.settlement_id,
            slots=first.slots,
            number=first.number,
        ),
    }


def _ticket_of(payee, pool) -> str:
    """What a reader would have been drawn by; nobody else can tell whose it is."""
    return drawing.ticket(pool.draw_day.key, pool.settlement_id, payee.draw_name) if payee else ""


def _rows(pool) -> list[tuple[str, bool, bool]]:
    """The tickets to show: of many those that won, one's own, and the first of the others."""
    winners = set(pool.winners)
    kept = winners | {pool.own} & set(pool.tickets)
    others = (ticket for ticket in pool.tickets if ticket not in kept)
    kept.update(islice(others, max(0, TICKETS_SHOWN - len(kept))))
    return [(ticket, ticket in winners, ticket == pool.own) for ticket in pool.tickets if ticket in kept]
