"""Success stories: written under a consent that allows them, looked at, read by everybody, gone with the consent."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.template.loader import render_to_string
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.leaving.ledger import Person
from accounts.models import Notice
from accounts.notice_kinds import lines
from accounts.tests.factories import make_member
from conftest import client_of
from consults.check_forms import ConsentForm
from consults.models import Case, Consent, Diagnosis, Story
from consults.personal_stories import erase_untold
from consults.services import consents, diagnoses, solving, stories, withdrawing
from consults.tasks import watch_consents
from consults.tests.factories import make_case, make_consent, make_diagnosis
from questions.models import Byline, Commitment, Post, Question
from questions.rarity_forms import digest_of
from questions.services import writing
from questions.services.moderation import rights

TITLE = "A rash that told where the fever came from"
WORDS = (
    "A patient in middle age had a fever that would not go and a faint rash that nobody could place. A family "
    "physician asked colleagues what it might be. Two of them named the same infection within the hour, and said "
    "which blood test would settle it. It did, and under treatment the fever went."
)
RARE = WORDS + (
    " It was the 9-year-old girl from Nome, Alaska, with progeria, who was on the evening news after the avalanche "
    "in March, a week ago."
)


def make_told(case, by=None):
    """A story that everybody reads."""
    story = stories.write(case=case, by=case.question.asker, title=TITLE, source=WORDS)
    Story.objects.filter(pk=story.pk).update(state="told", checked_at=timezone.now())
    story.refresh_from_db()
    return story


@pytest.fixture
def case(physician):
    consent = make_consent(physician, "signed", for_stories=True)
    return make_case(physician, images=0, consent=consent, solved_at=timezone.now() + timedelta(seconds=1))


@pytest.fixture
def case_open_to_readers(case):
    Question.objects.filter(pk=case.pk).update(answer_first=True)
    case.question.refresh_from_db()
    return case


def write(case, **changes):
    said = {"case": case, "by": case.question.asker, "title": TITLE, "source": WORDS, **changes}
    return stories.write(**said)


class TestWriting:
    def test_it_waits_for_a_moderator(self, case):
        story = write(case)

        assert (story.state, story.html[:3]) == ("checking", "<p>")
        assert not Story.objects.told().exists()

    def test_only_its_author_tells_it(self, case, colleague):
        with pytest.raises(stories.NotYours):
            write(case, by=colleague)

    def test_only_what_is_solved_or_teaches_is_told(self, physician):
        consent = make_consent(physician, "signed", for_stories=True)
        with pytest.raises(stories.NotSolved):
            write(make_case(physician, images=0, consent=consent))
        assert write(make_case(physician, images=0, consent=consent, intent="teaching")).pk

    def test_the_consent_has_to_allow_it_and_stand(self, case, physician):
        for change in ({"for_stories": False}, {"expires_on": timezone.now().date() - timedelta(days=1)}):
            Consent.objects.update(for_stories=True, expires_on=None)
            Consent.objects.update(**change)
            with pytest.raises(stories.NotAllowed):
                write(case)

    def test_of_a_withdrawn_or_removed_case_nothing_is_told(self, case):
        Question.objects.filter(pk=case.pk).update(status="removed")
        with pytest.raises(stories.NotSolved):
            write(case)
        Question.objects.filter(pk=case.pk).update(status="open")
        Case.objects.filter(pk=case.pk).update(withdrawn_at=timezone.now(), withdrawn="author")
        with pytest.raises(stories.NotSolved):
            write(case)

    def test_what_only_a_few_may_read_is_not_told_to_everybody(self, case):
        for audience in ("invited", "connections", "specialty"):
            Question.objects.filter(pk=case.pk).update(audience=audience)
            with pytest.raises(stories.StillPrivate):
                write(case)

    def test_no_identifier_stays_for_any_reason(self, case):
        with pytest.raises(stories.StoryIdentifies):
            write(case, source=WORDS + " Call 212-555-0147, MRN 4471923.")

    def test_rare_details_are_confirmed_for_exactly_these_words(self, case):
        with pytest.raises(stories.MayIdentify):
            write(case, source=RARE)
        seen = digest_of(stories.rarity_of(TITLE, RARE))
        with pytest.raises(stories.MayIdentify):
            write(case, source=RARE + " She lives in a village on the coast of Maine.", rarity_seen=seen)
        assert write(case, source=RARE, rarity_seen=seen).pk

    @pytest.mark.parametrize(
        "words",
        ["left_atrium asked.", "Left_Atrium asked.", "@nephron_loop knew.", "See /consults/12/rash/."],
    )
    def test_it_names_no_colleague_and_links_nowhere(self, case, words):
        with pytest.raises(stories.NamesSomebody):
            write(case, source=f"{WORDS} {words}")

    def test_a_refusal_never_says_which_name_has_a_handle(self, case):
        """Whoever signs with a handle there is found by it alone, and by name only who signs with that."""
        hidden = make_member("vagal_tone", byline_mode="public", display_name="Anna Vale, MD")
        Byline.objects.create(question=case.question, member=hidden, mode="anonymous")

        assert stories.names_in(case, "Anna Vale, MD and vagal_tone") == ["vagal_tone"]
        Byline.objects.filter(member=hidden).update(mode="public")
        assert stories.names_in(case, "Anna Vale, MD and vagal_tone") == ["Anna Vale, MD"]

    def test_it_has_a_length(self, case):
        for change in ({"title": ""}, {"title": "a" * 121}, {"source": "Short."}, {"source": "a " * 4_000}):
            with pytest.raises(stories.WrongLength):
                write(case, **change)

    def test_sent_twice_it_is_one_and_sent_anew_it_is_another_look(self, case):
        first = write(case)
        assert write(case).written_at == first.written_at

        again = write(case, title="Where the fever came from")

        assert (again.pk, again.written_at > first.written_at) == (first.pk, True)

    def test_what_is_published_is_taken_back_first(self, case):
        story = make_told(case)
        assert write(case).pk == story.pk
        with pytest.raises(stories.ToldAlready):
            write(case, title="Where the fever came from")

        stories.take_back(story=story, by=case.question.asker)

        assert write(case).state == "checking"

    def test_who_is_held_tells_nothing(self, case, physician):
        physician.standing = "read_only"
        with pytest.raises(writing.ReadOnly):
            write(case, by=physician)

    def test_it_holds_rows_in_the_order_of_a_comment(self, case):
        """Else an author who writes a story and a comment at one moment would wait for themself."""
        with CaptureQueriesContext(connection) as asked:
            write(case)

        locked = [one["sql"].split('FROM "')[1].split('"')[0] for one in asked if "FOR " in one["sql"][-60:]]
        tables = [
            "questions_question",
            "accounts_member",
            "consults_case",
            "consults_consent",
            "consults_story",
        ]
        assert locked == tables


class TestDeciding:
    def test_published_everybody_reads_it_and_the_author_is_told(self, case, moderator, physician):
        story = stories.publish(story=write(case), by=moderator.user)

        assert list(Story.objects.told()) == [story]
        notice = Notice.objects.get(member=physician)
        line = lines([notice], physician.user)[notice.pk]
        assert (line.text, line.title) == ("A moderator looked at your story; everybody can read it", TITLE)

    def test_sent_back_it_comes_with_a_reason(self, case, moderator, physician):
        story = write(case)
        with pytest.raises(stories.WordsMissing):
            stories.send_back(story=story, by=moderator.user, words=" ")

        story = stories.send_back(story=story, by=moderator.user, words="A neighbor would know her.")

        assert (story.state, story.answer) == ("returned", "A neighbor would know her.")
        notice = Notice.objects.get(member=physician)
        assert lines([notice], physician.user)[notice.pk].text == "A moderator sent your story back"

    def test_what_is_published_can_be_sent_back(self, case, moderator):
        stories.send_back(story=make_told(case), by=moderator.user, words="It names a hospital.")

        assert not Story.objects.told().exists()

    def test_nobody_decides_about_their_own(self, moderator):
        consent = make_consent(moderator, "signed", for_stories=True)
        own = make_case(moderator, images=0, consent=consent, intent="teaching")

        with pytest.raises(stories.OwnStory):
            stories.publish(story=write(own), by=moderator.user)

    def test_only_moderators_decide(self, case, colleague):
        with pytest.raises(rights.NotAModerator):
            stories.publish(story=write(case), by=colleague.user)

    def test_two_moderators_decide_once_and_about_what_they_saw(self, case, moderator):
        story = write(case)
        seen = story.written_at
        write(case, title="Where the fever came from")
        with pytest.raises(stories.SentAgain):
            stories.publish(story=story, by=moderator.user, seen=seen)
        stories.publish(story=story, by=moderator.user)
        with pytest.raises(stories.NotWaitingAnyMore):
            stories.publish(story=story, by=moderator.user)

    def test_a_consent_that_ended_meanwhile_keeps_it_from_going_out(self, case, moderator):
        story = write(case)
        Consent.objects.update(for_stories=False)

        with pytest.raises(stories.NotAllowed):
            stories.publish(story=story, by=moderator.user)


def solve(case, name, **said):
    said = {"confirmed": "imaging", "outcome": "It healed.", **said}
    return solving.solve_case(case=case, by=case.question.asker, name=name, **said)


def is_erased(story):
    story.refresh_from_db()
    return (story.state, story.title, story.source, story.html) == ("taken", "", "", "")


class TestItsEnd:
    def test_the_author_takes_it_back_and_nobody_else(self, case, colleague):
        story = make_told(case)
        with pytest.raises(stories.NotYours):
            stories.take_back(story=story, by=colleague)

        stories.take_back(story=story, by=case.question.asker)

        assert is_erased(story)

    def test_it_goes_with_the_consent_at_once(self, case):
        story = make_told(case)

        consents.revoke(consent=case.consent, by=case.question.asker)

        assert is_erased(story)

    def test_a_patient_ends_it_by_code_before_any_task_runs(self, physician, monkeypatch):
        code = consents.new_code()
        consent = make_consent(physician, "signed", for_stories=True, form_version="2026-12", code=code)
        case = make_case(physician, images=0, consent=consent, intent="teaching")
        story = make_told(case)
        monkeypatch.setattr(consents, "nudge", lambda *args: None)

        consents.revoke_by_code(code)

        assert is_erased(story)

    def test_it_goes_with_the_case(self, case):
        story = make_told(case)

        withdrawing.withdraw(case=case, why=Case.Withdrawn.AUTHOR, by=case.question.asker)

        assert is_erased(story)

    def test_the_end_of_the_consent_hides_it_at_once_and_the_clock_deletes_its_words(self, case):
        story = make_told(case)
        Consent.objects.update(expires_on=timezone.now().date() - timedelta(days=1))

        assert not Story.objects.told().exists()
        watch_consents()
        assert is_erased(story)

    def test_it_goes_with_what_a_moderator_removes(self, case, moderator):
        story = make_told(case)
        opening = case.question.posts.get(kind=Post.Kind.OPENING)

        writing.remove_post(post=opening, by=None, user=moderator.user)

        assert is_erased(story)

    @pytest.mark.parametrize("kind", ["deidentified", "institution"])
    def test_what_nobody_signed_covers_no_story(self, case, physician, moderator, kind):
        story, page = make_told(case), client_of(physician)
        assert page.get(story.get_absolute_url()).status_code == 200
        Case.objects.update(consent=make_consent(physician, kind))

        assert not stories.may_be_told(case)
        assert page.get(story.get_absolute_url()).status_code == 404
        stories.erase_ended()
        assert is_erased(story)

    @pytest.mark.parametrize(
        "change", [{"solved_at": None}, {"audience": "specialty"}, {"audience": "connections"}]
    )
    def test_what_may_not_be_told_any_more_is_hidden_and_kept(self, case, physician_client, change):
        """One condition for all: who reads it, who may write it, what the case offers and what a moderator sees."""
        story, button = make_told(case), "Tell it as a story"
        assert button in physician_client.get(case.get_absolute_url()).content.decode()
        Question.objects.filter(pk=case.pk).update(**change)

        assert not Story.objects.told().exists()
        assert not stories.may_be_told(case)
        assert button not in physician_client.get(case.get_absolute_url()).content.decode()
        assert stories.erase_ended() == 0
        Story.objects.update(state="checking")
        assert story not in stories.waiting()

    @pytest.mark.parametrize("state", ["checking", "told"])
    def test_with_another_final_diagnosis_it_goes_back_to_its_author(self, case, physician_client, state):
        solve(case, "Erythema migrans")
        story = make_told(case)
        Story.objects.update(state=state)
        solve(case, "Erythema migrans", confirmed="pathology")
        assert Story.objects.get().state == state

        solve(case, "Tinea corporis")

        story.refresh_from_db()
        assert (story.state, story.answer, story.source) == ("returned", stories.CHANGED, WORDS)
        page = physician_client.get(reverse("consults:write_story", args=[case.pk])).content.decode()
        assert "The final diagnosis of the case changed" in page

    def test_with_the_solution_it_goes_back_and_never_comes_by_itself(self, case, moderator):
        solve(case, "Erythema migrans")
        story = make_told(case)

        solving.unsolve_case(case=case, by=case.question.asker)
        solve(case, "Tinea corporis")

        assert not Story.objects.told().exists()
        with pytest.raises(stories.NotWaitingAnyMore):
            stories.publish(story=story, by=moderator.user)
        assert write(case).state == "checking"

    def test_a_synonym_is_no_other_diagnosis(self, case):
        solve(case, "Erythema migrans")
        make_told(case)
        root = Diagnosis.objects.get()
        synonym = make_diagnosis(case, "Early Lyme borreliosis", merged_into=root)

        solve(case, "", diagnosis=synonym)

        assert Story.objects.told().exists()

    def test_a_final_diagnosis_that_is_renamed_or_merged_away_is_another(self, case, physician):
        solve(case, "Erythema migrans")
        make_told(case)
        final, other = Diagnosis.objects.get(), make_diagnosis(case, "Tinea corporis")
        diagnoses.rename(diagnosis=other, name="Tinea circinata", by=physician)
        assert Story.objects.told().exists()

        diagnoses.rename(diagnosis=final, name="Early Lyme disease", by=physician)

        assert not Story.objects.told().exists()
        Story.objects.update(state="told")
        diagnoses.merge(diagnosis=final, into=other, by=physician)
        assert not Story.objects.told().exists()

    def test_words_taken_out_of_the_case_go_out_of_it_too(self, case):
        story = make_told(case)

        stories.cut(case.pk, lambda text: text.replace("faint rash", "…"))

        story.refresh_from_db()
        assert ("faint rash" in story.source, "faint rash" in story.html) == (False, False)
        assert story.state == "returned"

    def test_whoever_leaves_takes_along_what_nobody_reads(self, case, physician):
        story = write(case)
        erase_untold(Person.of(physician.user))

        assert not Story.objects.filter(pk=story.pk).exists()


class TestReading:
    def test_visitors_read_it_with_no_way_to_the_author(self, case):
        story = make_told(case)

        for address in (reverse("consults:stories"), story.get_absolute_url(), "/"):
            page = Client().get(address)
            shown = page.content.decode()
            assert page.status_code == 200
            assert TITLE in shown
            assert "left_atrium" not in shown
            assert case.get_absolute_url() not in shown
            assert f"/{case.pk}/" not in shown

    @pytest.mark.parametrize("state", ["checking", "returned", "taken"])
    def test_nobody_reads_what_is_not_published(self, case, state):
        story = make_told(case)
        Story.objects.update(state=state)

        assert Client().get(story.get_absolute_url()).status_code == 404
        assert TITLE not in Client().get(reverse("consults:stories")).content.decode()
        assert TITLE not in Client().get("/").content.decode()

    def test_who_has_not_answered_is_told_so_instead(self, case_open_to_readers, colleague_client, colleague):
        story = make_told(case_open_to_readers)

        for address in (reverse("consults:stories"), story.get_absolute_url()):
            page = colleague_client.get(address).content.decode()
            assert "This story tells the answer to a case you have not answered" in page
            assert case_open_to_readers.get_absolute_url() not in page
            assert f"/{case_open_to_readers.pk}/" not in page
            assert TITLE not in page
            assert "same infection" not in page

    def test_just_reading_opens_it_and_is_noted(self, case_open_to_readers, colleague_client, colleague):
        story = make_told(case_open_to_readers)

        page = colleague_client.post(reverse("consults:open_story", args=[story.key]), follow=True)

        assert page.redirect_chain[-1][0] == story.get_absolute_url()
        assert "same infection" in page.content.decode()
        assert Commitment.objects.get().how == "reading"

    def test_author_moderators_and_who_cannot_read_the_case_have_nothing_to_lose(
        self, case_open_to_readers, physician, moderator, applicant
    ):
        story = make_told(case_open_to_readers)
        for reader in (physician, moderator, applicant):
            assert "same infection" in client_of(reader).get(story.get_absolute_url()).content.decode()

    def test_the_landing_page_shows_three_and_asks_once(self, physician, django_assert_num_queries):
        consent = make_consent(physician, "signed", for_stories=True)
        for number in range(4):
            case = make_case(physician, images=0, consent=consent, intent="teaching")
            make_told(case)
            Story.objects.filter(case=case).update(title=f"The story of number {number}")

        Client().get("/")  # what was paid last month is counted once in a while

        with django_assert_num_queries(2):  # and who may watch
            page = Client().get("/").content.decode()

        assert [f"number {number}" in page for number in range(4)] == [False, True, True, True]

    def test_without_a_story_the_landing_page_says_nothing_of_them(self, db):
        assert "Solved among colleagues" not in Client().get("/").content.decode()

    @pytest.mark.parametrize("length", [1, 4])
    def test_the_list_costs_the_same_at_any_length(
        self, length, physician, colleague_client, django_assert_max_num_queries
    ):
        consent = make_consent(physician, "signed", for_stories=True)
        for _ in range(length):
            make_told(make_case(physician, images=0, consent=consent, intent="teaching"))
        colleague_client.get("/questions/")

        with django_assert_max_num_queries(4):
            assert colleague_client.get(reverse("consults:stories")).status_code == 200


class TestPages:
    def test_the_author_writes_it(self, case, physician_client):
        address = reverse("consults:write_story", args=[case.pk])
        assert "Tell it as a story" in physician_client.get(case.get_absolute_url()).content.decode()

        answer = physician_client.post(address, {"title": TITLE, "source": WORDS})

        assert answer.url == address
        assert "A moderator looks at it." in physician_client.get(address).content.decode()

    def test_refused_it_comes_back_as_typed(self, case, physician_client):
        address = reverse("consults:write_story", args=[case.pk])
        for source, words in (
            (f"{WORDS} As left_atrium said.", "names no colleague"),
            (f"{WORDS} Call 212-555-0147.", "identifier"),
            (RARE, "Together they may identify"),
        ):
            answer = physician_client.post(address, {"title": TITLE, "source": source, "later": "1"})
            page = answer.content.decode()
            assert answer.status_code == 422
            assert words in page
            assert "that would not go" in page
        assert not Story.objects.exists()

    def test_rare_details_can_be_made_coarser_or_confirmed(self, case, physician_client):
        address = reverse("consults:write_story", args=[case.pk])
        sent = {"title": TITLE, "source": RARE}

        coarser = physician_client.post(address, {**sent, "coarser": "all"})
        assert "Nome" not in coarser.context["form"]["source"].value()
        assert not Story.objects.exists()
        held = physician_client.post(address, sent)
        form = held.context["form"]
        ticks = {"rarity_seen": form.rarity.digest}
        keys = [row.key for checked in form.checked_identifiers.values() for row in checked.rows]
        physician_client.post(address, {**sent, **ticks, "not_patient": keys})

        assert Story.objects.get().source == RARE

    def test_the_author_takes_it_back_on_the_page(self, case, physician_client):
        story = make_told(case)

        physician_client.post(reverse("consults:take_back_story", args=[case.pk]))

        assert is_erased(story)

    def test_for_everybody_else_there_is_no_such_page(
        self, case, colleague_client, applicant_client, moderator
    ):
        address = reverse("consults:write_story", args=[case.pk])

        assert colleague_client.get(address).status_code == 404
        assert client_of(moderator).get(address).status_code == 404
        assert applicant_client.get(address).url == reverse("verification:start")
        assert Client().get(address).url.startswith("/accounts/")

    def test_a_case_that_cannot_be_told_says_so(self, physician, physician_client):
        case = make_case(physician, images=0)

        page = physician_client.get(reverse("consults:write_story", args=[case.pk])).content.decode()

        assert "This case cannot be told." in page
        assert "Tell it as a story" not in physician_client.get(case.get_absolute_url()).content.decode()

    def test_the_desk_lists_it_and_the_moderator_decides(self, case, moderator):
        story, client = write(case), client_of(moderator)
        address = reverse("consults:review_story", args=[story.key])
        assert address in client.get(reverse("consults:desk")).content.decode()
        assert "same infection" in client.get(address).content.decode()

        refused = client.post(address, {"decision": "return", "seen": story.written_at.isoformat()})
        assert refused.status_code == 422
        client.post(address, {"decision": "publish", "seen": story.written_at.isoformat()})

        assert Story.objects.told().exists()
        assert address not in client.get(reverse("consults:desk")).content.decode()

    def test_the_desk_is_closed_to_others_and_to_the_author(self, moderator, colleague_client):
        consent = make_consent(moderator, "signed", for_stories=True)
        story = write(make_case(moderator, images=0, consent=consent, intent="teaching"))
        address = reverse("consults:review_story", args=[story.key])

        assert colleague_client.get(address).status_code == 404
        assert client_of(moderator).get(address).status_code == 404
        assert "Of a case of your own" in client_of(moderator).get(reverse("consults:desk")).content.decode()


class TestConsent:
    """Only a consent on a form that asks about stories allows one."""

    SIGNED = {"signer": "patient", "signed_on": date(2026, 1, 2)}

    def test_an_earlier_form_never_allows_it(self, physician):
        old = make_consent(physician, "signed", is_attested=False, form_version="2026-11")

        with pytest.raises(consents.NotOnForm):
            consents.sign(consent=old, member=physician, medium="paper", for_stories=True, **self.SIGNED)
        signed = consents.sign(consent=old, member=physician, medium="paper", **self.SIGNED)
        assert (signed.for_stories, signed.form_version) == (False, "2026-11")

    def test_the_form_of_today_does_on_paper_and_on_the_screen(self, physician):
        for medium in ("paper", "screen"):
            made = consents.prepare(member=physician)
            signed = consents.sign(
                consent=made, member=physician, medium=medium, for_stories=True, **self.SIGNED
            )
            assert (signed.for_stories, signed.form_version) == (True, consents.FORM_VERSION)

    def test_renewing_leaves_it_as_it_was(self, physician):
        old = make_consent(physician, "signed", form_version="2026-11")

        renewed = consents.renew(
            consent=old, member=physician, medium="screen", expires_on=None, **self.SIGNED
        )

        assert renewed.for_stories is False

    @pytest.mark.parametrize("kind", ["deidentified", "institution"])
    def test_what_no_patient_signed_never_allows_it(self, physician, kind):
        said = {"member": physician, "kind": kind, "statement": "Scans, all writing is out."}

        assert consents.attest(**said).for_stories is False
        with pytest.raises(consents.StoryUnsigned):
            consents.attest(**said, for_stories=True)
        with pytest.raises(IntegrityError), transaction.atomic():
            make_consent(physician, kind, for_stories=True)

    @pytest.mark.parametrize("kind", ["deidentified", "institution", "signed"])
    def test_the_check_of_a_case_refuses_it_beside_the_box(self, physician, kind):
        said = {"kind": kind, "why": "nothing", "approval": "Board", "for_stories": "on", "signed": "new"}
        said |= {"signer": "patient", "signed_on": "2026-01-02"}
        data = {f"consent-{name}": value for name, value in said.items()}
        form = ConsentForm(data, member=physician, is_teaching=False)
        shown = render_to_string("consults/_check_consent.html", {"form": form})

        if kind == "signed":
            assert "for_stories" not in form.errors
            assert '<div class="for-signed">' in shown
        else:
            assert form.errors["for_stories"] == [consents.StoryUnsigned.message]
            assert '<div class="for-signed">' not in shown

    def test_the_pages_ask_for_it_where_the_form_does(self, physician, physician_client):
        new = consents.prepare(member=physician)

        assert 'name="for_stories"' in physician_client.get(new.get_absolute_url()).content.decode()
        for name in ("consults:consent_form", "consults:sign_consent"):
            page = physician_client.get(reverse(name, args=[new.pk])).content.decode()
            assert "told to everyone" in page


def test_a_story_is_told_after_a_look_only(case):
    story = write(case)

    with pytest.raises(IntegrityError), transaction.atomic():
        Story.objects.filter(pk=story.pk).update(state="told")
