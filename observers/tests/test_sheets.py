"""The sheet of an adverse event: prefilled without identifiers, kept nowhere."""

import csv
import io

import pytest
from django.urls import reverse

from observers import products, sheets
from observers.tests.product_makers import make_product
from questions.models import Post
from questions.tests.factories import make_answer, make_question

TEXT = "A woman in her 70s on velorin 5 mg, rash on day 3. Seen 11/14/2026, phone 212-555-0142."


class TestPrefilling:
    @pytest.mark.parametrize(
        ("text", "age"),
        [
            ("A man in the 70s", "70s"),
            ("72-year-old woman", "70s"),
            ("a 7 year old boy", "under 10"),
            ("43 yo", "40s"),
            ("in his late 40s, wife 38 years old", "40s"),
            ("no age at all", ""),
            ("the 1980s", ""),
        ],
    )
    def test_ages_are_decades(self, text, age):
        assert sheets.age_in(text) == age

    @pytest.mark.parametrize(
        ("text", "sex"),
        [("A woman on it", "Female"), ("He was on it", "Male"), ("A man and his mother", ""), ("On it", "")],
    )
    def test_a_sex_is_taken_where_one_alone_is_named(self, text, sex):
        assert sheets.sex_in(text) == sex

    def test_identifiers_are_left_out(self):
        text = sheets.deidentified(TEXT)

        assert "212-555-0142" not in text
        assert "11/14/2026" not in text
        assert "velorin 5 mg" in text

    @pytest.mark.django_db
    def test_the_name_of_a_product_is_no_identifier(self):
        product = make_product(name="Zyqoril", words=["zyqoril"])

        said = sheets.prefilled("", "Rash on Zyqoril in the 60s.", [product])

        assert "Zyqoril" in said["description"]
        assert said["product"] == "Zyqoril"


@pytest.mark.django_db
@pytest.mark.usefixtures("nobody_told")
class TestPages:
    @pytest.fixture
    def post(self, physician):
        make_product()
        question = make_question(physician, title="Rash after velorin?", source=TEXT)
        products.sweep()
        return question.posts.get(kind=Post.Kind.OPENING)

    @pytest.fixture
    def address(self, post):
        return reverse("products:sheet", args=[post.pk])

    def filled(self, client, address, **changes):
        form = client.get(address).context["form"]
        return {**form.initial, **changes}

    def test_it_comes_prefilled(self, address, physician_client):
        form = physician_client.get(address).context["form"]

        assert form.initial["age"] == "70s"
        assert form.initial["sex"] == "Female"
        assert form.initial["product"] == "Velorin"
        assert "Rash after velorin" in form.initial["description"]
        assert "212-555" not in form.initial["description"]

    def test_it_is_the_authors_alone(self, address, colleague_client, seat_client, client):
        assert colleague_client.get(address).status_code == 404
        assert seat_client.get(address).status_code == 403
        assert client.get(address).status_code == 302

    def test_a_removed_post_has_none(self, address, physician_client, post):
        Post.objects.filter(pk=post.pk).update(removed_at=post.posted_at, removed_by="author")

        assert physician_client.get(address).status_code == 404

    def test_it_is_shown_to_print(self, address, physician_client):
        page = physician_client.post(
            address, self.filled(physician_client, address, indication="Atrial fibrillation", stopped="yes")
        ).content.decode()

        assert "Atrial fibrillation" in page
        assert "Nothing of it was sent or stored" in page

    def test_what_is_typed_is_checked_once_more(self, address, physician_client):
        page = physician_client.post(
            address, self.filled(physician_client, address, tests="MRN: 12345678, phone 212-555-0199")
        ).content.decode()

        assert "212-555-0199" not in page

    def test_it_is_a_table_without_formulas(self, address, physician_client):
        answer = physician_client.post(address, self.filled(physician_client, address, tests="=1+1", csv="1"))

        rows = {row[1]: row[2] for row in csv.reader(io.StringIO(answer.content.decode()))}
        assert rows["Relevant tests"] == "'=1+1"
        assert rows["Age, by decade"] == "70s"
        assert answer["Cache-Control"] == "private, no-store"

    def test_it_wants_what_happened(self, address, physician_client):
        assert physician_client.post(address, {"product": "Velorin"}).status_code == 422

    def test_the_product_leads_to_it(self, post, address, physician_client, colleague_client):
        assert address in physician_client.get("/products/velorin/").content.decode()
        assert address not in colleague_client.get("/products/velorin/").content.decode()

    def test_an_answer_has_one_too(self, post, colleague, colleague_client):
        answer = make_answer(post.question, colleague, source="Velorin: the same rash in the 50s.")

        form = colleague_client.get(reverse("products:sheet", args=[answer.pk])).context["form"]

        assert form.initial["age"] == "50s"
        assert "Rash after velorin" not in form.initial["description"]
