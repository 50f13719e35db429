"""A person's pages: the one of a handle, the one of a name, and one's own settings."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render

from accounts import faces
from accounts.doors import applicant_required, login_required, physician_required
from accounts.forms import LEVELS_HELP_ID, HandleForm, ProfileForm, SeenByForm
from accounts.models import Face, Member
from accounts.services import guard, identifiers, members, profiles, ties
from sermo.errors import RuleBroken

Audience = Member.Audience


@physician_required
def member(request, handle):
    """A member under the handle: no name, no post under a name, and of the profile what the reader may see."""
    rows = Member.objects.visible_to(request.user, Face.HANDLE).for_profile()
    found = get_object_or_404(rows, handle__lower=handle.lower())
    audience = _audience(request.user.as_member, found)
    context = {
        "member": found,
        "is_self": audience == Audience.ME,
        "profile": faces.facts_for(found, audience),
        "shows_interests": faces.is_open_to(found, "interests", audience),
        "why": guard.why_coarser_now(found) if audience == Audience.ME else "",
    }
    return render(request, "accounts/member.html", context)


@physician_required
def physician(request, key):
    """A member under the real name: no handle, and no post under the handle."""
    rows = Member.objects.visible_to(request.user, Face.NAME).for_profile()
    found = get_object_or_404(rows, physician_key=key)
    context = {"member": found, "profile": faces.named_facts_for(found, Audience.PHYSICIANS)}
    return render(request, "accounts/physician.html", context)


@login_required
def settings(request):
    """Handle, profile with a preview of it, and the ways to everything else about one's account."""
    own = request.user.as_member
    if own is None:
        return render(request, "accounts/settings.html", {})
    saving = request.POST.get("section") if request.method == "POST" else None
    handle_form = HandleForm(request.POST if saving == "handle" else None, member=own)
    profile_form = ProfileForm(request.POST if saving == "profile" else None, member=own)
    if saving == "handle" and handle_form.is_valid():
        try:
            members.change_handle(member=own, handle=handle_form.cleaned_data["handle"])
        except RuleBroken as refusal:
            handle_form.add_error("handle", str(refusal))
        else:
            return _saved(request)
    if saving == "profile" and profile_form.is_valid():
        try:
            saved = profiles.change_profile(member=own, **profile_form.facts())
        except RuleBroken as refusal:
            profile_form.add_error(None, str(refusal))
        else:
            identifiers.record(member=own, place="profile", kept=profile_form.kept_identifiers())
            return _saved(request, guard.why_coarser_now(saved))
    return _settings_page(request, handle_form, profile_form)


@applicant_required
def preview(request):
    """What others would see of the profile as typed. A script gets the block alone; nothing is saved."""
    if request.method != "POST":
        return redirect("accounts:settings")
    own = request.user.as_member
    form = ProfileForm(request.POST, member=own)
    if not request.htmx:
        return _settings_page(request, HandleForm(member=own), form)
    context = {**_preview_of(request, own, form), "profile_form": form}
    return render(request, "accounts/_preview.html", context, status=422 if form.errors else 200)


def _audience(reader: Member | None, found: Member) -> str:
    """As whom somebody reads the page of a handle."""
    if reader is None:
        return Audience.PHYSICIANS
    if reader.pk == found.pk:
        return Audience.ME
    return Audience.CONNECTIONS if ties.are_connected(reader, found) else Audience.PHYSICIANS


def _settings_page(request, handle_form, profile_form):
    own = request.user.as_member
    context = {
        "own": own,
        "handle_form": handle_form,
        "profile_form": profile_form,
        "levels_help_id": LEVELS_HELP_ID,
        **_preview_of(request, own, profile_form),
    }
    status = 422 if handle_form.errors or profile_form.errors else 200
    return render(request, "accounts/settings.html", context, status=status)


def _preview_of(request, own: Member, form: ProfileForm) -> dict:
    """What the block of a preview needs. With something wrong in the form there is nobody to show."""
    seen_by = SeenByForm(request.POST if "seen_by" in request.POST else None)
    if form.is_bound and not form.is_valid():
        return {"seen_by": seen_by, "eyes": seen_by.eyes(), "seen": None}
    seen, why = profiles.rehearse(member=own, **(form.facts() if form.is_bound else {}))
    eyes = seen_by.eyes()
    context = {"seen_by": seen_by, "eyes": eyes, "seen": seen, "why": why}
    if eyes in Audience.values:
        context["profile"] = faces.facts_for(seen, eyes)
        context["named"] = faces.named_facts_for(seen, eyes)
    context["shown"] = faces.shown_to_physicians(seen)
    return context


def _saved(request, why: str = ""):
    messages.success(request, f"Saved. {why}".strip())
    return redirect("accounts:settings")
