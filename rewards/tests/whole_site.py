"""A small site with something on every page: the world that is drawn with and without earmarks."""

from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.models import Connection, Follow, Notice, NoticeSettings
from accounts.roles import FINANCE, MODERATORS, REVIEWERS
from accounts.services import leaving
from accounts.tests.factories import make_member, make_user
from consults.models import CaseDraft, Image, Story
from consults.services import flags
from consults.services import stories as telling_stories
from consults.tests.factories import make_case, make_consent, make_draft, make_forecast
from consults.tests.on_call import make_paging, on_duty
from consults.tests.test_stories import TITLE, WORDS
from focusgroups.tests.factories import make_answer as make_answer_in_group
from focusgroups.tests.factories import (
    make_candidate,
    make_live_hour,
    make_message,
    make_participant,
    make_recruiting_room,
    make_running_room,
    make_screener,
)
from newsfeed.models import LogEntry
from newsfeed.services import keeping
from newsfeed.services.discussing import discuss
from newsfeed.tests.factories import make_article
from observers.models import CompanyQuestion
from observers.tests.factories import make_seat
from observers.tests.product_makers import make_product
from polls.models import Concern
from polls.tests.factories import make_poll, make_trend, vote
from questions.models import Draft, Tag
from questions.receivers import allow_moderators
from questions.services import bookmarks, closing, following, saved
from questions.services.moderation import acts, appeals
from questions.services.reporting import report_post
from questions.services.voting import rate_importance
from questions.tests.factories import (
    corroborate,
    dispute,
    make_answer,
    make_comment,
    make_question,
)
from rewards.desk.permissions import allow_finance
from rewards.models import TaxForm
from rewards.providers import base
from rewards.services import choosing, donating, payouts
from rewards.tests.factories import make_charity, make_draw_day, make_earmark, make_firm
from rewards.tests.payout_makers import make_paid
from rewards.tests.test_wallet import many_lines
from sermo.sessions import SessionStore
from verification.receivers import allow_groups

FINANCE_EMAIL = "desk@example.org"
TAGS = ["dialysis", "anticoagulation", "timing"]
W9 = {"name": "Ana Ruiz", "tin_kind": "ssn", "tin": "123456789"}
LINES = 40  # of the author's wallet, at least; its first page has 30


def make_site() -> SimpleNamespace:
    """Members of each role, discussions of each kind, what they left behind, and wallets that are alive.

    `arguments` are by the name of a route or by its parameters, `posts` those to earmark.
    """
    people = _people()
    talk = _discussions(people)
    money = _money(people)
    paths = _left_behind(people, talk)
    return SimpleNamespace(
        people=people,
        talk=talk,
        money=money,
        arguments={**_arguments(people, talk, paths, money), **_arguments_of_groups(_groups(people))},
        posts=[
            talk.opening,
            talk.answer,
            talk.comment,
            talk.forecast,
            talk.poll.question.posts.get(),
            talk.on_article,
            talk.by_name,
        ],
    )


def _people():
    """By role: members, and of staff the log-ins."""
    _allow_desks()
    moderator = make_member("plainspoken", specialty="Family Medicine")
    moderator.user.is_staff = True
    moderator.user.save(update_fields=["is_staff"])
    _give_desk(moderator.user, MODERATORS)
    return SimpleNamespace(
        author=make_member("left_atrium", state="CA", years_band="6-10"),
        reader=make_member("nephron_loop", specialty="Nephrology"),
        moderator=moderator,
        leaver=make_member("quiet_harbor", specialty="Dermatology"),
        named=make_member("vagal_tone", byline_mode="public", display_name="Anna Vale, MD"),
        lapsed=make_member("night_float", standing="read_only", specialty="Dermatology"),
        suspended=make_member("loud_murmur", standing="suspended"),
        applicant=make_member("new_attending", standing="applicant", specialty=None),
        reviewer=_give_desk(make_user("reviewer@example.org", is_staff=True), REVIEWERS),
        staff=_give_desk(make_user("staff@example.org", is_staff=True)),
        finance=_give_desk(make_user(FINANCE_EMAIL, is_staff=True), FINANCE),
    )


def _allow_desks():
    """What groups may do, which a flush of another test may have taken away."""
    for allow, label in (
        (allow_moderators, "questions"),
        (allow_groups, "verification"),
        (allow_finance, "rewards"),
    ):
        allow(apps.get_app_config(label), using="default")


def _give_desk(user, *groups):
    user.groups.add(*Group.objects.filter(name__in=groups))
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
    return user


def _discussions(people):
    author, reader = people.author, people.reader
    question = make_question(author, tags=TAGS, title="How long do you hold it before dialysis?")
    opening = question.posts.get(kind="opening")
    answer = make_answer(question, author=author, source="I would hold it for two days.")
    other = make_answer(question, author=reader, source="One day is enough before dialysis.")
    comment = make_comment(other, author=author)
    by_name = make_answer(question, people.named, byline="public", byline_confirmed=True)
    corroborate(answer, reader)
    dispute(other, author)
    rate_importance(question=question, rater=reader, value=4)
    poll = make_poll(asker=author)
    attached = make_poll(question=make_question(reader, title="Which dose would you start with?"))
    vote(poll, people.moderator, 1)
    consent = make_consent(author, "signed", for_stories=True, for_observers=True)
    case = make_case(author, consent=consent, answer_first=False, peers_only=False)
    forecast = make_forecast(case, people.leaver).post
    others = [
        make_forecast(case, member, name=name).post
        for member, name in ((reader, "Tinea"), (people.named, "Sarcoid"))
    ]
    article, *articles = (
        make_article(specialties=[author.specialty], shown_at=timezone.now() - timedelta(hours=3 + number))
        for number in range(3)
    )
    discussion = discuss(article=article, user=author.user).question
    on_article = make_answer(discussion, author=author, source="The trial was too short.")
    solved = make_question(author, title="Who has seen this in dialysis before?")
    credited = make_answer(solved, author=reader)
    closing.solve_question(question=solved, by=author, answers=[credited], outcome="It went away.")
    closed = make_question(reader, title="What do you do once it is over?")
    judged = make_answer(closed, author=author)
    corroborate(judged, people.moderator)
    make_draw_day()
    make_earmark(judged, make_firm("Corvane Pharma", is_active=False), voter_cents=500, voter_slots=1)
    closing.close_question(question=closed, by=reader)
    return SimpleNamespace(**{name: value for name, value in locals().items() if name != "people"})


def _money(people):
    """Wallets: the author's with a second page, a payout that is out, one that waits and a gift; others with less."""
    firm, charity = make_firm("Aurelian Labs", is_active=False), make_charity("Open Clinic")
    payees = {
        role: make_paid(getattr(people, role), 60_000)
        for role in ("author", "reader", "lapsed", "suspended", "moderator")
    }
    for payee in payees.values():
        TaxForm.objects.filter(pk=payee.subject).update(form=W9)
    many_lines(payees["author"], firm, LINES)
    for role in ("author", "reader"):
        paid = payouts.ask(payee=payees[role], cents=2_000, submission=uuid4())
        payouts.settle(paid, base.Outcome(base.PAID))
        donating.donate(payee=payees[role], charity=charity, cents=700, submission=uuid4())
    waiting = payouts.ask(payee=payees["author"], cents=25_000, submission=uuid4())
    return SimpleNamespace(payees=payees, charity=charity, waiting=waiting)


def _left_behind(people, talk):
    author, reader, moderator = people.author, people.reader, people.moderator
    folder = bookmarks.make_folder(member=author, name="Dialysis")
    bookmark = bookmarks.save(member=author, question=talk.question, folder=folder)
    following.subscribe(member=author, question=talk.question, level="alerts")
    following.follow_topic(member=author, topic=Tag.objects.get(slug="dialysis"))
    Follow.objects.create(follower=author, followed=reader)
    connection = Connection.objects.create(
        requester=reader, addressee=author, state="accepted", answered_at=timezone.now()
    )
    search = saved.save(member=author, place="search", query="q=dialysis", name="Dialysis")
    draft = Draft.objects.create(member=author, place="ask", fields={"title": "A draft of mine"})
    report = report_post(post=talk.other, by=author, reason="harassment").report
    report.refresh_from_db()
    act = acts.act(
        post=talk.credited, by=moderator.user, kind="warn", reason="harassment", statement="It names a shop."
    )
    appeal = appeals.appeal(action=act, by=reader, text="It was a quotation.")
    trend = make_trend(author)
    waves = [make_poll(asker=author, trend=trend, wave=wave) for wave in (1, 2)]
    concern = Concern.objects.create(
        poll=talk.poll, member=reader, kind="speed", raised_on=timezone.now().date()
    )
    story_case = make_case(
        author, images=0, consent=talk.consent, solved_at=timezone.now(), title="A second case"
    )
    story = telling_stories.write(case=story_case, by=author, title=TITLE, source=WORDS)
    Story.objects.filter(pk=story.pk).update(state="told", checked_at=timezone.now())
    case_draft, consent = make_draft(author), make_consent(author)
    waiting = make_draft(
        reader,
        1,
        image_state=Image.State.MASKED,
        consent=make_consent(reader),
        state=CaseDraft.State.WAITING,
        submitted_at=timezone.now(),
        hits={"newcomer": True},
    )
    flagged = make_case(reader, title="A third case", answer_first=False)
    flag = flags.flag_image(image=flagged.images.get(), member=author, words="On the wrist band")
    on_duty()
    paging = make_paging(talk.case)
    keeping.save(member=author, article=talk.article)
    keeping.follow_source(member=author, source=talk.article.source)
    entries = [
        LogEntry.objects.create(member=author, article=article, minutes=10)
        for article in (talk.article, *talk.articles)
    ]
    feed_key = keeping.make_feed_key(member=author).key
    NoticeSettings.objects.update_or_create(member=author, defaults={"digest": "daily"})
    export = leaving.ask_export(user=reader.user)
    leaving.make_export(export_id=export.pk)
    choosing.payee_of(author)
    product = make_product()
    told = _answered(product, reader)
    return SimpleNamespace(**{name: value for name, value in locals().items() if name != "people"})


def _answered(product, asker):
    """A question that the maker of a product has answered."""
    seat, now = make_seat(make_firm(name="Maker of Velorin")), timezone.now()
    return CompanyQuestion.objects.create(
        product=product,
        firm=seat.firm,
        asker=asker,
        text="Is it stable when it is crushed?",
        due_at=now,
        answer="For four hours.",
        html="<p>For four hours.</p>",
        asked_at=now,
        answered_at=now,
        answered_by=seat,
        submission=uuid4(),
    )


def _groups(people):
    """A focus group in which the author and the reader talk, and two that ask the author: one by a screener."""
    room = make_running_room(by=people.moderator.user, title="How do you start it?", prompts=3)
    seats = [make_participant(room, member=member) for member in (people.author, people.reader)]
    section = room.sections.first()
    answers = [make_answer_in_group(seat, section.prompts.first(), "Low, and then slowly.") for seat in seats]
    messages = [make_message(room, participant=seats[0], answer=answers[1], source="How slowly?")]
    hour = make_live_hour(room)
    asked = [
        make_recruiting_room(by=people.moderator.user, title=f"How do you end it? {number}")
        for number in (1, 2)
    ]
    make_screener(asked[0])
    for one in asked:
        make_candidate(one, people.author)
    return SimpleNamespace(**{name: value for name, value in locals().items() if name != "people"})


def _arguments_of_groups(groups):
    room = {"room_id": groups.room.pk}
    asked = [{"room_id": one.pk} for one in groups.asked]
    return {
        ("room_id",): [room, *asked],
        **dict.fromkeys(["focusgroups:screener", "focusgroups:decline"], asked),
        ("room_id", "place"): [{**room, "place": groups.section.place}],
        ("room_id", "prompt_id"): [
            {**room, "prompt_id": pk} for pk in groups.section.prompts.values_list("pk", flat=True)
        ],
        ("room_id", "answer_id"): [{**room, "answer_id": answer.pk} for answer in groups.answers],
        ("room_id", "message_id"): [{**room, "message_id": message.pk} for message in groups.messages],
        ("room_id", "live_hour_id"): [{**room, "live_hour_id": groups.hour.pk}],
    }


def _arguments(people, talk, left, money):
    """Whose id goes where, by the name of a route or by its parameters; three of each, where there are so many."""
    author, reader = people.author, people.reader
    questions = [
        talk.question,
        talk.poll.question,
        talk.discussion,
        talk.attached.question,
        talk.solved,
        talk.closed,
    ]
    polls = [{"question_id": poll.pk} for poll in (talk.poll, talk.attached, *left.waves)]
    cases = [talk.case, left.story_case, left.flagged]
    with_slug = [{"question_id": case.pk, "slug": case.question.slug} for case in cases]
    bare = [{"question_id": case.pk} for case in cases]
    posts = [{"post_id": post.pk} for post in (talk.answer, talk.comment, talk.opening, talk.on_article)]
    forecasts = (talk.forecast, *talk.others)
    articles = [{"article_id": article.pk} for article in (talk.article, *talk.articles)]
    notices = Notice.objects.filter(member=author).order_by("pk")[:3]
    pictures = Image.objects.filter(case__in=cases).order_by("pk")[:3]
    images = [{"key": picture.key} for picture in pictures]
    year = timezone.now().year
    return {
        "rewards:draw": [
            {"question_id": question.pk} for question in (talk.closed, talk.question, talk.solved)
        ],
        "rewards:tickets": [
            {"question_id": question.pk, "number": 1} for question in (talk.closed, talk.question)
        ],
        "rewards:cancel": [{"key": money.waiting.key}],
        "rewards:statement": [{"year": year - number} for number in range(3)],
        ("diagnosis_id",): [{"diagnosis_id": post.reply.diagnosis_id} for post in forecasts],
        ("question_id",): [{"question_id": question.pk} for question in questions[:3]],
        ("post_id",): posts,
        ("handle",): [{"handle": member.handle} for member in (author, reader, people.lapsed)],
        "accounts:physician": [{"key": people.named.physician_key}, {"key": author.physician_key}],
        "newsfeed:log_entry": [{"entry_id": entry.pk} for entry in left.entries],
        "about": [{"topic": topic} for topic in _topics()],
        "questions:question": [{"question_id": one.pk, "slug": one.slug} for one in questions],
        "questions:specialty": [
            {"slug": member.specialty.slug} for member in (author, reader, people.lapsed)
        ],
        "questions:tag": [{"slug": slug} for slug in TAGS],
        "questions:statement": [{"action_id": left.act.pk}],
        "questions:decide_appeal": [{"appeal_id": left.appeal.pk}],
        "questions:follow_up": [{"question_id": talk.solved.pk}],
        **dict.fromkeys(
            map("polls:{}".format, ("poll", "results", "options", "correct", "add_option")), polls
        ),
        ("trend_id",): [{"trend_id": left.trend.pk}],
        "polls:decide": [{"concern_id": left.concern.pk}],
        "accounts:notice": [{"notice_id": notice.pk} for notice in notices],
        "accounts:download": [{"key": left.export.key}],
        "consults:bare": bare,
        ("question_id", "slug"): with_slug,
        "consults:image": images,
        "consults:full": images,
        "consults:flag": images,
        "consults:mark": images,
        "consults:story": [{"key": left.story.key}],
        "consults:write_story": [{"question_id": left.story_case.pk}],
        "consults:withdraw": bare,
        ("draft_key",): [{"draft_key": left.case_draft.pk}],
        "consults:review": [{"draft_key": left.waiting.pk}],
        "consults:draft_image": [{"draft_key": left.case_draft.pk, "key": left.case_draft.images.get().key}],
        "consults:desk_image": [{"key": left.waiting.images.get().key}],
        "consults:decide_flag": [{"flag_id": left.flag.pk}],
        "consults:review_story": [{"key": left.story.key}],
        ("consent_id",): [{"consent_id": talk.consent.pk}, {"consent_id": left.consent.pk}],
        ("article_id",): articles,
        "newsfeed:source": [{"slug": article.source.slug} for article in (talk.article, *talk.articles)],
        "newsfeed:discussion": [{"question_id": talk.discussion.pk}],
        "newsfeed:atom": [{"key": left.feed_key}],
        **{f"products:{page}": [{"slug": left.product.slug}] for page in ("product", "questions", "declare")},
        "products:history": [{"key": left.told.key}],
    }


def _topics():
    from sermo.views import TOPICS

    return TOPICS


def log_in(people: SimpleNamespace) -> dict[str, str]:
    """By role: the key of a session in which it was confirmed a moment ago that it is them."""
    return {role: _session(role, getattr(who, "user", who)) for role, who in vars(people).items()}


def _session(role, user) -> str:
    now = timezone.now()
    known = {
        SESSION_KEY: user._meta.pk.value_to_string(user),
        BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
        HASH_SESSION_KEY: user.get_session_auth_hash(),
    }
    record_authentication(SimpleNamespace(session=known), user, method="mfa", reauthenticated=True)
    return Session.objects.create(
        session_key=f"session{role}".ljust(32, "0"),
        session_data=SessionStore().encode(known),
        expire_date=now + timedelta(seconds=settings.SESSION_COOKIE_AGE),
    ).session_key
