"""What was loaded: the readings of registry files, and a page to load a board's roster with."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from accounts.admin import ReadOnlyAdmin
from accounts.places import STATES
from sermo.errors import RuleBroken
from sermo.uploads import SizeLimit
from verification import rules
from verification.imports.roster_maps import PLAIN
from verification.models import ImportRun
from verification.services import roster_upload

COLUMNS = {  # of the plain file, and what stands in them
    "number": "The license number, in any spelling",
    "degree": "MD or DO",
    "last_name": "As the board writes it",
    "status": "The board's own words, such as Active or Expired",
    "first_name": "As the board writes it",
    "issued": "The day, as 2026-11-23 or 11/23/2026",
    "expires": "The day, in the same way",
    "discipline": "What the board has done, in its own words",
    "as_of": "The day the row was true; without it, the day in the file's name, else today",
    "state": "Two letters; rows of another state are left out",
}


class RosterForm(forms.Form):
    state = forms.ChoiceField(
        choices=[("", "Choose one"), *STATES],
        error_messages=dict.fromkeys(["required", "invalid_choice"], "Choose the state whose board this is."),
    )
    file = forms.FileField(
        label="CSV file",
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
        error_messages={"required": "Choose a file.", "empty": "The file is empty."},
    )
    max_drop = forms.DecimalField(
        label=roster_upload.FEWER,
        initial=5,
        min_value=0,
        max_value=100,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "class": "short"}),
        error_messages=dict.fromkeys(
            ["required", "invalid", "min_value", "max_value"], "Write a number from 0 to 100."
        ),
        help_text="With fewer licenses than that, compared with those that are live, nothing is loaded.",
    )
    again = forms.BooleanField(
        label=roster_upload.AGAIN,
        required=False,
        help_text="Such as a file that stood aside while a wrong one was loaded in its place.",
    )
    dry_run = forms.BooleanField(
        label="Only check and count, change nothing",
        required=False,
        initial=True,
    )


@admin.register(ImportRun)
class ImportRunAdmin(ReadOnlyAdmin):
    change_list_template = "verification/desk/imports.html"
    list_display = [
        "source",
        "board",
        "file_name",
        "state",
        "started_at",
        "rows_read",
        "rows_kept",
        "rows_rejected",
    ]
    list_filter = ["source", "state"]
    empty_value_display = ""
    ordering = ["-started_at"]

    def get_urls(self):
        @csrf_exempt  # checked further in: the size limit must be in place before the form is read
        def limited(request):
            request.upload_handlers.insert(0, SizeLimit(request, rules.ROSTER_BYTES))
            return checked(request)

        checked = csrf_protect(self.admin_site.admin_view(self.roster_view))
        return [path("roster/", limited, name="verification_importrun_roster"), *super().get_urls()]

    def changelist_view(self, request, extra_context=None):
        may_load = request.user.has_perm("verification.add_importrun")
        return super().changelist_view(request, {"may_load": may_load, **(extra_context or {})})

    def roster_view(self, request):
        """Check a roster's file, then load it."""
        if not request.user.has_perm("verification.add_importrun"):
            raise PermissionDenied
        form, found = RosterForm(request.POST or None, request.FILES or None), ""
        if getattr(request, "upload_too_large", False):
            form.errors.pop("file", None)
            form.add_error("file", str(roster_upload.TooLarge()))
        if form.is_bound and form.is_valid():
            found = self._load(request, form)
            if found and not form.cleaned_data["dry_run"]:
                messages.success(request, f"{dict(STATES)[form.cleaned_data['state']]}: loaded.")
                return redirect("admin:verification_importrun_changelist")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Load a board's roster",
            "form": form,
            "found": found,
            "columns": [
                (name, meant, name.replace("_", " ") in PLAIN.columns.values())
                for name, meant in COLUMNS.items()
            ],
            "list_address": reverse("admin:verification_importrun_changelist"),
        }
        return TemplateResponse(
            request,
            "verification/desk/roster.html",
            context,
            status=422 if form.is_bound and form.errors else 200,
        )

    def _load(self, request, form) -> str:
        """What was found, or nothing where the form says why not."""
        given = form.cleaned_data
        try:
            return roster_upload.load(
                by=request.user,
                state=given["state"],
                name=given["file"].name,
                data=given["file"].read(),
                dry_run=given["dry_run"],
                max_drop=float(given["max_drop"]),
                again=given["again"],
            )
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
            return ""
