"""Setting a room up: its basics, who runs it, what participants agree to, and how it will look to them."""

from django.db.models import Sum
from django.shortcuts import get_object_or_404

from focusgroups import readiness
from focusgroups.desk import base
from focusgroups.desk.forms import AgreementForm, BasicsForm, ModeratorForm, dollars
from focusgroups.services import planning

FIXED = tuple(name for name in BasicsForm.names if name != "seats")  # once members were asked


def basics(request, room):
    fixed = BasicsForm.names if room.is_over else (FIXED if base.is_published(room) else ())
    form = BasicsForm(request.POST if request.method == "POST" else None, room=room, fixed=fixed)
    if form.is_bound and form.is_valid():
        is_done, _ = base.tried(
            form, lambda: planning.change_basics(room=room, by=request.user, **form.changes())
        )
        if is_done:
            return base.done(request, "Saved.", base.address(room, "basics"))
    each = room.sections.aggregate(sum=Sum("honorarium"))["sum"] or 0
    money = [
        ("For each participant", dollars(each)),
        (f"For {room.seats} seats, with thanks, at most", dollars(readiness.promised(room))),
        ("Reserved by the sponsor", dollars(readiness.budget(room))),
    ]
    return base.show(
        request,
        room,
        "basics",
        "basics.html",
        title="Basics",
        form=form,
        money=money,
        may_save=not room.is_over,
        is_fixed=base.is_published(room) and not room.is_over,
        status=base.status_of(form),
    )


# Who runs it


def moderators(request, room):
    form = ModeratorForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        is_done, _ = base.tried(
            form,
            lambda: planning.add_moderator(room=room, by=request.user, user=form.user),
            {base.RuleBroken: "email"},
        )
        if is_done:
            words = f"{form.user.email} now runs this room with you."
            return base.done(request, words, base.address(room, "moderators"))
    return base.show(
        request,
        room,
        "moderators",
        "moderators.html",
        title="Moderators",
        form=form,
        rows=room.moderators.select_related("user").order_by("-is_owner", "pk"),
        status=base.status_of(form),
    )


def remove_moderator(request, room, moderator):
    """Whoever takes themselves out is shown the list of rooms: this one they cannot see any more."""
    row = get_object_or_404(room.moderators.select_related("user"), pk=moderator)
    is_self = row.user_id == request.user.pk
    return base.pressed(
        request,
        lambda: planning.remove_moderator(room=room, by=request.user, user=row.user),
        to=base.list_address() if is_self and not row.is_owner else base.address(room, "moderators"),
        words="Taken out.",
    )


def moderators_said(room):
    count = room.moderators.count()
    return "you alone" if count == 1 else f"{count} moderators"


# What participants agree to


def agreement(request, room):
    versions = list(room.agreements.order_by("-version"))
    latest = versions[0] if versions else None
    form = AgreementForm(
        request.POST if request.method == "POST" else None, initial={"text": latest.text if latest else ""}
    )
    if form.is_bound and form.is_valid():
        is_done, written = base.tried(
            form,
            lambda: planning.write_agreement(room=room, by=request.user, text=form.cleaned_data["text"]),
        )
        if is_done:
            is_new = base.is_published(room) and latest and written.pk != latest.pk
            words = (
                f"Version {written.version} is written. Everybody accepts it before their next answer."
                if is_new
                else "Saved."
            )
            return base.done(request, words, base.address(room, "agreement"))
    return base.show(
        request,
        room,
        "agreement",
        "agreement.html",
        title="Agreement",
        form=form,
        latest=latest,
        earlier=versions[1:],
        may_save=not room.is_over,
        status=base.status_of(form),
    )


def agreement_said(room):
    latest = room.newest_agreement()
    return f"version {latest.version}, {len(latest.text.split()):,} words" if latest else ""


def basics_said(room):
    if not (room.starts_at and room.ends_at):
        return f"{room.seats} seats"
    start, end = (room.in_its_zone(moment) for moment in (room.starts_at, room.ends_at))
    return f"{room.seats} seats, {start:%b} {start.day} to {end:%b} {end.day}, {end.year}"


base.add_page(base.Page("basics", "Basics", 100, basics, tab="Basics", step="basics", said=basics_said))
base.add_page(
    base.Page(
        "moderators",
        "Moderators",
        110,
        moderators,
        routes=(base.Route("<int:moderator>/remove/", "moderator_remove", remove_moderator),),
        tab="Basics",
        step="moderators",
        said=moderators_said,
    )
)
base.add_page(base.Page("agreement", "Agreement", 400, agreement, step="agreement", said=agreement_said))
