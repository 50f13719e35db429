"""Earmarks from the console, and the firm's balance.

No page here shows a word of a discussion, and so none is a read: authors are shown who read them, and would learn from
the visits of these pages that something was earmarked.
"""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from observers import keys, market
from observers.doors import seat_required
from observers.forms_market import MarkForm
from observers.services import marking
from questions.models import Post
from rewards.models import Earmark
from rewards.services import earmarking, ledger
from rewards.words import dollars
from sermo.errors import RuleBroken

BESIDE = {
    ledger.NotEnough: "author_cents",
    earmarking.OutOfBounds: "author_cents",
}  # at which field a refusal stands


@seat_required
@require_safe
def earmarks(request):
    """The firm's earmarks, the newest first, and what they have reserved."""
    found = market.earmarks_of(request.firm, after=request.GET.get("after"))
    context = {
        "rows": found.rows,
        "more_url": f"{reverse('observers:earmarks')}?after={found.next}" if found.next else "",
        "is_later_page": "after" in request.GET,
    }
    context |= {
        "standing": market.standing_of(request.firm),
        "slots": marking.slots_left(request.firm, request.seat.contract),
    }
    return render(request, "observers/market/earmarks.html", context)


@seat_required
def earmark(request, key):
    """Promise money for a post, or see what was promised for it."""
    post, about = _post(request.firm, key)
    form = MarkForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _place(request, post, form):
        return redirect("observers:earmarks")
    slots = marking.slots_left(
        request.firm, request.seat.contract
    )  # fixes the day's, which the next line reads
    marks = market.marks_on(request.firm, [post.pk], request.seat.contract.plan)
    placed = marks.get(post.pk)
    context = {
        "form": form,
        "about": about,
        "placed": placed,
        "placed_state": market.word_of(placed) if placed else "",
        "lack": marks.means.lack,
        "standing": market.standing_of(request.firm),
        "slots": slots,
    }
    return render(request, "observers/market/earmark.html", context, status=422 if form.errors else 200)


def _place(request, post, form) -> bool:
    said = form.cleaned_data
    try:
        made = marking.place(
            seat=request.seat,
            post=post,
            author_cents=said["author_cents"],
            voter_cents=said["voter_cents"] or 0,
            voter_slots=said["voter_slots"],
            key=said["submission"],
            note=said["note"],
        )
    except RuleBroken as refusal:
        form.add_error(BESIDE.get(type(refusal)), str(refusal))
        return False
    messages.success(
        request, f"Earmarked. {dollars(made.total_cents)} are reserved until the discussion closes."
    )
    return True


@seat_required
@require_POST
def cancel(request, key):
    row = get_object_or_404(Earmark, key=key, firm=request.firm)
    try:
        marking.cancel(seat=request.seat, earmark=row)
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"Canceled. {dollars(row.total_cents)} are back on your balance.")
    return redirect("observers:earmarks")


@seat_required
@require_safe
def balance(request):
    """What the firm has, and what changed it."""
    found = market.movements_of(request.firm, after=request.GET.get("after"))
    context = {
        "rows": found.rows,
        "more_url": f"{reverse('observers:balance')}?after={found.next}" if found.next else "",
        "is_later_page": "after" in request.GET,
    }
    context["standing"] = market.standing_of(request.firm)
    return render(request, "observers/market/balance.html", context)


def _post(firm, key) -> tuple[Post, market.About]:
    """The post of a key without its words, through the gate. Raises Http404."""
    pk = keys.post_pk(firm, key)
    about = market.abouts(firm, [pk]).get(pk) if pk else None
    if about is None:
        raise Http404("No post open to this firm has this key.")
    return Post.objects.only("question").get(pk=pk), about
