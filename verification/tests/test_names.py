import pytest

from verification import names
from verification.names import PersonName, first_key, judge, last_key, name_key, name_score


@pytest.mark.parametrize(
    ("last", "first", "key"),
    [
        ("De la Cruz", "Mary Ann", "delacruz mary"),
        ("O'BRIEN", "PAT", "obrien pat"),
        ("Smith-Jones, MD", "J.", "smithjones j"),
        ("Smith Jr.", "John", "smith john"),
        ("Do", "Kim", "do kim"),
        ("Ma", "Li", "ma li"),
        ("MÜLLER", "JÖRG", "muller jorg"),
        ("Mueller", "Joerg", "muller jorg"),
        ("MacDonald", "Ann", "mcdonald ann"),
        ("St. Clair", "Eve", "saintclair eve"),
        ("NGUYỄN", "VĂN", "nguyen van"),
        ("  ", "", ""),
    ],
)
def test_names_have_a_normal_form(last, first, key):
    assert name_key(last, first) == key


def test_keys_come_apart_too():
    assert (last_key("De la Cruz"), first_key("Mary Ann")) == ("delacruz", "mary")


HARD_PAIRS = [
    (("Müller", "Anna"), ("MUELLER", "ANNA")),
    (("Muller", "Anna"), ("MUELLER", "ANNA")),
    (("Saint-Johnson", "Rafael"), ("ST. JOHNSON", "RAFAEL")),
    (("McDonald", "Bill"), ("MACDONALD", "WILLIAM")),
    (("Mac Donald", "Will"), ("MCDONALD", "WILLIAM")),
    (("Ali", "Muhammad"), ("ALI", "MOHAMED")),
    (("Mohammed", "Omar"), ("MUHAMMAD", "OMAR")),
    (("Jones", "Peggy"), ("SMITH-JONES", "MARGARET")),
    (("Garcia Lopez", "Maria"), ("GARCIA", "MARIA")),
    (("De la Cruz", "Pepe"), ("DELACRUZ", "JOSE")),
    (("O'Brien", "Pat"), ("OBRIEN", "PATRICIA")),
    (("Johnson", "Jon"), ("JOHNSON", "JOHN")),
    (("Do", "Kim"), ("DO", "KIMBERLY")),
    (("Petrov", "Sasha"), ("PETROV", "ALEXANDER")),
    (("Jonson", "J"), ("JOHNSON", "JOHN")),
]


@pytest.mark.parametrize(("claimed", "registry"), HARD_PAIRS)
def test_the_same_name_written_otherwise_is_accepted(claimed, registry):
    assert name_score(PersonName(*claimed), PersonName(*registry)).verdict == "accepted"


@pytest.mark.parametrize(
    ("claimed", "registry"),
    [
        (("Smith", "John"), ("SMYTH", "JOHN")),
        (("Smith", "Ann"), ("SMITH", "MARY", "ANN")),
        (("Martin", "Ana"), ("MARTINEZ", "ANA")),
        (("Chan", "Amy"), ("CHANG", "AMY")),
        (("Hsu", "Amy"), ("XU", "AMY")),
        (("Haddad", "Amy"), ("ALHADDAD", "AMY")),
        (("Garcia Lopez", "Amy"), ("GARCIA RUIZ", "AMY")),
        (("Lopez", "Amy"), ("GARCIA", "AMY", "LOPEZ")),
        (("Garcia", "Amy", "Lopez"), ("LOPEZ", "AMY")),
        (("Smith", "Daniel"), ("SMITH", "DANIELLE")),
        (("Smith", "Christian"), ("SMITH", "CHRISTINA")),
        (("Smith", "Juan"), ("SMITH", "JOHN")),
        (("Smith", "Dickie"), ("SMITH", "RICHARD")),
        (("Smith", "Gigi"), ("SMITH", "GEORGINA")),
        (("Smith", "Bella"), ("SMITH", "CHIARABELLA")),
        (("Li", "Xiao Ming"), ("LI", "XIAO HONG")),
        (("Li", "Hsiaoming"), ("LI", "XIAOMING")),
        (("Smith", "J.R."), ("SMITH", "JOHN", "ROBERT")),
        (("Smith", "Robert", "John"), ("SMITH", "JOHN")),
        (("Wei", "Zhang"), ("ZHANG", "WEI")),
        (("Thanh", "Nguyen Van"), ("NGUYEN", "THANH", "VAN")),
    ],
)
def test_what_may_be_the_same_name_is_for_people_to_decide(claimed, registry):
    assert name_score(PersonName(*claimed), PersonName(*registry)).verdict == "review"


@pytest.mark.parametrize(
    ("claimed", "registry", "score"),
    [
        (("De la Cruz", "Ana"), ("DELACRUZ", "ANA"), names.SAME),
        (("Smith", "Ana"), ("SMITH-JONES", "ANA"), names.PART_OF_NAME),
        (("van der Berg", "Ana"), ("BERG", "ANA"), names.PART_OF_NAME),
        (("St. Clair", "Ana"), ("STCLAIR", "ANA"), names.PART_OF_NAME),
        (("Petrova", "Ana"), ("PETROV", "ANA"), names.BY_EAR),
        (("Hussein", "Ana"), ("HUSSAIN", "ANA"), names.BY_EAR),
        (("Smith", "J"), ("SMITH", "JOHN"), names.PART_OF_NAME),
        (("Smith", "Maryann"), ("SMITH", "MARY", "ANN"), names.PART_OF_NAME),
        (("Smith", "Sridhar"), ("SMITH", "SREEDHAR"), names.PART_OF_NAME),
        (("Smith", "Johnathann"), ("SMITH", "JOHNATHAN"), names.BY_EAR),
    ],
)
def test_the_table_of_scores(claimed, registry, score):
    assert name_score(PersonName(*claimed), PersonName(*registry)).score == score


@pytest.mark.parametrize(
    ("claimed", "registry", "verdict"),
    [
        (("Smith", "John", "A"), ("SMITH", "JOHN", "BERT"), "review"),
        (("Smith", "John", "A"), ("SMITH", "JOHN", "ALBERT"), "accepted"),
        (("Smith", "John", "A"), ("SMITH", "JOHN"), "accepted"),
        (("Smith", "Ann", "Jones"), ("JONES-SMITH", "ANN", "MARIE"), "accepted"),
        (("Smith", "John", "", "Jr."), ("SMITH", "JOHN", "", "SR"), "review"),
        (("Smith Jr", "John"), ("SMITH", "JOHN", "", "III"), "review"),
        (("Smith Jr", "John"), ("SMITH", "JOHN", "", "II"), "accepted"),
        (("Smith Jr", "John"), ("SMITH", "JOHN"), "accepted"),
    ],
)
def test_a_relative_or_namesake_is_told_by_middle_name_and_generation(claimed, registry, verdict):
    assert name_score(PersonName(*claimed), PersonName(*registry)).verdict == verdict


@pytest.mark.parametrize(
    ("claimed", "registry"),
    [
        (("Smith", "John"), ("SCHMIDT", "JOHN")),
        (("Lee", "Bob"), ("LEE", "ALICE")),
        (("", "Bob"), ("LEE", "BOB")),
        (("Lee", ""), ("LEE", "BOB")),
        (("Lee", "Bob"), ("", "")),
        (("La", "Ana"), ("DE LA CRUZ", "ANA")),
        (("Smith", "Mark"), ("SMITH", "MARY")),
        (("Wei", "Zhang"), ("ZHANG", "MIN")),
    ],
)
def test_another_name_is_refused(claimed, registry):
    assert name_score(PersonName(*claimed), PersonName(*registry)).verdict == "refused"


def test_a_former_name_counts_in_full_and_borrows_the_first_name():
    registry = PersonName("VASQUEZADO", "SUSANNAH")

    scored = name_score(PersonName("Pettigrove", "Sue"), registry, PersonName("PETTIGROVE", ""))

    assert scored.verdict == "accepted"


@pytest.mark.parametrize(
    ("score", "verdict"), [(0.92, "accepted"), (0.919, "review"), (0.85, "review"), (0.849, "refused")]
)
def test_the_thresholds(score, verdict):
    assert judge(score) == verdict
