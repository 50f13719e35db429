"""What members wrote, as firms read it."""

import re
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.masks import Masks, folded
from accounts.models import Handle, Member
from accounts.tests.factories import make_member
from observers import reading, texts
from observers.aliases import Person
from observers.listing import Filters
from observers.masks import _masks
from observers.models import CompanyQuestion, FirmBlock
from observers.services import asking
from observers.tests.factories import let_pass
from observers.tests.product_makers import ask, make_product
from observers.texts import HIDDEN, NO_LINK
from questions.models import Byline
from questions.tests.factories import make_answer, make_question
from rewards.tests.factories import make_firm
from sermo.text import render_markdown

ALIAS = "Amber heron"


def person(*handles, name="", is_read=True):
    return Person(1, 1, ALIAS, frozenset(handles), name, is_read)


MASKS = _masks([person("kidney_doc7", "Nephron.Old", name="Zofia Wiśniewska, MD")])


def read(source, masks=MASKS):
    return texts.for_firm(render_markdown(source), masks)


class TestNames:
    @pytest.mark.parametrize(
        "source",
        [
            "As kidney_doc7 said",
            "As KIDNEY_DOC7 said",
            "As Kidney-Doc7 said",
            "As kidney\u200b_doc7 said",
            "As \uff4bidney_doc7 said",
            "As nephron.old said",
            "As kidney_**doc7** said",
            "As Zofia Wiśniewska said",
            "As ZOFIA WISNIEWSKA said",
            "As Wiśniewska said",
            "As Wiśniewska, Zofia said",
            "As `kidney_doc7` said",
        ],
    )
    def test_names_of_those_who_wrote_there_are_a_colleague(self, source):
        text = texts.words(render_markdown(source), MASKS)

        assert text == "As a colleague said"

    @pytest.mark.parametrize(
        "source",
        [
            "As @kidney_doc7 said",
            "As @KIDNEY_DOC7 said",
            "As @kidney\u200b_doc7 said",
            "As @Nephron.Old said",
            "As **@kidney_doc7** said",
        ],
    )
    def test_a_mention_of_one_who_is_read_there_is_their_alias(self, source):
        assert texts.words(render_markdown(source), MASKS) == f"As {ALIAS} said"

    def test_any_other_mention_is_a_colleague_whether_or_not_anybody_has_the_handle(self):
        unread = _masks([person("somebody_else", is_read=False)])

        for masks in (MASKS, unread, Masks()):
            assert read("Ask @somebody_else.", masks) == "<p>Ask a colleague.</p>\n"

    def test_a_cited_name_leads_to_no_alias(self):
        source = "See Wiśniewska et al., PMID 1234567, and ask @kidney_doc7."
        text = texts.words(render_markdown(source), MASKS)

        assert text == f"See a colleague et al., PMID 1234567, and ask {ALIAS}."

    @pytest.mark.parametrize("source", ["See Wiśniewska et al.", "As kidney_doc7 said", "Zofia Wiśniewska"])
    def test_bare_names_of_one_who_is_not_read_are_hidden_alike(self, source):
        unread = _masks([person("kidney_doc7", name="Zofia Wiśniewska, MD", is_read=False)])

        assert read(source, unread) == read(source) != render_markdown(source)

    def test_two_who_share_a_surname_are_told_apart_by_nothing(self):
        masks = _masks([person("abc", name="Ada Wisniewska"), person("abd", name="Ewa Wisniewska")])

        assert texts.plain("Wisniewska said", masks) == "a colleague said"

    def test_a_handle_that_is_a_plain_word_does_not_lead_to_an_alias(self):
        masks = _masks([person("steady")])

        assert texts.plain("At steady state", masks) == "At a colleague state"

    def test_a_surname_that_is_a_plain_word_or_an_eponym_stays_where_it_stands_alone(self):
        masks = _masks([person("abc", name="Ann Young"), person("abd", name="Ada Crohn")])

        assert texts.plain("Young patients with Crohn disease", masks) == "Young patients with Crohn disease"
        assert texts.plain("Ann Young wrote", masks) == "a colleague wrote"

    def test_words_that_only_begin_like_a_handle_stay(self):
        masks = _masks([person("apix")])

        assert texts.plain("Apixaban, 10 mg", masks) == "Apixaban, 10 mg"

    def test_names_in_titles_of_links_are_left_out(self):
        assert "title" not in read('[paper](https://doi.org/10.1000/1 "by kidney_doc7")')

    def test_an_excerpt_is_cut_after_names_were_replaced(self):
        assert texts.excerpt("<p>Then @kidney_doc7 said so</p>", MASKS, 18) == "Then Amber heron…"


class TestLinks:
    @pytest.mark.parametrize(
        "address",
        [
            "http://localhost:8000/questions/12/x/",
            "http://LOCALHOST:8000/members/a/",
            "http://www.localhost/x",
            "/questions/12/x/",
            "//localhost/posts/1/",
            "https://archive.example/web/http://localhost:8000/questions/12/",
            "https://archive.example/?u=http%3A%2F%2Flocalhost%3A8000%2Fquestions%2F12%2F",
            "https://social.example/kidney_doc7",
            "https://social.example/kidney%5Fdoc7",
            "https://people.example/zofia-wisniewska",
            "mailto:kidney_doc7@mail.example",
        ],
    )
    def test_links_to_this_site_or_with_a_name_are_words(self, address):
        html = read(f"See [this page]({address}) please")

        assert "this page" in html
        assert "<a" not in html

    def test_addresses_in_plain_words_are_taken_out(self):
        assert read("See http://localhost:8000/questions/12/x/ or /posts/12/history/ there") == (
            f"<p>See {NO_LINK} or {NO_LINK} there</p>\n"
        )

    def test_links_elsewhere_stay_and_say_who_set_them(self):
        html = read("[A trial](https://clinicaltrials.gov/study/NCT01234567) and PMID 1234567")

        assert html.count('rel="nofollow ugc noopener noreferrer"') == 2
        assert 'href="https://pubmed.ncbi.nlm.nih.gov/1234567/"' in html


class TestPatients:
    def test_what_the_check_says_must_go_is_hidden(self):
        assert read("Call 212-555-0147 about it") == f"<p>Call {HIDDEN} about it</p>\n"

    def test_also_where_markup_stands_between(self):
        assert texts.words(render_markdown("Call **212**-555-0147 now"), MASKS) == f"Call {HIDDEN} now"

    def test_doubts_stay(self):
        source = "Seen in Springfield, twice."

        assert texts.plain(source, MASKS) == source


class TestMarkup:
    def test_it_stays_as_it_was(self):
        source = "# Head\n\n- one\n- **two**\n\n3. three\n\n> quote\n\n`a < b & c`\n\n"
        source += "| a | b |\n|---|--:|\n| 1 | 2 |\n\n---\n"

        html = render_markdown(source)

        assert texts.for_firm(html, Masks()) == html

    @given(st.text(alphabet="ab <>&*_`[](){}#|-\n\"'/@.:", max_size=80))
    def test_text_without_names_comes_out_as_it_went_in(self, source):
        html = render_markdown(source)
        if "@" in source or "<a" in html:
            return

        assert texts.for_firm(html, Masks()) == html

    def test_no_tag_gets_in(self):
        assert "<script" not in texts.for_firm("<p>a</p><script>alert(1)</script>", Masks())


NAMES = ["kidney_doc7", "nephron.old", "zofia wisniewska", "wisniewska"]
CASES = st.sampled_from([str.lower, str.upper, str.title])
AROUND = st.sampled_from(
    ["", " ", "@", "*", "**", "`", "(", ")", ".", ",", "/", ":", "\n", "- ", "> ", "|", "_", "~", "'s "]
)


@given(st.lists(st.tuples(st.sampled_from([*NAMES, "word", "10 mg"]), CASES, AROUND, AROUND), max_size=6))
def test_no_name_is_left_whatever_stands_around_it(parts):
    source = "".join(f"{before}{case(name)}{after} " for name, case, before, after in parts)

    for text in (
        read(source),
        texts.words(render_markdown(source), MASKS),
        texts.plain(source, MASKS),
        texts.excerpt(render_markdown(source), MASKS, 30),
    ):
        bare = folded(re.sub(r"<[^>]*>", "", text))
        assert not [name for name in NAMES if re.search(rf"(?<![a-z0-9]){re.escape(name)}(?![a-z0-9])", bare)]


@pytest.mark.django_db
class TestMasksOf:
    def test_they_know_every_name_of_who_wrote_there(
        self, physician, colleague, firm, django_assert_num_queries
    ):
        question = make_question(physician)
        make_answer(question, colleague)
        let_pass(question)
        now = timezone.now()
        Handle.objects.create(
            key="beforehand", text="Before_Hand", member=physician, taken_at=now, released_at=now
        )
        Member.objects.filter(pk=colleague.pk).update(byline_mode="public", display_name="Zofia Wiśniewska")

        with django_assert_num_queries(1):
            masks = texts.masks_of(firm, [question.pk])[question.pk]

        asker, answerer = masks.aliases[physician.pk], masks.aliases[colleague.pk]
        source = f"@{physician.handle}, @before_hand, @{colleague.handle}; {physician.handle}, Wisniewska"
        assert texts.plain(source, masks) == f"{asker}, {asker}, {answerer}; a colleague, a colleague"

    def test_who_is_kept_from_a_firm_is_a_colleague_like_any(self, physician, colleague, firm):
        question = make_question(physician)
        make_answer(question, colleague)
        let_pass(question)
        FirmBlock.objects.create(member=colleague, firm=firm)

        masks = texts.masks_of(firm, [question.pk])[question.pk]

        said = texts.plain(f"@{physician.handle} asked @{colleague.handle}, {colleague.handle}", masks)
        assert said == f"{masks.aliases[physician.pk]} asked a colleague, a colleague"

    def test_one_with_a_public_name_who_signs_by_handle_is_a_colleague_by_that_name(
        self, physician, colleague, firm
    ):
        question = make_question(physician)
        make_answer(question, colleague)
        let_pass(question)
        Member.objects.filter(pk=colleague.pk).update(byline_mode="public", display_name="Ngozi Okonkwo")
        source = "See Okonkwo et al., PMID 1234567."

        masks = texts.masks_of(firm, [question.pk])[question.pk]

        assert texts.plain(source, masks) == "See a colleague et al., PMID 1234567."

    def test_a_discussion_without_anybody_has_some_too(self, firm):
        assert texts.masks_of(firm, [7]) == {7: Masks()}

    def test_given_the_texts_they_know_handles_of_others_as_well_at_no_cost(
        self, physician, firm, django_assert_num_queries
    ):
        other = make_member(handle="far_away_9")
        Handle.objects.update_or_create(key="faraway9", defaults={"text": other.handle, "member": other})
        question = make_question(physician)

        with django_assert_num_queries(1):
            masks = texts.masks_of(firm, [question.pk], ["<p>Like Far_Away_9.Then said of apixaban</p>"])[
                question.pk
            ]

        assert texts.plain("Like Far_Away_9 said", masks) == "Like a colleague said"


@pytest.mark.django_db
@pytest.mark.usefixtures("nobody_told")
class TestWordsOfFirms:
    """They are shown as they were written, or a firm that lists names would learn who of them answered it."""

    LISTED = "Okonkwo, Wisniewska, far_away_9 or kidney_doc7?"

    @pytest.fixture
    def asked(self, seat, physician):
        asked = asking.ask(
            seat=seat,
            title=f"Who is {self.LISTED}",
            source=f"Is it {self.LISTED} Or @kidney_doc7?",
            specialties=[physician.specialty],
            key=uuid4(),
        )
        make_member("far_away_9")
        return let_pass(asked)

    @pytest.fixture
    def answerer(self):
        member = make_member("kidney_doc7")
        Member.objects.filter(pk=member.pk).update(byline_mode="public", display_name="Ngozi Okonkwo")
        return member

    @pytest.fixture
    def answer(self, asked, answerer):
        answer = make_answer(asked, answerer, source="As Okonkwo and far_away_9 wrote; ask @kidney_doc7.")
        let_pass(asked)
        return answer

    def read(self, firm, question):
        found = reading.discussion(firm, question.pk)
        [row] = reading.page_of(firm, Filters())[0]
        return found.title, found.opening.html, row.title

    def test_they_are_the_same_before_and_after_somebody_named_answers(self, request, firm, asked):
        before = self.read(firm, asked)
        request.getfixturevalue("answer")

        assert self.read(firm, asked) == before
        title, html, _ = before
        assert title == asked.title
        assert html == f"<p>Is it {self.LISTED} Or a colleague?</p>\n"

    def test_what_members_say_below_is_masked(self, firm, asked, answer, answerer):
        found = reading.discussion(firm, asked.pk)

        [shown] = found.answers
        alias = found.masks.aliases[answerer.pk]
        assert shown.html == f"<p>As a colleague and a colleague wrote; ask {alias}.</p>\n"

    def test_another_firm_reads_them_alike(self, firm, asked, answer):
        other = make_firm(name="Another firm")

        assert self.read(other, asked) == self.read(firm, asked)

    def test_a_search_finds_the_listed_names_and_shows_them(self, seat_client, asked, answer):
        page = seat_client.get(reverse("observers:list"), {"q": "wisniewska"})

        [row] = page.context["rows"]
        assert row.title == asked.title
        assert self.LISTED in row.snippet

    def test_their_options_of_a_poll_are_and_those_that_members_added_are_not(self, firm, asked, answer):
        masks = texts.masks_of(firm, [asked.pk], ["Okonkwo"])[asked.pk]

        assert texts.plain("Okonkwo", masks) == "Okonkwo"
        assert texts.plain("Okonkwo", replace(masks, asker=None)) == "a colleague"

    def test_so_are_those_of_the_site(self, physician, colleague, firm):
        question = make_question(physician)
        make_answer(question, colleague)
        let_pass(question)
        Byline.objects.filter(question=question, member=physician).update(mode=Byline.Mode.HOUSE)

        masks = texts.masks_of(firm, [question.pk])[question.pk]

        assert texts.plain(colleague.handle, masks) == colleague.handle
        assert texts.plain(colleague.handle, replace(masks, asker=None)) == "a colleague"
        assert masks.of(physician.pk) == Masks()
        assert masks.of(colleague.pk) == masks


@pytest.mark.django_db
class TestAsked:
    """What a member asks a maker, who knows the asker by no name."""

    def test_all_names_of_the_asker_are_a_colleague(self, physician, django_assert_num_queries):
        now = timezone.now()
        Handle.objects.create(
            key="beforehand", text="Before_Hand", member=physician, taken_at=now, released_at=now
        )
        Member.objects.filter(pk=physician.pk).update(byline_mode="public", display_name="Zofia Wiśniewska")
        source = f"{physician.handle}, before_hand, @{physician.handle}, Wisniewska; Zofia Wisniewska asks"

        with django_assert_num_queries(1):
            masks = texts.masks_of_members([physician.pk])[physician.pk]

        assert texts.plain(source, masks) == ", ".join(["a colleague"] * 4) + "; a colleague asks"

    def test_the_maker_reads_none_of_them(self, seat_client, firm, physician):
        Member.objects.filter(pk=physician.pk).update(byline_mode="public", display_name="Zofia Wiśniewska")
        asked = ask(make_product(maker=firm), physician, f"{physician.handle} asks. Zofia Wiśniewska, MD")
        CompanyQuestion.objects.filter(pk=asked.pk).update(due_at=timezone.now() + timedelta(hours=20))

        for address in (
            reverse("observers:company_questions"),
            reverse("observers:company_question", args=[asked.key]),
        ):
            page = seat_client.get(address).content.decode()
            assert "a colleague asks. a colleague, MD" in page
            assert physician.handle not in page
