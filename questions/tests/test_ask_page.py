import uuid
from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from accounts.models import FanOut, Kind, Member, Notice, NoticeChoice
from accounts.tests.factories import make_specialty
from conftest import client_of
from questions import rarity_forms, tasks
from questions.models import Draft, Lexeme, Question, Tag
from questions.services import bylines, publishing, writing
from questions.tests.factories import make_answer, make_question
from sermo.identifiers.rarity import LINE, Rarity, Sign

ASK = "/questions/ask/"
RARE = "Struck by lightning in the parade last week, a 43-year-old mayor of a small town. Which burns unit takes him?"


def typed(member, **fields):
    return {
        "submission": str(uuid.uuid4()),
        "kind": "question",
        "title": "How long do you hold it before the procedure?",
        "source": "In the 70s, on dialysis, new atrial fibrillation. What would you do?",
        "specialties": [member.specialty_id],
        "tags": "",
        "urgency": "days",
        "audience": "physicians",
        "byline": "anonymous",
        "put_to_colleagues": "on",
        **fields,
    }


# The form


def test_what_was_looked_for_in_vain_is_the_title(physician_client):
    page = physician_client.get(ASK, {"title": "dapagliflozin  on dialysis"}).content.decode()

    assert "dapagliflozin on dialysis</textarea>" in page


def test_a_draft_wins_over_a_title_from_elsewhere(physician_client, physician):
    writing.save_draft(member=physician, place="ask", fields={"title": "My own words"})

    page = physician_client.get(ASK, {"title": "other words"}).content.decode()

    assert "My own words" in page
    assert "other words" not in page


def test_asking_puts_it_to_colleagues_unless_one_does_not_want_that(physician_client, physician):
    physician_client.post(ASK, typed(physician))
    assert FanOut.objects.filter(kind=Kind.ASKED).count() == 1

    quiet = typed(physician)
    del quiet["put_to_colleagues"]
    physician_client.post(ASK, quiet)

    assert Question.objects.count() == 2
    assert FanOut.objects.filter(kind=Kind.ASKED).count() == 1


def test_a_draft_keeps_that_it_shall_not_be_put_to_colleagues(physician_client, physician):
    writing.save_draft(member=physician, place="ask", fields={"title": "My own words"})

    assert not physician_client.get(ASK).context["form"]["put_to_colleagues"].value()


def test_a_button_looks_for_similar_ones_and_keeps_all_that_was_typed(
    physician_client, physician, django_assert_max_num_queries
):
    Lexeme.objects.create(word="dialysi", documents=3)
    make_question(physician, "Dialysis or no dialysis?")
    sent = typed(physician, look="1", title="Dialysis in the 70s, or not?", source="Shrt", tags="dialysis")
    del sent["put_to_colleagues"]

    with django_assert_max_num_queries(14):
        answer = physician_client.post(ASK, sent)

    page = answer.content.decode()
    form = answer.context["form"]
    assert answer.status_code == 200
    assert "Dialysis or no dialysis?" in page
    assert "Shrt" in page
    assert form["submission"].value() == sent["submission"]
    assert form["put_to_colleagues"].value() == ""
    assert not form.errors
    assert Question.objects.count() == 1


def test_a_suggested_specialty_is_added_beside_those_chosen(physician_client, physician):
    other = make_specialty("Nephrology")

    answer = physician_client.post(ASK, typed(physician, add_specialty=other.pk))

    assert answer.context["form"]["specialties"].value() == [physician.specialty_id, other.pk]


def test_a_specialty_that_is_no_choice_is_not_added(physician_client, physician):
    answer = physician_client.post(ASK, typed(physician, add_specialty="nonsense"))

    assert answer.context["form"]["specialties"].value() == [physician.specialty_id]


def test_a_suggested_tag_is_added_behind_those_typed(physician_client, physician):
    answer = physician_client.post(ASK, typed(physician, tags="falls,", add_tag="dialysis"))

    assert answer.context["form"]["tags"].value() == "falls, dialysis"


def test_what_is_typed_never_changes_by_a_suggestion(physician_client, physician):
    Tag.objects.create(slug="dialysis", name="dialysis")
    Tag.objects.create(slug="falls", name="falls")

    physician_client.post(ASK, typed(physician, title="Dialysis after falls, when?", tags="falls"))

    assert [tag.slug for tag in Question.objects.get().tags.all()] == ["falls"]


def test_this_answers_mine_opens_it_and_keeps_the_draft(physician_client, physician, colleague):
    question = make_question(colleague)

    answer = physician_client.post(ASK, typed(physician, answers_mine=str(question.pk), title="My own words"))

    assert answer.url == question.get_absolute_url()
    assert Draft.objects.get().fields["title"] == "My own words"


@pytest.mark.parametrize("number", ["x", "9" * 30, "0"])
def test_no_question_by_that_number_posts_nothing_by_accident(physician_client, physician, number):
    answer = physician_client.post(ASK, typed(physician, answers_mine=number, title="Short"))

    assert answer.status_code == 422


def test_a_question_out_of_reach_is_not_opened(physician_client, physician, colleague):
    hidden = make_question(colleague, audience="specialty")

    answer = physician_client.post(ASK, typed(physician, answers_mine=str(hidden.pk), title="Short"))

    assert answer.status_code == 422


# Drafts of edits


def test_an_edit_is_kept_as_a_draft_and_forgotten_with_the_save(physician_client, physician):
    post = make_question(physician).posts.get()
    place = reverse("questions:save_draft", args=[f"edit:{post.pk}"])
    new = "In the 70s, on dialysis, and now she bleeds."

    assert (
        physician_client.post(
            place, {"title": "Another title", "source": new, "was": post.source}
        ).status_code
        == 204
    )
    page = physician_client.get(reverse("questions:edit", args=[post.pk])).content.decode()
    assert new in page
    assert "Your draft from" in page
    assert reverse("questions:edit", args=[post.pk]) in physician_client.get("/drafts/").content.decode()

    physician_client.post(
        reverse("questions:edit", args=[post.pk]),
        {"title": "Another title of it", "source": new, "was": post.source},
    )

    assert not Draft.objects.exists()


def test_a_draft_of_an_edit_does_not_win_over_what_changed_meanwhile(physician_client, physician):
    post = make_question(physician).posts.get()
    fields = {"title": post.question.title, "source": "In the 70s, from the draft.", "was": post.source}
    writing.save_draft(member=physician, place=f"edit:{post.pk}", fields=fields)
    writing.edit_post(post=post, by=physician, source="In the 80s, in fact, from another device.")
    writing.save_draft(member=physician, place=f"edit:{post.pk}", fields=fields)

    form = physician_client.get(reverse("questions:edit", args=[post.pk])).context["form"]
    sent = {name: form[name].value() for name in ("title", "source", "was")}
    answer = physician_client.post(reverse("questions:edit", args=[post.pk]), sent)

    assert answer.status_code == 422
    assert "In the 80s, in fact" in answer.content.decode()


# What may identify


@pytest.fixture
def wary(monkeypatch):
    """A look that finds two things: a year in the title, an age in the text."""

    def look(text, **_):
        pairs = [("in 1987", "long ago"), ("43-year-old", "in the 40s")]
        found = [(words, instead) for words, instead in pairs if words in text]
        return rarity_of(text, *found, high=len(found) > 1)

    monkeypatch.setattr(rarity_forms, "assess", look)


def rarity_of(text, *found, high=True):
    signs = [
        Sign("age", words, text.index(words), text.index(words) + len(words), instead)
        for words, instead in found
    ]
    return Rarity(score=LINE if high else 0, signs=signs)


@pytest.fixture
def rare(physician):
    return typed(
        physician, title="Struck by lightning in 1987?", source="A 43-year-old, now numb.\r\n\r\nWhat next?"
    )


def test_a_rare_constellation_is_held_back_once_and_keeps_the_text(wary, rare, physician_client):
    answer = physician_client.post(ASK, rare)

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Together some details may identify the patient" in page
    assert "<mark>43-year-old</mark>" in page
    assert "A 43-year-old, now numb." in page
    assert not Question.objects.exists()


def test_confirmed_it_is_posted(wary, rare, physician_client):
    digest = physician_client.post(ASK, rare).context["form"].rarity.digest

    physician_client.post(ASK, {**rare, "rarity_seen": digest})

    assert Question.objects.exists()


def test_a_confirmation_holds_for_the_signs_it_was_given_for(wary, rare, physician_client, monkeypatch):
    digest = physician_client.post(ASK, rare).context["form"].rarity.digest
    other = {**rare, "title": "Struck by lightning, one of 43-year-old twins in 1987?"}
    monkeypatch.setattr(rarity_forms, "assess", lambda text, **_: rarity_of(text, ("twins", None)))

    answer = physician_client.post(ASK, {**other, "rarity_seen": digest})

    assert answer.status_code == 422


def test_all_replacements_go_into_their_own_field(wary, rare, physician_client):
    answer = physician_client.post(ASK, {**rare, "coarser": "all"})

    form = answer.context["form"]
    assert form["title"].value() == "Struck by lightning long ago?"
    assert form["source"].value() == "A in the 40s, now numb.\n\nWhat next?"
    assert form.rarity is None
    assert not Question.objects.exists()


def test_a_place_across_title_and_details_is_left_where_it_is(physician, physician_client):
    sent = typed(
        physician, title="What would you look for in", source="Ohio, a 43-year-old with gout. What next?"
    )

    form = physician_client.post(ASK, {**sent, "coarser": "all"}).context["form"]

    assert form["title"].value() == sent["title"]
    assert form["source"].value().endswith("with gout. What next?")


def test_only_what_a_field_may_hold_is_looked_at_and_nothing_of_it_is_lost(physician):
    long = "A 43-year-old. " + "word " * 5_000 + "A 44-year-old."

    coarser = rarity_forms.made_coarser({"title": "Which one?", "source": long})["source"]

    assert "43-year-old" not in coarser
    assert coarser.endswith("A 44-year-old.")


def test_the_real_look_warns_of_one_patient_in_the_news_and_not_of_an_everyday_one(
    physician, physician_client
):
    warned = physician_client.post(ASK, typed(physician, source=RARE))
    assert warned.context["form"].rarity
    assert not Question.objects.exists()

    physician_client.post(ASK, typed(physician))

    assert Question.objects.exists()


# Posted later


@pytest.fixture
def waiting(wary, rare, physician_client):
    answer = physician_client.post(ASK, {**rare, "later": "1", "tags": "burns", "peers_only": "on"})
    assert answer.url == reverse("questions:drafts")
    return Draft.objects.get()


@pytest.fixture(autouse=True)
def known_tag(db):
    Tag.objects.create(slug="burns", name="burns")


def in_two_weeks():
    return time_machine.travel(timezone.now() + timedelta(days=14, minutes=1), tick=True)


def test_waiting_posts_nothing_and_shows_among_the_drafts(waiting, physician_client):
    page = physician_client.get("/drafts/").content.decode()

    assert not Question.objects.exists()
    assert "Posted by itself on" in page
    assert waiting.fields["title"] in page


def test_the_ask_form_s_own_draft_has_become_it(wary, rare, physician, physician_client):
    writing.save_draft(member=physician, place="ask", fields={"title": "Struck by"})

    physician_client.post(ASK, {**rare, "later": "1"})

    assert not Draft.objects.filter(place="ask").exists()


def test_on_its_day_it_is_posted_as_it_was_written_once(waiting, rare, physician):
    tasks.post_due_drafts()
    assert not Question.objects.exists()

    with in_two_weeks():
        tasks.post_due_drafts()
        tasks.post_due_drafts()

    question = Question.objects.get()
    assert (question.title, question.peers_only, question.asker) == (rare["title"], True, physician)
    assert [tag.slug for tag in question.tags.all()] == ["burns"]
    assert str(question.posts.get().submission) == rare["submission"]
    assert FanOut.objects.filter(kind=Kind.ASKED).exists()
    assert not Draft.objects.exists()
    assert Notice.objects.get(member=physician, kind=Kind.FOLLOW_UP).key.startswith("posted:")


def test_a_question_in_writing_meanwhile_stays(waiting, physician):
    writing.save_draft(member=physician, place="ask", fields={"title": "Something else"})

    with in_two_weeks():
        tasks.post_due_drafts()

    assert Draft.objects.get().fields["title"] == "Something else"


def test_the_rules_of_the_day_hold_and_a_refused_one_stays(waiting, physician, physician_client):
    Draft.objects.update(fields={**waiting.fields, "byline": "public"})

    with in_two_weeks():
        tasks.post_due_drafts()
        tasks.post_due_drafts()

    page = physician_client.get("/drafts/").content.decode()
    inbox = physician_client.get(reverse("accounts:notices")).content.decode()
    assert not Question.objects.exists()
    assert Draft.objects.get().refused == bylines.NoPublicName.message
    assert "Not posted on" in page
    assert "A question you planned to post was not posted" in inbox
    assert Notice.objects.filter(member=physician).count() == 1


def test_who_may_only_read_by_then_posts_nothing(waiting, physician):
    Member.objects.filter(pk=physician.pk).update(standing="read_only")

    with in_two_weeks():
        tasks.post_due_drafts()

    assert Draft.objects.get().refused == writing.ReadOnly.message


def test_a_specialty_that_is_gone_refuses_it(waiting):
    Draft.objects.update(fields={**waiting.fields, "specialties": ["gone"]})

    with pytest.raises(publishing.NoSpecialtyLeft):
        publishing.post_now(draft=waiting)


def now(waiting, client):
    return client.post(reverse("questions:waiting", args=[waiting.place]), {"now": "1"})


def test_posting_at_once_does_not_go_around_the_warning(waiting, physician_client):
    answer = now(waiting, physician_client)

    page = physician_client.get(answer.url)
    assert not Question.objects.exists()
    assert "Look at them before posting now" in page.content.decode()
    assert page.context["form"]["title"].value() == waiting.fields["title"]


def test_what_was_confirmed_can_be_posted_at_once(wary, rare, physician_client):
    digest = physician_client.post(ASK, rare).context["form"].rarity.digest
    physician_client.post(ASK, {**rare, "rarity_seen": digest, "later": "1"})

    now(Draft.objects.get(), physician_client)

    assert Question.objects.exists()


def test_a_fault_of_the_site_stops_no_other_question(waiting, physician, physician_client, monkeypatch):
    fields = {**waiting.fields, "title": "Another one of two?"}
    publishing.post_later(member=physician, fields=fields, submission=uuid.uuid4())
    post = publishing.writing.open_question

    def fails(**written):
        if written["title"] == waiting.fields["title"]:
            raise ValueError
        return post(**written)

    monkeypatch.setattr(publishing.writing, "open_question", fails)

    with in_two_weeks():
        tasks.post_due_drafts()

    assert Question.objects.get().title == "Another one of two?"
    waiting.refresh_from_db()
    assert waiting.refused == publishing.NOT_POSTED


def test_too_many_on_its_day_it_waits_for_the_next(waiting, physician, settings):
    settings.DAILY_WRITES = {**settings.DAILY_WRITES, "post": 0}

    with in_two_weeks():
        tasks.post_due_drafts()
        waiting.refresh_from_db()

        assert waiting.refused == ""
        assert timezone.now() < waiting.publish_at < timezone.now() + timedelta(days=2)
    assert not Notice.objects.exists()


def test_a_refusal_is_told_each_time_also_without_follow_ups(waiting, physician, physician_client):
    NoticeChoice.objects.create(member=physician, kind=Kind.FOLLOW_UP, way="off")
    Member.objects.filter(pk=physician.pk).update(standing="read_only")

    for days in (15, 16):
        with time_machine.travel(timezone.now() + timedelta(days=days), tick=True):
            tasks.post_due_drafts()
        Draft.objects.update(refused="")

    page = physician_client.get(reverse("accounts:notices")).content.decode()
    assert "A question you planned to post was not posted" in page
    assert [notice.kind for notice in Notice.objects.all()] == [Kind.REPLY, Kind.REPLY]


def test_posted_in_another_way_meanwhile_it_is_gone(waiting, rare, physician, physician_client):
    kept = waiting.fields
    digest = physician_client.post(ASK, rare).context["form"].rarity.digest
    physician_client.post(ASK, {**rare, "rarity_seen": digest})
    assert not Draft.objects.exists()

    publishing.post_later(member=physician, fields=kept, submission=uuid.UUID(rare["submission"]))
    with in_two_weeks():
        tasks.post_due_drafts()

    assert Question.objects.count() == 1
    assert not Draft.objects.exists()


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"tags": "unheard of"}, "tags"),
        ({"audience": "connections"}, "audience"),
        ({"byline": "partial"}, "byline"),
    ],
)
def test_what_can_be_checked_is_checked_before_waiting(wary, rare, physician, changed, field):
    Member.objects.filter(pk=physician.pk).update(face={"place": "the Midwest"})
    choices = {"choices_for": lambda member, **_: [("anonymous", "A"), ("partial", "B")]}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bylines, "choices_for", choices["choices_for"])
        answer = client_of(physician).post(ASK, {**rare, "later": "1", **changed})

    assert answer.status_code == 422
    assert answer.context["form"].errors[field]
    assert not Draft.objects.exists()


def test_what_no_database_holds_is_left_out_of_a_draft(physician_client):
    address = reverse("questions:save_draft", args=["ask"])

    answer = physician_client.post(address, {"title": "How\x00 long?", "specialties": ["a\x00b"]})

    assert answer.status_code == 204
    assert Draft.objects.get().fields == {"title": "How long?", "specialties": ["ab"]}


def test_a_draft_of_the_form_saved_at_that_moment_is_not_written_over(waiting, physician, monkeypatch):
    writing.save_draft(member=physician, place="ask", fields={"title": "Something else"})
    monkeypatch.setattr(publishing, "_is_in_writing", lambda member_id: False)

    with pytest.raises(publishing.AnotherInWriting):
        publishing.write_on(draft=waiting)


def test_it_can_be_posted_at_once(waiting, physician_client, monkeypatch):
    monkeypatch.setattr(rarity_forms, "assess", lambda text, **_: rarity_of(text, high=False))
    answer = physician_client.post(reverse("questions:waiting", args=[waiting.place]), {"now": "1"})

    assert answer.url == Question.objects.get().get_absolute_url()
    assert not Draft.objects.exists()


def test_it_can_be_taken_back_into_the_form_with_all_in_it(waiting, physician_client, rare):
    answer = physician_client.post(reverse("questions:waiting", args=[waiting.place]))

    form = physician_client.get(answer.url).context["form"]
    assert form["source"].value() == rare["source"]
    assert form["specialties"].value() == rare["specialties"]
    assert form["peers_only"].value()


def test_it_is_not_taken_back_over_another_one_in_writing(waiting, physician, physician_client):
    writing.save_draft(member=physician, place="ask", fields={"title": "Something else"})

    page = physician_client.post(
        reverse("questions:waiting", args=[waiting.place]), follow=True
    ).content.decode()

    assert "Another question of yours is in writing" in page
    assert Draft.objects.count() == 2


def test_it_can_be_discarded_but_not_written_over(waiting, physician_client):
    address = reverse("questions:save_draft", args=[waiting.place])
    assert physician_client.post(address, {"title": "Other words"}).status_code == 404

    physician_client.post(address, {"discard": "1"})

    assert not Draft.objects.exists()


def test_it_is_the_writer_s_alone(waiting, colleague_client):
    assert (
        colleague_client.post(reverse("questions:waiting", args=[waiting.place]), {"now": "1"}).status_code
        == 404
    )


def test_not_more_than_a_few_wait(waiting, physician, settings):
    settings.MOST_LATER = 1

    with pytest.raises(publishing.TooManyWaiting):
        publishing.post_later(member=physician, fields={}, submission=uuid.uuid4())


def test_a_draft_that_is_gone_cannot_be_posted(waiting):
    Draft.objects.all().delete()

    with pytest.raises(publishing.NotWaiting):
        publishing.post_now(draft=waiting)
    with pytest.raises(publishing.NotWaiting):
        publishing.write_on(draft=waiting)


def test_too_many_waiting_comes_back_with_the_text(wary, rare, physician_client, settings):
    settings.MOST_LATER = 0

    answer = physician_client.post(ASK, {**rare, "later": "1"})

    assert answer.status_code == 422
    assert "now numb" in answer.content.decode()


def test_the_answer_of_a_member_keeps_its_own_draft(physician, colleague):
    question = make_question(physician)
    writing.save_draft(member=colleague, place="ask", fields={"title": "Something else"})

    make_answer(question, colleague)

    assert Draft.objects.filter(member=colleague, place="ask").exists()


def test_reading_members_cannot_ask(physician):
    Member.objects.filter(pk=physician.pk).update(standing="read_only")

    assert client_of(physician).get(ASK).status_code == 403
