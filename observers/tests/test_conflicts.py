"""The line under a post on a product: what it says, of whom, and what nobody can learn from it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.tests.factories import make_member
from conftest import client_of
from observers import conflicts, products
from observers.models import Conflict, Declaration
from observers.services import declaring
from observers.tests.product_makers import make_product, pay
from questions.models import Byline, Post
from questions.tests.factories import make_answer, make_question
from rewards.models import Award
from rewards.services import leaving as rewards_leaving
from rewards.services import ledger

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nobody_told")]

Said = Conflict.Said


@pytest.fixture
def product(firm):
    return make_product(maker=firm)


@pytest.fixture
def question(physician):
    return make_question(physician, title="Which anticoagulant would you take?")


@pytest.fixture
def answer(product, question, colleague):
    """Under the handle, on the product."""
    return make_answer(question, colleague, source="Velorin, at the lower dose.")


@pytest.fixture
def few(settings):
    settings.OBSERVER_LEAST = 3


def crowd(question, firm, *cents):
    """Members who were paid so much each."""
    opening = question.posts.get(kind=Post.Kind.OPENING)
    members = [make_member() for _ in cents]
    for member, amount in zip(members, cents, strict=True):
        pay(member, firm, opening, cents=amount)
    return members


def line(post):
    row = Conflict.objects.filter(post=post).first()
    return row and (row.said, row.band)


def sign(post, mode):
    Byline.objects.filter(pk=post.byline_id).update(mode=mode)


class TestBooks:
    def test_where_too_few_were_paid_every_handle_is_asked_paid_or_not(
        self, few, firm, question, answer, colleague, third
    ):
        pay(colleague, firm, answer)
        unpaid = make_answer(question, third, source="Not velorin, in my hands.")
        conflicts.count()

        assert line(answer) == line(unpaid) == (Said.ASKED, "")

    def test_where_nobody_was_paid_nobody_is_asked(self, few, answer):
        assert conflicts.count() == 0
        assert line(answer) is None

    def test_where_enough_were_paid_the_line_says_so_of_who_was(
        self, few, firm, question, answer, colleague, third
    ):
        crowd(question, firm, 1_000, 2_000)
        pay(colleague, firm, answer, cents=500)
        unpaid = make_answer(question, third, source="Not velorin, in my hands.")
        conflicts.count()

        assert line(answer) == (Said.PAID, "under $100")
        assert line(unpaid) is None

    def test_bands_stand_only_where_each_has_enough(self, few, firm, question, answer, colleague):
        crowd(question, firm, 1_000, 2_000, 20_000)
        pay(colleague, firm, answer, cents=500)
        conflicts.count()

        assert line(answer) == (Said.PAID, "")

    def test_what_another_firm_paid_says_nothing(self, few, question, answer, colleague, product):
        crowd(question, make_product(slug="o", words=["o"]).maker or product.maker, 1, 2)
        Conflict.objects.all().delete()

        assert line(answer) is None

    def test_the_books_are_read_as_of_the_first_of_the_month(self, few, firm, question, answer, colleague):
        pay(colleague, firm, answer, ago=timedelta(0))
        conflicts.count()

        assert line(answer) is None

    def test_who_leaves_within_the_month_changes_no_line_of_others(
        self, few, firm, question, answer, colleague
    ):
        (leaving,) = crowd(question, firm, 1_000)
        pay(
            leaving_author := make_member(),
            firm,
            make_answer(question, leaving_author),
            cause=Award.Cause.AUTHOR,
        )
        pay(colleague, firm, answer, cents=500)
        conflicts.count()
        for member in (leaving, leaving_author):
            rewards_leaving.leave(member=member, address="left@example.test")
        assert Award.objects.filter(post=None).count() == 2

        conflicts.count()
        assert line(answer) == (Said.PAID, "under $100")

        next_month = (conflicts.as_of_today() + timedelta(days=32)).replace(day=1)
        conflicts.count(next_month)
        assert line(answer) == (Said.ASKED, "")

    def test_what_is_reversed_within_the_month_counts_until_the_next(
        self, few, firm, question, answer, colleague
    ):
        crowd(question, firm, 1_000, 2_000)
        award = pay(colleague, firm, answer, cents=500)
        ledger.reverse(earlier=award.entry.transaction)

        conflicts.count()
        assert line(answer) == (Said.PAID, "under $100")

        next_month = (conflicts.as_of_today() + timedelta(days=32)).replace(day=1)
        conflicts.count(next_month)
        assert line(answer) == (Said.ASKED, "")

    def test_what_is_older_than_a_year_is_over(self, few, firm, question, answer, colleague):
        pay(colleague, firm, answer, ago=timedelta(days=420))
        conflicts.count()

        assert line(answer) is None

    def test_a_firm_that_is_not_named_where_it_paid_is_not_named_here(
        self, few, firm, question, answer, colleague
    ):
        firm.shows_name = False
        firm.save()
        crowd(question, firm, 1_000, 2_000, 3_000)
        pay(colleague, firm, answer)
        conflicts.count()

        assert line(answer) == (Said.ASKED, "")

    def test_a_second_count_changes_nothing(self, few, firm, question, answer, colleague):
        pay(colleague, firm, answer)
        conflicts.count()
        before = Conflict.objects.get().pk

        assert conflicts.count() == 1
        assert Conflict.objects.get().pk == before

    def test_lines_go_with_what_they_stood_on(self, few, firm, question, answer, colleague, product):
        pay(colleague, firm, answer)
        conflicts.count()
        Post.objects.filter(pk=answer.pk).update(search_text="another drug")
        products.sweep()
        conflicts.count()

        assert line(answer) is None

    def test_without_a_maker_there_is_no_line(self, few, firm, question, answer, colleague, product):
        pay(colleague, firm, answer)
        conflicts.count()
        product.maker = None
        product.save()
        conflicts.count()

        assert not Conflict.objects.exists()


class TestTwoFaces:
    """What one face was paid never shows under the other, nor changes a line there."""

    def test_a_name_is_said_to_be_paid_for_what_stands_under_the_name(self, firm, answer, colleague):
        sign(answer, Byline.Mode.PUBLIC)
        pay(colleague, firm, answer, cause=Award.Cause.AUTHOR)
        conflicts.count()

        assert line(answer) == (Said.PAID, "")

    def test_what_the_handle_earned_is_not_said_of_the_name(self, firm, answer, colleague, physician):
        sign(answer, Byline.Mode.PUBLIC)
        other = make_answer(make_question(physician), colleague)
        pay(colleague, firm, other, cause=Award.Cause.AUTHOR)
        pay(colleague, firm, make_answer(make_question(physician)), cause=Award.Cause.VOTER)
        conflicts.count()

        assert line(answer) is None

    def test_what_the_name_earned_is_not_said_of_the_handle(
        self, few, firm, question, answer, colleague, physician
    ):
        crowd(question, firm, 1_000, 2_000, 3_000)
        named = make_answer(make_question(physician), colleague)
        sign(named, Byline.Mode.PUBLIC)
        pay(colleague, firm, named, cause=Award.Cause.AUTHOR)
        conflicts.count()

        assert line(answer) is None

    def test_who_is_masked_has_no_line(self, few, firm, question, answer, colleague):
        crowd(question, firm, 1_000, 2_000, 3_000)
        pay(colleague, firm, answer)
        sign(answer, Byline.Mode.MASKED)
        conflicts.count()

        assert line(answer) is None

    def test_what_a_masked_post_earned_counts_for_neither(
        self, few, firm, question, answer, colleague, physician
    ):
        crowd(question, firm, 1_000, 2_000, 3_000)
        masked = make_answer(make_question(physician), colleague)
        sign(masked, Byline.Mode.MASKED)
        pay(colleague, firm, masked, cause=Award.Cause.AUTHOR)
        conflicts.count()

        assert line(answer) is None

    def test_a_declaration_stands_under_the_handle_alone(self, firm, answer, colleague):
        sign(answer, Byline.Mode.PUBLIC)
        declaring.declare(member=colleague, firm=firm, is_paid=True)

        assert line(answer) is None


class TestDeclaring:
    def test_who_says_yes_has_the_line_at_once(self, firm, answer, colleague):
        declaring.declare(member=colleague, firm=firm, is_paid=True)

        assert line(answer) == (Said.DECLARED, "")

    def test_who_says_no_is_asked_no_more(self, few, firm, question, answer, colleague):
        crowd(question, firm, 1_000)
        conflicts.count()
        assert line(answer) == (Said.ASKED, "")

        declaring.declare(member=colleague, firm=firm, is_paid=False)

        assert line(answer) is None

    def test_no_is_refused_where_the_books_say_yes(self, firm, answer, colleague):
        pay(colleague, firm, answer)

        with pytest.raises(declaring.PaidHere):
            declaring.declare(member=colleague, firm=firm, is_paid=False)

        assert not Declaration.objects.exists()

    def test_the_last_word_counts(self, firm, answer, colleague):
        declaring.declare(member=colleague, firm=firm, is_paid=True)
        declaring.declare(member=colleague, firm=firm, is_paid=False)

        assert line(answer) is None
        assert Declaration.objects.count() == 1

    def test_it_lapses_after_a_year(self, firm, answer, colleague):
        declaring.declare(member=colleague, firm=firm, is_paid=True)
        Declaration.objects.update(declared_at=timezone.now() - timedelta(days=366))
        conflicts.count()

        assert line(answer) is None

    def test_it_changes_no_line_of_others(self, few, firm, question, answer, colleague, third):
        crowd(question, firm, 1_000)
        other = make_answer(question, third, source="Velorin too.")
        conflicts.count()

        declaring.declare(member=colleague, firm=firm, is_paid=True)

        assert line(other) == (Said.ASKED, "")


class TestPages:
    def test_the_line_stands_beside_the_discussion(self, firm, question, answer, colleague, third):
        declaring.declare(member=colleague, firm=firm, is_paid=True)

        page = client_of(third.user).get(question.get_absolute_url()).content.decode()

        assert "declares to be paid by its maker" in page
        assert f"#post-{answer.pk}" in page

    def test_who_is_asked_finds_where_to_declare(self, few, firm, question, answer, colleague, product):
        crowd(question, firm, 1_000)
        conflicts.count()

        page = client_of(colleague.user).get(question.get_absolute_url()).content.decode()

        assert "have not declared yet" in page
        assert f'<a href="{product.get_absolute_url()}">Declare it</a>' in page

    def test_declaring_is_a_post_on_the_product(self, product, colleague_client, colleague, answer):
        address = f"{product.get_absolute_url()}declare/"

        assert colleague_client.get(address).status_code == 302
        assert not Declaration.objects.exists()
        colleague_client.post(address, {"is_paid": "yes"})

        assert Declaration.objects.get().is_paid

    def test_a_refusal_is_told_to_the_member_alone(self, product, firm, colleague_client, colleague, answer):
        pay(colleague, firm, answer)

        page = colleague_client.post(
            f"{product.get_absolute_url()}declare/", {"is_paid": "no"}, follow=True
        ).content.decode()

        assert "has paid you through this site" in page

    def test_who_was_paid_after_saying_no_is_told_alone(self, product, firm, answer, colleague, third):
        declaring.declare(member=colleague, firm=firm, is_paid=False)
        pay(colleague, firm, answer, ago=timedelta(0))

        own = client_of(colleague.user).get(product.get_absolute_url()).content.decode()
        other = client_of(third.user).get(product.get_absolute_url()).content.decode()

        assert "Say it anew" in own
        assert "Say it anew" not in other

    @pytest.mark.parametrize("said", ["", "maybe"])
    def test_what_says_nothing_declares_nothing(self, product, colleague_client, said):
        colleague_client.post(f"{product.get_absolute_url()}declare/", {"is_paid": said})

        assert not Declaration.objects.exists()
