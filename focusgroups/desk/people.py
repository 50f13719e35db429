"""Whom a room seeks and how its seats are divided, the screener, invitations, and how these stand.

Nobody's handle is shown here: moderators know participants by alias and quota cell (F3).
"""

import copy

from django.db import transaction
from django.db.models import Count, Q
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404, render

from accounts.models import Member, Specialty
from focusgroups.desk import base
from focusgroups.desk.forms_people import CellForm, InviteByHandleForm, InviteForm, RuleForm, ScreenerForm
from focusgroups.models import Candidate, ScreenerQuestion
from focusgroups.services import planning, recruiting
from focusgroups.services.holding import hold
from sermo.errors import RuleBroken

States = Candidate.State
TOOK = "Took a seat"  # also those who have left it
YEARS = dict(Member.YearsBand.choices)
STEP = 5  # reach is said in steps of so many members, so that it tells of nobody
FIXED_CELL = ("name",)  # of a published room


# Whom it seeks


def people(request, room):
    """The rule, how many it reaches, and the quota cells. Counting saves nothing."""
    form = RuleForm(request.POST if request.method == "POST" else None, room=room, is_fixed=room.is_over)
    reached = None
    if form.is_bound and form.is_valid():
        if "count" in request.POST:
            reached = reach_words(typed_room(room, form))
        else:
            is_done, _ = base.tried(
                form, lambda: planning.set_rule(room=room, by=request.user, **form.cleaned_data)
            )
            if is_done:
                return base.done(request, "Saved.", base.address(room, "people"))
    cells = cells_of(room)
    return base.show(
        request,
        room,
        "people",
        "people.html",
        title="Whom it seeks",
        form=form,
        reach=reached or (reach_words(room) if not room.is_over else ""),
        is_only_counted=reached is not None,
        cells=cells,
        in_cells=sum(cell.seats for cell in cells),
        may_save=not room.is_over,
        is_draft=base.is_draft(room),
        status=base.status_of(form),
    )


def reach(request, room):
    """How many the rule that is typed reaches, while it is typed."""
    form = RuleForm(request.POST or None, room=room)
    words = reach_words(typed_room(room, form)) if form.is_valid() else reach_words(room)
    return render(request, "admin/focusgroups/_reach.html", {"reach": words})


def typed_room(room, form):
    """The room as it would be by what was typed."""
    typed = copy.copy(room)
    for name, value in form.cleaned_data.items():
        setattr(typed, name, value)
    return typed


def reach_words(room) -> str:
    number = recruiting.reach(room).count()
    if number < STEP:
        return f"fewer than {STEP} physicians"
    return f"about {number // STEP * STEP:,} physicians"


def people_said(room):
    return f"reaches {reach_words(room)}"


def cells_of(room):
    """Quota cells with the seats taken, who waits, and in words whom they are for."""
    stayed = Q(participants__left_at=None)
    waiting = Q(candidates__state=States.WAITING)
    cells = list(
        room.cells.annotate(
            taken=Count("participants", filter=stayed, distinct=True),
            waiting=Count("candidates", filter=waiting, distinct=True),
        )
    )
    names = dict(Specialty.objects.filter(is_choice=True).values_list("pk", "name"))
    for cell in cells:
        said = [", ".join(names.get(code, code) for code in cell.specialties)]
        said.append(", ".join(YEARS.get(band, band).lower() for band in cell.years_bands))
        cell.whom = "; ".join(words for words in said if words) or "everybody sought"
        cell.address = base.address(room, "cell", cell.pk)
    return cells


def add_cell(request, room):
    return _cell(request, room, None)


def cell(request, room, cell):
    return _cell(request, room, get_object_or_404(room.cells, pk=cell))


def _cell(request, room, cell):
    is_published = base.is_published(room)
    fixed = FIXED_CELL if is_published and cell else ()
    form = CellForm(request.POST if request.method == "POST" else None, cell=cell, fixed=fixed)
    if form.is_bound and form.is_valid():
        is_done, _ = base.tried(
            form, lambda: planning.save_cell(room=room, by=request.user, cell=cell, **form.cleaned_data)
        )
        if is_done:
            return base.done(request, "Saved.", base.address(room, "people") + "#cells")
    return base.show(
        request,
        room,
        "people",
        "cell.html",
        title=f"Quota cell: {cell.name}" if cell else "New quota cell",
        form=form,
        cell=cell,
        may_save=not room.is_over,
        delete={"address": base.address(room, "cell_delete", cell.pk), "label": "Delete the cell"}
        if cell and not is_published and not room.is_over
        else None,
        back=base.address(room, "people") + "#cells",
        is_fixed=is_published and cell,
        status=base.status_of(form),
    )


def delete_cell(request, room, cell):
    return base.deleted(
        request,
        room.cells.filter(pk=cell).first(),
        lambda row: planning.delete_cell(cell=row, by=request.user),
        to=base.address(room, "people") + "#cells",
    )


# The screener


def screener(request, room):
    questions = list(room.screener.prefetch_related("options"))
    for question in questions:
        question.address = base.address(room, "screener_question", question.pk)
        question.move_address = base.address(room, "screener_move", question.pk)
    return base.show(
        request,
        room,
        "screener",
        "screener.html",
        title="Screener",
        questions=questions,
        may_change=base.is_draft(room),
        may_add=base.is_draft(room) and len(questions) < ScreenerQuestion.MOST,
        most=ScreenerQuestion.MOST,
    )


def add_question(request, room):
    return _question(request, room, None)


def question(request, room, question):
    return _question(request, room, get_object_or_404(room.screener, pk=question))


def _question(request, room, question):
    if base.is_late(request, base.is_draft(room)):
        return HttpResponseRedirect(base.address(room, "screener"))
    form = ScreenerForm(request.POST if request.method == "POST" else None, question=question)
    if form.is_bound and form.is_valid():
        is_done, _ = base.tried(
            form,
            lambda: planning.save_screener_question(
                room=room,
                by=request.user,
                question=question,
                text=form.cleaned_data["text"],
                options=form.options(),
                submission=form.cleaned_data.get("submission"),
            ),
            {"options": "option_0"},
        )
        if is_done:
            return base.done(request, "Saved.", base.address(room, "screener"))
    return base.show(
        request,
        room,
        "screener",
        "screener_question.html",
        title="Question of the screener" if question else "New question of the screener",
        form=form,
        back=base.address(room, "screener"),
        delete={
            "address": base.address(room, "screener_delete", question.pk),
            "label": "Delete the question",
        }
        if question
        else None,
        status=base.status_of(form),
    )


def delete_question(request, room, question):
    return base.deleted(
        request,
        room.screener.filter(pk=question).first(),
        lambda row: planning.delete_screener_question(question=row, by=request.user),
        to=base.address(room, "screener"),
    )


def move_question(request, room, question):
    row = get_object_or_404(room.screener, pk=question)
    is_up = request.POST.get("to") == "up"
    return base.pressed(
        request,
        lambda: planning.move_screener_question(question=row, by=request.user, up=is_up),
        to=base.address(room, "screener"),
    )


def screener_said(room):
    count = room.screener.count()
    return f"{count} question{'s' if count > 1 else ''}" if count else "none: everybody asked may come"


# Invitations


def invitations(request, room):
    """Who was asked, by state and quota cell; and two ways to ask more."""
    deed = request.POST.get("deed") if request.method == "POST" else None
    number = room.candidates.count()
    by_rule = InviteForm(request.POST if deed == "rule" else None, prefix="rule", initial={"seen": number})
    by_handle = InviteByHandleForm(request.POST if deed == "handles" else None, prefix="hand")
    asked = None
    if by_rule.is_bound and by_rule.is_valid():
        _, asked = base.tried(
            by_rule,
            lambda: invite_once(room=room, by=request.user, **by_rule.cleaned_data),
            {base.RuleBroken: "number"},
        )
        by_rule.start_from(room.candidates.count())
    if by_handle.is_bound and by_handle.is_valid():
        handles = by_handle.cleaned_data["handles"]
        _, asked = base.tried(
            by_handle,
            lambda: recruiting.invite_by_handle(room=room, by=request.user, handles=handles),
            {base.RuleBroken: "handles"},
        )
    if asked is not None:
        return base.done(request, asked_words(asked), base.address(room, "invitations"))
    counts = dict(room.candidates.values_list("state").annotate(number=Count("pk")).order_by())
    told = room.candidates.filter(is_told=True).count()
    form = by_rule if deed == "rule" else by_handle
    return base.show(
        request,
        room,
        "invitations",
        "invitations.html",
        title="Invitations",
        by_rule=by_rule,
        by_handle=by_handle,
        may_invite=base.is_published(room) and not room.is_over,
        is_draft=base.is_draft(room),
        reach=reach_words(room) if base.is_published(room) and not room.is_over else "",
        states=[
            {"label": TOOK if value == States.SEATED else label, "number": counts.get(value, 0)}
            for value, label in States.choices
        ],
        asked_count=sum(counts.values()),
        told=told,
        cells=cells_of(room),
        seats=room.participants.select_related("cell").order_by("cell__place", "alias"),
        status=base.status_of(form),
    )


class AskedMeanwhile(RuleBroken):
    message = "Members were invited since this page was opened. Look who was asked, then press once more."


@transaction.atomic
def invite_once(*, room, by, number, seen):
    """Invite so many, unless others were invited since the page was opened: a button is pressed twice in a hurry."""
    hold(room, by)
    if seen is not None and room.candidates.count() != seen:
        raise AskedMeanwhile
    return recruiting.invite(room=room, by=by, number=number)


def asked_words(asked) -> str:
    """What came of inviting: the candidates, of whom some are told by their digest."""
    number = len(asked)
    if not number:
        return "Nobody was left to ask."
    told = sum(candidate.is_told for candidate in asked)
    words = f"{number} member{'s are' if number > 1 else ' is'} invited."
    if number > told:
        words += f" {number - told} of them are told in their digest: they were told enough for now."
    return words


base.add_page(
    base.Page(
        "people",
        "Whom it seeks",
        200,
        people,
        routes=(
            base.Route("reach/", "reach", reach),
            base.Route("cells/add/", "cell_add", add_cell),
            base.Route("cells/<int:cell>/", "cell", cell),
            base.Route("cells/<int:cell>/delete/", "cell_delete", delete_cell),
        ),
        tab="People",
        leads=base.is_draft,
        step="people",
        said=people_said,
    )
)
base.add_page(
    base.Page(
        "screener",
        "Screener",
        210,
        screener,
        routes=(
            base.Route("add/", "screener_add", add_question),
            base.Route("<int:question>/", "screener_question", question),
            base.Route("<int:question>/delete/", "screener_delete", delete_question),
            base.Route("<int:question>/move/", "screener_move", move_question),
        ),
        tab="People",
        leads=lambda room: False,
        step="screener",
        said=screener_said,
    )
)
base.add_page(
    base.Page("invitations", "Invitations", 220, invitations, tab="People", leads=base.is_published)
)
