"""The search of the console: what it finds, and that it finds nothing a firm is not shown."""

from datetime import timedelta
from itertools import product

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify

from accounts.tests.factories import make_member, make_specialty
from observers import listing, search
from observers.models import FirmBlock, ImportanceFigure, Read
from observers.tests.factories import let_pass
from questions.models import Post, Question
from questions.tests.factories import make_answer, make_question

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nobody_told")]

LIST = reverse("observers:list")
OTHERS = ["apixaban", "better", "ever", "warfarin", "half dose"]
SECRETS = ["{}", "@{}", "zorvath", "{} or dose", "{} edoxaban", "zorvath or kelm"]
BESIDE = ["{} or {}", "{} OR({})", '{} "or" or {}']


@pytest.fixture
def question(physician):
    return let_pass(make_question(physician, "Apixaban in dialysis: which dose?"))


def found(client, q, **query):
    return [row.title for row in client.get(LIST, {"q": q, **query}).context["rows"]]


def assert_like_nonsense(client, handle, other, pairs):
    """A secret word beside another finds what a word finds there that nobody ever wrote."""
    of_nonsense = {}
    for beside, secret in pairs:
        nonsense = secret.replace("zorvath", "{}").replace("kelm", "{}").replace("{}", "blarnewort")
        without = beside.format(other, nonsense)
        if without not in of_nonsense:
            of_nonsense[without] = found(client, without)
        assert found(client, beside.format(other, secret).format(handle)) == of_nonsense[without], secret


class TestWords:
    @pytest.mark.parametrize("q", ["apixaban", "APIXABAN doses", '"in dialysis"', "warfarin or apixaban"])
    def test_a_discussion_is_found_by_its_words(self, seat_client, question, q):
        assert found(seat_client, q) == [question.title]

    @pytest.mark.parametrize("q", ["warfarin", '"dialysis apixaban"', "of", "!!", '"', "a" * 500])
    def test_others_find_nothing(self, seat_client, question, q):
        assert found(seat_client, q) == []

    def test_an_answer_that_has_them_stands_for_its_discussion(self, seat_client, question):
        make_answer(question, source="We gave edoxaban for a year and **saw** no bleeding.")
        let_pass(question)

        [row] = seat_client.get(LIST, {"q": "edoxaban"}).context["rows"]
        assert row.said_in == "Answer"
        assert "We gave edoxaban for a year and saw no bleeding." in row.snippet

    def test_the_newest_match_stands_first(self, seat_client, question, physician):
        newer = let_pass(make_question(physician, "Apixaban before a tooth?"))
        make_answer(question, source="Apixaban, too.")
        let_pass(question)

        assert found(seat_client, "apixaban") == [question.title, newer.title]
        assert found(seat_client, "apixaban", order="importance") == []
        ImportanceFigure.objects.create(question=newer, raters=20, total=60)
        assert found(seat_client, "apixaban", order="importance") == [newer.title]

    def test_filters_narrow_it(self, seat_client, question, physician):
        observed = let_pass(make_question(physician, "Apixaban and hair loss", kind="observation"))

        assert found(seat_client, "apixaban", kind="observation") == [observed.title]

    @pytest.mark.parametrize("few", [0, 1_000])
    def test_they_do_whether_they_leave_few_or_many(self, seat_client, physician, monkeypatch, few):
        monkeypatch.setattr(search, "FEW", few)
        joints, skin = make_specialty("Rheumatology"), make_specialty("Dermatology")
        question = let_pass(make_question(physician, "Apixaban and gout?", specialties=[joints]))
        other = make_question(make_member(), "Apixaban and hair", kind="observation", specialties=[skin])
        let_pass(other)

        assert found(seat_client, "apixaban", kind="observation") == [other.title]
        assert found(seat_client, "apixaban", kind="question", solved="no") == [question.title]
        assert found(seat_client, "apixaban", solved="yes") == []
        assert found(seat_client, "apixaban", group=slugify(joints.group)) == [question.title]
        assert found(seat_client, "apixaban", group=slugify(skin.group), kind="question") == []
        FirmBlock.objects.create(member=other.asker, sector="pharma")
        assert found(seat_client, "apixaban", kind="observation") == []

    def test_operators_are_not_understood_which_is_said(self, seat_client, question, physician):
        page = seat_client.get(LIST, {"q": f"apixaban author:{physician.handle}"})

        assert page.context["hints"] == ("Operators such as tag: are not understood here.",)

    def test_what_it_found_is_logged_with_its_opening(self, seat_client, question):
        answer = make_answer(question, source="Edoxaban.")
        let_pass(question)

        seat_client.get(LIST, {"q": "edoxaban"})

        assert set(Read.objects.values_list("post", "way")) == {
            (answer.pk, "found"),
            (question.posts.get(kind="opening").pk, "found"),
        }


class TestClosed:
    @pytest.mark.parametrize(
        "changed",
        [
            {"peers_only": True},
            {"folded_at": timezone.now(), "fold_reason": "other"},
            {"removed_at": timezone.now(), "removed_by": "author"},
            {"edited_at": timezone.now()},
        ],
    )
    def test_a_closed_answer_finds_nothing(self, seat_client, question, changed):
        answer = make_answer(question, source="Edoxaban.")
        let_pass(question)
        Post.objects.filter(pk=answer.pk).update(**changed)

        assert found(seat_client, "edoxaban") == []

    @pytest.mark.parametrize(
        "changed", [{"peers_only": True}, {"audience": "specialty"}, {"status": "removed"}]
    )
    def test_nor_does_a_closed_discussion(self, seat_client, question, changed):
        Question.objects.filter(pk=question.pk).update(**changed)

        assert found(seat_client, "apixaban") == []

    def test_nor_one_of_a_member_who_shut_the_firm_out(self, seat_client, question, physician, firm):
        FirmBlock.objects.create(member=physician, firm=firm)

        assert found(seat_client, "apixaban") == []


class TestMasked:
    @pytest.fixture
    def mentioned(self, question):
        handle = "zorvath_kelm"
        somebody = make_member(handle)
        make_answer(question, somebody, source="Half the dose, as ever.")
        make_answer(question, source=f"@{handle} is right, edoxaban is not better.")
        let_pass(question)
        return handle

    @pytest.mark.parametrize("q", ["{}", "@{}", '"{}"', "edoxaban {}", "zorvath", "kelm or nothing"])
    def test_a_handle_in_a_text_finds_nothing(self, seat_client, mentioned, q):
        assert found(seat_client, q.format(mentioned)) == []

    @pytest.mark.parametrize("minus", ["-", "–", "(-", "!-", "−"])
    def test_nor_does_it_leave_anything_out(self, seat_client, question, mentioned, minus):
        assert found(seat_client, f"edoxaban {minus}{mentioned}") in ([question.title], [])
        assert found(seat_client, f"edoxaban {minus}{mentioned}") == found(
            seat_client, f"edoxaban {minus}blarnewort_kox"
        )

    def test_an_identifier_that_was_posted_all_the_same_finds_nothing(self, seat_client, question):
        answer = make_answer(question, source="Edoxaban.")
        let_pass(question)
        said = "Edoxaban; call 612-555-0143 for more."
        Post.objects.filter(pk=answer.pk).update(source=said, html=f"<p>{said}</p>", search_text=said.lower())

        assert found(seat_client, "612-555-0143") == []
        assert found(seat_client, "edoxaban") == [question.title]

    @pytest.mark.parametrize("other", OTHERS)
    def test_a_masked_word_beside_others_changes_nothing(self, seat_client, mentioned, other):
        """Each secret beside each other word, joined in one of the ways by turns."""
        pairs = [
            (BESIDE[(place + OTHERS.index(other)) % len(BESIDE)], secret)
            for place, secret in enumerate(SECRETS)
        ]

        assert_like_nonsense(seat_client, mentioned, other, pairs)

    @pytest.mark.scale
    @pytest.mark.parametrize("other", OTHERS)
    def test_nor_does_it_joined_in_any_way(self, seat_client, mentioned, other):
        assert_like_nonsense(seat_client, mentioned, other, product(BESIDE, SECRETS))

    def test_a_discussion_is_found_by_an_older_post_where_a_newer_one_is_not(
        self, seat_client, question, mentioned
    ):
        assert found(seat_client, f"apixaban or {mentioned}") == [question.title]

    def test_what_stands_for_a_name_finds_nothing(self, seat_client, question, mentioned):
        posts = seat_client.get(LIST, {"q": "edoxaban"}).context["rows"]
        alias = posts[0].snippet.split(" is right")[0]
        assert alias != f"@{mentioned}"

        for word in (*alias.split(), "colleague"):
            for q in (f"{mentioned} or {word}", f"{word} or {mentioned}", f"edoxaban {word}"):
                assert found(seat_client, q) == []

    def test_no_phrase_reaches_over_it(self, seat_client, question):
        make_member("zorvathkelm")
        make_answer(question, source="Never zorvathkelm edoxaban, they said.")
        let_pass(question)

        assert found(seat_client, '"never of edoxaban"') == []
        assert found(seat_client, "never edoxaban") == [question.title]

    def test_matches_of_a_masked_word_take_no_places(self, seat_client, question, mentioned, monkeypatch):
        monkeypatch.setattr(search, "LOOKED_AT", 4)
        for _ in range(6):
            make_answer(question, source=f"As @{mentioned} said.")
        let_pass(question)

        assert found(seat_client, f"apixaban or {mentioned}") == [question.title]
        assert found(seat_client, f"{mentioned} or apixaban") == [question.title]

    def test_a_masked_word_of_many_costs_no_more_queries(
        self, seat_client, physician, mentioned, django_assert_max_num_queries
    ):
        for _ in range(30):
            let_pass(make_question(make_member(), f"Would you do as {mentioned} did with apixaban?"))
        found(seat_client, "apixaban")

        for q, number in ((mentioned, 0), (f"apixaban or {mentioned}", 20)):
            with django_assert_max_num_queries(10):
                assert len(found(seat_client, q)) == number

    def test_its_other_words_do(self, seat_client, question, mentioned):
        [row] = seat_client.get(LIST, {"q": "edoxaban"}).context["rows"]

        assert mentioned not in row.snippet
        assert "is right, edoxaban is not better." in row.snippet


class TestPlace:
    @pytest.fixture
    def pages(self, seat_client, physician, settings):
        settings.OBSERVER_ROWS_PER_PAGE = 2
        made = [let_pass(make_question(physician, f"Apixaban and number {number}?")) for number in range(5)]
        return [each.title for each in reversed(made)]

    def test_further_rows_follow_the_last_one(self, seat_client, pages):
        rows, address = [], f"{LIST}?q=apixaban"
        while address:
            page = seat_client.get(address).context
            rows += [row.title for row in page["rows"]]
            address = page["more_url"]

        assert rows == pages

    def test_nothing_follows_one_that_is_found_no_more(self, seat_client, pages):
        address = seat_client.get(LIST, {"q": "apixaban"}).context["more_url"]
        Question.objects.filter(title=pages[1]).update(peers_only=True)
        before = Read.objects.count()

        assert seat_client.get(address, headers={"HX-Request": "true"}).context["rows"] == []
        assert Read.objects.count() == before


class TestStretches:
    @pytest.fixture
    def few(self, monkeypatch):
        monkeypatch.setattr(search, "FIRST_STRETCH", 4)

    def test_older_matches_follow_where_the_newest_are_few(self, few, firm, physician):
        made = [let_pass(make_question(physician, f"Apixaban and number {number}?")) for number in range(30)]

        assert [hit.question for hit in search.newest(firm, ["apixaban"])] == [
            each.pk for each in reversed(made)
        ]

    def test_no_more_are_looked_at_than_said(self, few, firm, physician, monkeypatch):
        monkeypatch.setattr(search, "LOOKED_AT", 7)
        made = [let_pass(make_question(physician, f"Apixaban and number {number}?")) for number in range(20)]

        assert [hit.question for hit in search.newest(firm, ["apixaban"])] == [
            each.pk for each in reversed(made[-7:])
        ]

    def test_posts_that_came_since_the_newest_was_looked_up_are_found(self, few, firm, physician):
        let_pass(make_question(physician, "Which dose of edoxaban?"))  # others may have used up many numbers
        search.newest(firm, ["apixaban"])
        for number in range(20):
            let_pass(make_question(physician, f"Apixaban and number {number}?"), timedelta(days=1))

        assert len(search.newest(firm, ["apixaban"])) == 20


class TestNumbers:
    """Of all matches of a search, for what is looked through: no more than so many, after one, and from a day on."""

    @pytest.fixture
    def made(self, physician, monkeypatch):
        monkeypatch.setattr(search, "FIRST_STRETCH", 4)
        return [
            let_pass(make_question(physician, f"Apixaban and number {number}?"), timedelta(days=9 - number))
            .posts.get()
            .pk
            for number in range(6)
        ]

    @staticmethod
    def numbers(firm, most=100, **narrowed):
        return search.newest_numbers(firm, "apixaban", listing.Filters(), most, **narrowed)

    @pytest.mark.parametrize("few", [0, 1_000])
    def test_the_newest_come_first(self, firm, made, monkeypatch, few):
        monkeypatch.setattr(search, "FEW", few)

        assert self.numbers(firm) == made[::-1]
        assert self.numbers(firm, 2) == made[:-3:-1]
        assert self.numbers(firm, after=made[3]) == made[:3:-1]
        assert self.numbers(firm, after=made[-1]) == []
        assert self.numbers(firm, since=(timezone.now() - timedelta(days=6)).date()) == made[:2:-1]
        assert search.newest_numbers(firm, "apixaban", listing.Filters(kind="observation"), 100) == []

    def test_those_that_are_not_open_take_no_places(self, firm, made):
        Post.objects.filter(pk__in=made[-2:]).update(peers_only=True)

        assert self.numbers(firm, 2) == [made[3], made[2]]


@pytest.mark.parametrize(
    ("typed", "alternatives"),
    [
        ("apixaban", ["apixaban"]),
        ("apixaban dose or warfarin", ["apixaban dose", "warfarin"]),
        ("or a OR b or", ["a", "b"]),
        ('a or(b "c or d"', ["a", '(b "c  or  d"']),
        ('"a"or b', ['"a"', "b"]),
        ("a or a", ["a"]),
        ("for one-or-two", ["for one-or-two"]),
        ("a or b or c or d or e or f", ["a", "b", "c", "d", "e"]),
        ("or", []),
    ],
)
def test_alternatives_of_what_was_typed(typed, alternatives):
    assert search.read(typed).alternatives == alternatives


def test_alternatives_that_are_not_looked_for_are_said():
    assert search.read("a or b or c or d or e or f").hints == (
        "Only the first 5 alternatives are looked for.",
    )


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("Apixaban  dose", "apixaban dose"),
        ("apixaban -warfarin", "apixaban"),
        ('"end stage" -x', '"end stage"'),
        ("–warfarin", ""),
        ("(-warfarin", "( warfarin"),
        ("author:left_atrium dose", "dose"),
        ("COVID-19", "covid-19"),
    ],
)
def test_words_of_what_was_typed(typed, words):
    assert search.read(typed).words == words
