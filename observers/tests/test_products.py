"""Which products a post is known to speak of, and their pages."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from conftest import client_of
from observers import products
from observers.models import Mention, Product
from observers.services import company, declaring
from observers.tests.product_makers import make_product
from questions.models import Post, Question
from questions.services import writing
from questions.tests.factories import make_answer, make_comment, make_question

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nobody_told")]


@pytest.fixture
def product(firm):
    return make_product(maker=firm)


@pytest.fixture
def question(physician):
    return make_question(physician, title="When to stop velorin before a colonoscopy?")


def opening_of(question):
    return question.posts.get(kind=Post.Kind.OPENING)


class TestWords:
    @pytest.mark.parametrize(
        ("text", "is_named"),
        [
            ("velorin was held", True),
            ("held (velorin), then", True),
            ("velorin/aspirin", True),
            ("velorin-induced rash", True),
            ("velorins", False),
            ("xvelorin", False),
            ("velorin2", False),
            ("on velorin", True),
            ("zoledronic acid yearly", True),
            ("zoledronic acids", False),
        ],
    )
    def test_they_are_whole_words(self, text, is_named):
        words = products.Words([(1, ["velorin", "zoledronic acid"])])

        assert words.named_in(text) == ({1} if is_named else set())

    def test_a_word_may_name_several_products(self):
        words = products.Words([(1, ["velorin", "apixaban"]), (2, ["eliquis", "apixaban"])])

        assert words.named_in("apixaban 5 mg") == {1, 2}

    def test_without_products_nothing_is_named(self):
        assert products.Words([]).named_in("anything") == set()

    @pytest.mark.parametrize("word", ["Velorin", "a|b", "a.b", "a  b", "-a", "", "a\n"])
    def test_no_word_is_a_pattern(self, word):
        with pytest.raises(Exception, match="Small letters"):
            products.is_word(word)

    def test_a_product_has_words(self, firm):
        with pytest.raises(IntegrityError), transaction.atomic():
            Product.objects.create(slug="none", name="None", words=[])


class TestRecognition:
    def test_an_answer_and_a_comment_are_looked_at_when_they_are_posted(self, product, question, colleague):
        answer = make_answer(question, colleague, source="Two days without Velorin suffice.")
        comment = make_comment(answer, source="Vélorin as well, after my experience.")

        assert set(product.mentions.values_list("post", flat=True)) == {answer.pk, comment.pk}

    def test_an_opening_is_found_by_the_sweep(self, product, question):
        assert products.sweep() == 1
        assert product.mentions.get().post == opening_of(question)

    def test_the_sweep_twice_adds_nothing(self, product, question):
        products.sweep()

        assert products.sweep() == 0
        assert Mention.objects.count() == 1

    def test_an_edited_opening_is_looked_at_at_once(self, product, question, physician):
        products.sweep()
        opening = opening_of(question)
        writing.edit_post(
            post=opening, by=physician, title="When to stop it before a colonoscopy?", source=opening.source
        )

        assert not product.mentions.exists()

    def test_what_a_text_no_longer_says_is_taken_back(self, product, question, colleague):
        answer = make_answer(question, colleague, source="Two days without Velorin suffice.")
        Post.objects.filter(pk=answer.pk).update(search_text="two days suffice.")
        products.sweep()

        assert list(product.mentions.values_list("post", flat=True)) == [opening_of(question).pk]

    def test_a_removed_post_names_nothing(self, product, question, colleague):
        answer = make_answer(question, colleague, source="Two days without Velorin suffice.")
        writing.remove_post(post=answer, by=colleague)
        products.sweep(since=timezone.now() - timedelta(hours=1))

        assert not product.mentions.filter(post=answer).exists()

    def test_the_sweep_of_late_looks_at_nothing_older(self, product, question):
        Post.objects.update(posted_at=timezone.now() - timedelta(days=2))

        assert products.sweep(since=timezone.now() - timedelta(days=1)) == 0

    def test_posts_of_many_batches_are_swept(self, product, question, monkeypatch):
        monkeypatch.setattr(products, "BATCH", 1)

        assert products.sweep() == 1

    def test_without_products_the_sweep_forgets(self, product, question):
        products.sweep()
        Mention.objects.all().delete()
        product.delete()

        assert products.sweep() == 0


class TestPage:
    @pytest.fixture
    def swept(self, product, question):
        products.sweep()
        return product

    def test_it_lists_discussions_that_name_it(self, swept, colleague_client, physician):
        make_question(physician, title="Something else entirely here?")

        page = colleague_client.get(swept.get_absolute_url()).content.decode()

        assert "When to stop velorin" in page
        assert "Something else entirely" not in page

    @pytest.mark.parametrize("status", [Question.Status.REMOVED])
    def test_a_removed_discussion_is_not_listed(self, swept, question, colleague_client, status):
        Question.objects.filter(pk=question.pk).update(status=status)

        assert "When to stop" not in colleague_client.get(swept.get_absolute_url()).content.decode()

    def test_what_is_put_to_connections_is_not_listed(self, swept, question, colleague_client):
        Question.objects.filter(pk=question.pk).update(audience=Question.Audience.CONNECTIONS)

        assert "When to stop" not in colleague_client.get(swept.get_absolute_url()).content.decode()

    def test_an_answer_that_is_closed_to_the_reader_lists_nothing(self, product, physician, colleague, third):
        question = make_question(physician, title="Which anticoagulant would you take?", answer_first=True)
        make_answer(question, colleague, source="Velorin, at the lower dose.")

        page = client_of(third.user).get(product.get_absolute_url()).content.decode()
        own = client_of(physician.user).get(product.get_absolute_url()).content.decode()

        assert "Which anticoagulant" not in page
        assert "Which anticoagulant" in own

    def test_peers_only_discussions_are_listed_for_peers(self, swept, question, colleague_client):
        Question.objects.filter(pk=question.pk).update(peers_only=True)

        assert "When to stop" in colleague_client.get(swept.get_absolute_url()).content.decode()

    def test_it_costs_the_same_at_any_length(
        self, product, physician, colleague_client, django_assert_max_num_queries
    ):
        for number in range(6):
            make_question(physician, title=f"When to stop velorin, version {number}?")
        products.sweep()
        with django_assert_max_num_queries(10):
            colleague_client.get(product.get_absolute_url())

    def test_it_costs_no_more_with_a_maker_that_answers_and_ties_to_it(
        self, product, firm, physician, physician_client, django_assert_max_num_queries
    ):
        company.ask(product=product, asker=physician, text="Is it stable?", submission=uuid4())
        question = make_question(physician, title="When to stop velorin before surgery?")
        make_answer(question, physician, source="Two days without Velorin suffice.")
        declaring.declare(member=physician, firm=firm, is_paid=False)
        physician_client.get(product.get_absolute_url())

        with django_assert_max_num_queries(10):
            page = physician_client.get(product.get_absolute_url())

        assert page.context["desk"] == firm
        assert page.context["own_posts"]

    def test_further_rows_come_by_key(self, product, physician, colleague_client, settings):
        settings.QUESTIONS_PER_PAGE = 2
        for number in range(3):
            make_question(physician, title=f"When to stop velorin, version {number}?")
        products.sweep()
        page = colleague_client.get(product.get_absolute_url())

        rest = colleague_client.get(page.context["more_url"], headers={"HX-Request": "true"})

        assert len(page.context["page"]) == 2
        assert len(rest.context["page"]) == 1
        assert "Asked of the maker" not in rest.content.decode()

    def test_the_list_finds_by_brand_generic_word_and_maker(self, product, colleague_client):
        make_product(slug="other", name="Other", generic="", words=["other"], maker=None)
        for typed in ("velo", "apix", "Vélorin", product.maker.name):
            page = colleague_client.get(reverse("products:list"), {"q": typed}).content.decode()
            assert product.get_absolute_url() in page
            assert "/products/other/" not in page

    @pytest.mark.parametrize("name", ["list", "product", "questions"])
    def test_who_is_no_physician_is_sent_away(self, product, name, client, applicant, seat_client):
        address = reverse(f"products:{name}", args=[] if name == "list" else [product.slug])

        assert client.get(address).status_code == 302
        assert client_of(applicant.user).get(address).status_code == 302
        assert seat_client.get(address).status_code == 403

    def test_an_unknown_product_is_not_there(self, colleague_client):
        assert colleague_client.get("/products/nothing/").status_code == 404


class TestOnADiscussion:
    def test_its_products_stand_beside_it(self, product, question, colleague_client):
        products.sweep()

        page = colleague_client.get(question.get_absolute_url()).content.decode()

        assert "Products named here" in page
        assert product.get_absolute_url() in page

    def test_a_discussion_without_products_says_nothing(self, product, physician, colleague_client):
        question = make_question(physician)

        assert "Products named here" not in colleague_client.get(question.get_absolute_url()).content.decode()

    def test_what_an_answer_names_waits_until_answers_are_open(self, product, physician, colleague, third):
        question = make_question(physician, title="Which anticoagulant would you take?", answer_first=True)
        make_answer(question, colleague, source="Velorin, at the lower dose.")

        page = client_of(third.user).get(question.get_absolute_url()).content.decode()

        assert "Products named here" not in page

    def test_the_page_keeps_its_queries(
        self, product, question, colleague, colleague_client, django_assert_max_num_queries
    ):
        make_answer(question, colleague, source="Two days without Velorin suffice.")
        products.sweep()
        colleague_client.get(question.get_absolute_url())

        with django_assert_max_num_queries(10):
            colleague_client.get(question.get_absolute_url())
