"""What all pages of the finance desk share: lists that stay quick, and acts that have a page of their own.

Nothing is edited in place but what firms and charities are called. Each act is a form on a page, done by a service;
where money or identities change hands, whoever sits there first confirms that it is still them.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import display_for_field, label_for_field, lookup_field
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import capfirst
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from accounts.admin import ReadOnlyAdmin
from accounts.doors import recently_authenticated
from rewards.desk.forms import ActForm
from rewards.words import dollars
from sermo.errors import RuleBroken
from sermo.estimates import EstimatedPaginator
from verification.services import events


def always(row: Any) -> bool:
    return True


@dataclass(frozen=True)
class Act:
    """One thing the desk does. `do` gets (row or none, user, what was typed) and returns words, or a file."""

    name: str  # of its address
    label: str  # of its button
    form: type[ActForm]
    do: Callable[[Any, Any, dict], "str | HttpResponseBase"]
    permission: str
    is_open: Callable[[Any], bool] = always
    words: str = ""  # what it means
    of_list: bool = False  # it concerns no row that is there already
    is_guarded: bool = True
    is_end: bool = False  # the row is gone then
    beside: Mapping[type[RuleBroken], str] = field(default_factory=dict)  # refusals that concern one field


@dataclass(frozen=True)
class Table:
    """Rows below the facts of a row. A cell is text, or what `link` and `badge` make."""

    caption: str
    head: tuple[str, ...]
    rows: Iterable[tuple]
    numbers: tuple[int, ...] = ()  # columns, from 1, that stand to the right
    empty: str = "Nothing."
    more: str = ""  # address of the next rows
    more_words: str = "Earlier ones"

    def lines(self) -> list[list[dict]]:
        """Its cells, each with the head it stands under."""
        return [
            [
                {"text": cell, "head": head, "is_number": number in self.numbers}
                for number, (cell, head) in enumerate(zip(row, self.head, strict=True), start=1)
            ]
            for row in self.rows
        ]


def link(row: Any, words: str | None = None) -> str:
    address = reverse(f"admin:rewards_{row._meta.model_name}_change", args=[row.pk])
    return format_html('<a href="{}">{}</a>', address, words or str(row))


def badge(words: str, tone: str = "") -> str:
    return format_html('<span class="badge {}">{}</span>', tone, words) if words else ""


def signed(cents: int) -> str:
    return f"-{dollars(-cents)}" if cents < 0 else dollars(cents)


def moment(at: datetime | None) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}" if at else ""


def day(at: datetime | None) -> str:
    """Of what members earn and what they earned it by: moments would lead from a post to an account."""
    return f"{timezone.localtime(at):%Y-%m-%d}" if at else ""


def file_of(data: bytes | str, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return HttpResponse(data, content_type="text/csv; charset=utf-8", headers=headers)


class KeysFirst(EstimatedPaginator):
    """Far back in a list the keys of a page are found alone, so that what is skipped is not joined."""

    far = 1_000  # rows

    def page(self, number):
        number = self.validate_number(number)
        begin = (number - 1) * self.per_page
        if begin < self.far:
            return super().page(number)
        keys = list(self.object_list.values_list("pk", flat=True)[begin : begin + self.per_page])
        return self._get_page(self.object_list.filter(pk__in=keys), number, self)


class DeskAdmin(ReadOnlyAdmin):
    """A list of the finance desk. `acts` are its buttons; `tables` what stands below a row's facts."""

    change_list_template = "admin/rewards/list.html"
    change_form_template = "admin/rewards/row.html"
    paginator = KeysFirst
    list_per_page = 50
    list_max_show_all = 50
    ordering = ["-pk"]
    sortable_by = []  # what is not the key has no index to be sorted by
    actions = None
    acts: tuple[Act, ...] = ()

    def tables(self, request, row) -> list[Table]:
        return []

    @admin.display(description="number")
    def number(self, row):
        return row.pk

    def name_of(self, row) -> str:
        """The title of a row's page."""
        return capfirst(str(row))

    def get_search_results(self, request, queryset, search_term):
        """By `found`; that `search_fields` names a field only shows the box."""
        term = search_term.replace("\x00", "").strip()
        return (self.found(queryset, term) if term else queryset), False

    def found(self, queryset, term: str):
        return queryset.filter(pk=number) if (number := number_of(term)) else queryset.none()

    def lookup_allowed(self, lookup, value, request=None):
        """Only what the filters beside a list are named for, so that no address joins what the pages keep apart."""
        names = [getattr(one, "parameter_name", one) for one in self.list_filter]
        is_named = any(lookup == name or lookup.startswith(f"{name}__") for name in names)
        return is_named and super().lookup_allowed(lookup, value, request)

    def get_urls(self):
        return [
            *(
                path(
                    f"{act.name}/" if act.of_list else f"<int:pk>/{act.name}/",
                    self.admin_site.admin_view(self._door(act)),
                    name=self._route(act),
                )
                for act in self.acts
            ),
            *super().get_urls(),
        ]

    def _route(self, act: Act) -> str:
        return f"rewards_{self.opts.model_name}_{act.name.replace('-', '_')}"

    def _door(self, act: Act):
        def allowed(request, pk=None):
            """The permission comes first: whoever lacks it is not asked for a password."""
            if not request.user.has_perm(f"rewards.{act.permission}"):
                raise PermissionDenied
            return (recently_authenticated(view) if act.is_guarded else view)(request, pk)

        @sensitive_post_parameters()
        @sensitive_variables()
        def view(request, pk):
            return self._act_view(request, act, pk)

        return allowed

    @sensitive_variables()
    def _act_view(self, request, act: Act, pk: int | None):
        row = None if act.of_list else get_object_or_404(self.get_queryset(request), pk=pk)
        is_open = row is None or act.is_open(row)
        form = act.form(request.POST if request.method == "POST" else None, row=row)
        if form.is_bound and form.is_valid():
            answer = self._done(request, act, row, form)
            if answer is not None:
                return answer
        form.focus_on_refused()
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": act.label,
            "subtitle": self.name_of(row) if row else "",
            "original": row,
            "facts": self._facts(row) if row else [],
            "list_address": reverse(f"admin:rewards_{self.opts.model_name}_changelist"),
            "row_address": reverse(f"admin:rewards_{self.opts.model_name}_change", args=[row.pk])
            if row
            else "",
            "act": act,
            "is_open": is_open,
            "form": form,
        }
        status = 422 if form.is_bound else 200
        return TemplateResponse(request, "admin/rewards/act.html", context, status=status)

    def _facts(self, row) -> list[tuple[str, Any]]:
        """What its line in the list says, for who is about to decide over it."""
        said = []
        for name in self.list_display:
            column, _, value = lookup_field(name, row, self)
            shown = display_for_field(value, column, "none") if column else value
            said.append((label_for_field(name, self.model, self), shown))
        return said

    @sensitive_variables()
    def _done(self, request, act: Act, row, form) -> HttpResponseBase | None:
        """Where to go when it is done; none, with the refusal in the form, when it is not."""
        try:
            answer = act.do(row, request.user, form.cleaned_data)
        except RuleBroken as refusal:
            form.add_error(act.beside.get(type(refusal)), str(refusal))
            return None
        if isinstance(answer, HttpResponseBase):
            return answer
        if row is not None:
            self.log_change(request, row, act.label)
        messages.success(request, answer)
        name = f"admin:rewards_{self.opts.model_name}"
        return (
            redirect(f"{name}_changelist")
            if row is None or act.is_end
            else redirect(f"{name}_change", row.pk)
        )

    def _buttons(self, request, row=None) -> list[dict[str, str]]:
        """The acts that somebody may do now, on a row or on the list."""
        return [
            {
                "label": act.label,
                "address": reverse(f"admin:{self._route(act)}", args=[] if act.of_list else [row.pk]),
            }
            for act in self.acts
            if act.of_list == (row is None)
            and (row is None or act.is_open(row))
            and request.user.has_perm(f"rewards.{act.permission}")
        ]

    def changelist_view(self, request, extra_context=None):
        context = {
            "title": capfirst(self.opts.verbose_name_plural),
            "buttons": self._buttons(request),
            "figures": self.figures(),
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def figures(self) -> str:
        """A sentence above the list."""
        return ""

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        if obj:
            context |= {
                "title": self.name_of(obj),
                "subtitle": "",
                "buttons": self._buttons(request, obj),
                "tables": self.tables(request, obj),
            }
        return super().render_change_form(request, context, add, change, form_url, obj)


class EditedAdmin(DeskAdmin):
    """Rows whose words the desk may change; they are deleted never."""

    recorded: tuple[str, ...] = ()  # fields of which the trail keeps what they were and became; guarded, too

    def has_add_permission(self, request, obj=None):
        return request.user.has_perm(f"rewards.add_{self.opts.model_name}")

    def has_change_permission(self, request, obj=None):
        return request.user.has_perm(f"rewards.change_{self.opts.model_name}")

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        """Where what is said is where money goes, whoever says it first confirms that it is still them."""
        view = super().changeform_view
        may = self.has_change_permission(request) if object_id else self.has_add_permission(request)
        if self.recorded and may and request.method == "POST":
            view = recently_authenticated(view)
        return view(request, object_id, form_url, extra_context)

    def save_model(self, request, obj, form, change):
        events.lock_chain()  # before the row, as everywhere
        super().save_model(request, obj, form, change)
        name = self.opts.model_name
        events.record(
            kind=f"finance_{name}",
            by=request.user,
            object=f"{name}:{obj.pk}",
            evidence=[
                f"{field}: {form.initial.get(field) or 'none'} -> {form.cleaned_data[field]}"
                for field in self.recorded
                if field in form.changed_data
            ],
        )


def number_of(term: str) -> int:
    """A row's number as it was typed, or 0."""
    return int(term) if term.isascii() and term.isdecimal() and len(term) <= 18 else 0
