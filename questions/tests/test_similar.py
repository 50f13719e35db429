import pytest
from django.urls import reverse

from accounts.models import Block
from accounts.tests.factories import make_member, make_specialty
from conftest import client_of
from questions.models import Lexeme, Post, Tag
from questions.services import closing, writing
from questions.similar import rarest_words, similar_to
from questions.suggestions import phrases, speaking, suggest
from questions.tests.factories import make_answer, make_question

TITLE = "Apixaban on hemodialysis after angiodysplasia?"
ELSE = "Something that has none of those words in it."
LIKE = "Which dose of apixaban with angiodysplasia on dialysis"


@pytest.fixture(autouse=True)
def counted(db):
    Lexeme.objects.bulk_create(
        [
            Lexeme(word="apixaban", documents=40),
            Lexeme(word="angiodysplasia", documents=3),
            Lexeme(word="dialysi", documents=300),
            Lexeme(word="dose", documents=900),
            Lexeme(word="patient", documents=90_000),
        ]
    )


def titles(user, title=LIKE, body=""):
    return [row["title"] for row in similar_to(user, title, body)]


def test_the_rarest_counted_words_speak_for_a_text():
    assert rarest_words("which dose of apixaban with angiodysplasia on dialysis, in 2026") == [
        "angiodysplasia",
        "apixaban",
        "dialysi",
        "dose",
    ]


def test_words_nobody_counted_help_only_where_there_is_no_other():
    assert rarest_words("zebrafish apixaban") == ["apixaban"]
    assert rarest_words("zebrafish hoofbeats") == ["hoofbeat", "zebrafish"]


def test_words_in_too_many_posts_are_left_out_but_for_the_last_one():
    assert rarest_words("apixaban for a patient") == ["apixaban"]
    assert rarest_words("a patient") == ["patient"]


def test_a_question_asked_before_is_found_also_by_what_was_answered(physician, colleague):
    make_question(physician, TITLE)
    answered = make_question(physician, "Bleeding from the small bowel, what next?", source=ELSE)
    make_answer(answered, colleague, source="Angiodysplasia, whatever the dose.")
    make_question(physician, "How do you word bad news to a family?", source=ELSE)

    assert set(titles(colleague.user)) == {TITLE, answered.title}


def test_a_question_with_several_matching_posts_is_offered_once(physician, colleague):
    question = make_question(physician, TITLE)
    make_answer(question, colleague, source="Apixaban at the lower dose.")

    found = similar_to(colleague.user, LIKE)

    assert [(row["question_id"], row["answer_count"], row["solved_at"]) for row in found] == [
        (question.pk, 1, None)
    ]


def test_closed_and_solved_ones_are_offered_removed_ones_never(physician, colleague, moderator):
    closed = make_question(physician, TITLE)
    closing.solve_question(question=closed, by=physician, outcome="Given up after a bleed.")
    closing.close_question(question=closed, by=physician)
    removed = make_question(physician, "Angiodysplasia, removed at once?")
    writing.remove_post(post=removed.posts.get(), by=physician)

    assert titles(colleague.user) == titles(moderator.user) == [TITLE]


def test_nobody_is_offered_what_is_not_addressed_to_them(physician, colleague):
    make_question(physician, TITLE, audience="specialty")

    assert titles(colleague.user) == []
    assert titles(physician.user) == [TITLE]


def test_what_a_blocked_member_wrote_is_not_offered(physician, colleague, third):
    make_question(physician, TITLE)
    question = make_question(third, "Bleeding from the small bowel, what next?", source=ELSE)
    make_answer(question, physician, source="Angiodysplasia, whatever the dose.")
    Block.objects.create(blocker=colleague, blocked=physician, blocker_face="handle", blocked_face="handle")

    assert titles(colleague.user) == []


def test_one_of_many_words_makes_nothing_alike_but_one_of_two_does(physician, colleague):
    make_question(physician, "Which dose would you choose?", source=ELSE)

    assert titles(colleague.user) == []
    assert titles(colleague.user, "Apixaban, and the dose?") == ["Which dose would you choose?"]


def test_folded_posts_match_nothing(physician, colleague):
    post = make_question(physician, TITLE).posts.get()
    Post.objects.filter(pk=post.pk).update(folded_at=post.posted_at, fold_reason="other")

    assert titles(colleague.user) == []


def test_a_short_title_asks_nothing(physician, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert similar_to(physician.user, "Apixaban dose", "angiodysplasia") == []


def test_signs_of_the_query_language_are_words_like_others(physician):
    make_question(physician, TITLE)

    assert titles(physician.user, "apixaban' | !'x \\ & (angiodysplasia") == [TITLE]


# Suggestions


def test_words_speak_for_a_specialty_and_twice_as_much_in_the_title():
    votes = speaking("Dialysis?", "Creatinine rises, dialysis soon, and she dialyses.")

    assert votes["Nephrology"] == 4
    assert not votes["Dermatology"]


def test_a_specialty_is_suggested_until_three_are_chosen(physician, colleague, third):
    assert suggest("Hemodialysis or transplant?", "").specialties == [colleague.specialty]
    chosen = [colleague.specialty_id]
    assert suggest("Hemodialysis or transplant?", "", chosen=chosen).specialties == []
    assert suggest("An itchy rash?", "", chosen=["a", "b", "c"]).specialties == []


def test_specialties_of_similar_questions_count(physician, colleague):
    alike = [make_question(physician, TITLE, specialties=[colleague.specialty]).pk for _ in range(2)]

    assert suggest("Something else entirely?", "", alike=alike).specialties == [colleague.specialty]


def test_tags_are_suggested_where_their_name_or_a_synonym_stands_in_the_text():
    dialysis = Tag.objects.create(slug="dialysis", name="dialysis")
    fibrillation = Tag.objects.create(slug="atrial-fibrillation", name="atrial fibrillation")
    Tag.objects.create(slug="rrt", name="rrt", merged_into=dialysis)
    Tag.objects.create(slug="gout", name="gout")

    assert suggest("RRT in atrial fibrillation", "", chosen="abc").tags == [fibrillation, dialysis]
    assert suggest("RRT in atrial fibrillation", "", typed="Dialysis").tags == [fibrillation]


def test_a_phrase_does_not_cross_a_sentence():
    assert "atrial-fibrillation" not in phrases("It is atrial. Fibrillation follows.")


# Pages


def similar(client, **headers):
    typed = {"title": LIKE, "source": "", "specialties": [], "tags": ""}
    return client.post(reverse("questions:similar"), typed, headers=headers)


def test_while_typing_the_similar_ones_come_as_a_fragment(
    physician_client, physician, django_assert_max_num_queries
):
    make_question(physician, TITLE)
    make_specialty("Nephrology")
    Tag.objects.create(slug="dialysis", name="dialysis")

    with django_assert_max_num_queries(8):
        answer = similar(physician_client, **{"HX-Request": "true"})

    page = answer.content.decode()
    assert TITLE in page
    assert "<html" not in page
    assert 'name="add_tag" value="dialysis"' in page
    assert 'name="add_specialty"' in page


def test_without_a_script_they_are_a_page(physician_client, physician):
    make_question(physician, TITLE)

    assert "<html" in similar(physician_client).content.decode()


def test_words_of_a_question_never_stand_in_an_address(physician_client):
    assert physician_client.get(reverse("questions:similar"), {"title": LIKE}).url == reverse("questions:ask")


def test_applicants_and_visitors_are_offered_nothing(client, applicant_client, physician):
    make_question(physician, TITLE)

    assert TITLE not in similar(applicant_client, **{"HX-Request": "true"}).content.decode()
    assert similar(client, **{"HX-Request": "true"}).status_code == 401


def test_a_member_who_may_only_read_cannot_ask_for_similar_ones(physician):
    reader = make_member(standing="read_only")

    assert similar(client_of(reader)).status_code == 403
