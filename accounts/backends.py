"""How a request's user is found."""

from collections.abc import Callable
from typing import ClassVar

from allauth.account.auth_backends import AuthenticationBackend
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, Expression, Func, IntegerField, Model, OuterRef, QuerySet

from accounts.models import NoticeThread, User
from sermo.prepared import columns_of, instance_of, prepared

MOST_UNREAD = 100  # counted; beyond it the number says no more


class SermoBackend(AuthenticationBackend):
    """Loads, in one query, what nearly every page asks of its user.

    That is member, specialty, groups, second factor, and the number of threads with something unread.
    """

    also_loaded: ClassVar[list[str]] = []  # what higher apps keep one-to-one with a member, as "member__rank"
    also_asked: ClassVar[
        dict[str, Callable[[], Expression]]
    ] = {}  # what they ask of a user, by the name it gets

    def get_user(self, user_id):
        related, asked = ("member", "member__specialty", *self.also_loaded), tuple(self.also_asked)
        rows = _user_rows((related, asked), user_id=int(user_id))
        user = _loaded(rows[0], related, asked) if rows else None
        return user if user and self.user_can_authenticate(user) else None


def number_of(rows: QuerySet, most: int) -> Func:
    """How many rows there are, counted up to `most`."""
    return Func(ArraySubquery(rows.values("pk")[:most]), function="CARDINALITY", output_field=IntegerField())


@prepared
def _user_rows(shape: tuple[tuple[str, ...], tuple[str, ...]], *, user_id: int):
    related, asked = shape
    groups = Group.objects.filter(user=OuterRef("pk")).values("name")
    factors = Authenticator.objects.filter(user=OuterRef("pk")).exclude(
        type=Authenticator.Type.RECOVERY_CODES
    )
    unread = NoticeThread.objects.filter(member__user=OuterRef("pk"), unread__gt=0)
    return User.objects.filter(pk=user_id).values_list(
        ArraySubquery(groups),
        Exists(factors),
        number_of(unread, MOST_UNREAD),
        *(SermoBackend.also_asked[name]() for name in asked),
        *columns_of(User),
        *(column for path in related for column in columns_of(_model_at(path), path)),
    )


def _loaded(row: tuple, related: tuple[str, ...], asked: tuple[str, ...]) -> User:
    """The user with what was asked of them and everything along the paths, as `select_related` leaves it."""
    values = iter(row)
    groups, has_second_factor, unread_count = next(values), next(values), next(values)
    answers = [next(values) for _ in asked]
    user = _take(User, values)
    user.group_names, user.has_second_factor, user.unread_count = groups, has_second_factor, unread_count
    for name, answer in zip(asked, answers, strict=True):
        setattr(user, name, answer)
    for path in related:
        *way, name = path.split("__")
        holder, model = user, _model_at(path)
        for step in way:
            holder = holder and holder._state.fields_cache.get(step)
        found = _take(model, values)
        if holder is None:
            continue
        field = holder._meta.get_field(name)
        holder._state.fields_cache[field.cache_name] = found
        if found and field.one_to_one:
            found._state.fields_cache[field.remote_field.cache_name] = holder
    return user


def _take(model: type[Model], values) -> Model | None:
    """The next row of a model, or None where the outer join found none."""
    fields = model._meta.concrete_fields
    own = [next(values) for _ in fields]
    return None if own[fields.index(model._meta.pk)] is None else instance_of(model, own)


def _model_at(path: str) -> type[Model]:
    model = User
    for step in path.split("__"):
        model = model._meta.get_field(step).related_model
    return model
