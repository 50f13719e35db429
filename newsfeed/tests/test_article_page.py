"""The page of an article, with its discussion and without."""

import pytest
from django.urls import reverse

from accounts.models import Member
from accounts.tests.factories import make_member, make_specialty
from conftest import client_of
from newsfeed import rows
from newsfeed.models import Article, ReadMark, Relation
from newsfeed.services import discussing
from newsfeed.tests.factories import make_article, make_source
from questions.models import Flag
from questions.services import writing
from questions.services.moderation import acts
from questions.tests.factories import make_answer, make_comment

pytestmark = pytest.mark.django_db


@pytest.fixture
def article(db):
    return make_article(
        make_source("Invented Annals of Nephrology"),
        "Apixaban on dialysis",
        specialties=[make_specialty("Nephrology")],
        authors=["A. Almond", "B. Birch", "C. Cedar", "D. Date", "E. Elm"],
        pmid=31452104,
        link="https://www.journal.example.org/7",
        lines=["Half the dose did as well.", "Few bled."],
    )


@pytest.fixture
def discussed(article, physician):
    return discussing.discuss(article=article, user=physician.user).question


def page_of(article, client):
    return client.get(reverse("newsfeed:article", args=[article.pk]))


# The door


def test_verified_physicians_and_moderators_read_it(article, colleague_client, moderator):
    assert page_of(article, colleague_client).status_code == 200
    assert page_of(article, client_of(moderator)).status_code == 200
    assert page_of(article, client_of(make_member(standing="read_only"))).status_code == 200


def test_nobody_else_does(article, discussed, client, applicant_client, staff):
    addresses = [reverse("newsfeed:article", args=[article.pk]), discussed.get_absolute_url()]

    for address in addresses:
        assert client.get(address).url.startswith("/accounts/login/")
        assert applicant_client.get(address).url == reverse("verification:start")
        assert client_of(staff).get(address).url == reverse("mfa_index")


@pytest.mark.parametrize("state", ["removed", "draft"])
def test_what_is_not_listed_is_not_there(state, colleague_client, moderator):
    source = {"kind": "sermo"} if state == "draft" else {}
    article = make_article(state=state, **source)

    assert page_of(article, colleague_client).status_code == 404
    assert page_of(article, client_of(moderator)).status_code == 404
    assert colleague_client.post(reverse("newsfeed:discuss", args=[article.pk])).status_code == 404


# What it says


def test_it_says_what_where_and_by_whom(article, colleague_client):
    page = page_of(article, colleague_client).text

    assert "A. Almond, B. Birch, C. Cedar and 2 others" in page
    assert "<b>Half the dose did as well.</b>" in page
    assert "In short, by the editors of Sermo" in page
    assert 'href="https://www.journal.example.org/7" rel="noopener nofollow noreferrer"' in page
    assert "Read it at journal.example.org" in page
    assert f'href="https://doi.org/{article.doi}"' in page
    assert "https://pubmed.ncbi.nlm.nih.gov/31452104/" in page
    assert "Nephrology: by its source" in page
    assert ">Preprint" not in page


def test_a_preprint_says_that_nobody_reviewed_it(colleague_client):
    page = page_of(make_article(kind="preprint", version=2), colleague_client).text

    assert "Preprint, not peer reviewed" in page
    assert ", version 2" in page


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("guideline", "Guideline"),
        ("correction", "Correction"),
        ("retraction", "Retraction"),
        ("alert", "Safety alert"),
    ],
)
def test_other_kinds_say_so(kind, words, colleague_client):
    page = page_of(make_article(kind=kind), colleague_client).text

    assert f"{words}</span>" in page


def test_an_abstract_is_shown_where_its_source_allows_it(colleague_client):
    source = make_source(shows_abstracts=True, license="CC BY 4.0")
    article = make_article(source, abstract="<p>Of 214 patients, 9 bled.</p>")

    assert "<p>Of 214 patients, 9 bled.</p>" in page_of(article, colleague_client).text
    assert "Shown under CC BY 4.0." in page_of(article, colleague_client).text
    source.shows_abstracts = False
    source.save()
    assert "214 patients" not in page_of(article, colleague_client).text


def test_no_link_leads_anywhere_but_to_a_page(colleague_client):
    page = page_of(make_article(link="javascript:alert(1)", doi=None), colleague_client).text

    assert "javascript:" not in page
    assert "Read it at" not in page


def test_what_retracts_corrects_and_names_it_stands_there_both_ways(article, discussed, colleague_client):
    relate = Relation.objects.create
    notice = make_article(title="Retraction of Apixaban", kind="retraction")
    relate(article=notice, kind="retracts", doi=article.doi, related=article)
    erratum = make_article(title="Erratum to Apixaban", kind="correction")
    relate(article=erratum, kind="corrects", doi=article.doi, related=article)
    hidden = make_article(title="Taken out", state="removed")
    relate(article=hidden, kind="about", doi=article.doi, related=article)
    relate(article=article, kind="preprint", doi="10.5555/elsewhere")
    page = page_of(article, colleague_client).text

    assert f'<b>This was retracted.</b> <a href="/news/{notice.pk}/">Retraction of Apixaban</a>' in page
    assert f'<b>This was corrected.</b> <a href="/news/{erratum.pk}/">Erratum to Apixaban</a>' in page
    assert "Retracted</span>" in page
    assert 'href="https://doi.org/10.5555/elsewhere" rel="noopener nofollow noreferrer"' in page
    assert "Taken out" not in page
    back = page_of(notice, colleague_client).text
    assert f'Retracts</span><br><a href="/news/{article.pk}/">Apixaban on dialysis</a>' in back
    assert f'<b>Retracts:</b> <a href="/news/{article.pk}/">Apixaban on dialysis</a>' in back
    assert "This was retracted" not in back


def test_what_retracts_it_is_not_cut_away_by_what_is_about_it(article, colleague_client, monkeypatch):
    monkeypatch.setattr("newsfeed.article_page.MOST_RELATED", 2)
    for kind in ("retracts", "corrects", "about", "about"):
        other = make_article(title=f"It {kind} it")
        Relation.objects.create(article=other, kind=kind, doi=article.doi, related=article)
        doi = f"10.5555/{'z' if kind != 'about' else 'a'}.{other.pk}"
        Relation.objects.create(article=article, kind=kind, doi=doi)
    page = page_of(article, colleague_client).text

    assert "This was retracted." in page
    assert "This was corrected." in page
    assert "Retracts</span>" in page
    assert "Corrects</span>" in page


def test_what_became_of_it_stands_in_lists(article, colleague, colleague_client):
    def badges():
        row = rows.load(colleague.user, [article.pk])[article.pk]
        return row.badge, row.badge_kind, row.icon

    assert badges() == ("", "article", "")
    erratum = make_article(kind="correction")
    Relation.objects.create(article=erratum, kind="corrects", doi=article.doi, related=article)
    assert badges() == ("Corrected", "correction", "pencil")
    notice = make_article(kind="retraction", state="removed")
    Relation.objects.create(article=notice, kind="retracts", doi=article.doi, related=article)
    assert badges()[0] == "Corrected"
    Article.objects.update(state="listed")
    assert badges() == ("Retracted", "retraction", "octagon-alert")
    Article.objects.filter(pk=article.pk).update(kind="preprint")
    assert badges()[0] == "Retracted. Preprint, not peer reviewed"
    found = colleague_client.get("/news/?show=all").text
    assert "Retracted. Preprint" in found


def test_on_paper_it_says_what_it_is_and_what_became_of_it(article, discussed, colleague_client):
    notice = make_article(title="Retraction of Apixaban", kind="retraction")
    Relation.objects.create(article=notice, kind="retracts", doi=article.doi, related=article)
    page = colleague_client.get(reverse("questions:print", args=[discussed.pk])).text

    assert "Invented Annals of Nephrology" in page
    assert f"doi:{article.doi}" in page
    assert "Half the dose did as well." in page
    assert "<b>This was retracted.</b> Retraction of Apixaban" in page
    Article.objects.update(state="removed")
    gone = colleague_client.get(reverse("questions:print", args=[discussed.pk])).text
    assert "taken out of the news" in gone
    assert "Half the dose" not in gone


def test_a_doi_is_encoded_in_its_address(colleague_client):
    page = page_of(make_article(doi="10.5555/a?b#c%2(d);e"), colleague_client).text

    assert 'href="https://doi.org/10.5555/a%3Fb%23c%252(d);e"' in page


# Reading it


def test_opening_it_marks_it_read_once(article, colleague, colleague_client):
    page_of(article, colleague_client)
    first = ReadMark.objects.get()
    page_of(article, colleague_client)

    assert (first.member, first.article) == (colleague, article)
    assert ReadMark.objects.get().read_at == first.read_at


def test_a_moderator_without_a_membership_reads_without_a_mark(article, moderator):
    user = moderator.user
    Member.objects.update(user=None)

    assert page_of(article, client_of(user)).status_code == 200
    assert not ReadMark.objects.exists()


# Its discussion


def test_without_one_there_is_one_button(article, colleague_client):
    page = page_of(article, colleague_client).text
    reader = page_of(article, client_of(make_member(standing="read_only"))).text

    assert page.count("Discuss this") == 1
    assert "Discuss this" not in reader
    assert "your-answer" not in page


def test_with_one_the_thread_stands_there_in_its_own_words(article, discussed, physician, colleague_client):
    quiet = page_of(article, colleague_client).text
    assert "No comment yet." in quiet
    assert "Your comment" in quiet
    assert "Post comment" in quiet

    made = make_answer(discussed, physician, "Bleeding was not blinded.")
    make_comment(made, source="It was, in the second period.")
    page = page_of(article, colleague_client).text
    assert "1 comment</h2>" in page
    assert "Bleeding was not blinded." in page
    assert "Reply</a>" in page
    for word in ("answer</h2>", "Post answer", "Discuss this", "Mark as solved", "Unsolved", "asked"):
        assert word not in page
    assert "Commented on by 1 cardiologist" in page


def test_it_is_written_in_and_comes_back_to_the_article(article, discussed, colleague_client):
    form = {
        "source": "Half the dose.",
        "byline": "anonymous",
        "submission": "6f2b1d3e-7d2c-4c0e-9a55-0f6f1f3a2b11",
    }
    sent = colleague_client.post(reverse("questions:answer", args=[discussed.pk]), form, follow=True)
    reply = colleague_client.get(reverse("questions:comment", args=[discussed.posts.get(kind="answer").pk]))

    assert sent.redirect_chain[-1][0].startswith(f"/news/{article.pk}/?post=")
    assert "Half the dose." in sent.text
    assert "Reply to a comment" in reply.text
    assert "Post reply" in reply.text
    assert "Your reply" in reply.text


def test_what_is_refused_comes_back_on_the_page_of_the_article(article, discussed, colleague_client):
    sent = colleague_client.post(reverse("questions:answer", args=[discussed.pk]), {"source": ""})

    assert sent.status_code == 422
    assert "<h1>Apixaban on dialysis</h1>" in sent.text


def test_every_address_of_the_discussion_leads_to_the_article(article, discussed, colleague_client):
    kept = colleague_client.get(f"/news/discussions/{discussed.pk}/?answers=newest&after=x")
    short = colleague_client.get(f"/questions/{discussed.pk}/?post=7")

    assert kept.url == f"/news/{article.pk}/?answers=newest&after=x"
    assert short.url == f"/news/discussions/{discussed.pk}/?post=7"


def test_words_outlive_an_article_that_was_taken_out(article, discussed, physician, colleague_client):
    make_answer(discussed, physician, "Bleeding was not blinded.")
    Article.objects.update(state="removed")
    page = colleague_client.get(discussed.get_absolute_url())

    assert page.status_code == 200
    assert "taken out of the news" in page.text
    assert "Bleeding was not blinded." in page.text
    assert "journal.example.org" not in page.text


def test_no_other_discussion_is_shown_as_news(physician, colleague_client):
    question = writing.open_question(
        asker=physician,
        kind="question",
        title="Which dose?",
        source="Which?",
        specialties=[physician.specialty],
    )

    answered = colleague_client.get(reverse("newsfeed:discussion", args=[question.pk]))
    assert answered.url == question.get_absolute_url()
    for number in (999999, 2**63, 10**30):
        assert colleague_client.get(f"/news/discussions/{number}/").status_code == 404
        assert colleague_client.get(f"/questions/{number}/").status_code == 404


def test_a_closed_or_removed_one_says_so(article, discussed, moderator, colleague_client):
    opening = discussed.posts.get()
    acts.act(post=opening, by=moderator.user, kind="close", reason="other")
    closed = page_of(article, colleague_client).text
    assert "This discussion is closed." in closed
    assert "Nobody can comment or vote any more." in closed
    assert "your-answer" not in closed

    acts.act(post=opening, by=moderator.user, kind="remove", reason="other")
    removed = page_of(article, colleague_client)
    assert removed.status_code == 200
    assert "A moderator removed the discussion of this article." in removed.text
    assert "Discuss this" not in removed.text
    assert "Removed</span>" in page_of(article, client_of(moderator)).text


def test_nobody_but_moderators_has_tools_for_the_thread(article, discussed, physician_client, moderator):
    own, desk = page_of(article, physician_client).text, page_of(article, client_of(moderator)).text

    close = reverse("questions:close", args=[discussed.pk])
    assert close not in own
    assert close in desk
    for word in ("/edit/", "/solve/", "/remove/", "polls/new"):
        assert word not in own


def test_members_report_it(article, discussed, colleague_client):
    address = reverse("questions:flag", args=[discussed.posts.get().pk])

    assert address in page_of(article, colleague_client).text
    assert colleague_client.post(address, {"reason": "spam"}).url == discussed.get_absolute_url()
    assert Flag.objects.get().post == discussed.posts.get()


# What it costs


def test_it_costs_little(article, colleague_client, physician, django_assert_max_num_queries):
    page_of(article, colleague_client)
    with django_assert_max_num_queries(8):
        page_of(article, colleague_client)

    thread = discussing.discuss(article=article, user=physician.user).question
    for _ in range(3):
        made = make_answer(thread)
        make_comment(made)
    with django_assert_max_num_queries(14):
        page_of(article, colleague_client)


def test_an_article_is_no_reference_of_its_own_discussion(article, discussed, colleague, colleague_client):
    assert 'id="references"' not in page_of(article, colleague_client).text

    make_answer(discussed, colleague, source="The older trial said so too: doi:10.5555/older.1")

    page = page_of(article, colleague_client).text
    assert "doi:10.5555/older.1</a>" in page
    assert f"doi:{article.doi}</a>" not in page
