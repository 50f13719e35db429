"""What members report of a post. Neither its author nor colleagues learn who did."""

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import Member
from questions.models import SEVERITY_OF, Flag, Post, Reason, Report, Severity, WriteCount
from questions.services import limits
from questions.services.moderation import rights
from questions.services.writing import PostIsGone
from sermo.errors import RuleBroken
from verification.services import events, license_clock


class OwnPost(RuleBroken):
    message = "This is your own. You can edit or remove it."


class WordsMissing(RuleBroken):
    message = "Say in a sentence what is wrong."


@transaction.atomic
def report_post(*, post: Post, by: Member, reason: str, words: str = "") -> Flag:
    """Report a post to the moderators. A member's second report, while the first is open, returns the first.

    Reports of one post stand together, as severe as the worst reason. Where enough members whose word counts say
    that a patient can be identified, the post is folded until a moderator looks. Where somebody says that no physician
    wrote it, the license of its author is looked up at the board. Raises PostIsGone, OwnPost, WordsMissing,
    rights.AboutPhysicians, limits.TooManyToday.
    """
    reason, words = Reason(reason), words.strip()
    if reason == Reason.NOT_PHYSICIAN:
        _have_license_looked_up(post, by)  # locks a claim, which comes before posts; what refuses undoes it
    if reason == Reason.IDENTITY:
        events.lock_chain()  # it may be folded, which leaves an event; see verification.services
    post = Post.objects.select_for_update(of=("self",)).select_related("byline").get(pk=post.pk)
    if post.is_removed:
        raise PostIsGone
    if post.author_id == by.pk:
        raise OwnPost
    rights.check_reason(post, reason)
    if reason == Reason.OTHER and not words:
        raise WordsMissing
    if known := open_report_of(post, by):
        return known
    limits.count_write(by, WriteCount.What.FLAG)
    flag = Flag.objects.create(
        report=_report(post, reason), post=post, reporter=by, reason=reason, words=words
    )
    if reason == Reason.IDENTITY:
        _fold_if_agreed(post)
    return flag


def _have_license_looked_up(post: Post, by: Member) -> None:
    """Once for each report: the same one sent again asks for no second look."""
    author = post.author.user
    if author and author.pk != by.user_id and not open_report_of(post, by):
        license_clock.look_after_report(user=author)


def _report(post: Post, reason: Reason) -> Report:
    """The open report of a locked post, made or raised to what is reported now."""
    severity = SEVERITY_OF.get(reason, Severity.CONDUCT)
    report, _ = Report.objects.select_for_update().get_or_create(
        post=post, closed_at=None, defaults={"severity": severity}
    )
    if report.severity < severity:
        report.severity = severity
        report.save(update_fields=["severity"])
    return report


def _fold_if_agreed(post: Post) -> None:
    if post.folded_at:
        return
    agreeing = Flag.objects.open().of_the_heard().filter(post=post, reason=Reason.IDENTITY)
    if agreeing.count() < settings.FOLD_REPORTERS:
        return
    post.folded_at, post.fold_reason = timezone.now(), Reason.IDENTITY
    post.save(update_fields=["folded_at", "fold_reason"])
    events.record(kind="folded_by_reports", reason=Reason.IDENTITY, object=f"post:{post.pk}")


def open_report_of(post: Post, member: Member) -> Flag | None:
    """What this member has reported of a post and nobody has decided yet."""
    return Flag.objects.open().filter(post=post, reporter=member).first()
