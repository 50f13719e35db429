"""Words that moderators take out of a case with those of its discussion."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.tests.factories import make_member
from conftest import client_of
from consults.models import Case, Image, Marker
from consults.services import flags, markers, withdrawing
from consults.tests.factories import make_case
from polls.tests.factories import make_poll
from questions.services.moderation import acts, redacting, undoing
from sermo.text import render_markdown
from verification.tests.test_no_clear_identity import columns_with

pytestmark = pytest.mark.django_db

SOURCE = "**History.** Mr. Quillfeather walked there.\n\n**What is this?**"
CLEAN = "**History.** […] walked there.\n\n**What is this?**"
SOLUTION = "Mr. Quillfeather had *erythema migrans*."


@pytest.fixture
def case(physician):
    return make_written(physician)


def make_written(asker):
    case = make_case(asker, intent="teaching", solution=SOLUTION)
    opening = case.question.posts.get()
    opening.source, opening.html = SOURCE, render_markdown(SOURCE)
    opening.save()
    case.images.update(description="Mr. Quillfeather from behind.")
    return case


def make_mark(case, member=None, label="Quillfeather's mole, by Mr. Quillfeather"):
    mark = markers.add_marker(
        image=case.images.get(), member=member or make_member(), left=10, top=10, label="Rim"
    )
    Marker.objects.filter(pk=mark.pk).update(label=label)  # a name that the check did not know for one
    return mark


def redact(case, moderator, *, text=CLEAN, elsewhere=""):
    post = case.question.posts.get(kind="opening")
    return acts.act(
        post=post, by=moderator.user, kind="redact", reason="identity", text=text, elsewhere=elsewhere
    )


def says(case):
    case = Case.objects.get(pk=case.pk)
    return (
        case.solution,
        case.images.get().description,
        [mark.label for mark in case.markers.order_by("number")],
    )


class TestRedacting:
    def test_all_that_the_case_says_loses_them(self, case, moderator):
        make_mark(case)

        redact(case, moderator)

        assert says(case) == (
            "[…] had *erythema migrans*.",
            "[…] from behind.",
            ["[…]'s mole, by […]"],
        )
        assert Case.objects.get().solution_html == render_markdown("[…] had *erythema migrans*.")

    def test_what_only_they_said_is_not_left_empty(self, case, moderator):
        make_mark(case, label="Mr. Quillfeather")
        solution = "Mr. Quillfeather"
        Case.objects.update(solution=solution, solution_html=render_markdown(solution))
        Image.objects.update(description=solution)

        redact(case, moderator)

        assert says(case) == ("[…]", "[…]", ["[…]"])

    def test_a_longest_description_stays_within_its_room(self, case, moderator):
        Image.objects.update(description=("b a " * 125).strip())
        redact(case, moderator, text=SOURCE, elsewhere="b")

        assert len(says(case)[1]) == 500

    @pytest.mark.parametrize("named", ["erythema migrans", "from behind", "mole"])
    def test_words_that_stand_in_one_of_them_alone_can_be_named(self, case, moderator, named):
        make_mark(case)

        redact(case, moderator, text=SOURCE, elsewhere=named)

        assert named not in str(says(case))

    @pytest.mark.parametrize("named", ["ferryman", "mole\nferryman"])
    def test_named_words_must_stand_there(self, case, moderator, named):
        make_mark(case)

        with pytest.raises(redacting.NotInPoll, match="nowhere in its poll or case"):
            redact(case, moderator, text=SOURCE, elsewhere=named)

        assert "mole" in str(says(case))

    def test_a_case_of_help_has_no_solution_to_cut(self, physician, moderator):
        case = make_case(physician)
        redact(case, moderator, text=case.question.posts.get().source, elsewhere="annular")

        assert says(case)[:2] == ("", "An […] rash with a pale middle, about 8 cm wide.")

    def test_a_withdrawn_case_says_nothing_to_cut(self, case, moderator, physician):
        make_poll(options=("A", "B"), asker=physician, question=case.question)

        withdrawing.withdraw(case=case, why=Case.Withdrawn.AUTHOR, by=physician)

        assert says(case)[:2] == ("", "")

    def test_the_form_asks_for_them(self, case, moderator):
        opening = case.question.posts.get()
        page = (
            client_of(moderator).get(reverse("questions:moderate_post", args=[opening.pk])).content.decode()
        )

        assert "Words that must go from its solution, pictures, marks or poll" in page
        assert 'name="elsewhere"' in page


class TestPuttingBack:
    def test_it_says_again_what_it_said(self, case, moderator):
        make_mark(case)
        before = says(case), Case.objects.get().solution_html
        action = redact(case, moderator, elsewhere="erythema migrans")
        assert says(case) != before[0]

        undoing.undo(action=action, by=moderator.user)

        assert (says(case), Case.objects.get().solution_html) == before

    def test_but_for_what_has_changed_since(self, case, moderator):
        mark = make_mark(case)
        action = redact(case, moderator)
        markers.remove_marker(marker=mark, by=mark.member)
        withdrawing.shred(image=case.images.get(), why=Image.Shredded.IDENTITY)

        undoing.undo(action=action, by=moderator.user)

        assert says(case) == (SOLUTION, "", [""])

    def test_what_was_withdrawn_since_leaves_nothing(self, case, moderator, physician):
        make_mark(case)
        redact(case, moderator)

        withdrawing.withdraw(case=case, why=Case.Withdrawn.AUTHOR, by=physician)

        assert columns_with(["Quillfeather"]) == set()


@pytest.mark.parametrize("deed", ["redact", "mark", "withdraw", "decide"])
def test_all_lock_the_discussion_before_its_case(case, moderator, colleague, deed):
    """In another order two of them would wait for each other."""
    flag = flags.flag_image(image=case.images.get(), member=colleague)
    if deed == "mark":
        flags.decide(flag=flag, by=moderator.user, confirmed=False)
    deeds = {
        "redact": lambda: redact(case, moderator),
        "mark": lambda: make_mark(case),
        "withdraw": lambda: withdrawing.withdraw(case=case, why=Case.Withdrawn.CONSENT),
        "decide": lambda: flags.decide(flag=flag, by=moderator.user, confirmed=True),
    }

    with CaptureQueriesContext(connection) as ran:
        deeds[deed]()

    locks = [one["sql"] for one in ran.captured_queries if " FOR " in one["sql"]]
    tables = [sql.partition('FROM "')[2].partition('"')[0] for sql in locks]
    assert tables.index("questions_question") < tables.index("consults_case")
