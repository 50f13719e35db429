"""Earmarks and sponsorships as the desk sees them: which post, which poll, and never whom it will pay."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html

from polls.models import Poll
from questions.models import Post
from rewards.desk.base import Act, DeskAdmin, badge, day, number_of
from rewards.desk.forms import EarmarkForm, SponsorshipForm, SureForm
from rewards.models import Earmark, Sponsorship
from rewards.services import earmarking, ledger, sponsoring
from rewards.words import dollars
from sermo.errors import RuleBroken

State = Earmark.State
TONES = {State.SETTLED: "solved", State.HELD: "urgent"}


class NoSuchPost(RuleBroken):
    message = "There is no post of this number."


class NoSuchPoll(RuleBroken):
    message = "There is no poll of this number."


def _place(row, user, data) -> str:
    data = dict(data)
    post = Post.objects.filter(pk=data.pop("post")).first()
    if post is None:
        raise NoSuchPost
    placed = earmarking.place(post=post, key=data.pop("submission"), by=user, **data)
    return f"Earmark {placed.pk}: {dollars(placed.total_cents)} are reserved."


def _cancel(earmark, user, data) -> str:
    earmarking.cancel(earmark=earmark, by=user)
    return f"Canceled. {dollars(earmark.total_cents)} are back on the balance."


@admin.register(Earmark)
class EarmarkAdmin(DeskAdmin):
    """What became of each.

    The ledger's lines are not linked here: they would lead from a post to an account. Nor are moments shown, by which
    its settling could be found among the entries of a member.
    """

    list_display = ["number", "firm", "status", "post_number", "author", "voters", "placed", "ended_day"]
    list_filter = ["state", "firm"]
    search_fields = ["pk"]
    search_help_text = "The number of an earmark, or post:12, or question:12"
    fields = [
        *("firm", "discussion", "post_number", "author", "voters", "total", "status", "why"),
        *("votes_before", "placed", "ended_day"),
    ]
    acts = (
        Act(
            *("place", "Earmark a post", EarmarkForm, _place, "add_earmark"),
            words="The money is reserved at once and paid when the discussion closes.",
            of_list=True,
            beside={
                **dict.fromkeys(
                    (NoSuchPost, earmarking.NotEarmarkable, earmarking.EarmarkedBefore, earmarking.OwnPost),
                    "post",
                ),
                **dict.fromkeys((earmarking.NotActive, earmarking.NoSlotToday, ledger.NotEnough), "firm"),
            },
        ),
        Act(
            *("cancel", "Cancel the earmark", SureForm, _cancel, "add_earmark"),
            is_open=earmarking.may_be_cancelled,
            words="Within a day, and while nobody has judged the post or voted since it was placed.",
            is_guarded=False,
        ),
    )

    def get_queryset(self, request):
        """With what says whether one may still be cancelled, but for the words of its post."""
        rows = super().get_queryset(request).select_related("firm", "post__question")
        return rows.defer("post__source", "post__html", "post__search_text")

    def found(self, queryset, term):
        for name in ("post", "question"):
            if term.startswith(f"{name}:"):
                return queryset.filter(**{name: number_of(term.removeprefix(f"{name}:"))})
        return super().found(queryset, term)

    @admin.display(description="discussion")
    def discussion(self, earmark):
        question = earmark.post.question
        return format_html('<a href="{}">{}</a>', question.get_absolute_url(), question.pk)

    @admin.display(description="post")
    def post_number(self, earmark):
        return earmark.post_id

    @admin.display(description="author")
    def author(self, earmark):
        return dollars(earmark.author_cents)

    @admin.display(description="voters")
    def voters(self, earmark):
        return f"{earmark.voter_slots} × {dollars(earmark.voter_cents)}" if earmark.voter_slots else "none"

    @admin.display(description="in all")
    def total(self, earmark):
        return dollars(earmark.total_cents)

    @admin.display(description="placed on")
    def placed(self, earmark):
        return day(earmark.placed_at)

    @admin.display(description="ended on")
    def ended_day(self, earmark):
        return day(earmark.ended_at) or None

    @admin.display(description="state")
    def status(self, earmark):
        return badge(earmark.get_state_display(), TONES.get(earmark.state, ""))


def _agree(row, user, data) -> str:
    data = dict(data)
    poll = Poll.objects.filter(pk=data.pop("poll")).first()
    if poll is None:
        raise NoSuchPoll
    label = sponsoring.agree(poll=poll, key=data.pop("submission"), by=user, **data).label
    return f"Agreed: {label.quota:,} votes at {dollars(label.honorarium)} are reserved."


def _withdraw(sponsorship, user, data) -> str:
    sponsoring.withdraw(sponsorship=sponsorship, by=user)
    return "Withdrawn. What was reserved is back on the balance."


@admin.register(Sponsorship)
class SponsorshipAdmin(DeskAdmin):
    """Who took part is not to be found here, only how many."""

    list_display = ["poll_number", "firm", "each", "taken", "blind", "agreed", "ended_day"]
    list_filter = ["is_blinded", "firm"]
    list_select_related = ["firm", "label"]
    search_fields = ["pk"]
    search_help_text = "The number of a poll"
    fields = ["poll_link", "firm", "label_read", "each", "taken", "blind", "agreed", "ended_day"]
    acts = (
        Act(
            *("agree", "Agree on a sponsorship", SponsorshipForm, _agree, "add_sponsorship"),
            words="The whole sum is reserved, and the label stands on the poll before its first question.",
            of_list=True,
            beside={
                **dict.fromkeys((NoSuchPoll, sponsoring.BegunOrOver, sponsoring.SponsoredBefore), "poll"),
                **dict.fromkeys((sponsoring.FirmNotActive, ledger.NotEnough), "firm"),
            },
        ),
        Act(
            *("withdraw", "Withdraw", SureForm, _withdraw, "add_sponsorship"),
            is_open=lambda sponsorship: not sponsorship.ended_at and not sponsorship.label.taken,
            words="Only before the first vote.",
            is_guarded=False,
            is_end=True,
        ),
    )

    @admin.display(description="poll")
    def poll_number(self, sponsorship):
        return sponsorship.pk

    @admin.display(description="poll")
    def poll_link(self, sponsorship):
        return format_html(
            '<a href="{}">{}</a>', reverse("polls:poll", args=[sponsorship.pk]), sponsorship.pk
        )

    @admin.display(description="label")
    def label_read(self, sponsorship):
        return f"{sponsorship.label.name} ({sponsorship.label.get_kind_display().lower()})"

    @admin.display(description="for each vote")
    def each(self, sponsorship):
        return dollars(sponsorship.label.honorarium)

    @admin.display(description="paid votes")
    def taken(self, sponsorship):
        return f"{sponsorship.label.taken:,} of {sponsorship.label.quota:,}"

    @admin.display(description="agreed on")
    def agreed(self, sponsorship):
        return day(sponsorship.agreed_at)

    @admin.display(description="ended on")
    def ended_day(self, sponsorship):
        return day(sponsorship.ended_at) or None

    @admin.display(description="blinded", boolean=True)
    def blind(self, sponsorship):
        return sponsorship.is_blinded
