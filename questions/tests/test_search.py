"""Search as each reader has it: what matches, what the gate keeps out, how results are shown and paged."""

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.utils import timezone

from accounts.models import Face, Member
from accounts.roles import MODERATORS
from accounts.services import leaving, profiles, ties
from accounts.tests.factories import make_member, make_specialty
from conftest import client_of
from questions.models import Lexeme, Post, Question, Reference, Tag, TopicMute
from questions.models.posts import ERAS, MOST_ERAS, eras_of
from questions.search import spelling, trigrams
from questions.search.language import parse
from questions.search.matching import Search
from questions.services import closing, lexemes, writing
from questions.tests.factories import make_answer, make_comment, make_question

pytestmark = pytest.mark.usefixtures("nobody_told")

BODY = "Andexanet is what I would keep at hand for this."


@pytest.fixture
def question(physician):
    return make_question(physician, "How long do you hold apixaban?", tags=["dialysis"])


def titles(who, text, **parameters):
    page = client_of(who).get("/search/", {"q": text, **parameters})
    return [result.title for result in page.context["results"]]


def found(who, text):
    return list(Search(parse(text), who.user).posts.order_by("pk").values_list("pk", flat=True))


def page_of(who, text, **parameters):
    return client_of(who).get("/search/", {"q": text, **parameters})


def at_place(member, **face):
    Member.objects.filter(pk=member.pk).update(face={"specialty": member.specialty.name, **face})


# Words


def test_titles_answers_and_comments_are_found(question, colleague):
    answer = make_answer(question, colleague, source=BODY)
    comment = make_comment(answer, source="Idarucizumab would be the other one.")

    assert found(colleague, "apixaban") == [question.posts.get(kind="opening").pk]
    assert found(colleague, "andexanet") == [answer.pk]
    assert found(colleague, "idarucizumab") == [comment.pk]


def test_phrases_alternatives_and_words_left_out(question, colleague):
    other = make_question(colleague, "Do you hold warfarin as long?")

    assert titles(colleague, '"hold apixaban"') == [question.title]
    assert titles(colleague, '"apixaban hold"') == []
    assert set(titles(colleague, "apixaban OR warfarin")) == {question.title, other.title}
    assert titles(colleague, "hold -warfarin") == [question.title]


def test_hits_of_a_discussion_stand_together_under_the_best(question, colleague):
    make_answer(question, source="One word on andexanet among a great many others that say something else.")
    best = make_answer(question, source="Andexanet, andexanet.")

    page = page_of(colleague, "andexanet")

    assert [(result.pk, result.others) for result in page.context["results"]] == [(best.pk, 1)]
    assert "and 1 more post there" in page.content.decode()
    assert f"?post={best.pk}#post-{best.pk}" in page.content.decode()


def test_matches_are_marked_and_markup_in_texts_stays_text(colleague, physician):
    make_question(
        physician, "Is <b>apixaban</b> safe?", source="Apixaban <script>alert(1)</script> **twice** a day."
    )

    page = page_of(colleague, "apixaban").content.decode()

    assert "<mark>Apixaban</mark>" in page
    assert "&lt;b&gt;<mark>apixaban</mark>" in page
    assert "<script>alert" not in page
    assert "**" not in page


def test_newest_first_goes_by_the_post(question, colleague):
    later = make_question(colleague, "Apixaban, apixaban, apixaban?", source="Apixaban, I mean.")
    make_answer(question, source="There is much to say of this and I would stop apixaban if it bled again.")

    assert titles(colleague, "apixaban")[0] == later.title
    assert titles(colleague, "apixaban", sort="newest")[0] == question.title


# The gate


def test_what_is_not_addressed_to_the_reader_is_not_found_counted_or_hinted(physician, colleague):
    make_question(physician, "Whom do you send with xylophagia?", audience="specialty", tags=["secret tag"])
    lexemes.recount_lexemes()

    for text in ("xylophagia", "xylophagi", "tag:secret-tag", "tag:secret-tga", "xylophaga OR heart"):
        page = page_of(colleague, text).content.decode()
        assert "Whom do you send" not in page
        assert "Nothing found" in page
        assert "tag:secret tag" not in page
    assert titles(make_member(specialty=physician.specialty), "xylophagia")


def test_a_tag_nobody_lets_one_see_reads_as_one_that_does_not_exist(physician, colleague):
    make_question(physician, audience="specialty", tags=["secret tag"])

    known, unknown = (
        page_of(colleague, text).context["hints"] for text in ("tag:secret-tag", "tag:hidden-tag")
    )

    assert [hint[0].replace("secret", "hidden") for hint in known] == [hint[0] for hint in unknown]


@pytest.mark.parametrize("state", ["removed", "folded"])
def test_removed_and_folded_posts_match_no_member(question, colleague, state):
    answer = make_answer(question, source=BODY)
    if state == "removed":
        writing.remove_post(post=answer, by=answer.author)
    else:
        Post.objects.filter(pk=answer.pk).update(folded_at=timezone.now(), fold_reason="spam")

    assert found(colleague, "andexanet") == []


def test_a_folded_post_is_found_by_moderators(question, moderator):
    answer = make_answer(question, source=BODY)
    Post.objects.filter(pk=answer.pk).update(folded_at=timezone.now(), fold_reason="spam")

    assert found(moderator, "andexanet") == [answer.pk]


@pytest.mark.parametrize(
    ("face", "mode", "is_found"), [("handle", "anonymous", False), ("name", "anonymous", True)]
)
def test_what_stands_under_a_blocked_face_is_left_out(colleague, third, face, mode, is_found):
    answer = make_answer(make_question(third), make_member("dune_lark"), source=BODY, byline=mode)
    ties.block(blocker=colleague, blocked=answer.author, blocked_face=Face(face))

    assert bool(found(colleague, "andexanet")) is is_found
    assert found(third, "andexanet")


def test_a_discussion_asked_under_a_blocked_handle_is_left_out_with_all_its_answers(
    question, physician, colleague
):
    make_answer(question, source=BODY)
    ties.block(blocker=colleague, blocked=physician, blocked_face=Face.HANDLE)

    assert found(colleague, "andexanet") == []


def test_a_muted_topic_is_left_out_unless_searched_for_by_name(question, colleague):
    TopicMute.objects.create(member=colleague, tag=Tag.objects.get(slug="dialysis"))

    assert titles(colleague, "apixaban") == []
    assert titles(colleague, "apixaban tag:dialysis") == [question.title]


def test_moderators_without_membership_search_too(question, staff):
    staff.groups.add(Group.objects.get_or_create(name=MODERATORS)[0])
    staff.authenticator_set.create(type="totp", data={})

    assert titles(staff, "apixaban") == [question.title]
    assert "Save this search" not in page_of(staff, "apixaban").content.decode()


# Operators


def test_operators_narrow_together(question, physician, colleague, third):
    renal = make_question(colleague, "Apixaban dose on dialysis?", tags=["dosing"], kind="discussion")
    answer = make_answer(question, third, source="Two days for apixaban.")
    closing.solve_question(question=question, by=physician, answers=[answer])

    def every(text):
        return sorted(titles(third, f"apixaban {text}"))

    both = sorted([question.title, renal.title])
    assert every("tag:dialysis") == [question.title]
    assert every("-tag:dialysis") == [renal.title]
    assert every("specialty:nephrology") == every('specialty:"Nephrology"') == [renal.title]
    assert every("-specialty:nephrology") == [question.title]
    assert every("kind:question") == every("-kind:discussion") == [question.title]
    assert every("kind:question kind:discussion") == both
    assert every("solved:yes") == [question.title]
    assert every("solved:no") == [renal.title]
    assert every("status:open") == both
    assert every("status:closed") == []
    assert every("tag:dosing specialty:nephrology solved:no") == [renal.title]


def test_operators_without_words_find_openings_newest_first(question, colleague):
    make_answer(question, colleague)
    later = make_question(colleague, tags=["dialysis"])

    assert titles(colleague, "tag:dialysis") == [later.title, question.title]


def test_a_synonym_of_a_tag_finds_what_the_tag_has(question, colleague):
    Tag.objects.create(slug="hd", name="hd", merged_into=Tag.objects.get(slug="dialysis"))

    assert titles(colleague, "tag:hd") == [question.title]


def test_posts_are_found_by_when_they_were_written_and_by_references(question, colleague):
    answer = make_answer(question, source="PMID 31535829 has it.")
    Reference.objects.get_or_create(post=answer, kind="pmid", value="31535829", defaults={"place": 1})
    Post.objects.filter(pk=answer.pk).update(posted_at="2026-01-31T23:59:59Z")

    assert found(colleague, "has:reference") == [answer.pk]
    assert found(colleague, "has:reference before:2026-02") == [answer.pk]
    assert found(colleague, "has:reference after:2026-02") == []
    assert answer.pk not in found(colleague, "-has:reference after:2020")


def test_by_author_one_finds_what_stands_under_the_handle_alone(physician, colleague):
    named = make_member("quiet_murmur")
    under_handle = make_answer(make_question(colleague), named, source=BODY, byline="anonymous")
    profiles.choose_byline(member=named, mode="public", display_name="Amara Okafor, MD")
    named.refresh_from_db()
    under_name = make_answer(make_question(physician), named, source=BODY, byline="public")

    assert found(colleague, "author:Quiet_Murmur") == [under_handle.pk]
    assert found(colleague, "andexanet") == [under_handle.pk, under_name.pk]
    assert found(colleague, "author:Okafor") == []


def test_by_author_nobody_is_found_whose_page_is_closed_to_the_reader(physician, colleague):
    make_answer(make_question(colleague), physician, source=BODY)
    ties.block(blocker=physician, blocked=colleague, blocked_face=Face.HANDLE)

    page = page_of(colleague, "author:left_atrium")

    assert not page.context["results"]
    assert page.context["hints"][0][0] == "No member open to you has the handle left_atrium."


def test_by_state_one_finds_what_handles_show_and_no_more(physician, colleague, third):
    physician.state = "MN"
    physician.save()
    question = make_question(physician, byline="anonymous")

    assert titles(colleague, "state:MN") == []
    at_place(physician, state="", region="West North Central")
    assert titles(colleague, "state:MN") == []
    assert titles(colleague, 'state:"West North Central"') == [question.title]
    at_place(physician, state="MN", region="West North Central")
    assert titles(colleague, "state:minnesota") == [question.title]
    question.bylines.update(mode="public")
    assert titles(colleague, "state:MN") == []


def test_by_state_a_member_whose_page_is_closed_is_not_found(physician, colleague):
    make_question(physician, byline="anonymous")
    at_place(physician, state="MN", region="West North Central")
    ties.block(blocker=physician, blocked=colleague, blocked_face=Face.HANDLE)

    assert titles(colleague, "state:MN") == []


@pytest.mark.parametrize(
    ("text", "offered"),
    [("specialty:nefrology", "specialty:Nephrology"), ("state:Minesota", "state:Minnesota")],
)
def test_a_misspelled_name_is_offered_as_it_is_spelled(question, colleague, text, offered):
    page = page_of(colleague, f"apixaban {text}")

    assert not page.context["results"]
    assert offered in [offer for _, offer, _ in page.context["hints"]]


# Spelling, with the extension and without


@pytest.fixture(params=["trigrams", "without"])
def both_ways(request, monkeypatch, db):
    trigrams.has_trigrams.cache_clear()
    if request.param == "without":
        monkeypatch.setattr(spelling, "has_trigrams", lambda: False)
    elif not trigrams.has_trigrams():
        pytest.skip("this database has no pg_trgm")


def write_often(word, number=5):
    asker = make_member()
    for _ in range(number):
        make_question(asker, f"When do you give {word} by mouth?")
    lexemes.recount_lexemes()


@pytest.mark.parametrize(("typed", "meant"), [("metropolol", "metoprolol"), ("Amiodarne", "amiodarone")])
def test_a_misspelled_drug_is_offered_as_members_write_it(both_ways, colleague, typed, meant):
    write_often(meant)

    page = page_of(colleague, f"{typed} mouth")

    said, offer, url = page.context["hints"][0]
    assert (said, offer) == ("Did you mean", f"{meant} mouth")
    assert client_of(colleague).get(url).context["results"]


def test_a_word_in_fewer_than_five_posts_is_never_offered(both_ways, colleague):
    write_often("okaforson", number=4)

    assert page_of(colleague, "okafersan").context["hints"] == []


def test_a_word_of_discussions_one_may_not_see_is_never_offered(both_ways, colleague):
    write_often("metoprolol")
    Question.objects.update(audience="specialty")

    assert page_of(colleague, "metropolol").context["hints"] == []


def test_no_word_is_offered_that_the_tables_have_and_no_post_has_any_more(both_ways, colleague):
    Lexeme.objects.create(word="metoprolol", documents=50)

    assert page_of(colleague, "metropolol").context["hints"] == []


def test_a_misspelled_tag_is_offered(both_ways, question, colleague):
    hints = page_of(colleague, "tag:dialisys").context["hints"]

    assert "tag:dialysis" in [offer for _, offer, _ in hints]


def test_a_misspelled_handle_is_offered_unless_its_page_is_closed(both_ways, physician, colleague):
    assert [offer for _, offer, _ in page_of(colleague, "left_atrum").context["hints"]] == ["left_atrium"]
    ties.block(blocker=physician, blocked=colleague, blocked_face=Face.HANDLE)

    assert page_of(colleague, "left_atrum").context["hints"] == []


# Members


def test_members_are_found_by_the_beginning_of_the_handle(question, physician, colleague, applicant):
    page = page_of(colleague, "Left_a")

    assert [member.name for member in page.context["members"]] == ["left_atrium"]
    assert f'href="{physician.get_absolute_url()}"' in page.content.decode()
    assert not page_of(colleague, "new_att").context["members"]
    assert not page_of(colleague, "le").context["members"]
    assert not page_of(colleague, "left_a tag:dialysis").context["members"]


def test_members_are_a_kind_of_their_own(question, colleague):
    page = page_of(colleague, "left_atrium kind:member")

    assert [member.name for member in page.context["members"]] == ["left_atrium"]
    assert not page.context["results"]


def test_nobody_is_found_whose_page_is_closed_or_who_left(physician, colleague, third):
    ties.block(blocker=physician, blocked=colleague, blocked_face=Face.HANDLE)
    leaving.leave(third.user)

    assert not page_of(colleague, "left_atrium").context["members"]
    assert not page_of(colleague, "papular").context["members"]


def test_a_handle_under_a_public_name_does_not_tell_the_name(colleague):
    named = make_member("quiet_murmur")
    profiles.choose_byline(member=named, mode="public", display_name="Amara Okafor, MD")

    assert "Okafor" not in page_of(colleague, "quiet_m").content.decode()
    assert not page_of(colleague, "okafor").context["members"]


# Paging, facets, the page


@pytest.fixture
def many(physician, settings):
    settings.RESULTS_PER_PAGE, settings.MATCHES_RANKED = 4, 20
    return [make_question(physician, f"Digoxin in case {number}?") for number in range(11)]


def walk(client, text, between=lambda: None, **parameters):
    seen = []
    page = client.get("/search/", {"q": text, **parameters})
    while True:
        seen += [result.question_id for result in page.context["results"]]
        if not page.context["more_url"]:
            return seen, page
        between()
        page = client.get(page.context["more_url"], headers={"HX-Request": "true"})
        assert "<html" not in page.content.decode()


@pytest.mark.parametrize("sort", ["relevance", "newest"])
def test_pages_follow_each_other_without_gap_or_repeat_while_rows_are_written(
    many, physician, colleague, sort
):
    def write():
        question = make_question(physician, "Digoxin, digoxin, digoxin?")
        make_answer(question, source="Digoxin.")
        make_answer(many[0], source="Digoxin indeed.")

    seen, _ = walk(client_of(colleague), "digoxin", write, sort=sort)

    assert sorted(seen) == [question.pk for question in many]
    assert len(seen) == len(set(seen))


def test_only_the_newest_matches_are_ranked_and_the_way_to_older_ones_is_shown(
    many, physician, colleague, settings
):
    settings.MATCHES_RANKED = 6
    Post.objects.filter(question__in=many[:5]).update(posted_at="2026-01-05T10:00:00Z")
    Post.objects.filter(question=many[5]).update(posted_at="2026-01-09T10:00:00Z")

    seen, last = walk(client_of(colleague), "digoxin")
    older = client_of(colleague).get(last.context["older_url"])

    assert sorted(seen) == [question.pk for question in many[5:]]
    assert {result.question_id for result in older.context["results"]} <= {
        question.pk for question in many[:6]
    }
    assert "before:2026-01-10" in older.context["text"]


@pytest.mark.parametrize(
    "after", ["x", "1-2-3", "9-9-9-nan", "1-1-1-" + "9" * 40, "-1-0-0-0", "9" * 400, "1-2-3-1e999"]
)
def test_a_cursor_nobody_got_does_no_harm(many, colleague, after):
    assert page_of(colleague, "digoxin", after=after).status_code == 200


def test_common_words_are_looked_for_among_the_newest_and_none_is_missed(
    many, physician, colleague, settings
):
    """However wrong the counts of last night are."""
    settings.MATCHES_RANKED = 2
    rare = make_question(physician, "Sotalol in one case?")
    for number in range(40):
        make_question(physician, f"Something else, number {number}?")
    for documents in (1, 5, 30, 10_000):
        Lexeme.objects.update_or_create(word="sotalol", defaults={"documents": documents})
        Lexeme.objects.update_or_create(word="digoxin", defaults={"documents": documents})
        assert titles(colleague, "sotalol") == [rare.title]
        assert titles(colleague, "digoxin", sort="newest") == [many[-1].title, many[-2].title]


def skip_numbers(number):
    """As if so many posts were written in between."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT setval('questions_post_id_seq', nextval('questions_post_id_seq') + %s)", [number]
        )


@pytest.fixture
def ages(physician, settings):
    """Discussions of many years: those on digoxin many posts apart, the rare one before them all."""
    settings.RESULTS_PER_PAGE, settings.MATCHES_RANKED = 2, 5
    rare = make_question(physician, "Sotalol in one case?")
    common = []
    for apart in (3_000_000, 400_000, 60_000, 5_000, 900, 40, 0, 0):
        skip_numbers(apart)
        common.append(make_question(physician, "Digoxin as ever?", source="One more case of so many."))
    Lexeme.objects.bulk_create(Lexeme(word=word, documents=1) for word in ("digoxin", "sotalol", "case"))
    return rare, common


@pytest.mark.parametrize("share", [0.9, 0.1, 0.001, 0.0001, 0.00001])
def test_the_newest_are_found_however_far_back_one_has_to_look(ages, colleague, share):
    rare, common = ages
    newest = Post.objects.latest("pk").pk
    Lexeme.objects.update(documents=int(share * newest))

    seen, _ = walk(client_of(colleague), "digoxin")

    assert seen == [question.pk for question in reversed(common[-5:])]
    assert titles(colleague, "sotalol") == [rare.title]
    assert titles(colleague, "sotalol case") == [rare.title]
    assert titles(colleague, '"sotalol in one"') == [rare.title]
    assert titles(colleague, "case -digoxin") == [rare.title]
    assert titles(colleague, "sotalol -case") == []


def test_no_word_leads_to_an_era(ages, colleague):
    number = Post.objects.latest("pk").pk // ERAS[0]

    assert found(colleague, "digoxin")
    for text in (f"{ERAS[0]} {number}", f'"{ERAS[0]} {number}"', f"'{ERAS[0]} {number}'"):
        assert found(colleague, text) == []


@pytest.mark.parametrize("length", [1, 31 * 1_024, 31 * 8_192, 31 * 65_536])
def test_eras_hold_their_whole_stretch(length):
    low, high = 7_654_321 - length, 7_654_321

    named = [tuple(map(int, era.strip("'").split())) for era in eras_of(low, high).split(" | ")]

    assert len(named) <= MOST_ERAS + 1
    assert min(size * number for size, number in named) <= low
    assert max(size * (number + 1) for size, number in named) > high


def test_a_stretch_of_too_many_eras_is_looked_through_without_them():
    assert eras_of(0, MOST_ERAS * ERAS[-1]) is None


def test_words_and_eras_are_looked_up_in_one_index(ages, colleague):
    search = Search(parse("digoxin -warfarin"), colleague.user)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_indexscan = off")

    for posts in (search.posts, search.posts.in_eras(eras_of(0, 5_000_000))):
        plan = posts.explain()
        assert plan.count("Bitmap Index Scan on post_search") == 1
        assert "Seq Scan on questions_post" not in plan


def test_facets_count_what_the_reader_may_see_and_are_addresses(question, physician, colleague):
    make_question(colleague, "Apixaban on dialysis?", tags=["dialysis"], kind="observation")
    make_question(physician, "Apixaban among us?", tags=["dialysis", "ours"], audience="specialty")

    facets = dict(page_of(colleague, "apixaban").context["facets"])

    assert [(label, number) for label, _, number in facets["Tag"]] == [("dialysis", "2")]
    assert {label: number for label, _, number in facets["Specialty"]} == {
        "Cardiovascular Disease": "1",
        "Nephrology": "1",
    }
    narrowed = client_of(colleague).get(facets["Specialty"][0][1])
    assert len(narrowed.context["results"]) == 1
    kinds = {label: number for label, _, _, number in page_of(colleague, "apixaban").context["scopes"]}
    assert (kinds["Questions"], kinds["Observations"], kinds["Discussions"]) == ("1", "1", "")


def test_a_count_of_a_full_set_has_a_plus(many, colleague, settings):
    settings.MATCHES_RANKED = 6
    Tag.objects.create(slug="inotropes", name="inotropes")
    for question in many:
        question.tags.set(Tag.objects.all())

    facets = dict(page_of(colleague, "digoxin").context["facets"])

    assert [number for _, _, number in facets["Tag"]] == ["6+"]


def test_chips_take_an_operator_back(question, colleague):
    page = page_of(colleague, "apixaban tag:dialysis solved:no")

    chips = dict(page.context["chips"])
    assert client_of(colleague).get(chips["tag:dialysis"]).context["text"] == "apixaban solved:no"


def test_an_empty_search_offers_to_ask_it(colleague):
    page = page_of(colleague, "levosimendan in transit")

    assert "/questions/ask/?title=levosimendan+in+transit" in page.content.decode()


def test_the_page_without_a_search_explains_itself(colleague):
    page = client_of(colleague).get("/search/").content.decode()

    assert "specialty:&quot;Family Medicine&quot;" in page
    assert "Nothing found" not in page


def test_a_search_costs_the_same_few_queries_at_any_length(
    many, question, colleague_client, django_assert_num_queries
):
    lexemes.recount_lexemes()
    for text in ("digoxin", "apixaban"):
        colleague_client.get("/search/", {"q": text})
        with django_assert_num_queries(8):  # one of them for news
            colleague_client.get("/search/", {"q": text})
    with django_assert_num_queries(8):
        colleague_client.get("/search/", {"q": "apixaban tag:dialysis kind:question"})


def test_the_specialty_of_a_rare_asker_is_not_in_the_result(colleague):
    rare = make_member("lone_valve", specialty=make_specialty("Rare Thing", group="Internal Medicine"))
    make_question(rare, "Ivabradine at rest?", specialties=[colleague.specialty])

    assert "Rare Thing" not in page_of(colleague, "ivabradine").content.decode()
