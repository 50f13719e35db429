"""The ledger of personal data: every table with a way to a person, field by field."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.models import QuerySet

from accounts.models import Member, User

# Reasons why a field is not exported, as the ledger says them.
NUMBER = "a running number of this site"
OWNER = "you"
HASH = "a keyed hash, not readable"
SECRET = "opens a way in"  # noqa: S105 - a reason, not a password
OTHERS = "names another person"
DERIVED = "made from what is exported"
PLACE = "stands with the discussion it belongs to"


class Fate(models.TextChoices):
    """What leaving does with the rows of a table."""

    DELETED = "deleted", "Deleted"
    ANONYMIZED = "anonymized", "Kept without you"
    KEPT = "kept", "Kept, since it names nobody once you have left"
    SEVERED = "severed", "Kept unchanged, with the link to you cut"


@dataclass(frozen=True)
class Person:
    """Whose data it is. Staff and observers are no members."""

    user: User
    member: Member | None

    @classmethod
    def of(cls, user: User) -> "Person":
        return cls(user, user.as_member)


@dataclass(frozen=True)
class Shown:
    """One line of an exported row: its key, how it is read from the row, and the field it stands for ("" for none)."""

    field: str
    key: str
    read: Callable[[Any], Any]


@dataclass(frozen=True)
class Entry:
    """One table of the ledger.

    `path` leads from a row to the id of the person whose row it is; where no chain of keys does, or where it would
    find too much, `find` returns the rows. `shown` are the fields exported, `withheld` all others, each with the
    reason. `eraser` is the function among the app's ERASERS that does what `fate` and `why` say; a table whose rows
    simply stay has none.
    """

    model: str
    title: str
    fate: Fate
    why: str
    path: str = ""
    find: Callable[[Person], QuerySet] | None = None
    shown: tuple[str | Shown, ...] = ()
    withheld: Mapping[str, str] = field(default_factory=dict)
    load: tuple[str, ...] = ()
    eraser: Callable[[Person], None] | None = None

    @property
    def model_class(self) -> type[models.Model]:
        return apps.get_model(self.model)

    @property
    def file(self) -> str:
        meta = self.model_class._meta
        return f"{meta.app_label}/{meta.model_name}.json"

    @property
    def shown_fields(self) -> set[str]:
        return {each if isinstance(each, str) else each.field for each in self.shown} - {""}

    def rows(self, person: Person) -> QuerySet:
        """The rows that are this person's own, in a steady order."""
        found = self.find(person) if self.find else self._at_end_of_path(person)
        return found.select_related(*self.load).order_by("pk") if self.load else found.order_by("pk")

    def _at_end_of_path(self, person: Person) -> QuerySet:
        return self.model_class._base_manager.filter(**{self.path: person.user.pk})

    def row(self, instance) -> dict:
        """One row as JSON can hold it: moments in UTC, choices in words, money in cents."""
        said = {}
        for each in self.shown:
            if isinstance(each, str):
                said[each] = plain(_value(instance, each))
            else:
                said[each.key] = plain(each.read(instance))
        return said


def entries() -> list[Entry]:
    """The whole ledger, in the order of the layers."""
    return [entry for app in declared("ENTRIES") for entry in app]


def declared(name: str) -> list:
    """What each app's `personal.py` has under a name, in the order of the layers."""
    modules = [f"{app}.personal" for app in settings.LOCAL_APPS]
    found = [import_module(module) for module in modules if find_spec(module)]
    return [getattr(module, name) for module in found if hasattr(module, name)]


def _value(instance, name: str):
    """A field's value; a choice by its words."""
    words = getattr(instance, f"get_{name}_display", None)
    return words() if words else getattr(instance, name)


def plain(value):
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal | UUID):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(each) for each in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


# What a ledger lacks. Each of these names what is wrong, so that a test can say it.


def missing_tables(ledger: Iterable[Entry]) -> list[str]:
    """Models from whose rows some chain of keys leads to a person, and which no entry is about."""
    declared = {entry.model_class for entry in ledger}
    return sorted(model._meta.label for model in personal_models() - declared)


def missing_fields(ledger: Iterable[Entry]) -> list[str]:
    """Fields of the ledger's tables that are neither exported nor withheld for a reason."""
    found = []
    for entry in ledger:
        accounted = entry.shown_fields | {name for name, reason in entry.withheld.items() if reason}
        found += [f"{entry.model}.{name}" for name in sorted(_fields(entry.model_class) - accounted)]
    return found


def mistakes(ledger: Iterable[Entry]) -> list[str]:
    """Tables named twice, fields that do not exist or are both exported and withheld, paths that lead nowhere."""
    found, seen = [], set()
    for entry in ledger:
        if entry.model_class in seen:
            found.append(f"{entry.model}: twice")
        seen.add(entry.model_class)
        named = entry.shown_fields | set(entry.withheld)
        found += [f"{entry.model}.{name}: unknown" for name in sorted(named - _fields(entry.model_class))]
        both = entry.shown_fields & set(entry.withheld)
        found += [f"{entry.model}.{name}: exported and withheld" for name in sorted(both)]
        if entry.shown and not entry.find and not leads_to_a_user(entry.model_class, entry.path):
            found.append(f"{entry.model}: the path {entry.path!r} leads to nobody")
        if entry.eraser is None and entry.fate not in (Fate.KEPT, Fate.SEVERED):
            found.append(f"{entry.model}: {entry.fate} by nothing")
    return found


def personal_models() -> set[type[models.Model]]:
    """Every model with a path to User or Member over keys of any kind and any number of tables."""
    everything = {model for model in apps.get_models(include_auto_created=True) if not model._meta.proxy}
    found = {User, Member}
    grown = True
    while grown:
        more = {model for model in everything - found if _targets(model) & found}
        found |= more
        grown = bool(more)
    return found


def leads_to_a_user(model: type[models.Model], path: str) -> bool:
    """Whether an ORM path over forward keys ends at a user; "pk" does for the user's own table."""
    if model is User:
        return path == "pk"
    for name in path.split("__"):
        try:
            key = model._meta.get_field(name)
        except FieldDoesNotExist:
            return False
        if not key.is_relation or not key.concrete:
            return False
        model = key.related_model
    return model is User


def _targets(model) -> set[type[models.Model]]:
    keys = (key for key in model._meta.get_fields() if key.is_relation and key.concrete)
    return {key.related_model for key in keys if isinstance(key.related_model, type)}


def _fields(model) -> set[str]:
    return {each.name for each in (*model._meta.concrete_fields, *model._meta.local_many_to_many)}
