"""The desk of sources: journals with their feeds, the health of each feed, and hosts that asked to be left alone."""

import re
from datetime import timedelta

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import BooleanField, Count, ExpressionWrapper, Q
from django.http import HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.dateformat import format as date_format
from django.utils.timesince import timesince, timeuntil

from accounts.models import Specialty
from newsfeed import opml, reference
from newsfeed.desk import lots
from newsfeed.models import Article, Feed, Source
from newsfeed.services import checking, mapping, sourcing, turns
from sermo.errors import RuleBroken

NLM_ID = re.compile(r"[0-9]{5,11}[A-Z]?")
BY_ITSELF = "it is tried again within a minute"
FROM_OPML = "Added from an OPML file"
SAID = {
    "read": "read, {entries} in it.",
    "unchanged": "nothing new, {entries} in it.",
    "failed": "failed: {error}",
    "disabled": "failed, and is disabled: {error}",
    "parked": "waiting: its host asked to be left alone. It is tried again on {when}.",
    "not due": "not checked: another check of it is under way.",
    "not kept": "was changed while it was read, so what came was not kept. Check it again.",
}
LATE = timedelta(hours=1)  # past its moment, for a feed whose worker or scheduler seems to be down
ISSN = re.compile(r"[0-9]{4}-[0-9]{3}[0-9X]")


def issn_holds(issn: str) -> bool:
    """Whether the last sign fits the others."""
    digits = issn.replace("-", "")
    total = sum(int(digit) * weight for digit, weight in zip(digits[:7], range(8, 1, -1), strict=True))
    return digits[7] == "0123456789X"[-total % 11]


class SourceForm(forms.ModelForm):
    home = forms.URLField(max_length=300, required=False, assume_scheme="https")

    class Meta:
        help_texts = {
            "specialties": "Every article of it gets these, but for a source of general medicine.",
            "is_general": "Its articles have a specialty only where a rule gives one.",
            "license": "As the source names it. Without one, no abstract is shown.",
            "is_on": "Off: its feeds are not asked any more. Its articles stay.",
            "region": "The part of the world its news concerns. Empty: all of it.",
            "item_kind": "What its items are, unless they say otherwise.",
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "specialties" in self.fields:
            self.fields["specialties"].queryset = Specialty.objects.filter(is_choice=True)

    def clean_e_issn(self):
        issn = self.cleaned_data["e_issn"].strip().upper()
        if issn and not (ISSN.fullmatch(issn) and issn_holds(issn)):
            raise forms.ValidationError("An ISSN looks like 1234-5679, and its last sign fits the others.")
        return issn

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("shows_abstracts") and not cleaned.get("license"):
            self.add_error("license", "Abstracts are shown only under a license. Name it.")
        return cleaned


class FeedForm(forms.ModelForm):
    class Meta:
        help_texts = {
            "place": "The first that works is read; the next ones step in while it fails.",
            "is_beside": "For what the others do not have, such as articles online ahead of an issue, or those of one "
            "specialty. It is read as well, and stands in for none.",
            "specialties": "Of all its items, besides those of its source.",
        }
        labels = {"place": "place in order", "is_on": "read"}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "specialties" in self.fields:
            self.fields["specialties"].queryset = Specialty.objects.filter(is_choice=True)

    def clean(self):
        cleaned = super().clean()
        kind, address = cleaned.get("kind"), cleaned.get("address")
        if kind and address:
            cleaned["address"] = address = address.strip()
            if trouble := _address_trouble(kind, address):
                self.add_error("address", trouble)
        return cleaned


def _address_trouble(kind: str, address: str) -> str:
    if kind == Feed.Kind.PUBMED:
        return "" if NLM_ID.fullmatch(address) else "An NLM id is a number such as 0255562."
    if kind == Feed.Kind.CROSSREF:
        return "" if ISSN.fullmatch(address) and issn_holds(address) else "An ISSN looks like 1234-5679."
    return opml.address_trouble(address)


class InlineFeedForm(FeedForm):
    def _get_validation_exclusions(self):
        """Places may swap; the set of forms looks at them together."""
        return super()._get_validation_exclusions() | {"place"}


class FeedFormSet(forms.BaseInlineFormSet):
    def clean(self):
        super().clean()
        places = [
            form.cleaned_data["place"]
            for form in self.forms
            if form.cleaned_data.get("place") and not form.cleaned_data.get("DELETE")
        ]
        if len(set(places)) < len(places):
            raise forms.ValidationError("Each feed has a place of its own.")


class FeedInline(admin.TabularInline):
    model = Feed
    form, formset = InlineFeedForm, FeedFormSet
    fields = ["place", "kind", "address", "is_on", "is_beside", "status", "checked_at", "error"]
    readonly_fields = ["status", "checked_at", "error"]
    ordering = ["place"]
    extra = 0
    show_change_link = True
    can_delete = False


@admin.register(Source)
class SourceAdmin(admin.ModelAdmin):
    """What the site ships with is switched off rather than deleted: the next start would bring it back."""

    form = SourceForm
    change_list_template = "newsfeed/desk/sources.html"
    list_display = ["name", "kind", "fields_of", "region", "is_on", "feeds_of"]
    list_filter = ["kind", "item_kind", "is_on", "is_general", "region"]
    search_fields = ["name", "short_name", "=nlm_id", "=e_issn"]
    search_help_text = "A name, an NLM id or an ISSN"
    list_per_page = 200
    filter_horizontal = ["specialties"]
    inlines = [FeedInline]
    actions = ["switch_on", "switch_off"]
    fieldsets = [
        (None, {"fields": ["name", "short_name", "slug", "kind", "item_kind", "home", "is_on"]}),
        ("What it is about", {"fields": ["specialties", "is_general", "region", "language"]}),
        ("Numbers", {"fields": ["nlm_id", "e_issn"]}),
        ("Abstracts", {"fields": ["license", "shows_abstracts"]}),
    ]

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("specialties", "feeds")

    def get_readonly_fields(self, request, obj=None):
        return ["slug"] if obj else []  # it is the address of its page

    def get_prepopulated_fields(self, request, obj=None):
        return {} if obj else {"slug": ["name"]}

    def get_actions(self, request):
        return {name: act for name, act in super().get_actions(request).items() if name != "delete_selected"}

    def has_delete_permission(self, request, obj=None):
        if not super().has_delete_permission(request, obj):
            return False
        if obj is None:
            return True
        return obj.slug not in reference.shipped_sources() and not Article.objects.filter(source=obj).exists()

    @admin.display(description="specialties")
    def fields_of(self, source):
        if source.is_general:
            return "General medicine"
        return ", ".join(each.name for each in source.specialties.all()) or "None"

    @admin.display(description="feeds")
    def feeds_of(self, source):
        return ", ".join(feed.get_status_display() if feed.is_on else "Off" for feed in source.feeds.all())

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        mapping.forget()

    def save_formset(self, request, form, formset, change):
        formset.save()
        for feed, changed in formset.changed_objects:
            if {"kind", "address"} & set(changed):
                sourcing.enable_again(feed=feed)

    @admin.action(description="Switch on", permissions=["change"])
    def switch_on(self, request, queryset):
        self.message_user(request, f"Switched on: {queryset.update(is_on=True)}.", messages.SUCCESS)

    @admin.action(description="Switch off", permissions=["change"])
    def switch_off(self, request, queryset):
        self.message_user(request, f"Switched off: {queryset.update(is_on=False)}.", messages.SUCCESS)

    def get_urls(self):
        view = self.admin_site.admin_view
        return [
            path("opml/", view(self.opml_view), name="newsfeed_source_opml"),
            path("feeds.opml", view(self.opml_file), name="newsfeed_source_opml_file"),
            *super().get_urls(),
        ]

    def opml_view(self, request):
        """Bring in a list of feeds, and say what became of each."""
        if not (self.has_add_permission(request) and request.user.has_perm("newsfeed.add_feed")):
            raise PermissionDenied
        form = OpmlForm(*((request.POST, request.FILES) if request.method == "POST" else ()))
        report = None
        if request.method == "POST" and form.is_valid():
            try:
                report = self._take_in(request, form.cleaned_data["file"].read())
            except RuleBroken as refusal:
                form.add_error("file", str(refusal))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Feeds from an OPML file",
            "form": form,
            "report": report,
        }
        status = 422 if form.is_bound and form.errors else 200
        return TemplateResponse(request, "newsfeed/desk/opml.html", context, status=status)

    @transaction.atomic
    def _take_in(self, request, data: bytes) -> opml.Report:
        report, logged = opml.take_in(data), set()
        for feed in report.feeds:
            if feed.source_id not in logged:
                logged.add(feed.source_id)
                self.log_addition(request, feed.source, FROM_OPML)
            self.log_addition(request, feed, FROM_OPML)
        return report

    def opml_file(self, request):
        if not self.has_view_permission(request):
            raise PermissionDenied
        headers = {"Content-Disposition": 'attachment; filename="feeds.opml"'}
        return HttpResponse(opml.write(), content_type="text/x-opml", headers=headers)


class OpmlForm(forms.Form):
    file = forms.FileField(label="OPML file", help_text="At most 1 MB.")

    def clean_file(self):
        file = self.cleaned_data["file"]
        if file.size > opml.MOST_BYTES:
            raise forms.ValidationError(opml.TooLarge.message)
        return file


@admin.register(Feed)
class FeedAdmin(admin.ModelAdmin):
    """How each feed is doing. One that was ever read is switched off rather than deleted."""

    form = FeedForm
    change_list_template = "newsfeed/desk/feeds.html"
    change_form_template = "newsfeed/desk/feed.html"
    list_display = ["of", "state", "checked", "next", "per_week", "error"]
    list_filter = ["status", "kind", "is_on", "is_beside"]
    list_select_related = ["source"]
    search_fields = ["source__name", "source__short_name", "address"]
    search_help_text = "A name of a source, or a part of an address"
    ordering = ["source__name", "place"]
    list_per_page = 100
    filter_horizontal = ["specialties"]
    actions = ["check_now", "enable_again"]
    readonly_fields = [
        *("status", "status_code", "error", "failures", "checked_at", "read_at", "next_at", "disabled_at"),
        *("moved_to", "per_week", "last_entries"),
    ]
    fieldsets = [
        (None, {"fields": ["source", "place", "kind", "address", "is_on", "is_beside", "specialties"]}),
        ("How it is doing", {"fields": readonly_fields}),
    ]

    def get_actions(self, request):
        return {name: act for name, act in super().get_actions(request).items() if name != "delete_selected"}

    def get_queryset(self, request):
        in_turn = ExpressionWrapper(
            Q(pk__in=turns.in_turn(timezone.now()).values("pk")), output_field=BooleanField()
        )
        return super().get_queryset(request).annotate(is_in_turn=in_turn)

    def has_delete_permission(self, request, obj=None):
        if not super().has_delete_permission(request, obj):
            return False
        return obj is None or (obj.read_at is None and not reference.is_shipped_feed(obj))

    @admin.display(description="source, and how it is read", ordering="source__name")
    def of(self, feed):
        way = "RSS" if feed.kind == Feed.Kind.FEED else feed.get_kind_display().split(",")[0]
        return f"{feed.source.short_name}, {way}{', beside' if feed.is_beside else ''}"

    @admin.display(description="status", ordering="status")
    def state(self, feed):
        if not (feed.is_on and feed.source.is_on):
            return "Switched off"
        code = f" ({feed.status_code})" if feed.status_code else ""
        times = f", {feed.failures} in a row" if feed.failures else ""
        return f"{feed.get_status_display()}{code}{times}"

    @admin.display(description="last check", ordering="checked_at")
    def checked(self, feed):
        return f"{timesince(feed.checked_at, depth=1)} ago" if feed.checked_at else "-"

    @admin.display(description="next check", ordering="next_at")
    def next(self, feed):
        if not feed.is_on or not feed.source.is_on or feed.status == Feed.Status.DISABLED:
            return "none"
        if not feed.is_in_turn:
            return "in reserve"
        return "due" if feed.next_at <= timezone.now() else f"in {timeuntil(feed.next_at, depth=1)}"

    @admin.display(description="a week", ordering="entries_per_week")
    def per_week(self, feed):
        return round(feed.entries_per_week, 1)

    def changelist_view(self, request, extra_context=None):
        return super().changelist_view(request, {"health": _health(), **(extra_context or {})})

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        if change and {"kind", "address"} & set(form.changed_data):
            sourcing.enable_again(feed=obj)

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        mapping.forget()

    def get_urls(self):
        view = self.admin_site.admin_view
        return [
            path("<int:feed_id>/check/", view(self.check_view), name="newsfeed_feed_check"),
            path("<int:feed_id>/enable/", view(self.enable_view), name="newsfeed_feed_enable"),
            *super().get_urls(),
        ]

    def check_view(self, request, feed_id):
        """Read a feed while its operator waits; by itself, since a transaction would be held open meanwhile."""
        feed = self._asked(request, feed_id)
        if feed is None:
            return HttpResponseNotAllowed(["POST"])
        self._check(request, feed)
        return redirect("admin:newsfeed_feed_change", feed.pk)

    def enable_view(self, request, feed_id):
        feed = self._asked(request, feed_id)
        if feed is None:
            return HttpResponseNotAllowed(["POST"])
        self.log_change(request, sourcing.enable_again(feed=feed), "Enabled again")
        self.message_user(request, f"{feed.source}: enabled again, and due.", messages.SUCCESS)
        return redirect("admin:newsfeed_feed_change", feed.pk)

    def _asked(self, request, feed_id) -> Feed | None:
        feed = get_object_or_404(Feed.objects.select_related("source"), pk=feed_id)
        if not self.has_change_permission(request, feed):
            raise PermissionDenied
        return feed if request.method == "POST" else None

    def _check(self, request, feed) -> None:
        word = checking.check_now(feed=feed)
        feed.refresh_from_db()
        level = {"failed": messages.ERROR, "disabled": messages.ERROR}.get(word, messages.WARNING)
        if word in ("read", "unchanged"):
            level = messages.SUCCESS
        self.message_user(request, f"{feed.source}: {_said(word, feed)}", level)

    @admin.action(description="Check now", permissions=["change"])
    def check_now(self, request, queryset):
        """One at once; several by the next rounds, since each may take its time."""
        feeds = list(queryset.select_related("source")[:2])
        if len(feeds) == 1:
            self._check(request, feeds[0])
            return
        due = sourcing.make_due(queryset.order_by())
        level = messages.SUCCESS if due.checked else messages.WARNING
        self.message_user(request, _said_of_many(due), level)

    @admin.action(description="Enable again", permissions=["change"])
    def enable_again(self, request, queryset):
        ids = lots.chosen(self, request, queryset)
        for feed in lots.rows_of(Feed.objects.all(), ids):
            self.log_change(request, sourcing.enable_again(feed=feed), "Enabled again")
        if ids:
            self.message_user(request, f"Enabled again, and due: {len(ids):,}.", messages.SUCCESS)


def _said(word: str, feed: Feed) -> str:
    """What became of a check that somebody asked for."""
    if word == "waiting":
        comes = settings.NEWS_FETCHED and turns.in_turn(timezone.now()).filter(pk=feed.pk).exists()
        return f"waiting: its host is busy, {BY_ITSELF if comes else 'try again in a minute'}."
    parts = {"error": feed.error, "entries": f"{feed.last_entries} {_entries(feed.last_entries)}"}
    return SAID[word].format(**parts, when=date_format(timezone.localtime(feed.next_at), "F j, H:i"))


def _entries(number: int) -> str:
    return "entry" if number == 1 else "entries"


def _said_of_many(due: sourcing.Due) -> str:
    """How many are checked, and what of the others."""
    when = "within a minute or two" if settings.NEWS_FETCHED else "with the next fetch_feeds"
    others = {
        "are being checked": due.under_way,
        "wait for a host that asked to be left alone": due.parked,
        "in reserve": due.reserve,
        "disabled": due.disabled,
        "switched off": due.off,
    }
    left = "; ".join(f"{number} {what}" for what, number in others.items() if number)
    return f"{due.checked} will be checked {when}{'. Of the others: ' + left if left else ''}."


def _health() -> dict[str, int | bool]:
    """How many feeds are in which state, and how many of them wait although nothing keeps them from being read."""
    status, is_on = Feed.Status, Q(is_on=True, source__is_on=True)
    read = turns.in_turn(timezone.now())
    in_turn = Q(pk__in=list(read.values_list("pk", flat=True)))
    counts = Feed.objects.aggregate(
        read=Count("pk", filter=in_turn & Q(status__in=[status.OK, status.UNCHANGED])),
        failing=Count("pk", filter=in_turn & Q(status=status.FAILING)),
        new=Count("pk", filter=in_turn & Q(status=status.NEW)),
        disabled=Count("pk", filter=is_on & Q(status=status.DISABLED)),
        reserve=Count("pk", filter=is_on & ~in_turn & ~Q(status=status.DISABLED)),
        off=Count("pk", filter=~is_on),
    )
    is_fetched = settings.NEWS_FETCHED
    late = read.filter(next_at__lte=timezone.now() - LATE).count() if is_fetched else 0
    return {**counts, "late": late, "is_fetched": is_fetched}
