import pytest
from django.core.exceptions import ValidationError

from accounts import handles


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Papular", "papular"),
        ("left_atrium", "leftatrium"),
        ("nil", "n1l"),
        ("modern", "rnodern"),
        ("wave", "vvave"),
        ("soon", "s00n"),
        ("clubfoot", "c1ubfoot"),
        ("Iris", "lris"),
        ("five_lobes", "f1ve.l0be5"),
    ],
)
def test_handles_that_look_alike_have_one_key(one, other):
    assert handles.key(one) == handles.key(other)


@pytest.mark.parametrize(
    "handle",
    [
        "ab",
        "1heart",
        "a__b",
        "ends_",
        "päpular",
        "раpular",
        "quiet\u200bone",
        "ﬁbrin",
        "two words",
        "a" * 25,
        "_lead",
        "<b>x</b>",
    ],
)
def test_a_handle_of_another_shape_is_refused_with_words(handle):
    with pytest.raises(ValidationError) as refusal:
        handles.check(handle)

    assert len(refusal.value.messages[0]) > 20


@pytest.mark.parametrize(
    "handle",
    [
        "admin",
        "Adm1n",
        "moderator",
        "m0derat0r",
        "sermo",
        "Serrno",
        "sermo_help",
        "sta.ff",
        "ob5erver",
        "supp0rt",
        "Verlfied",
        "pr1vacy",
    ],
)
def test_reserved_words_and_their_lookalikes_are_refused(handle):
    with pytest.raises(ValidationError, match="reserved"):
        handles.check(handle)


def test_a_handle_that_holds_a_part_of_the_name_is_noticed():
    assert handles.contains_name("okafor_md", "Amara Okafor")
    assert not handles.contains_name("left_atrium", "Amara Okafor")
    assert not handles.contains_name("bold", "Bo Li")
    assert handles.contains_name("dr_muller", "Jörg", "Müller")
