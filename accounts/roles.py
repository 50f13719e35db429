"""Who somebody is beside being a member: the groups that staff work in."""

from django.contrib.auth.models import Group

MODERATORS = "Moderators"
REVIEWERS = "Verification reviewers"
FINANCE = "Finance"
OBSERVERS = "Observers"
NEWS_EDITORS = "News editors"
PRIVACY = "Privacy officers"  # incidents, and two of them the name behind a handle
GROUPS = (MODERATORS, REVIEWERS, FINANCE, OBSERVERS, NEWS_EDITORS, PRIVACY)


def groups_of(user) -> frozenset[str]:
    """The names of a user's groups, asked for once per user object."""
    if not user.is_authenticated:
        return frozenset()
    if not hasattr(user, "group_names"):
        user.group_names = list(user.groups.values_list("name", flat=True))
    return frozenset(user.group_names)


def is_moderator(user) -> bool:
    """Whether somebody moderates now: staff of the group, or a member of it in good standing."""
    if MODERATORS not in groups_of(user):
        return False
    return user.as_member is None or user.as_member.may_write


def needs_second_factor(user) -> bool:
    """Staff, moderators and observers must have one."""
    return user.is_authenticated and (user.is_staff or bool(groups_of(user) & {MODERATORS, OBSERVERS}))


def ensure_groups() -> None:
    for name in GROUPS:
        Group.objects.get_or_create(name=name)
