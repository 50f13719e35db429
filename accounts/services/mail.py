"""The outbox of mails: written with what caused them, sent by whoever comes first, doubled by nobody."""

from datetime import datetime, timedelta
from smtplib import SMTPException
from typing import TYPE_CHECKING

import structlog
from django.conf import settings
from django.core import signing
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.db import transaction
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from accounts import notice_kinds, tasks
from accounts.models import Kind, Mail, Notice, NoticeChoice, NoticeSettings, User, Way
from sermo.background import nudge
from sermo.prepared import prepared

if TYPE_CHECKING:
    from accounts.services.notices import Hearer

log = structlog.get_logger("sermo.mail")

State = Mail.State
IN_DOUBT = timedelta(minutes=10)  # after which a mail that somebody was sending is sent again
MOST_TRIES = 8
FIRST_WAIT = timedelta(minutes=1)  # doubled with each try
KEPT = timedelta(days=30)
SALT = "accounts.unsubscribe"
PRESSING = [
    kind for kind, rule in notice_kinds.RULES.items() if rule.share is None
]  # these wait for no others


# Queueing


def queue(
    user: User,
    subject: str,
    text: str,
    html: str = "",
    notice: Notice | None = None,
    unsubscribe: str = "",
    due_at: datetime | None = None,
) -> Mail:
    """Write a mail into the outbox, in the caller's transaction; it leaves once that stands and it is due.

    `html` says the same as the text, as rows of a table that `accounts/mail/frame.htm` stands around.
    `unsubscribe` is the kind of notices that its footer and its headers offer to stop.
    """
    mail = Mail(
        user=user,
        notice=notice,
        subject=subject,
        text=text,
        html=html,
        unsubscribe=unsubscribe,
        due_at=due_at or timezone.now(),
    )
    queue_all([mail])
    return mail


def queue_all(mails: list[Mail]) -> None:
    """Write many at once, as new rows, with one nudge for them all."""
    Mail.objects.bulk_create(mails)
    _nudge(mails)


def queue_to(address: str, subject: str, text: str) -> Mail:
    """Write a mail to an address without an account, in the caller's transaction. Once sent it is forgotten."""
    mail = Mail.objects.create(address=address, subject=subject, text=text)
    _nudge([mail])
    return mail


def queue_notices(told: "list[tuple[int, Hearer]]", now: datetime) -> None:
    """Write the mails of new notices (by id, with who hears of them), due after each member's quiet hours.

    Each gets the row with the random key of its unsubscribe link too.
    """
    mails = [
        Mail(
            user_id=hearer.member.user_id,
            notice_id=notice,
            subject=notice_kinds.RULES[hearer.kind].subject,
            text=_text_of(notice, hearer.kind),
            unsubscribe=hearer.kind,
            due_at=hearer.wishes.after_quiet_hours(now),
        )
        for notice, hearer in told
    ]
    NoticeSettings.objects.bulk_create(
        [hearer.wishes for _, hearer in told if hearer.wishes._state.adding], ignore_conflicts=True
    )
    queue_all(mails)


def _text_of(notice: int, kind: str) -> str:
    link = settings.SITE_URL + reverse("accounts:notice", args=[notice])
    context = {"subject": notice_kinds.RULES[kind].subject, "link": link}
    return render_to_string("accounts/mail/notice.txt", context)


def _nudge(mails: list[Mail]) -> None:
    due = [mail for mail in mails if mail.due_at <= timezone.now()]
    if any(mail.unsubscribe in PRESSING for mail in due):
        nudge(tasks.send_pressing_mail)
    if any(mail.unsubscribe not in PRESSING for mail in due):
        nudge_sender()


def nudge_sender() -> None:
    """Have the outbox looked at once the transaction stands. Without a broker the sweep does it."""
    nudge(tasks.send_mail)


# Sending


def send_due(*, is_pressing: bool = False) -> int:
    """Send all mails that are due, or the pressing ones alone, each in its own transactions; return how many left.

    Two who send at once take different mails. Where the post cannot be reached the round ends.
    """
    sent, connection = 0, get_connection()
    try:
        while mail := _take(is_pressing):
            if not _opens(connection):
                _put_back(mail)
                break
            sent += _send(mail, connection)
    finally:
        connection.close()
    return sent


def _opens(connection) -> bool:
    """Whether the mail server is there; that it is not says nothing against a mail."""
    try:
        connection.open()
    except (SMTPException, OSError) as error:
        log.warning("mail_server_away", error=type(error).__name__)
        return False
    return True


def _put_back(mail: Mail) -> None:
    mail.state, mail.tries, mail.due_at = State.WAITING, mail.tries - 1, timezone.now() + FIRST_WAIT
    _keep(mail)


@transaction.atomic
def _take(is_pressing: bool) -> Mail | None:
    """Mark the mail that has been due longest as being sent, or one whose sender has not come back.

    Pressing ones go first, or are the only ones.
    """
    while True:
        now = timezone.now()
        due = _longest_due(True, now=now) or (not is_pressing and _longest_due(False, now=now))
        if not due:
            return None
        mails = Mail.objects.select_related("user__member__notice_settings", "notice__member")
        mail = mails.get(pk=due[0][0])
        _look_at(mail, timezone.now())
        _keep(mail)
        if mail.state == State.SENDING:
            return mail


@prepared
def _longest_due(are_pressing, *, now):
    """The id of one that nobody else looks at, locked."""
    rows = Mail.objects.select_for_update(skip_locked=True).filter(
        state__in=[State.WAITING, State.SENDING], due_at__lte=now
    )
    if are_pressing:
        rows = rows.filter(unsubscribe__in=PRESSING)
    return rows.order_by("due_at", "pk").values_list("pk")[:1]


def _look_at(mail: Mail, now: datetime) -> None:
    """Decide what becomes of a mail that is due: sent now, after the quiet hours as they are now, or never."""
    mail.state = _state_before_sending(mail)
    if mail.state != State.SENDING:
        return
    later = _after_quiet_hours(mail, now)
    if later > now:
        mail.state, mail.due_at = State.WAITING, later
    else:
        mail.tries, mail.due_at = mail.tries + 1, now + IN_DOUBT


def _state_before_sending(mail: Mail) -> str:
    if mail.tries >= MOST_TRIES:
        return State.FAILED
    if mail.user and not mail.user.is_active:
        return State.SKIPPED
    if mail.notice and not _is_still_wanted(mail.notice, mail.user):
        return State.SKIPPED
    if mail.unsubscribe == Kind.DIGEST and not _takes_digests(mail.user):
        return State.SKIPPED
    return State.SENDING


def _after_quiet_hours(mail: Mail, now: datetime) -> datetime:
    """Mails about the account do not wait."""
    wishes = mail.notice and getattr(mail.user.member, "notice_settings", None)
    return wishes.after_quiet_hours(now) if wishes else now


def _keep(mail: Mail) -> None:
    """Save how a mail stands; one to an address without an account is forgotten as soon as it is over."""
    row = Mail.objects.filter(pk=mail.pk)  # it is gone where somebody left meanwhile
    if mail.user_id is None and mail.state not in (State.WAITING, State.SENDING):
        row.delete()
    else:
        row.update(state=mail.state, tries=mail.tries, due_at=mail.due_at, sent_at=mail.sent_at)


def _is_still_wanted(notice: Notice, user: User) -> bool:
    """Whether it was not read meanwhile, its kind still goes by mail, and its member has not left."""
    if notice.read_at or notice.member.user_id != user.pk:
        return False
    rule = notice_kinds.RULES[notice.kind]
    choice = NoticeChoice.objects.filter(member=notice.member_id, kind=notice.kind).first()
    if (choice.way if choice else rule.usual) != Way.EMAIL:
        return False
    return notice.member.may_read or not rule.readers_only


def _takes_digests(user: User) -> bool:
    member = user.as_member
    wishes = member and getattr(member, "notice_settings", None)
    return bool(member and member.may_read) and not (wishes and wishes.digest == NoticeSettings.Digest.OFF)


def _send(mail: Mail, connection) -> bool:
    try:
        connection.send_messages([_message(mail)])
    except (SMTPException, OSError) as error:
        connection.close()
        _try_again(mail, error)
        return False
    mail.state, mail.sent_at = State.SENT, timezone.now()
    _keep(mail)
    return True


def _try_again(mail: Mail, error: Exception) -> None:
    is_over = mail.tries >= MOST_TRIES
    mail.state = State.FAILED if is_over else State.WAITING
    mail.due_at = timezone.now() + FIRST_WAIT * 2 ** (mail.tries - 1)
    _keep(mail)
    log.warning("mail_not_sent", mail=mail.pk, tries=mail.tries, given_up=is_over, error=type(error).__name__)


def _message(mail: Mail) -> EmailMessage:
    host = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">")
    headers, text, footer = {"Message-ID": f"<{mail.message_id}@{host}>"}, mail.text, {}
    if mail.unsubscribe:
        kind = Kind(mail.unsubscribe)
        link = unsubscribe_url(mail.user, kind)
        headers["List-Unsubscribe"] = f"<{link}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        footer = footer_of(kind, link)
        text += render_to_string("accounts/mail/footer.txt", footer)
    address = mail.user.email if mail.user else mail.address
    message = EmailMultiAlternatives(mail.subject, text, to=[address], headers=headers)
    if mail.html:
        message.attach_alternative(framed(mail.subject, mail.html, footer), "text/html")
    return message


def footer_of(kind: Kind, link: str) -> dict[str, str | bool]:
    """What the foot of a mail says: why it came, and the way to stop it."""
    return {
        "kind": kind.label,
        "is_digest": kind == Kind.DIGEST,
        "unsubscribe": link,
        "settings": settings.SITE_URL + reverse("accounts:notice_settings"),
    }


def framed(subject: str, html: str, footer: dict) -> str:
    """The whole HTML part of a mail around its rows."""
    context = {"subject": subject, "rows": html, "site": settings.SITE_URL, **footer}
    return render_to_string("accounts/mail/frame.htm", context)


def forget_sent() -> int:
    """Delete mails a month after they were sent, skipped or given up. Returns how many."""
    return long_done(timezone.now()).delete()[0]


def long_done(at: datetime) -> QuerySet[Mail]:
    """Mails with which the site was done a month before a moment."""
    done = [State.SENT, State.SKIPPED, State.FAILED]
    return Mail.objects.filter(state__in=done, due_at__lt=at - KEPT)


# Unsubscribing


def unsubscribe_url(user: User, kind: Kind) -> str:
    """The signed address that stops the mails of a kind. It holds a random key, and nothing of who somebody is."""
    wishes = getattr(user.member, "notice_settings", None)
    if wishes is None:
        wishes, _ = NoticeSettings.objects.get_or_create(member=user.member)
    token = signing.dumps([wishes.unsubscribe_key, kind], salt=SALT)
    return settings.SITE_URL + reverse("accounts:unsubscribe", args=[token])


def read_token(token: str) -> tuple[NoticeSettings, Kind] | None:
    """Whose mails of which kind a link stops; None where it was not made here or its member is gone."""
    try:
        key, kind = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        return None
    wishes = NoticeSettings.objects.filter(unsubscribe_key=key).first()
    return (wishes, Kind(kind)) if wishes else None
