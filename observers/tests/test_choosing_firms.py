"""What a member keeps from firms: blocks, sectors, peers only by post and by default, and industry."""

import html
import re

import pytest
from django.urls import reverse

from accounts.models import Member
from conftest import client_of
from consults.tests.factories import make_case, make_consent
from observers.models import FirmBlock
from observers.services import blocking, peers_only
from observers.tests.factories import let_pass, make_contract
from questions.models import Draft, Post, Question
from questions.services.writing import NotYours
from questions.tests.factories import BODY, make_answer, make_comment, make_question
from rewards.models import Firm
from rewards.tests.factories import make_firm

SETTINGS = reverse("watchers:settings")
BLOCK = reverse("watchers:block")
SUBMISSION = "2b2c5a54-2f43-4f5e-9f53-3f4a63a1a001"

pytestmark = pytest.mark.django_db


def page_of(post):
    return reverse("watchers:post", args=[post.pk])


def is_open(post, firm):
    return Post.objects.open_to(firm).filter(pk=post.pk).exists()


@pytest.fixture
def question(physician):
    return let_pass(make_question(physician))


@pytest.fixture
def opening(question):
    return question.posts.get()


class TestBlocks:
    def test_a_blocked_firm_reads_nothing_from_that_moment(self, opening, physician, firm):
        other = make_firm(name="Another", kind="device")

        blocking.block_firm(member=physician, firm=firm)
        blocking.block_firm(member=physician, firm=firm)

        assert not is_open(opening, firm)
        assert is_open(opening, other)

    def test_it_reads_again_once_unblocked(self, opening, physician, firm):
        blocking.block_firm(member=physician, firm=firm)

        blocking.unblock_firm(member=physician, firm=firm)

        assert is_open(opening, firm)

    def test_a_sector_is_every_firm_of_the_kind(self, opening, physician, firm):
        blocking.block_sectors(member=physician, sectors=[firm.kind])

        assert not is_open(opening, firm)
        assert not is_open(opening, make_firm(name="A later one", kind=firm.kind))

    def test_sectors_are_exactly_the_chosen_ones_and_firms_stay(self, physician, firm):
        blocking.block_firm(member=physician, firm=firm)
        blocking.block_sectors(member=physician, sectors=["finance", "device"])
        since = FirmBlock.objects.get(sector="finance").since

        blocking.block_sectors(member=physician, sectors=["finance", "research"])

        assert set(physician.firm_blocks.values_list("firm", "sector")) == {
            (firm.pk, ""),
            (None, "finance"),
            (None, "research"),
        }
        assert FirmBlock.objects.get(sector="finance").since == since

    def test_the_buttons_block_and_unblock(self, physician, physician_client, firm):
        make = {"firm": firm.pk, "next": SETTINGS}

        answer = physician_client.post(BLOCK, {**make, "block": "1"})
        assert physician.firm_blocks.get().firm == firm
        assert answer["Location"] == SETTINGS
        assert firm.name in physician_client.get(SETTINGS).content.decode()

        physician_client.post(BLOCK, {**make, "block": "0"})
        assert not physician.firm_blocks.exists()

    def test_a_firm_whose_contract_ended_can_be_unblocked_and_not_blocked(self, physician, physician_client):
        gone = make_firm(name="Gone")
        assert physician_client.post(BLOCK, {"firm": gone.pk, "block": "1"}).status_code == 400

        blocking.block_firm(member=physician, firm=gone)
        physician_client.post(BLOCK, {"firm": gone.pk, "block": "0"})

        assert not physician.firm_blocks.exists()

    @pytest.mark.parametrize(
        "sent", [{}, {"firm": "x", "block": "1"}, {"firm": "0", "block": "1"}, {"block": "1"}]
    )
    def test_nonsense_is_refused(self, sent, physician_client):
        assert physician_client.post(BLOCK, sent).status_code == 400

    def test_only_members_block(self, client, seat_client, firm):
        sent = {"firm": firm.pk, "block": "1"}

        assert client.post(BLOCK, sent).status_code == 302
        assert seat_client.post(BLOCK, sent).status_code == 403
        assert not FirmBlock.objects.exists()

    def test_reading_along_changes_nothing(self, physician_client, firm):
        assert physician_client.get(BLOCK, {"firm": firm.pk, "block": "1"}).status_code == 302
        assert not FirmBlock.objects.exists()


class TestSettings:
    def test_what_is_chosen_is_kept(self, physician, physician_client):
        physician_client.post(
            SETTINGS, {"peers_only": "on", "hides_industry": "on", "sectors": ["finance", "pharma"]}
        )

        member = Member.objects.get(pk=physician.pk)
        assert (member.peers_only, member.hides_industry) == (True, True)
        assert set(member.firm_blocks.values_list("sector", flat=True)) == {"finance", "pharma"}
        form = physician_client.get(SETTINGS).context["form"]
        assert set(form["sectors"].value()) == {"finance", "pharma"}

    def test_nothing_ticked_takes_all_back(self, physician, physician_client):
        blocking.choose(member=physician, peers_only=True, hides_industry=True, sectors=["finance"])

        physician_client.post(SETTINGS, {})

        member = Member.objects.get(pk=physician.pk)
        assert (member.peers_only, member.hides_industry) == (False, False)
        assert not member.firm_blocks.exists()

    def test_an_unknown_sector_is_refused(self, physician_client):
        assert physician_client.post(SETTINGS, {"sectors": ["martians"]}).status_code == 422

    def test_every_kind_of_firm_is_a_sector(self, physician_client):
        form = physician_client.get(SETTINGS).context["form"]

        assert {value for value, _ in form.fields["sectors"].choices} == set(Firm.Kind.values)

    def test_hidden_industry_leaves_the_lists(self, physician, colleague, physician_client):
        asked = make_question(colleague, title="What would make you try this device?")
        Question.objects.filter(pk=asked.pk).update(industry="Corvane Pharma")
        blocking.choose(member=physician, peers_only=False, hides_industry=True, sectors=[])

        assert asked.title not in physician_client.get(reverse("questions:list")).content.decode()


class TestSwitch:
    def test_an_opening_takes_its_discussion_from_firms(self, question, opening, physician, firm):
        answer = make_answer(question)
        let_pass(question)

        peers_only.set_peers_only(post=opening, by=physician, peers_only=True)

        assert not is_open(opening, firm)
        assert not is_open(answer, firm)
        assert Question.objects.get(pk=question.pk).peers_only

    def test_an_answer_takes_its_comments_along_and_nothing_else(self, question, opening, physician, firm):
        answer = make_answer(question, physician)
        comment = make_comment(answer)
        let_pass(question)

        peers_only.set_peers_only(post=answer, by=physician, peers_only=True)

        assert not is_open(answer, firm)
        assert not is_open(comment, firm)
        assert is_open(opening, firm)

    def test_it_works_in_closed_discussions(self, question, opening, physician, firm):
        Question.objects.filter(pk=question.pk).update(
            status="closed", closed_at=question.opened_at, close_reason="author"
        )

        peers_only.set_peers_only(post=opening, by=physician, peers_only=True)

        assert not is_open(opening, firm)

    def test_only_its_author_switches_it(self, opening, colleague):
        with pytest.raises(NotYours):
            peers_only.set_peers_only(post=opening, by=colleague, peers_only=True)

    def test_it_can_be_switched_back_while_nobody_else_wrote(self, question, opening, physician, firm):
        make_answer(question, physician)
        let_pass(question)
        for value in (True, False):
            peers_only.set_peers_only(post=opening, by=physician, peers_only=value)

        assert is_open(opening, firm)

    def test_what_colleagues_wrote_among_peers_stays_there(self, physician, firm):
        question = make_question(physician, peers_only=True)
        make_answer(question)

        with pytest.raises(peers_only.WrittenAmongPeers):
            peers_only.set_peers_only(post=question.posts.get(kind="opening"), by=physician, peers_only=False)

    def test_so_do_comments_of_colleagues_under_an_answer(self, question, physician):
        answer = make_answer(question, physician, peers_only=True)
        make_comment(answer)

        with pytest.raises(peers_only.WrittenAmongPeers):
            peers_only.set_peers_only(post=answer, by=physician, peers_only=False)

    def test_a_case_needs_the_consent_for_observers(self, physician):
        case = make_case(physician)
        opening = case.question.posts.get(kind="opening")

        with pytest.raises(peers_only.NoConsent):
            peers_only.set_peers_only(post=opening, by=physician, peers_only=False)

    def test_the_page_of_the_post_has_the_switch(self, opening, physician_client, firm):
        assert "Keep it among peers" in physician_client.get(page_of(opening)).content.decode()

        physician_client.post(page_of(opening), {"peers_only": "1"})
        assert not is_open(opening, firm)
        assert "Let firms read it" in physician_client.get(page_of(opening)).content.decode()

        physician_client.post(page_of(opening), {"peers_only": "0"})
        assert is_open(opening, firm)

    def test_nobody_else_finds_it_there(self, opening, colleague_client, seat_client, firm):
        assert colleague_client.post(page_of(opening), {"peers_only": "1"}).status_code == 404
        assert seat_client.post(page_of(opening), {"peers_only": "1"}).status_code == 403
        assert is_open(opening, firm)

    def test_nonsense_is_refused(self, opening, physician_client):
        assert physician_client.post(page_of(opening), {"peers_only": "maybe"}).status_code == 400

    @pytest.mark.parametrize(
        ("changed", "words"),
        [
            ({"audience": "connections"}, "not put to all physicians"),
            ({"peers_only": True}, "the discussion it stands in is among peers"),
        ],
    )
    def test_where_no_firm_reads_anyway_there_is_none(
        self, changed, words, question, physician, physician_client
    ):
        answer = make_answer(question, physician)
        Question.objects.filter(pk=question.pk).update(**changed)

        page = physician_client.get(page_of(answer)).content.decode()

        assert words in page
        assert "Keep it among peers" not in page


class TestWhileWriting:
    def answer(self, client, question, **sent):
        sent = {"source": "Hold it for two days.", "submission": SUBMISSION, "byline": "anonymous", **sent}
        client.post(reverse("questions:answer", args=[question.pk]), sent)
        return Post.objects.get(submission=SUBMISSION)

    def test_an_answer_may_be_peers_only(self, question, colleague_client):
        assert self.answer(colleague_client, question, peers_only="on").peers_only

    def test_else_firms_may_read_it(self, question, colleague_client):
        assert not self.answer(colleague_client, question).peers_only

    def test_so_may_a_comment(self, question, colleague_client):
        answer = make_answer(question)

        colleague_client.post(
            reverse("questions:comment", args=[answer.pk]),
            {"source": "Which dose?", "submission": SUBMISSION, "byline": "anonymous", "peers_only": "on"},
        )

        assert Post.objects.get(submission=SUBMISSION).peers_only

    def test_colleagues_are_told(self, question, physician_client):
        make_answer(question, peers_only=True)

        page = physician_client.get(question.get_absolute_url()).content.decode()

        assert "Peers only" in page.partition('id="answers"')[2]

    def test_the_default_ticks_the_boxes(self, question, colleague):
        answer = make_answer(question)
        blocking.choose(member=colleague, peers_only=True, hides_industry=False, sectors=[])
        client = client_of(colleague.user)

        pages = [
            question.get_absolute_url(),
            reverse("questions:comment", args=[answer.pk]),
            reverse("questions:ask"),
            reverse("polls:new"),
        ]

        for address in pages:
            page = client.get(address).content.decode()
            box = page.partition('name="peers_only"')[2].partition(">")[0]
            assert "checked" in box, address

    def test_what_was_typed_before_keeps_its_own_word(self, question, colleague):
        blocking.choose(member=colleague, peers_only=True, hides_industry=False, sectors=[])
        for place in ("ask", f"answer:{question.pk}"):
            Draft.objects.create(member=colleague, place=place, fields={"source": BODY})
        client = client_of(colleague.user)

        for address in (reverse("questions:ask"), question.get_absolute_url()):
            page = client.get(address).content.decode()
            assert "checked" not in page.partition('name="peers_only"')[2].partition(">")[0]

    def test_the_box_follows_a_change_of_the_default(self, question, colleague):
        client = client_of(colleague.user)
        client.get(question.get_absolute_url())
        blocking.choose(member=colleague, peers_only=True, hides_industry=False, sectors=[])

        page = client.get(question.get_absolute_url()).content.decode()

        assert "checked" in page.partition('name="peers_only"')[2].partition(">")[0]

    def test_it_is_not_asked_where_no_firm_reads(self, physician, colleague_client):
        question = make_question(physician, peers_only=True)

        page = colleague_client.get(question.get_absolute_url()).content.decode()

        assert 'name="peers_only"' not in page

    def test_nor_under_an_answer_that_no_firm_reads(self, question, colleague_client):
        answer = make_answer(question, peers_only=True)

        page = colleague_client.get(reverse("questions:comment", args=[answer.pk])).content.decode()

        assert 'name="peers_only"' not in page

    def test_what_has_no_box_follows_the_default(self, question, colleague):
        blocking.choose(member=colleague, peers_only=True, hides_industry=False, sectors=[])

        assert make_answer(question, colleague).peers_only
        assert make_question(colleague).peers_only
        assert not make_question(colleague, peers_only=False).peers_only


class TestOpenedWhileWriting:
    """A form that was shown among peers is sent after its discussion, or the answer above it, was given to firms."""

    TYPED = {"submission": SUBMISSION, "byline": "anonymous"}

    def typed_in(self, page, **typed):
        """What a browser sends of the one form with a submission on a page: what it hides, and what was typed."""
        form = next(form for form in page.split("<form") if 'name="submission"' in form)
        hidden = {
            found["name"]: found["value"]
            for found in re.finditer(
                r'<input type="hidden" name="(?P<name>\w+)" value="(?P<value>[^"]*)"', form
            )
        }
        return {**hidden, **self.TYPED, **typed}

    def open_to_firms(self, post):
        peers_only.set_peers_only(post=post, by=post.author, peers_only=False)

    @pytest.fixture
    def kept(self, physician):
        return let_pass(make_question(physician, peers_only=True))

    @pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
    def test_an_answer_stays_among_peers(self, headers, kept, colleague_client, firm):
        typed = self.typed_in(
            colleague_client.get(kept.get_absolute_url()).content.decode(), source="Hold it for two days."
        )
        self.open_to_firms(kept.posts.get())

        colleague_client.post(reverse("questions:answer", args=[kept.pk]), typed, headers=headers)

        answer = Post.objects.get(submission=SUBMISSION)
        assert answer.peers_only
        assert is_open(kept.posts.get(kind="opening"), firm)

    def test_a_comment_stays_among_peers(self, kept, physician, colleague_client):
        answer = make_answer(kept, physician)
        address = reverse("questions:comment", args=[answer.pk])
        typed = self.typed_in(colleague_client.get(address).content.decode(), source="Which dose?")
        self.open_to_firms(kept.posts.get(kind="opening"))

        colleague_client.post(address, typed)

        assert Post.objects.get(submission=SUBMISSION).peers_only

    def test_so_does_one_under_an_answer_that_was_given_to_firms(self, question, physician, colleague_client):
        answer = make_answer(question, physician, peers_only=True)
        address = reverse("questions:comment", args=[answer.pk])
        typed = self.typed_in(colleague_client.get(address).content.decode(), source="Which dose?")
        self.open_to_firms(answer)

        colleague_client.post(address, typed)

        assert Post.objects.get(submission=SUBMISSION).peers_only

    def test_a_reply_to_a_case_stays_among_peers(self, physician, colleague_client):
        case = make_case(physician, consent=make_consent(physician, for_observers=True))
        page = colleague_client.get(case.question.get_absolute_url()).content.decode()
        typed = self.typed_in(page, diagnosis="Lyme disease", confidence="70")
        self.open_to_firms(case.question.posts.get())

        colleague_client.post(reverse("consults:reply", args=[case.pk, case.question.slug]), typed)

        assert Post.objects.get(submission=SUBMISSION).peers_only

    def test_a_reply_to_a_case_that_firms_read_has_the_switch(self, physician, colleague, colleague_client):
        consent = make_consent(physician, for_observers=True)
        case = make_case(physician, consent=consent, peers_only=False)
        page = colleague_client.get(case.question.get_absolute_url()).content.decode()
        typed = self.typed_in(page, diagnosis="Lyme disease", confidence="70")
        assert 'name="peers_only"' in page

        colleague_client.post(
            reverse("consults:reply", args=[case.pk, case.question.slug]), {**typed, "peers_only": "on"}
        )

        assert Post.objects.get(submission=SUBMISSION).peers_only

    def test_the_form_that_comes_back_asks_with_the_box_ticked(self, kept, colleague_client):
        page = colleague_client.get(kept.get_absolute_url()).content.decode()
        self.open_to_firms(kept.posts.get())
        address = reverse("questions:answer", args=[kept.pk])

        answer = colleague_client.post(address, self.typed_in(page, source="Short."))
        assert answer.status_code == 422
        page = answer.content.decode()
        assert "checked" in page.partition('name="peers_only"')[2].partition(">")[0]

        colleague_client.post(address, self.typed_in(page, source="Hold it for two days."))
        assert not Post.objects.get(submission=SUBMISSION).peers_only

    def test_a_form_that_comes_back_from_among_peers_still_says_so(self, kept, colleague_client):
        page = colleague_client.get(kept.get_absolute_url()).content.decode()
        address = reverse("questions:answer", args=[kept.pk])
        page = colleague_client.post(address, self.typed_in(page, source="Short.")).content.decode()
        self.open_to_firms(kept.posts.get())

        colleague_client.post(address, self.typed_in(page, source="Hold it for two days."))

        assert Post.objects.get(submission=SUBMISSION).peers_only

    def test_a_draft_typed_among_peers_comes_back_with_the_box_ticked(
        self, kept, colleague, colleague_client
    ):
        typed = self.typed_in(colleague_client.get(kept.get_absolute_url()).content.decode(), source=BODY)
        colleague_client.post(reverse("questions:save_draft", args=[f"answer:{kept.pk}"]), typed)
        self.open_to_firms(kept.posts.get())

        page = colleague_client.get(kept.get_absolute_url()).content.decode()

        assert BODY in page
        assert "checked" in page.partition('name="peers_only"')[2].partition(">")[0]

    def test_between_the_page_and_the_lock_it_is_the_same(self, kept, colleague, physician):
        """The view has looked at a discussion among peers; the service, under its lock, finds it open."""
        answer = make_answer(kept, physician)
        stale = Question.objects.get(pk=kept.pk)
        self.open_to_firms(kept.posts.get(kind="opening"))

        assert make_answer(stale, colleague, among_peers=True).peers_only
        assert make_comment(answer, colleague, among_peers=True).peers_only

    def test_where_it_stayed_among_peers_the_default_decides(self, kept, colleague):
        assert not make_answer(kept, colleague, among_peers=True).peers_only

    def test_who_was_shown_the_box_is_taken_at_their_word(self, question, colleague_client):
        typed = self.typed_in(
            colleague_client.get(question.get_absolute_url()).content.decode(), source="Hold it for two days."
        )
        assert "among_peers" not in typed

        colleague_client.post(reverse("questions:answer", args=[question.pk]), typed)

        assert not Post.objects.get(submission=SUBMISSION).peers_only


class TestSaidBefore:
    """That peers only lasts is said beside the switch, and where it cannot be turned there is none."""

    LASTS = "This cannot be undone once colleagues write below."

    def test_beside_the_box(self, question, physician_client, colleague_client):
        answer = make_answer(question)

        for address in (reverse("questions:ask"), reverse("polls:new")):
            assert self.LASTS in physician_client.get(address).content.decode()
        assert self.LASTS in colleague_client.get(question.get_absolute_url()).content.decode()
        comment = colleague_client.get(reverse("questions:comment", args=[answer.pk])).content.decode()
        assert "Observer firms do not read it." in comment
        assert self.LASTS not in comment

    def test_where_nobody_else_wrote_it_can_be_turned_and_back(self, opening, physician_client):
        assert "It cannot be undone once colleagues write below." in self.page(physician_client, opening)

        physician_client.post(page_of(opening), {"peers_only": "1"})

        page = self.page(physician_client, opening)
        assert "Let firms read it" in page
        assert "It can be turned off until colleagues write below." in page

    def test_where_colleagues_wrote_it_is_said_before_it_is_turned(self, question, opening, physician_client):
        make_answer(question)

        assert "<b>It cannot be undone:</b> colleagues have written below." in self.page(
            physician_client, opening
        )

    @pytest.mark.parametrize("kind", ["opening", "answer"])
    def test_where_colleagues_wrote_among_peers_there_is_no_way_back(
        self, kind, question, opening, physician, physician_client
    ):
        answer = make_answer(question, physician, peers_only=True)
        make_comment(answer)
        if kind == "opening":
            Question.objects.filter(pk=question.pk).update(peers_only=True)

        page = self.page(physician_client, opening if kind == "opening" else answer)

        assert peers_only.WrittenAmongPeers.message in page
        assert "Let firms read it" not in page

    def test_a_case_without_consent_says_why(self, physician, physician_client):
        case = make_case(physician)

        page = self.page(physician_client, case.question.posts.get())

        assert "consent does not include observers" in page
        assert "Let firms read it" not in page

    def test_a_comment_can_always_be_turned_back(self, question, physician, physician_client):
        comment = make_comment(make_answer(question), physician, peers_only=True)

        page = self.page(physician_client, comment)

        assert "Let firms read it" in page
        assert "colleagues" not in page.partition("Peers only</h2>")[2].partition("</section>")[0]

    def page(self, client, post):
        return html.unescape(client.get(page_of(post)).content.decode())


def test_the_tab_stands_among_the_settings(physician_client):
    page = physician_client.get(reverse("accounts:blocks")).content.decode()

    assert f'href="{SETTINGS}"' in page


def test_a_firm_in_force_can_be_blocked_from_the_directory(physician_client):
    firm = make_contract().firm

    page = physician_client.get(reverse("watchers:all")).content.decode()

    assert f'<input type="hidden" name="firm" value="{firm.pk}">' in page
