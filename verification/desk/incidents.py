"""The record of incidents, with its clock, and the retention table."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.html import format_html

from accounts.admin import ReadOnlyAdmin
from sermo.errors import RuleBroken
from verification.forms import LENGTHS
from verification.models import Incident, RetentionRun
from verification.services import incidents, retention

KEEP = "verification.keep_incidents"
STEPS = {  # of the record: its name on the page, what it asks for, and the service
    "contained": (
        "Contain",
        "How it was seen to that nothing more is disclosed, and when.",
        incidents.contain,
    ),
    "assessed": ("Assess", "What was decided, and why.", incidents.assess),
    "notified": ("Notify", "Who was told, how, and on which days. No names.", incidents.notify),
    "closed": (
        "Close",
        "What was learned, and what was changed so that it does not happen again.",
        incidents.close,
    ),
}


class StepForm(forms.Form):
    text = forms.CharField(
        label="Note",
        max_length=10_000,
        error_messages={"required": incidents.NoteMissing.message, **LENGTHS},
        widget=forms.Textarea(attrs={"rows": 5, "class": "vLargeTextField"}),
    )

    def __init__(self, *args, help_text="", **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["text"].help_text = f"{help_text} Kept encrypted, and never changed afterwards.".strip()


class OpenForm(StepForm):
    title = forms.CharField(
        max_length=120,
        help_text="A few words for the list. No names, no numbers: this one line is not encrypted.",
        error_messages={"required": "Write a few words for the list.", **LENGTHS},
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )
    kind = forms.ChoiceField(
        label="What happened",
        choices=Incident.Kind.choices,
        error_messages=dict.fromkeys(["required", "invalid_choice"], "Choose what happened."),
    )
    detected_at = forms.DateTimeField(
        label="Discovered (UTC)",
        help_text="As 2026-11-23 14:30. The 60 days run from the day somebody here knew of it, or should have.",
        error_messages=dict.fromkeys(
            ["required", "invalid"], "Write day and time, such as 2026-11-23 14:30."
        ),
        widget=forms.DateTimeInput(format="%Y-%m-%d %H:%M", attrs={"class": "vTextField"}),
    )
    field_order = ("title", "kind", "detected_at", "text")


class AssessForm(StepForm):
    data, who, seen, mended = (
        forms.CharField(
            label=question,
            max_length=5_000,
            error_messages={"required": "Answer this question, in a sentence.", **LENGTHS},
            widget=forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"}),
        )
        for question in incidents.FACTORS.values()
    )
    verdict = forms.ChoiceField(
        label="So it is",
        choices=[("", "Choose"), *Incident.Verdict.choices],
        error_messages=dict.fromkeys(["required", "invalid_choice"], "Choose the verdict."),
    )
    affected = forms.IntegerField(
        label="People affected",
        min_value=0,
        max_value=100_000_000,
        error_messages=dict.fromkeys(
            ["required", "invalid", "min_value", "max_value"], "Write a number; 0 where there is nobody."
        ),
    )
    field_order = ("data", "who", "seen", "mended", "verdict", "affected", "text")

    def arguments(self) -> dict:
        data = self.cleaned_data
        return {
            "factors": {name: data[name] for name in incidents.FACTORS},
            **{name: data[name] for name in ("verdict", "affected", "text")},
        }


def badge(clock: incidents.Clock) -> str:
    return format_html('<span class="badge {}">{}</span>', clock.tone, clock.words)


@admin.register(Incident)
class IncidentAdmin(ReadOnlyAdmin):
    list_display = [
        "number",
        "left",
        "step",
        "title",
        "discovered",
    ]  # what is pressing first: phones cut the rest
    list_display_links = ["number", "title"]
    list_filter = ["kind", "verdict"]
    ordering = ["-detected_at", "-pk"]

    def has_add_permission(self, request):
        return request.user.has_perm(KEEP)

    @admin.display(description="incident", ordering="pk")
    def number(self, incident):
        return incident.pk

    @admin.display(description="discovered", ordering="detected_at")
    def discovered(self, incident):
        return incident.detected_at.date()

    @admin.display(description="next")
    def step(self, incident):
        following = incidents.next_step(incident)
        return STEPS[following][0] if following else "Closed"

    @admin.display(description="60 days", ordering="detected_at")
    def left(self, incident):
        return badge(incidents.clock(incident))

    def history_view(self, request, object_id, extra_context=None):
        raise Http404  # the notes are its history

    def add_view(self, request, form_url="", extra_context=None):
        """Open the record of something discovered."""
        if not request.user.has_perm(KEEP):
            raise PermissionDenied
        with timezone.override("UTC"):
            first = {"detected_at": timezone.now().strftime("%Y-%m-%d %H:%M")}
            form = OpenForm(
                request.POST if request.method == "POST" else None,
                initial=first,
                help_text="What was found, by whom, and what is known so far.",
            )
            if form.is_bound and form.is_valid():
                try:
                    incident = incidents.open_incident(by=request.user, **form.cleaned_data)
                except RuleBroken as refusal:
                    form.add_error(None, str(refusal))
                else:
                    messages.success(request, f"Incident {incident.pk} is open.")
                    return redirect("admin:verification_incident_change", incident.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": "Open an incident",
            "opts": self.opts,
            "form": form,
        }
        return TemplateResponse(request, "verification/desk/incident_open.html", context)

    def change_view(self, request, object_id, form_url="", extra_context=None):
        """The record so far, what the law wants, and the one step that comes next."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        pk = int(object_id) if object_id.isascii() and object_id.isdecimal() and len(object_id) < 19 else 0
        incident = get_object_or_404(Incident, pk=pk)
        may_keep = request.user.has_perm(KEEP)
        step = incidents.next_step(incident)
        form, note_form = self._form(request, step), self._note_form(request)
        if request.method == "POST":
            if not may_keep:
                raise PermissionDenied
            bound = form if form is not None and form.is_bound else note_form
            if bound.is_bound and bound.is_valid() and self._do(request, incident, step, bound):
                return redirect("admin:verification_incident_change", incident.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Incident {incident.pk}: {incident.title}",
            "opts": self.opts,
            "incident": incident,
            "clock": incidents.clock(incident),
            "steps": self._steps(incident, step),
            "label": STEPS[step][0] if step else "",
            "step": step,
            "form": form if may_keep else None,
            "note_form": note_form if may_keep else None,
            "duties": incidents.duties(incident),
            "notes": incident.notes.select_related("by").order_by("at", "pk"),
        }
        return TemplateResponse(request, "verification/desk/incident.html", context)

    def _form(self, request, step):
        if not step:
            return None
        sent = request.POST if request.method == "POST" and request.POST.get("step") == step else None
        kind = AssessForm if step == "assessed" else StepForm
        return kind(sent, help_text=STEPS[step][1])

    def _note_form(self, request):
        sent = request.POST if request.method == "POST" and request.POST.get("step") == "note" else None
        return StepForm(sent, auto_id="id_note_%s")

    def _do(self, request, incident, step, form) -> bool:
        is_step = request.POST.get("step") != "note"
        service = STEPS[step][2] if is_step else incidents.add_note
        said = form.arguments() if isinstance(form, AssessForm) else form.cleaned_data
        try:
            service(incident=incident, by=request.user, **said)
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
            return False
        messages.success(request, "Written down.")
        return True

    def _steps(self, incident, step) -> list[dict]:
        """All steps with the moment each was taken, the next one marked, and those left out that the verdict spares."""
        rows = [{"label": "Open", "at": incident.opened_at, "is_next": False}]
        for name, (label, _, _) in STEPS.items():
            at = getattr(incident, f"{name}_at")
            if name == "notified" and incident.assessed_at and incident.verdict != Incident.Verdict.BREACH:
                continue
            rows.append({"label": label, "at": at, "is_next": name == step})
        return rows


@admin.register(RetentionRun)
class RetentionAdmin(ReadOnlyAdmin):
    """One page: the table of what is forgotten, with what came of each rule last."""

    def changelist_view(self, request, extra_context=None):
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": "What is forgotten, and when",
            "opts": self.opts,
            "rows": retention.table(),
        }
        return TemplateResponse(request, "verification/desk/retention.html", context)

    def change_view(self, request, object_id, form_url="", extra_context=None):
        raise Http404  # a run is a line of the table

    def history_view(self, request, object_id, extra_context=None):
        raise Http404
