"""A small site with something on every page: the world that is drawn with and without earmarks."""

from datetime import timedelta
from types import SimpleNamespace

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.models import Connection, Follow, Notice, NoticeSettings
from accounts.roles import MODERATORS
from accounts.services import leaving
from accounts.tests.factories import make_member
from consults.models import CaseDraft, Image, Story
from consults.services import flags
from consults.services import stories as telling_stories
from consults.tests.factories import make_case, make_consent, make_draft, make_forecast
from consults.tests.on_call import make_paging, on_duty
from consults.tests.test_stories import TITLE, WORDS
from newsfeed.models import LogEntry
from newsfeed.services import keeping
from newsfeed.services.discussing import discuss
from newsfeed.tests.factories import make_article
from polls.models import Concern
from polls.tests.factories import make_poll, make_trend, vote
from questions.models import Draft, Tag
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
from rewards.services import choosing
from rewards.tests.factories import make_draw_day, make_earmark, make_firm
from sermo.sessions import SessionStore


def make_site() -> SimpleNamespace:
    """Members of each role, discussions of each kind, and what they left behind.

    `sessions` are by role, `arguments` by the name of a route or by its parameters, `posts` those to earmark.
    """
    people = _people()
    talk = _discussions(people)
    paths = _left_behind(people, talk)
    return SimpleNamespace(
        people=people,
        talk=talk,
        sessions={role: _session(member) for role, member in vars(people).items()},
        arguments=_arguments(people, talk, paths),
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
    moderator = make_member("plainspoken", specialty="Family Medicine")
    moderator.user.groups.add(Group.objects.get_or_create(name=MODERATORS)[0])
    moderator.user.is_staff = True
    moderator.user.save(update_fields=["is_staff"])
    Authenticator.objects.create(user=moderator.user, type=Authenticator.Type.TOTP, data={})
    return SimpleNamespace(
        author=make_member("left_atrium", state="CA", years_band="6-10"),
        reader=make_member("nephron_loop", specialty="Nephrology"),
        moderator=moderator,
        leaver=make_member("quiet_harbor", specialty="Dermatology"),
        named=make_member("vagal_tone", byline_mode="public", display_name="Anna Vale, MD"),
        applicant=make_member("new_attending", standing="applicant", specialty=None),
    )


def _discussions(people):
    author, reader = people.author, people.reader
    question = make_question(author, tags=["dialysis"], title="How long do you hold it before dialysis?")
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
    consent = make_consent(author, "signed", for_stories=True)
    case = make_case(author, consent=consent, answer_first=False, peers_only=False)
    forecast = make_forecast(case, people.leaver).post
    article = make_article(specialties=[author.specialty], shown_at=timezone.now() - timedelta(hours=3))
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
    draft = Draft.objects.create(member=author, place="question", fields={"title": "A draft of mine"})
    report = report_post(post=talk.other, by=author, reason="harassment").report
    report.refresh_from_db()
    act = acts.act(
        post=talk.credited, by=moderator.user, kind="warn", reason="harassment", statement="It names a shop."
    )
    appeal = appeals.appeal(action=act, by=reader, text="It was a quotation.")
    trend = make_trend(author)
    for wave in (1, 2):
        make_poll(asker=author, trend=trend, wave=wave)
    concern = Concern.objects.create(
        poll=talk.poll, member=reader, kind="speed", raised_on=timezone.now().date()
    )
    story_case = make_case(
        author, images=0, consent=talk.consent, solved_at=timezone.now(), title="A second case"
    )
    story = telling_stories.write(case=story_case, by=author, title=TITLE, source=WORDS)
    Story.objects.filter(pk=story.pk).update(state="told", checked_at=timezone.now())
    case_draft = make_draft(author)
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
    entry = LogEntry.objects.create(member=author, article=talk.article, minutes=10)
    feed_key = keeping.make_feed_key(member=author).key
    NoticeSettings.objects.update_or_create(member=author, defaults={"digest": "daily"})
    export = leaving.ask_export(user=reader.user)
    leaving.make_export(export_id=export.pk)
    choosing.payee_of(author)
    return SimpleNamespace(**{name: value for name, value in locals().items() if name != "people"})


def _arguments(people, talk, left):
    """Whose id goes where, by the name of a route or by its parameters."""
    author, reader = people.author, people.reader
    questions = [talk.question, talk.poll.question, talk.attached.question, talk.solved, talk.closed]
    polls = [{"question_id": poll.pk} for poll in (talk.poll, talk.attached)]
    cases = [{"question_id": case.pk, "slug": case.question.slug} for case in (talk.case, left.story_case)]
    posts = [{"post_id": post.pk} for post in (talk.answer, talk.comment)]
    notice = Notice.objects.filter(member=author).order_by("pk").first()
    images = [{"key": talk.case.images.get().key}]
    return {
        "rewards:draw": [{"question_id": talk.closed.pk}, {"question_id": talk.question.pk}],
        "rewards:tickets": [{"question_id": talk.closed.pk, "number": 1}],
        ("diagnosis_id",): [{"diagnosis_id": talk.forecast.reply.diagnosis_id}],
        ("question_id",): [{"question_id": question.pk} for question in questions[:3]],
        ("post_id",): posts,
        ("handle",): [{"handle": author.handle}, {"handle": reader.handle}],
        "accounts:physician": [{"key": people.named.physician_key}],
        "newsfeed:log_entry": [{"entry_id": left.entry.pk}],
        "about": [{"topic": topic} for topic in _topics()],
        "questions:question": [{"question_id": one.pk, "slug": one.slug} for one in questions],
        "questions:specialty": [{"slug": author.specialty.slug}, {"slug": reader.specialty.slug}],
        "questions:tag": [{"slug": "dialysis"}],
        "questions:statement": [{"action_id": left.act.pk}],
        "questions:decide_appeal": [{"appeal_id": left.appeal.pk}],
        "questions:follow_up": [{"question_id": talk.solved.pk}],
        **dict.fromkeys(
            map("polls:{}".format, ("poll", "results", "options", "correct", "add_option")), polls
        ),
        ("trend_id",): [{"trend_id": left.trend.pk}],
        "polls:decide": [{"concern_id": left.concern.pk}],
        "accounts:notice": [{"notice_id": notice.pk}] if notice else [],
        "accounts:download": [{"key": left.export.key}],
        "consults:bare": [{"question_id": talk.case.pk}],
        ("question_id", "slug"): cases,
        "consults:image": images,
        "consults:full": images,
        "consults:flag": images,
        "consults:mark": images,
        "consults:story": [{"key": left.story.key}],
        "consults:write_story": [{"question_id": left.story_case.pk}],
        "consults:withdraw": [{"question_id": talk.case.pk}],
        ("draft_key",): [{"draft_key": left.case_draft.pk}],
        "consults:review": [{"draft_key": left.waiting.pk}],
        "consults:draft_image": [{"draft_key": left.case_draft.pk, "key": left.case_draft.images.get().key}],
        "consults:desk_image": [{"key": left.waiting.images.get().key}],
        "consults:decide_flag": [{"flag_id": left.flag.pk}],
        "consults:review_story": [{"key": left.story.key}],
        ("consent_id",): [{"consent_id": talk.consent.pk}],
        ("article_id",): [{"article_id": talk.article.pk}],
        "newsfeed:source": [{"slug": talk.article.source.slug}],
        "newsfeed:discussion": [{"question_id": talk.discussion.pk}],
        "newsfeed:atom": [{"key": left.feed_key}],
        "rewards:statement": [{"year": timezone.now().year}],
    }


def _topics():
    from sermo.views import TOPICS

    return TOPICS


def _session(member) -> str:
    """The key of a session in which it was confirmed a moment ago that it is them."""
    user, now = member.user, timezone.now()
    known = {
        SESSION_KEY: user._meta.pk.value_to_string(user),
        BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
        HASH_SESSION_KEY: user.get_session_auth_hash(),
        "account_authentication_methods": [{"method": "password", "at": now.timestamp()}],
    }
    return Session.objects.create(
        session_key=f"session{member.handle}".ljust(32, "0")[:32].replace("_", "0"),
        session_data=SessionStore().encode(known),
        expire_date=now + timedelta(seconds=settings.SESSION_COOKIE_AGE),
    ).session_key
