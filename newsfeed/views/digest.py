"""What a digest looks like, for those who run the site."""

import re
from base64 import b64encode
from hashlib import sha256

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.doors import login_required
from accounts.models import Kind, Member, NoticeSettings, Specialty, User
from accounts.services import mail
from newsfeed.digests.gathering import Shared, gather
from newsfeed.digests.writing import write
from newsfeed.services.digests import since

STYLE = re.compile(r' style="([^"]*)"')


class PreviewForm(forms.Form):
    """Whose digest, and of how long; nothing chosen is one's own, or one of any specialty."""

    specialty = forms.ModelChoiceField(
        Specialty.objects.filter(is_choice=True),
        to_field_name="slug",
        required=False,
        empty_label="My own",
        help_text="Of a specialty: for an invented member who follows nothing.",
    )
    digest = forms.ChoiceField(
        label="Sent", choices=NoticeSettings.Digest.choices[1:], initial="weekly", required=False
    )


@login_required
@require_safe
def digest_preview(request):
    """The digest as it would be now: nobody's but one's own, or an example's. Nothing is sent or noted."""
    if not request.user.is_staff:
        raise PermissionDenied
    form = PreviewForm(request.GET if "digest" in request.GET else None)
    typed = form.cleaned_data if form.is_bound and form.is_valid() else {}
    member = _reader(request.user, typed.get("specialty"))
    member.notice_settings = NoticeSettings(
        member=member,
        digest=typed.get("digest") or NoticeSettings.Digest.WEEKLY,
        time_zone=timezone.get_current_timezone_name(),
    )
    now = timezone.now()
    start = since(member, now, None)
    contents = gather(member=member, since=start, shared=Shared.among([member.pk], since=start, now=now))
    written = (
        write(contents, now=now, time_zone=member.notice_settings.time_zone) if contents.number else None
    )
    if request.GET.get("part") == "html" and written:
        return _page_of(written)
    context = {
        "form": form,
        "is_example": not member.pk,
        "written": written,
        "query": request.GET.urlencode(),
    }
    status = 422 if form.errors else 200
    return render(request, "newsfeed/digest/preview.html", context, status=status)


def _reader(user: User, specialty: Specialty | None) -> Member:
    """One's own membership, or an invented member, who stands in no table."""
    if user.as_member and user.as_member.may_read and specialty is None:
        return user.as_member
    specialty = specialty or Specialty.objects.filter(is_choice=True).first()
    example = User(pk=0, email="example@example.org")
    example.group_names = []
    return Member(pk=0, user=example, handle="example", standing="physician", specialty=specialty)


def _page_of(written) -> HttpResponse:
    """The HTML part as a page of its own, where nothing runs, loads or is sent.

    Styles beside elements are forbidden on this site, so they become classes of one style sheet, allowed by its hash.
    """
    footer = mail.footer_of(Kind.DIGEST, "#")
    html, sheet = _with_sheet(mail.framed(written.subject, written.html, footer))
    response = HttpResponse(html.replace("</head>", f"<style>{sheet}</style>\n</head>", 1))
    known = b64encode(sha256(sheet.encode()).digest()).decode()
    response["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'sha256-{known}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; sandbox"
    )
    return response


def _with_sheet(html: str) -> tuple[str, str]:
    rules = {}

    def named(found):
        return f' class="{rules.setdefault(found[1], f"s{len(rules)}")}"'

    html = STYLE.sub(named, html)
    return html, "".join(f".{name}{{{rule}}}" for rule, name in rules.items())
