"""What members wrote, as firms read it."""

import re

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Handle, Member
from accounts.tests.factories import make_member
from observers import texts
from observers.aliases import Person
from observers.masks import Masks, _masks, folded
from observers.models import FirmBlock
from observers.tests.factories import let_pass
from observers.texts import HIDDEN, NO_LINK
from questions.tests.factories import make_answer, make_question
from sermo.text import render_markdown

ALIAS = "Amber heron"


def person(*handles, name=""):
    return Person(1, 1, ALIAS, frozenset(handles), name)


MASKS = _masks([person("kidney_doc7", "Nephron.Old", name="Zofia Wiśniewska, MD")], {})


def read(source, masks=MASKS):
    return texts.for_firm(render_markdown(source), masks)


class TestNames:
    @pytest.mark.parametrize(
        "source",
        [
            "As kidney_doc7 said",
            "As KIDNEY_DOC7 said",
            "As @kidney_doc7 said",
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
    def test_names_of_those_who_wrote_there_are_their_alias(self, source):
        text = texts.words(render_markdown(source), MASKS)

        assert text == f"As {ALIAS} said"

    def test_any_other_mention_is_a_colleague(self):
        assert read("Ask @somebody_else.") == "<p>Ask a colleague.</p>\n"

    def test_a_handle_that_is_a_plain_word_does_not_lead_to_an_alias(self):
        masks = _masks([person("steady")], {})

        assert texts.plain("At steady state", masks) == "At a colleague state"

    def test_a_surname_that_is_a_plain_word_or_an_eponym_stays_where_it_stands_alone(self):
        masks = _masks([person("abc", name="Ann Young"), person("abd", name="Ada Crohn")], {})

        assert texts.plain("Young patients with Crohn disease", masks) == "Young patients with Crohn disease"
        assert texts.plain("Ann Young wrote", masks) == f"{ALIAS} wrote"

    def test_words_that_only_begin_like_a_handle_stay(self):
        masks = _masks([person("apix")], {})

        assert texts.plain("Apixaban, 10 mg", masks) == "Apixaban, 10 mg"

    def test_names_in_titles_of_links_are_left_out(self):
        assert "title" not in read('[paper](https://doi.org/10.1000/1 "by kidney_doc7")')

    def test_an_excerpt_is_cut_after_names_were_replaced(self):
        assert texts.excerpt("<p>Then kidney_doc7 said so</p>", MASKS, 18) == "Then Amber heron…"


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
        assert texts.plain(f"{physician.handle}, before_hand, {colleague.handle}; Wisniewska", masks) == (
            f"{asker}, {asker}, {answerer}; {answerer}"
        )

    def test_who_is_kept_from_a_firm_is_a_colleague_like_any(self, physician, colleague, firm):
        question = make_question(physician)
        make_answer(question, colleague)
        let_pass(question)
        FirmBlock.objects.create(member=colleague, firm=firm)

        masks = texts.masks_of(firm, [question.pk])[question.pk]

        said = texts.plain(f"{physician.handle} asked @{colleague.handle}", masks)
        assert said == f"{masks.aliases[physician.pk]} asked a colleague"

    def test_a_discussion_without_anybody_has_some_too(self, firm):
        assert texts.masks_of(firm, [7]) == {7: Masks()}

    def test_given_the_texts_they_know_handles_of_others_as_well(
        self, physician, firm, django_assert_num_queries
    ):
        other = make_member(handle="far_away_9")
        Handle.objects.update_or_create(key="faraway9", defaults={"text": other.handle, "member": other})
        question = make_question(physician)

        with django_assert_num_queries(2):
            masks = texts.masks_of(firm, [question.pk], ["<p>Like Far_Away_9.Then said of apixaban</p>"])[
                question.pk
            ]

        assert texts.plain("Like Far_Away_9 said", masks) == "Like a colleague said"
