import pytest

from accounts.models import Member
from accounts.tests.factories import make_member
from questions.models import Post, Reference
from questions.references import Found, found_in, label_of
from questions.services import references, writing
from questions.tests.factories import make_answer, make_question

TEXT = "Compare PMID 1234567 with doi:10.1000/abc and NCT01234567."


def test_works_are_found_once_each_in_the_order_of_the_text():
    text = "NCT01234567, then [it](https://pubmed.ncbi.nlm.nih.gov/5/), PMID 5, https://example.org/x"

    assert found_in(text) == [
        Found("nct", "NCT01234567"),
        Found("pmid", "5"),
        Found("url", "https://example.org/x"),
    ]


def test_a_work_reads_by_its_number_and_a_page_by_its_host():
    assert label_of("pmid", "5") == "PMID 5"
    assert label_of("url", "https://example.org/a/b/?c=d") == "example.org/a/b"


def test_what_a_post_refers_to_is_kept_and_follows_its_edits(physician, colleague):
    answer = make_answer(make_question(physician), colleague, source=TEXT)
    assert list(answer.references.order_by("place").values_list("kind", "value")) == [
        ("pmid", "1234567"),
        ("doi", "10.1000/abc"),
        ("nct", "NCT01234567"),
    ]

    writing.edit_post(post=answer, by=colleague, source="Only NCT01234567 matters here.")

    assert list(answer.references.values_list("value", flat=True)) == ["NCT01234567"]


def test_the_list_names_each_work_once_with_its_posts(physician, colleague, django_assert_num_queries):
    question = make_question(physician, source=f"Who knows PMID 1234567? {TEXT}")
    answer = make_answer(question, colleague, source="PMID 1234567 says so.")

    with django_assert_num_queries(1):
        found = references.references_of(question, physician)

    assert [work.label for work in found] == ["PMID 1234567", "doi:10.1000/abc", "NCT01234567"]
    assert [whose for whose, _ in found[0].posts] == ["question", "answer by nephron_loop"]
    assert found[0].posts[1][1].endswith(f"#post-{answer.pk}")
    assert found[0].url == "https://pubmed.ncbi.nlm.nih.gov/1234567/"


def test_a_removed_or_folded_post_refers_to_nothing(physician, colleague):
    question = make_question(physician)
    removed = make_answer(question, colleague, source=TEXT)
    folded = make_answer(question, source="PMID 77 says so.")
    writing.remove_post(post=removed, by=colleague)
    Post.objects.filter(pk=folded.pk).update(folded_at=folded.posted_at, fold_reason="other")

    assert references.references_of(question, physician) == []


@pytest.fixture
def author(db):
    return make_member(
        byline_mode="public",
        display_name="Amara Okafor, MD",
        publications=["1234567"],
        visibility={"publications": "physicians"},
    )


def test_a_doi_with_a_character_no_database_holds_is_kept_as_an_address(physician, colleague):
    answer = make_answer(
        make_question(physician), colleague, source="See https://doi.org/10.1000/a%00b there."
    )

    assert answer.references.get().kind == "url"


def test_a_recount_reads_the_text_as_it_is_by_then(physician, colleague):
    answer = make_answer(make_question(physician), colleague, source=TEXT)
    waiting = Post.objects.get(pk=answer.pk)
    writing.edit_post(post=answer, by=colleague, source="Only NCT01234567 matters here.")

    references.restore(waiting)

    assert [row.value for row in answer.references.all()] == ["NCT01234567"]
    answer.refresh_from_db()
    assert "Only" in answer.html


def test_a_paper_is_marked_as_one_s_own_only_beside_the_name(physician, author):
    question = make_question(physician)
    make_answer(question, author, source=TEXT)
    assert [work.is_own for work in references.references_of(question)] == [True, False, False]

    other = make_question(physician)
    make_answer(other, author, source=TEXT, byline=Member.BylineMode.ANONYMOUS)

    assert not any(work.is_own for work in references.references_of(other))


def test_a_hidden_list_of_papers_marks_nothing(physician, author):
    question = make_question(physician)
    make_answer(question, author, source=TEXT)
    author.visibility = {"publications": "me"}
    author.save()

    assert not any(work.is_own for work in references.references_of(question))


def test_a_recount_brings_references_and_links_in_line_with_the_text(physician, colleague):
    answer = make_answer(make_question(physician), colleague, source=TEXT)
    plain = make_answer(answer.question, source="Nothing to cite here.")
    Reference.objects.all().delete()
    Post.objects.filter(pk=answer.pk).update(html="<p>as it was before</p>")

    waiting = references.posts_to_read(after=0, limit=10)
    for post in waiting:
        references.restore(post)

    assert plain not in waiting
    assert answer.references.count() == 3
    answer.refresh_from_db()
    assert "pubmed" in answer.html
