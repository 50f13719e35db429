"""All that is said in a room as its moderators read it, and what they do with it: ask, reply, hide, tag, quote.

Each item has a page of its own with all of that; with a script the same opens in place, within the stream.
"""

from urllib.parse import urlencode

from django.db.models import Count, Subquery
from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.template.defaultfilters import pluralize
from django.template.loader import render_to_string

from focusgroups import fairness, stream
from focusgroups.desk import base, log
from focusgroups.desk.forms_running import (
    AskAboutForm,
    AskForm,
    CodeForm,
    FilterForm,
    HideForm,
    QuoteForm,
    ReplyForm,
)
from focusgroups.models import CodeMark, Message, Participant, Prompt, Quote, Room
from focusgroups.services import coding, messaging, quoting
from focusgroups.sight import is_private
from focusgroups.stream import ANSWER, Item
from sermo.errors import RuleBroken
from sermo.paging import page
from sermo.text import plain

QUOTES = 50  # on a page
TONES = {Quote.State.APPROVED: "solved", Quote.State.PROPOSED: "case"}


# The stream


def said_in_room(request, room):
    form = FilterForm(request.GET, room=room)
    wanted = form.wanted()
    found = stream.stream(room, wanted, after=request.GET.get("after"))
    chosen = form.chosen()
    query = {name: request.GET[name] for name, _, _ in chosen}
    address = base.address(room, "stream")
    items = [_shown(room, item) for item in found]
    if request.htmx and "after" in request.GET:
        return render(request, "admin/focusgroups/_items.html", _more(address, query, items, found.next))
    return base.show(
        request,
        room,
        "stream",
        "stream.html",
        title="All that is said",
        form=form,
        chosen=[
            {
                "label": label,
                "words": words,
                "without": f"{address}?{urlencode({key: query[key] for key in query if key != name})}",
            }
            for name, label, words in chosen
        ],
        codes=room.codes.all(),
        may_ask=not room.is_over,
        **_more(address, query, items, found.next),
    )


def _more(address, query, items, cursor):
    return {
        "items": items,
        "more": f"{address}?{urlencode({**query, 'after': cursor})}" if cursor else "",
    }


def _shown(room, item: Item) -> Item:
    """What the template shows of an item beside its own words."""
    item.when = base.in_zone(room, item.said.posted_at)
    item.address = base.address(room, "said", item.kind, item.said.pk)
    return item


# One item


def said(request, room, kind, number):
    """An answer or message with its thread, and all that a moderator may do with it."""
    row = stream.find(room, kind, number)
    if row is None:
        raise Http404
    deed = request.POST.get("deed", "") if request.method == "POST" else ""
    forms = _forms(room, row, request.POST if deed else None, deed)
    words = ""
    if deed in forms and forms[deed].is_valid():
        is_done, _ = base.tried(
            forms[deed], lambda: DEEDS[deed](row, request, forms[deed]), {RuleBroken: PLACES[deed]}
        )
        words = WORDS[deed] if is_done else ""
    elif deed in PRESSED:
        return _pressed(request, room, row, deed)
    if words:
        if not request.htmx:
            return base.done(request, words, base.address(room, "said", kind, number))
        row = stream.find(room, kind, number)
        forms = _forms(room, row, None, "")
    return _page(request, room, row, forms, words=words)


def _page(request, room, row, forms, *, words="", refusal=""):
    item = _shown(room, stream.draw([row])[0])
    context = {
        "item": item,
        "forms": forms,
        "is_open": True,
        "done": words,
        "refusal": refusal,
        "codes": room.codes.all(),
        "may_unhide": item.state == "hidden",
    }
    status = 422 if any(form.errors for form in forms.values()) else 200
    if request.htmx:
        return render(request, "admin/focusgroups/_item.html", context, status=status)
    return base.show(
        request,
        room,
        "stream",
        "said.html",
        title=f"{item.who} {item.does}",
        thread=[_shown(room, each) for each in stream.thread_of(row, room)],
        status=status,
        **context,
    )


def _forms(room, row, data, deed) -> dict:
    """What may be done with an item now, by the name of the deed; and what was sent meanwhile, so that its service says
    why not, beside what was typed."""
    kind = coding.kind_of(row)
    is_of_participant, is_alone = row.participant_id is not None, is_private(row)
    is_live = getattr(row, "kind", "") == Message.Kind.LIVE
    may_say = not room.is_over and row.is_standing
    forms = {}

    def add(name, make, **more):
        more = {"auto_id": f"id_{kind}_{row.pk}_{name}_%s", **more}
        forms[name] = make(data if deed == name else None, **more)

    if not is_live and (may_say or deed == "reply"):
        add("reply", ReplyForm)
    if kind == ANSWER and ((may_say and (row.participant.is_seated or not is_alone)) or deed == "ask"):
        add("ask", AskAboutForm, only_alone=is_alone)
        hint(room, forms["ask"])
    if is_of_participant and (not row.withdrawn_at or deed == "tag"):
        add("tag", CodeForm)
    may_be_quoted = is_of_participant and row.is_standing and row.participant.is_seated and row.html
    if may_be_quoted or (is_of_participant and deed == "quote"):
        add("quote", QuoteForm, initial={"text": plain(row.html)[: quoting.LONGEST_TEXT]})
    if row.is_standing or row.waits_for_a_look:
        add("hide", HideForm)
    return forms


def _reply(row, request, form):
    place = {"answer" if isinstance(row, stream.Answer) else "parent": row}
    typed = form.cleaned_data
    return messaging.reply_as_moderator(
        by=request.user, source=typed["source"], key=typed["submission"], **place
    )


def _ask(row, request, form):
    typed = form.cleaned_data
    return messaging.probe(
        by=request.user,
        room=row.participant.room,
        source=typed["source"],
        key=typed["submission"],
        answer=row,
        to=None if typed.get("to_all") else row.participant,
    )


def _hide(row, request, form):
    return messaging.hide(said=row, by=request.user, reason=form.cleaned_data["reason"])


def _tag(row, request, form):
    return coding.tag(said=row, by=request.user, code=form.cleaned_data["code"])


def _quote(row, request, form):
    return quoting.propose(said=row, by=request.user, **form.cleaned_data)


DEEDS = {"reply": _reply, "ask": _ask, "hide": _hide, "tag": _tag, "quote": _quote}
PLACES = {"reply": "source", "ask": "source", "hide": "reason", "tag": "code", "quote": "text"}
WORDS = {
    "reply": "Sent.",
    "ask": "Asked.",
    "hide": "Hidden.",
    "tag": "Tagged.",
    "quote": "Proposed. Whoever said it is told, and has seven days to say yes or no.",
}
PRESSED = {"unhide": "It is shown again.", "untag": "The code is taken off."}


def _pressed(request, room, row, deed):
    """Buttons without a form."""

    def act():
        if deed == "unhide":
            return messaging.unhide(said=row, by=request.user)
        number = request.POST.get("mark", "")
        mark = CodeMark.objects.filter(pk=number).first() if number.isdecimal() and len(number) < 19 else None
        if mark and getattr(mark, f"{coding.kind_of(row)}_id") != row.pk:
            raise Http404
        return mark and coding.untag(mark=mark, by=request.user)

    to = base.address(room, "said", coding.kind_of(row), row.pk)
    if not request.htmx:
        return base.pressed(request, act, to=to, words=PRESSED[deed])
    words = refusal = ""
    try:
        act()
        words = PRESSED[deed]
    except RuleBroken as broken:
        refusal = str(broken)
    row = stream.find(room, coding.kind_of(row), row.pk)
    return _page(request, room, row, _forms(room, row, None, ""), words=words, refusal=refusal)


# Asking one or all


def ask(request, room):
    """A question of one's own, about a prompt or anything, to one participant or all."""
    if base.is_late(request, not room.is_over):
        raise Http404
    is_post = request.method == "POST"
    initial = {name: request.GET.get(name, "") for name in ("about", "to")}
    form = AskForm(request.POST if is_post else None, room=room, initial=initial)
    hint(room, form)
    if form.is_bound and form.is_valid():
        typed = form.cleaned_data
        is_done, _ = base.tried(
            form,
            lambda: messaging.probe(
                by=request.user,
                room=room,
                source=typed["source"],
                key=typed["submission"],
                prompt=_one(Prompt.objects.filter(section__room=room), typed["about"]),
                to=_one(Participant.objects.filter(room=room), typed["to"]),
            ),
            {RuleBroken: "source"},
        )
        if is_done:
            return base.done(request, "Asked.", base.address(room, "stream"))
    found = fairness.hints(form["source"].value() or "")
    return base.show(
        request,
        room,
        "stream",
        "ask.html",
        title="Ask",
        form=form,
        hints=found,
        status=base.status_of(form),
    )


def _one(rows, number):
    return get_object_or_404(rows, pk=number) if number else None


def hint(room, form) -> None:
    """Have a field for a question looked at while it is typed."""
    form.fields["source"].widget.attrs.update(
        {
            "hx-post": base.address(room, "hints"),
            "hx-trigger": "input changed delay:600ms",
            "hx-target": "next [data-hints]",
            "hx-swap": "innerHTML",
            "data-quiet": True,
        }
    )


def hints(request, room):
    """What of a question may lead its answer, while it is typed. Nothing is kept."""
    found = fairness.hints(request.POST.get("source", "")[: stream.EXCERPT * 100])
    return render(request, "admin/focusgroups/_hints.html", {"hints": found})


# Quotes


def quotes(request, room):
    """What was proposed as a quote, the newest first, and what became of it."""
    rows = room.quotes.select_related(
        "answer__participant__cell", "answer__prompt", "message__participant__cell", "message__prompt"
    )
    found = page(rows, order=("-pk",), after=request.GET.get("after"), size=QUOTES)
    for row in found:
        said = row.answer or row.message
        row.speaker, row.about = said.participant, said.prompt
        row.tone = TONES.get(row.state, "")
        row.until = base.in_zone(room, row.proposed_at + quoting.WAITS)
        row.address = base.address(room, "said", coding.kind_of(said), said.pk)
    return base.show(
        request,
        room,
        "quotes",
        "quotes.html",
        title="Quotes",
        rows=found.rows,
        more=f"?after={found.next}" if found.next else "",
    )


# What the overview says of it


def to_do(request, room) -> str:
    """What waits for a moderator: notes nobody replied to, hidden answers that were given anew, and quotes without an
    answer. One query."""
    if not base.is_published(room) or room.is_over:
        return ""
    rows = [
        (stream.unanswered_notes(room), "room"),
        (stream.given_anew(room), "participant__room"),
        (room.quotes.filter(state=Quote.State.PROPOSED), "room"),
    ]
    numbers = [row.order_by().values(of).annotate(number=Count("pk")).values("number") for row, of in rows]
    figures = Room.objects.filter(pk=room.pk).values_list(*(Subquery(number) for number in numbers))
    notes, anew, waiting = figures.get()
    lines = []
    if notes:
        address = f"{base.address(room, 'stream')}?state=notes"
        lines.append((address, f"{notes} note{pluralize(notes)} to the moderators without a reply"))
    if anew:
        address = f"{base.address(room, 'stream')}?state=anew"
        words = f"{anew} hidden answer{pluralize(anew)} given anew: show {pluralize(anew, 'it,them')} again, or not"
        lines.append((address, words))
    if waiting:
        lines.append(
            (base.address(room, "quotes"), f"{waiting} quote{pluralize(waiting)} without a yes or no")
        )
    return render_to_string("admin/focusgroups/_to_do.html", {"lines": lines}) if lines else ""


log.WORDS |= {"quote": "Proposed a quote"}
base.add_panel(base.Panel(50, to_do))
base.add_page(
    base.Page(
        "stream",
        "All that is said",
        700,
        said_in_room,
        routes=(
            base.Route("ask/", "ask", ask),
            base.Route("hints/", "hints", hints),
            base.Route("<str:kind>/<int:number>/", "said", said),
        ),
        tab="Stream",
        is_open=base.is_published,
    )
)
base.add_page(
    base.Page(
        "quotes", "Quotes", 720, quotes, tab="Stream", is_open=base.is_published, leads=lambda room: False
    )
)
