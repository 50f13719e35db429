"""A person's pages: the one of a handle, the one of a name, and one's own settings."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render

from accounts.doors import login_required, physician_required
from accounts.forms import HandleForm, ProfileForm
from accounts.models import Member
from accounts.services import members, profiles
from sermo.errors import RuleBroken


@physician_required
def member(request, handle):
    """A member under the handle: no name, and no post under a name."""
    found = (
        Member.objects.physicians()
        .for_profile()
        .filter(handle__lower=handle.lower(), user__isnull=False)
        .first()
    )
    if found is None:
        raise Http404
    return render(
        request, "accounts/member.html", {"member": found, "is_self": found == request.user.as_member}
    )


@physician_required
def physician(request, key):
    """A member under the real name: no handle, and no post under the handle."""
    rows = Member.objects.physicians().for_profile()
    found = get_object_or_404(
        rows, physician_key=key, byline_mode=Member.BylineMode.PUBLIC, user__isnull=False
    )
    return render(request, "accounts/physician.html", {"member": found})


@login_required
def settings(request):
    """Handle, profile, and the ways to everything else about one's account."""
    own = request.user.as_member
    if own is None:
        return render(request, "accounts/settings.html", {})
    saving = request.POST.get("section") if request.method == "POST" else None
    handle_form = HandleForm(request.POST if saving == "handle" else None, member=own)
    profile_form = ProfileForm(request.POST if saving == "profile" else None, instance=own)
    if saving == "handle" and handle_form.is_valid():
        try:
            members.change_handle(member=own, handle=handle_form.cleaned_data["handle"])
        except RuleBroken as refusal:
            handle_form.add_error("handle", str(refusal))
        else:
            return _saved(request)
    if saving == "profile" and profile_form.is_valid():
        profiles.change_profile(member=own, **profile_form.facts())
        return _saved(request)
    own.refresh_from_db(fields=["handle", "specialty", "state", "years_band", "bio"])
    context = {"handle_form": handle_form, "profile_form": profile_form, "own": own}
    status = 422 if handle_form.errors or profile_form.errors else 200
    return render(request, "accounts/settings.html", context, status=status)


def _saved(request):
    messages.success(request, "Saved.")
    return redirect("accounts:settings")
