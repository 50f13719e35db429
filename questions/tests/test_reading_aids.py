"""What helps reading: who answered, what was changed, and a page to print."""

import csv
import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.models import Block, Member
from accounts.tests.factories import make_member, make_specialty
from conftest import client_of
from questions import answerers
from questions.models import Post, Question, Reference
from questions.services import closing, follow_ups, writing
from questions.tests.factories import corroborate, dispute, make_answer, make_comment, make_question


@pytest.fixture
def question(physician):
    return make_question(physician)


def show_specialty(member):
    Member.objects.filter(pk=member.pk).update(face={"specialty": member.specialty.name})
    return Member.objects.get(pk=member.pk)


# Answered by


def test_it_counts_who_answered_by_the_specialty_shown(question, physician, colleague):
    kidneys = make_specialty("Nephrology")
    for number in range(3):
        make_answer(
            question, show_specialty(make_member(specialty=kidneys)), source=f"Answer number {number} here."
        )
    make_answer(question, show_specialty(make_member(specialty=make_specialty("Urology"))))

    assert answerers.by_specialty(question) == [("Nephrology", 3), ("Urology", 1)]
    assert answerers.in_words(answerers.by_specialty(question)) == ["3 nephrologists", "1 urologist"]


def test_a_specialty_the_handle_withholds_is_not_named(question, colleague):
    Member.objects.filter(pk=colleague.pk).update(face={"specialty": "Internal Medicine"})
    make_answer(question, colleague)

    assert answerers.by_specialty(question) == [("Internal Medicine", 1)]


def test_one_colleague_counts_once_and_asker_removed_and_gone_do_not_pass_for_more(
    question, physician, colleague
):
    colleague = show_specialty(colleague)
    make_answer(question, colleague)
    make_answer(question, colleague, source="A second thought on this.")
    make_answer(question, physician)
    removed = make_answer(question, make_member(specialty=make_specialty("Urology")))
    Post.objects.filter(pk=removed.pk).update(removed_at=timezone.now(), removed_by="author")
    gone = make_member()
    make_answer(question, gone)
    Member.objects.filter(pk=gone.pk).update(user=None, standing="suspended")

    assert answerers.by_specialty(question) == [("Nephrology", 1), ("", 1)]
    assert answerers.in_words([("", 2), ("Clinical Informatics", 1)]) == [
        "2 colleagues",
        "1 in Clinical Informatics",
    ]


def test_it_is_one_query(question, django_assert_num_queries):
    for _ in range(3):
        make_answer(question)

    with django_assert_num_queries(1):
        answerers.by_specialty(question)


def test_every_noun_is_of_a_specialty():
    rows = csv.DictReader((settings.BASE_DIR / "accounts/data/specialties.csv").read_text().splitlines())

    assert answerers.nouns().keys() <= {row["specialty"] for row in rows}


# What was changed


def edit(post, author, source, **fields):
    Post.objects.filter(pk=post.pk).update(posted_at=timezone.now() - timedelta(days=2))
    post.refresh_from_db()
    return writing.edit_post(post=post, by=author, source=source, **fields)


def test_an_edit_shows_which_words_went_and_came(question, colleague, colleague_client):
    post = make_answer(question, colleague, source="I would give apixaban 5 mg twice daily.")
    edit(post, colleague, "I would give apixaban 2.5 mg twice daily.")

    html = colleague_client.get(f"/posts/{post.pk}/history/").content.decode()

    assert re.search(r"<del><span class=\"sr\">\[removed\] </span>5 ", html)
    assert re.search(r"<ins><span class=\"sr\">\[added\] </span>2.5 ", html)
    assert "As first posted" in html


def test_a_changed_title_is_shown_too(question, physician, colleague_client):
    opening = question.posts.get()
    edit(opening, physician, opening.source, title="How long do you hold it before the surgery?")

    html = colleague_client.get(f"/posts/{opening.pk}/history/").content.decode()

    title = html[html.index("<h3>") : html.index("</h3>")]
    assert "procedure" in re.search(r"<del>.*?</del>", title)[0]
    assert "surgery" in re.search(r"<ins>.*?</ins>", title)[0]


def test_words_of_a_version_are_never_markup(question, colleague, colleague_client):
    post = make_answer(question, colleague, source="Harmless words at first.")
    edit(post, colleague, "Harmless <script>alert(1)</script> words.")

    html = colleague_client.get(f"/posts/{post.pk}/history/").content.decode()

    assert "<script>alert" not in html
    assert "&lt;" in html


def test_only_the_newest_versions_are_compared(question, colleague, colleague_client):
    post = make_answer(question, colleague, source="Version 0 of these words.")
    for number in range(1, 24):
        edit(post, colleague, f"Version {number} of these words.")

    page = colleague_client.get(f"/posts/{post.pk}/history/")

    assert len(page.context["versions"]) == 21
    assert page.context["earlier"] == 3
    assert "As first posted" not in page.content.decode()


def test_a_post_never_edited_says_so(question, colleague, colleague_client):
    post = make_answer(question, colleague)

    assert "No earlier version" in colleague_client.get(f"/posts/{post.pk}/history/").content.decode()


# To print


def printed(client, question):
    return client.get(f"/questions/{question.pk}/print/").content.decode()


def test_the_page_to_print_has_all_that_was_said_and_no_handle(question, physician, third):
    answerer, credited = make_member("quiet_murmur"), make_member("brisk_tern", specialty="Urology")
    answer = make_answer(question, answerer, source="As @left_atrium says, occlude it. Ask @papular too.")
    make_comment(answer, make_member("salt_ferry"))
    corroborate(answer)
    dispute(answer)
    solving = make_answer(question, show_specialty(credited), source="This solved it in the end.")
    closing.solve_question(question=question, by=physician, answers=[solving], outcome="All went well.")
    Reference.objects.create(post=answer, kind="pmid", value="31535829", place=1)

    html = printed(client_of(third), question)
    main = html[html.index("<main") : html.index("</main>")]

    for handle in ("left_atrium", "quiet_murmur", "brisk_tern", "salt_ferry", "papular"):
        assert handle not in main
    assert "As a colleague says, occlude it" in main
    assert "Answer 1, Urology" in main
    assert main.index("This solved it") < main.index("occlude it")
    assert "1 corroborate, 1 dispute" in main
    assert "31535829" in main
    assert "All went well." in main
    assert "Printed" in main


def test_mentions_are_unmade_in_words_and_never_in_links(question, physician, colleague, third):
    Question.objects.filter(pk=question.pk).update(title="Does @left_atrium still occlude?")
    source = '[as @papular says](https://example.org/x?by=@papular "a > b, @papular") again'
    answer = make_answer(question, colleague, source=source)
    closing.solve_question(
        question=question, by=physician, answers=[answer], outcome="@left_atrium was right."
    )
    week = question.follow_ups.get(days=7)
    follow_ups.answer(follow_up=week, by=physician, finding="partly", text="@papular saw <it>.")

    html = printed(client_of(third), question)

    assert "@left_atrium" not in html
    assert 'href="https://example.org/x?by=@papular" title="a ' in html
    assert "b, @papular&quot;" in html or 'b, @papular"' in html
    assert ">as a colleague says</a>" in html
    assert "a colleague was right." in html
    assert "A week later:" in html
    assert "partly as they said. a colleague saw &lt;it&gt;." in html


def test_removed_folded_and_blocked_posts_are_not_printed(question, third):
    removed, folded, blocked = (
        make_answer(question, source=f"Words not to print {number}.") for number in range(3)
    )
    Post.objects.filter(pk=removed.pk).update(removed_at=timezone.now(), removed_by="author")
    Post.objects.filter(pk=folded.pk).update(folded_at=timezone.now(), fold_reason="spam")
    Block.objects.create(blocker=third, blocker_face="handle", blocked=blocked.author, blocked_face="handle")

    assert "Words not to print" not in printed(client_of(third), question)


def test_what_one_may_not_read_one_may_not_print(physician, colleague_client, client, applicant_client):
    hidden = make_question(physician, audience="specialty")

    assert colleague_client.get(f"/questions/{hidden.pk}/print/").status_code == 404
    assert client.get(f"/questions/{hidden.pk}/print/").status_code == 302
    assert applicant_client.get(f"/questions/{hidden.pk}/print/").status_code == 302


def test_printing_costs_the_same_for_many_answers(question, colleague_client, django_assert_max_num_queries):
    for number in range(8):
        make_answer(question, source=f"Answer number {number} here.")
    printed(colleague_client, question)

    with django_assert_max_num_queries(7):
        printed(colleague_client, question)


# Observations


def test_an_observation_is_corroborated_by_specialty_in_cells_of_five(physician, colleague_client):
    observation = make_question(physician, kind="observation")
    opening = observation.posts.get()
    kidneys, bladder = make_specialty("Nephrology"), make_specialty("Urology")
    for _ in range(6):
        corroborate(opening, make_member(specialty=kidneys))
    for _ in range(5):
        corroborate(opening, make_member(specialty=bladder))
    for _ in range(4):
        dispute(opening, make_member(specialty=kidneys))

    html = colleague_client.get(observation.get_absolute_url()).content.decode()

    assert "By specialty, corroborate: Nephrology 6, Urology 5" in html
    assert "By specialty, dispute" not in html


def test_a_cell_that_would_tell_of_a_small_one_is_held_back(physician, colleague_client):
    observation = make_question(physician, kind="observation")
    opening = observation.posts.get()
    for name, number in (("Nephrology", 6), ("Urology", 5), ("Dermatology", 1)):
        for _ in range(number):
            corroborate(opening, make_member(specialty=make_specialty(name)))

    html = colleague_client.get(observation.get_absolute_url()).content.decode()

    assert "By specialty, corroborate: Nephrology 6. Under 5 not shown." in html
