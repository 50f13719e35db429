"""What accounts forgets."""

from django.conf import settings

from accounts.services import forgetting, leaving, mail, members, notices, pictures
from sermo.retention import register

register(
    "accounts.unconfirmed",
    what="Sign-ups whose address nobody confirmed, and the handles they held",
    kept=f"{settings.UNCONFIRMED_DAYS} days",
    why="Nobody became a member; the handle is free for others.",
    enforce=members.forget_unconfirmed,
    left=lambda at: members.unconfirmed(at).count() + members.held_too_long(at).count(),
)
register(
    "accounts.sessions",
    what="Sessions",
    kept="until they run out",
    why="They open nothing any more.",
    enforce=forgetting.forget_sessions,
    left=lambda at: forgetting.over(at).count(),
)
register(
    "accounts.devices",
    what="Where somebody was logged in, with browser and network address",
    kept="as long as the session",
    why="Members see where they are logged in, not where they once were.",
    enforce=forgetting.forget_devices,
    left=lambda at: forgetting.devices_without_session(at).count(),
)
register(
    "accounts.tries",
    what="How often something was tried from an address or for an account",
    kept="until the limit counts anew, at most a day",
    why="They limit nothing any more.",
    enforce=forgetting.forget_tries,
    left=forgetting.tries_over,
)
register(
    "accounts.mail",
    what="Mails as they were sent",
    kept=f"{mail.KEPT.days} days after they were sent or given up",
    why="Long enough to ask what became of one.",
    enforce=mail.forget_sent,
    left=lambda at: mail.long_done(at).count(),
)
register(
    "accounts.alert_counts",
    what="How many alerts a member had on a day",
    kept="2 days",
    why="The day is over in every time zone.",
    enforce=notices.forget_days,
    left=lambda at: notices.days_over(at).count(),
)
register(
    "accounts.exports",
    what="Zips of everything about one person, and files of exports that were cut off",
    kept=f"{settings.EXPORT_KEEP_DAYS} days; what was cut off 1 day",
    why="A copy of everything is a risk; a new one is made in minutes.",
    enforce=leaving.purge_exports,
    left=lambda at: leaving.old_exports(at).count() + len(leaving.stray_files()),
)
register(
    "accounts.pictures",
    what="Files of members' pictures that no row knows",
    kept="1 day",
    why="Left by uploads that were cut off.",
    enforce=pictures.sweep_files,
    left=lambda at: len(pictures.stray_files()),
)
