"""What accounts knows of a person: the log-in, the member, ties, notices, pictures, exports."""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db.models import BigIntegerField, Q, Value
from django.utils import timezone

from accounts import handles
from accounts.leaving.ledger import DERIVED, HASH, NUMBER, OTHERS, OWNER, SECRET, Entry, Fate, Person, Shown
from accounts.models import (
    Block,
    Connection,
    Export,
    Face,
    Follow,
    Handle,
    IdentifierDecision,
    Member,
    Notice,
    NoticeSettings,
    NoticeThread,
    Picture,
    new_physician_key,
)
from accounts.roles import groups_of
from accounts.services import pictures
from sermo.errors import RuleBroken
from sermo.private_files import delete_files

GONE = "All of it goes with your log-in."

# Tables that belong to no model, and what they say of a person.
OTHER_TABLES = {
    "django_migrations": "Nothing.",
    "sermo_throttle": "How often something was tried lately, under hashed keys; each row runs out within a day.",
}


class StaffCannotLeave(RuleBroken):
    message = (
        "This account works for the site. The operator ends it, so that the work passes to somebody else."
    )


def check_may_leave(person: Person) -> None:
    """Accounts with rights over others are ended by the operator. Raises StaffCannotLeave."""
    from django.contrib.admin.models import LogEntry

    user = person.user
    works = user.is_staff or user.is_superuser or groups_of(user)
    if works or LogEntry.objects.filter(user=user).exists():
        raise StaffCannotLeave


# Rows that no single chain of keys finds


def connections_seen(person: Person):
    """Connections as their pages show them: who refused, withdrew or blocked is not told here either."""
    member = person.member
    if member is None:
        return Connection.objects.none()
    rows = Connection.objects
    seen = (rows.of(member).accepted(), rows.sent_by(member), rows.received_by(member))
    found = Q(*(Q(pk__in=each.values("pk")) for each in seen), _connector=Q.OR)
    return rows.filter(found).annotate(own_id=Value(member.pk, BigIntegerField()))


def sessions_of(person: Person):
    keys = UserSession.objects.filter(user=person.user).values("session_key")
    return Session.objects.filter(session_key__in=keys)


def _colleague(connection):
    is_own = connection.requester_id == connection.own_id
    return (connection.addressee if is_own else connection.requester).handle


def _tie(connection):
    """Refused looks like requested, as on the page."""
    if connection.state == Connection.State.ACCEPTED:
        return "Connected"
    return "Requested by you" if connection.requester_id == connection.own_id else "Requested from you"


def _connected_at(connection):
    return connection.answered_at if connection.state == Connection.State.ACCEPTED else None


def _own_reveal(connection):
    is_own = connection.requester_id == connection.own_id
    return connection.requester_reveals if is_own else connection.addressee_reveals


def _blocked(block):
    """As met: a name where a name was blocked, if it still shows, else the handle; never both."""
    if block.blocked_face == Face.NAME:
        return block.blocked.display_name or None
    return block.blocked.handle


# Erasers, in the order of ERASERS


def erase_ties(person: Person) -> None:
    """Connections, follows and blocks in both directions, and what colleagues were told of the connections."""
    member = person.member
    if member is None:
        return
    ended = Connection.objects.filter(Q(requester=member) | Q(addressee=member))
    about = [f"connection:{pk}" for pk in ended.values_list("pk", flat=True)]
    NoticeThread.objects.filter(about__in=about).delete()
    ended.delete()
    Follow.objects.filter(Q(follower=member) | Q(followed=member)).delete()
    Block.objects.filter(Q(blocker=member) | Q(blocked=member)).delete()


def erase_notices(person: Person) -> None:
    """Everything told, chosen, or waiting in the outbox."""
    person.user.mails.all().delete()
    member = person.member
    if member is None:
        return
    Notice.objects.filter(member=member).delete()
    member.notice_threads.all().delete()
    member.notice_choices.all().delete()
    member.notice_days.all().delete()
    NoticeSettings.objects.filter(member=member).delete()


def erase_pictures(person: Person) -> None:
    """Both faces' uploads, rows at once and files once the transaction stands."""
    if person.member is None:
        return
    found = Picture.objects.filter(member=person.member)
    delete_files(picture.file_name for picture in found)
    found.delete()


def erase_exports(person: Person) -> None:
    """All exports; a worker that is making one finds its row gone and stops."""
    found = Export.objects.filter(user=person.user)
    delete_files(export.file_name for export in found)
    found.delete()


def erase_identifier_decisions(person: Person) -> None:
    IdentifierDecision.objects.filter(member=person.member).delete()


def sever_handles(person: Person) -> None:
    """Keep the handles from others by keyed hashes alone. Their moments would tell which ones were one's."""
    if person.member is None:
        return
    year = _start_of_year()
    for key in list(person.member.handles.values_list("key", flat=True)):
        Handle.objects.filter(key=key).update(
            key=handles.severed_key(key),
            member=None,
            text="",
            taken_at=year,
            released_at=year,
            held_until=None,
        )


def anonymize_member(person: Person) -> None:
    """Leave the bare row that posts and votes hang on. Its new handle is random and stands on no page."""
    if person.member is None:
        return
    Member.objects.filter(pk=person.member.pk).update(
        user=None,
        handle=f"former-{secrets.token_hex(5)}",
        handle_changed_at=None,
        standing=Member.Standing.APPLICANT,
        specialty=None,
        subspecialty=None,
        state="",
        years_band="",
        bio="",
        languages=[],
        school="",
        training="",
        publications=[],
        contact_for=[],
        visibility={},
        face={},
        handle_picture="",
        name_picture="",
        byline_mode=Member.BylineMode.ANONYMOUS,
        display_name="",
        physician_key=new_physician_key(),
        joined_at=_start_of_year(),
    )


def end_sessions(person: Person) -> None:
    sessions_of(person).delete()
    UserSession.objects.filter(user=person.user).delete()


def delete_login(person: Person) -> None:
    """The user, with addresses, factors and groups."""
    person.user.delete()


def _start_of_year() -> datetime:
    return datetime(timezone.now().year, 1, 1, tzinfo=UTC)


ERASERS = (
    erase_ties,
    erase_notices,
    erase_pictures,
    erase_exports,
    erase_identifier_decisions,
    sever_handles,
    anonymize_member,
    end_sessions,
    delete_login,
)


# Files of an export


def files(person: Person) -> Iterator[tuple[str, list[bytes]]]:
    """The pictures one sent."""
    for picture in Picture.objects.filter(member=person.member).order_by("pk") if person.member else ():
        try:
            yield f"pictures/{picture.face}.jpg", [pictures.read_picture(picture)]
        except FileNotFoundError:
            continue


ENTRIES = (
    Entry(
        "accounts.User",
        "Your log-in",
        Fate.DELETED,
        GONE,
        path="pk",
        shown=(
            "email",
            "date_joined",
            "last_login",
            "is_active",
            "is_staff",
            "is_superuser",
            Shown("groups", "groups", lambda user: sorted(group.name for group in user.groups.all())),
        ),
        withheld={
            "id": NUMBER,
            "password": HASH,
            "user_permissions": "rights of staff, given by the operator",
        },
        eraser=delete_login,
    ),
    Entry(
        "accounts.User_groups",
        "Groups of staff",
        Fate.DELETED,
        GONE,
        withheld={"id": NUMBER, "user": OWNER, "group": "stands with your log-in"},
        eraser=delete_login,
    ),
    Entry(
        "accounts.User_user_permissions",
        "Rights of staff",
        Fate.DELETED,
        GONE,
        withheld={"id": NUMBER, "user": OWNER, "permission": "given by the operator"},
        eraser=delete_login,
    ),
    Entry(
        "account.EmailAddress",
        "E-mail addresses",
        Fate.DELETED,
        "They are free to sign up anew.",
        path="user",
        shown=("email", "verified", "primary"),
        withheld={"id": NUMBER, "user": OWNER},
        eraser=delete_login,
    ),
    Entry(
        "account.EmailConfirmation",
        "Confirmations of addresses",
        Fate.DELETED,
        GONE,
        path="email_address__user",
        shown=("created", "sent"),
        withheld={"id": NUMBER, "email_address": "stands with your addresses", "key": SECRET},
        eraser=delete_login,
    ),
    Entry(
        "mfa.Authenticator",
        "Second factors",
        Fate.DELETED,
        GONE,
        path="user",
        shown=("type", "created_at", "last_used_at"),
        withheld={"id": NUMBER, "user": OWNER, "data": SECRET},
        eraser=delete_login,
    ),
    Entry(
        "usersessions.UserSession",
        "Devices",
        Fate.DELETED,
        "You are logged out everywhere.",
        path="user",
        shown=("ip", "user_agent", "created_at", "last_seen_at"),
        withheld={"id": NUMBER, "user": OWNER, "session_key": SECRET, "data": "how the device logged in"},
        eraser=end_sessions,
    ),
    Entry(
        "sessions.Session",
        "Sessions",
        Fate.DELETED,
        "You are logged out everywhere.",
        find=sessions_of,
        withheld={
            "session_key": SECRET,
            "session_data": SECRET,
            "expire_date": "14 days after the last visit",
        },
        eraser=end_sessions,
    ),
    Entry(
        "admin.LogEntry",
        "Acts in the administration",
        Fate.KEPT,
        "Only staff have any, and the operator ends their accounts.",
        path="user",
        shown=("action_time", "action_flag"),
        withheld={
            "id": NUMBER,
            "user": OWNER,
            "content_type": "work for the site",
            "object_id": OTHERS,
            "object_repr": OTHERS,
            "change_message": OTHERS,
        },
    ),
    Entry(
        "accounts.Member",
        "Your profile",
        Fate.ANONYMIZED,
        "An empty row stays, so that posts and votes belong to a former member.",
        path="user",
        load=("specialty", "subspecialty"),
        shown=(
            "handle",
            "handle_changed_at",
            "standing",
            Shown("specialty", "specialty", lambda member: member.specialty and member.specialty.name),
            Shown(
                "subspecialty",
                "subspecialty",
                lambda member: member.subspecialty and member.subspecialty.name,
            ),
            "state",
            "years_band",
            "bio",
            "languages",
            "school",
            "training",
            "publications",
            "contact_for",
            "visibility",
            Shown("face", "shown_to_physicians", lambda member: member.face),
            "handle_picture",
            "name_picture",
            "byline_mode",
            "peers_only",
            "hides_industry",
            "display_name",
            Shown("physician_key", "name_page", lambda member: member.physician_url),
            "joined_at",
        ),
        withheld={"id": NUMBER, "user": OWNER},
        eraser=anonymize_member,
    ),
    Entry(
        "accounts.Handle",
        "Handles you had",
        Fate.SEVERED,
        "Nobody can take a handle over. What is kept is a keyed hash, from which it cannot be read.",
        path="member__user",
        shown=(Shown("text", "handle", lambda handle: handle.text), "taken_at", "released_at"),
        withheld={"key": DERIVED, "member": OWNER, "held_until": "of sign-ups alone"},
        eraser=sever_handles,
    ),
    Entry(
        "accounts.Picture",
        "Pictures",
        Fate.DELETED,
        "Rows and files.",
        path="member__user",
        shown=("face", "added_at"),
        withheld={
            "key": "the address of the picture, which is in this export",
            "member": OWNER,
            "likeness": DERIVED,
        },
        eraser=erase_pictures,
    ),
    Entry(
        "accounts.Connection",
        "Connections",
        Fate.DELETED,
        "Also from your colleagues' lists.",
        find=connections_seen,
        load=("requester", "addressee"),
        shown=(
            Shown("", "colleague", _colleague),
            Shown("state", "state", _tie),
            "requested_at",
            Shown("answered_at", "connected_at", _connected_at),
            Shown("", "you_reveal_your_name", _own_reveal),
        ),
        withheld={
            "id": NUMBER,
            "requester": "you, or by the handle",
            "addressee": "you, or by the handle",
            "addressee_asked_at": "of earlier requests",
            "requester_reveals": "yours is exported, the other is your colleague's",
            "addressee_reveals": "yours is exported, the other is your colleague's",
            "requester_name": "a name given to one person stays on the site",
            "addressee_name": "a name given to one person stays on the site",
        },
        eraser=erase_ties,
    ),
    Entry(
        "accounts.Follow",
        "Members you follow",
        Fate.DELETED,
        "Also those who follow you.",
        path="follower__user",
        load=("followed",),
        shown=(Shown("followed", "handle", lambda follow: follow.followed.handle), "alerts", "since"),
        withheld={"id": NUMBER, "follower": OWNER},
        eraser=erase_ties,
    ),
    Entry(
        "accounts.Block",
        "Blocks",
        Fate.DELETED,
        "Also of you by others.",
        path="blocker__user",
        load=("blocked",),
        shown=(
            Shown("blocked", "blocked", _blocked),
            Shown("blocked_face", "met_under", lambda block: block.get_blocked_face_display()),
            Shown("blocker_face", "hidden_of_you", lambda block: block.get_blocker_face_display()),
            "since",
        ),
        withheld={"id": NUMBER, "blocker": OWNER},
        eraser=erase_ties,
    ),
    Entry(
        "accounts.NoticeSettings",
        "How notices reach you",
        Fate.DELETED,
        GONE,
        path="member__user",
        shown=(
            *("budget", "quiet_from", "quiet_to", "time_zone"),
            *("digest", "digest_hour", "digest_weekday"),
        ),
        withheld={"member": OWNER, "unsubscribe_key": SECRET},
        eraser=erase_notices,
    ),
    Entry(
        "accounts.NoticeChoice",
        "Kinds of notices",
        Fate.DELETED,
        GONE,
        path="member__user",
        shown=("kind", "way"),
        withheld={"id": NUMBER, "member": OWNER},
        eraser=erase_notices,
    ),
    Entry(
        "accounts.NoticeThread",
        "Notices by matter",
        Fate.DELETED,
        GONE,
        withheld={
            "id": NUMBER,
            "member": OWNER,
            "about": OTHERS,
            "latest_at": DERIVED,
            "unread": DERIVED,
        },
        eraser=erase_notices,
    ),
    Entry(
        "accounts.Notice",
        "Notices",
        Fate.DELETED,
        GONE,
        path="member__user",
        shown=("kind", "told_at", "read_at"),
        withheld={
            "id": NUMBER,
            "thread": NUMBER,
            "member": OWNER,
            "target": OTHERS,
            "number": "a figure of somebody's post",
            "key": OTHERS,
            "held": "whether the day's budget was used up",
        },
        eraser=erase_notices,
    ),
    Entry(
        "accounts.NoticeDay",
        "Notices a day",
        Fate.DELETED,
        GONE,
        path="member__user",
        shown=("day", "alerts"),
        withheld={"id": NUMBER, "member": OWNER},
        eraser=erase_notices,
    ),
    Entry(
        "accounts.Mail",
        "Mails sent to you",
        Fate.DELETED,
        "What waits in the outbox is not sent any more.",
        path="user",
        shown=("subject", "state", "due_at", "sent_at"),
        withheld={
            "id": NUMBER,
            "user": OWNER,
            "message_id": "stands in the mail",
            "address": "only in mails to no account",
            "notice": NUMBER,
            "text": "in your mailbox; it holds links that act without logging in",
            "html": "the text once more",
            "unsubscribe": DERIVED,
            "tries": "work of the mailer",
        },
        eraser=erase_notices,
    ),
    Entry(
        "accounts.IdentifierDecision",
        "What you decided about words that looked like identifiers",
        Fate.DELETED,
        GONE,
        path="member__user",
        shown=("place", "stops", "doubts", "why", "decided_at"),
        withheld={"id": NUMBER, "member": OWNER},
        eraser=erase_identifier_decisions,
    ),
    Entry(
        "accounts.Export",
        "Exports like this one",
        Fate.DELETED,
        "Rows and files.",
        path="user",
        shown=("state", "asked_at", "finished_at", "rows", "size"),
        withheld={
            "id": NUMBER,
            "key": "the address of the file",
            "user": OWNER,
            "parts": "work in progress",
            "parts_done": "work in progress",
            "beat_at": "work in progress",
        },
        eraser=erase_exports,
    ),
)
