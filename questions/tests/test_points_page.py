import re
from datetime import timedelta

import pytest
from django.core.management import call_command

from accounts.services import profiles
from accounts.tests.factories import make_member, make_user
from conftest import client_of
from questions import ranking
from questions.models import Byline, MemberRank, PairFlag, Post, TierBar, Vote
from questions.services import closing, voting
from questions.tests.factories import copy_of, corroborate, dispute, make_answer, make_comment, make_question
from questions.tests.test_views import words

pytestmark = pytest.mark.usefixtures("nobody_told")

ADDRESS = "/points/"


@pytest.fixture
def busy(physician, colleague, third):
    """A colleague with a line of every kind."""
    first = make_question(physician, title="Which of the two anticoagulants?")
    second = make_question(physician, title="How would you taper the steroid?")
    for question in (first, second):
        corroborate(make_answer(question, colleague), third)
    corroborate(make_comment(make_answer(first, third), colleague))
    own = make_question(colleague, title="When do you stop the drip?")
    for value in (5, 5, 4, 4):
        voting.rate_importance(question=own, rater=make_member(), value=value)
    disputed = make_answer(make_question(physician, title="Is this rash a worry?"), colleague)
    for _ in range(3):
        dispute(disputed)
    answer = Post.objects.get(author=colleague, question=first, kind="answer")
    closing.solve_question(question=first, by=physician, answers=[answer])
    return colleague


def test_every_deed_is_a_line_with_what_it_was_worth(busy, colleague_client):
    page = words(colleague_client.get(ADDRESS))

    assert "Which of the two anticoagulants? A colleague corroborated your post, " in page
    assert "Worth 5 / 2 = 2.5 (2nd vote of the same colleague in 30 days)" in page
    assert "Worth 2 × (4.5 − 3) × √4 = 6;" in page
    assert "Which of the two anticoagulants? The asker credited your answer with the solution, " in page
    assert "A colleague marked your comment helpful" in page
    assert page.count("Is this rash a worry? A colleague disputed your post, ") == 3
    assert "Worth −3;" in page


def test_the_sum_on_top_is_what_is_stored_and_what_the_lines_add_up_to(busy, colleague_client):
    answer = colleague_client.get(ADDRESS)

    stored = MemberRank.objects.get(member=busy).points
    lines = ranking.lines_of(busy)
    assert sum(line.points for line in lines) == stored == lines[0].total
    assert f"{stored:,.4f}" in words(answer)
    assert answer.context["lines"][0].total == f"{stored:,.4f}"


def test_a_line_says_what_fading_left(colleague, colleague_client, physician, third):
    corroborate(make_answer(make_question(physician), colleague), third)
    Vote.objects.update(cast_at=ranking.midnight() - timedelta(days=180))
    ranking.recompute_points(colleague.pk)

    page = words(colleague_client.get(ADDRESS))

    assert "Worth 5; 50.0% left." in page
    assert "+2.5000" in page


def test_totals_stay_right_from_page_to_page(busy, colleague_client, settings):
    settings.LINES_PER_PAGE = 3
    everything = ranking.lines_of(busy)

    address, seen = ADDRESS, []
    while address:
        context = colleague_client.get(address).context
        seen += context["lines"]
        address = context["more_url"]

    assert [line.total for line in seen] == [f"{line.total:,.4f}" for line in everything]
    assert seen[-1].total == seen[-1].points.removeprefix("+")


def test_more_lines_come_as_a_fragment(busy, colleague_client, settings):
    settings.LINES_PER_PAGE = 3
    more = colleague_client.get(ADDRESS).context["more_url"]

    fragment = colleague_client.get(more, HTTP_HX_REQUEST="true").content.decode()

    assert "<html" not in fragment
    assert "list-row" in fragment


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "2026-11-22",
        "2026-11-22.1.corroborated.x",
        "2026-99-22.1.corroborated.1",
        "2026-11-22.1.bribed.1",
        "2026-11-22." + "9" * 30 + ".corroborated.1",
    ],
)
def test_a_cursor_nobody_got_from_here_is_the_first_page(busy, colleague_client, cursor):
    page = colleague_client.get(ADDRESS, {"before": cursor})

    assert len(page.context["lines"]) == len(ranking.lines_of(busy))


# What must not be learned


def test_nothing_tells_who_voted_or_when_in_the_day(busy, third, colleague_client, settings):
    settings.LINES_PER_PAGE = 3
    context = colleague_client.get(ADDRESS)
    html = context.content.decode()

    assert third.handle not in html
    assert not re.search(r"datetime=\"[^\"]*T\d", html.partition("<main")[2])
    assert re.fullmatch(r"/points/\?before=\d{4}-\d\d-\d\d\.\d+\.[a-z]+\.\d+", context.context["more_url"])


def test_two_votes_at_different_hours_of_a_day_are_worth_the_same(physician, colleague):
    answer = make_answer(make_question(physician), colleague)
    day = ranking.midnight() - timedelta(days=5)
    for hours in (0, 23):
        vote = corroborate(answer)
        Vote.objects.filter(pk=vote.pk).update(cast_at=day + timedelta(hours=hours))

    one, other = ranking.lines_of(colleague)

    assert one.points == other.points
    assert one.day == day.date()


def test_lines_of_a_day_stand_in_the_order_of_posts_not_of_hours(physician, colleague):
    early, late = (
        make_answer(make_question(physician, title=f"Question number {n} here?"), colleague) for n in range(2)
    )
    for answer, hours in ((early, 20), (late, 3)):
        vote = corroborate(answer)
        Vote.objects.filter(pk=vote.pk).update(
            cast_at=ranking.midnight() - timedelta(days=2) + timedelta(hours=hours)
        )

    assert [line.post_id for line in ranking.lines_of(colleague)] == [late.pk, early.pk]


def test_each_sees_only_their_own(busy, physician_client):
    page = words(physician_client.get(ADDRESS))

    assert "How would you taper the steroid?" not in page
    assert "No line yet" in page


def test_a_discussion_that_is_closed_to_one_meanwhile_is_not_named(colleague, physician, colleague_client):
    question = make_question(physician, title="Only for those who stay here?")
    corroborate(make_answer(question, colleague))
    question.audience = "specialty"
    question.save()

    page = words(colleague_client.get(ADDRESS))

    assert "Only for those who stay here?" not in page
    assert "A discussion that is not open to you any more" in page
    assert "+5.0000" in page


def test_the_points_page_belongs_to_members(client, applicant_client):
    assert client.get(ADDRESS).url.startswith("/accounts/login/")
    assert applicant_client.get(ADDRESS).status_code == 302


def test_staff_without_a_membership_have_no_points_page(moderator):
    staff = make_user(is_staff=False)
    staff.groups.set(moderator.user.groups.all())
    moderator.user.authenticator_set.update(user=staff)

    assert client_of(staff).get(ADDRESS).status_code == 404


# What did not count


def faults(member):
    return {line.fault for line in ranking.unscored_of(member)}


def test_deeds_under_a_name_are_explained(colleague, physician, third, colleague_client):
    profiles.choose_byline(member=colleague, mode="public", display_name="Amara Okafor, MD")
    colleague.refresh_from_db()
    corroborate(make_answer(make_question(physician), colleague), third)

    page = words(colleague_client.get(ADDRESS))

    assert "Signed with your real name: rank belongs to the handle." in page
    assert "No line yet" in page


def test_a_dispute_that_is_not_upheld_is_explained(colleague, physician, colleague_client):
    dispute(make_answer(make_question(physician), colleague))

    assert "Not upheld: that takes 3 disputes, and more than corroborate." in words(
        colleague_client.get(ADDRESS)
    )


def test_helpful_marks_beyond_the_twentieth_are_explained(colleague, physician):
    comment = make_comment(make_answer(make_question(physician)), colleague)
    for _ in range(22):
        corroborate(comment)

    assert len(ranking.lines_of(colleague)) == 20
    assert [line.fault for line in ranking.unscored_of(colleague)] == ["beyond", "beyond"]


SET_ASIDE = "Votes between you and another member are set aside; none of them is listed"


def discount(one, other):
    low, high = sorted((one, other), key=lambda member: member.pk)
    PairFlag.objects.create(
        low=low, high=high, votes_up=5, votes_down=5, verdict="discounted", decided_at=ranking.midnight()
    )
    ranking.recompute_points(low.pk, high.pk)


def test_votes_of_a_discounted_pair_are_told_of_without_post_or_day(
    colleague, physician, third, colleague_client
):
    for title, judge in (("Which of the two here?", corroborate), ("How long would you wait?", dispute)):
        judge(make_answer(make_question(physician, title=title), colleague), third)
    discount(colleague, third)

    answer = colleague_client.get(ADDRESS)

    page = words(answer)
    assert page.count(SET_ASIDE) == 1
    assert third.handle not in page
    assert "Which of the two here?" not in page
    assert "How long would you wait?" not in page
    assert [(line.day, line.deed, line.url) for line in answer.context["missed"]] == [(None, "", "")]
    assert MemberRank.objects.get(member=colleague).points == 0


def test_without_a_discounted_vote_nothing_is_said_of_pairs(colleague, physician, third, colleague_client):
    dispute(make_answer(make_question(physician), colleague))
    discount(colleague, third)

    assert SET_ASIDE not in words(colleague_client.get(ADDRESS))
    assert faults(colleague) == {"not_upheld"}


def test_a_dispute_s_line_does_not_tell_how_often_the_colleague_voted(
    colleague, physician, third, colleague_client
):
    corroborate(make_answer(make_question(physician), colleague), third)
    disputed = make_answer(make_question(physician, title="Is this rash a worry?"), colleague)
    for voter in (third, make_member(), make_member()):
        dispute(disputed, voter)

    page = words(colleague_client.get(ADDRESS))

    assert "Worth −1.5;" in page
    assert "vote of the same colleague" not in page


def test_the_other_reasons(colleague, physician):
    own = make_question(colleague)
    closing.solve_question(question=own, by=colleague, answers=[make_answer(own, colleague)])
    voting.rate_importance(question=own, rater=physician, value=2)
    observation = make_question(colleague, title="Seen twice in a week here", kind="observation")
    corroborate(observation.posts.get(), physician)

    assert faults(colleague) == {"own", "low_mean", "opening"}


def test_a_name_that_was_taken_back_stays_without_points(colleague, physician, third):
    profiles.choose_byline(member=colleague, mode="public", display_name="Amara Okafor, MD")
    colleague.refresh_from_db()
    corroborate(make_answer(make_question(physician), colleague), third)
    profiles.choose_byline(member=colleague, mode="anonymous")

    assert faults(colleague) == {"masked"}
    assert Byline.objects.get(member=colleague).mode == "masked"


# The way up


@pytest.fixture
def ladder(db):
    """Forty active members with 40, 39, ... 1 corroborations, spoken of as of last midnight."""
    voters = [make_member() for _ in range(40)]
    question = make_question(make_member())
    members = [make_member(specialty="Urology") for _ in range(40)]
    long_ago = ranking.midnight() - timedelta(days=91)  # so that the voters are not active
    first = make_answer(question, members[0])
    for place, member in enumerate(members):
        byline = copy_of(first.byline, member=member) if place else first.byline
        answer = copy_of(first, author=member, byline=byline) if place else first
        Vote.objects.bulk_create(
            Vote(post=answer, voter=voter, author=member, value=1, cast_at=long_ago)
            for voter in voters[place:]
        )
    Post.objects.update(posted_at=ranking.midnight() - timedelta(days=1))
    call_command("recount")
    return members


def test_the_bars_are_the_points_that_lifted_the_last_in(ladder):
    bars = TierBar.objects.get(specialty=None)
    ranks = {rank.member_id: rank for rank in MemberRank.objects.all()}
    tiers = [ranks[member.pk].tier for member in ladder]

    assert bars.active == 41  # the forty and the asker
    assert tiers[:3] == ["top"] * 3  # of the specialty
    assert tiers[3:10] == ["trusted"] * 7
    assert tiers[10] == "contributor"
    assert bars.trusted == ranks[ladder[9].pk].points
    assert bars.expert == ranks[ladder[1].pk].points
    assert bars.top is None  # one percent of 41 is nobody
    assert TierBar.objects.get(specialty__name="Urology").top == ranks[ladder[2].pk].points


def test_the_page_says_how_far_the_next_tier_is(ladder):
    ranks = {rank.member_id: rank.points for rank in MemberRank.objects.all()}
    own, trusted = ladder[14], ladder[9]

    page = words(client_of(own).get(ADDRESS))

    lacks = ranks[trusted.pk] - ranks[own.pk]
    assert f"Trusted from {ranks[trusted.pk]:.4f} you lack {lacks:.4f}" in page
    assert f"Top from {ranks[ladder[2].pk]:.4f} in Urology" in page
    assert "00:00 UTC, among the 41 members who posted, voted or rated" in page


def test_before_the_first_draw_the_page_promises_none(physician_client):
    page = words(physician_client.get(ADDRESS))

    assert "Tiers are drawn once a day, at 00:00 UTC." in page
    assert "Before ten scored deeds the tier is New: 10 to go." in page


def test_the_page_costs_the_same_with_any_number_of_lines(
    busy, colleague_client, django_assert_max_num_queries
):
    call_command("recount")
    colleague_client.get(ADDRESS)

    with django_assert_max_num_queries(8):
        colleague_client.get(ADDRESS)


def test_home_leads_to_the_points(physician_client):
    assert 'href="/points/"' in physician_client.get("/").content.decode()


def test_the_published_formula_is_open_to_all(client):
    page = words(client.get("/about/ranks/"))

    for said in (
        "5 votes",
        "half of all",
        "license turns out not to be theirs",
        "11 active members",
        "00:00 UTC",
    ):
        assert said in page
