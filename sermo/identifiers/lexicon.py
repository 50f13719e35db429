"""The word lists, read once when the first text is checked."""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

DATA = Path(__file__).with_name("data")
LETTERS = str.maketrans(
    {"ł": "l", "ø": "o", "ı": "i", "ß": "ss", "đ": "d", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th", "’": "'"}
)
MEDICAL = re.compile(
    r".{2}(?:itis|osis|oses|emia|aemia|oma|omas|pathy|pathies|ectomy|otomy|ostomy|plasty|scopy"
    r"|graphy|gram|metry|penia"
    r"|philia|plegia|paresis|algia|rrhea|rrhage|cyte|cytes|cytosis|lysis|megaly|stasis|stenosis"
    r"|uria|emesis|trophy|plasia"
    r"|toxic|ology|ologist|ologists|iatric|iatrics|iatry|olol|opril|sartan|statin|mab|nib|vir"
    r"|cillin|mycin|micin|floxacin"
    r"|azole|azine|azepam|azolam|barbital|caine|cept|gliptin|gliflozin|glutide|parin|xaban|gatran"
    r"|triptan|setron"
    r"|prazole|tidine|dipine|zosin|terol|sone|solone|onide|profen|coxib|thiazide|semide|tinib"
    r"|ciclib|rafenib|parib|limus"
    r"|kinra|siran|poietin|dronate|quine|bendazole|fungin|cycline|penem|virus|coccus|bacter"
    r"|bacillus|plasma|spora|myces"
    r"|cetam|triptyline|pramine|oxetine|piprazole|peridone|apine|gabalin|pentin|morphine|codone"
    r"|morphone|fentanil|entanyl"
    r"|dopa|amine|amide|zolid|vudine|citabine|rubicin|platin|taxel|fosfamide|trexate|purine|tamide"
    r"|relin|tropin|globulin"
    r"|feron|kinase|hydrate|chloride|sulfate|acetate|nitrate|phosphate|carbonate|bicarb)"
)
WORDLIKE = re.compile(
    r".{3}(?:ing|ed|ly|tion|tions|sion|ment|ments|ness|ity|able|ible|ism|ical|ically|ous|ive|ance"
    r"|ence|ancy|ency|ic|al|ate"
    r"|ated|ation|ide|ine|ase|ium|ary|ory|ized|izing|izes|ists|less|ful|ship|ward|wise|oid|eal|ous"
    r"|ious|graph|phobia|um)"
)
SURNAME = re.compile(
    r".{2}(?:ski|ska|cki|cka|wicz|czyk|czak|enko|chuk|ovich|evich|shvili|adze|escu|eanu|poulos"
    r"|poulou|idis|akis|oglu|sson"
    r"|dottir|nen|strom|quist|qvist|mann|stein|feld|baum|witz|elli|etti|ucci|acci|inho|guez|quez"
    r"|indez|andez|moto|mura"
    r"|yama|naka|saki|kawa|gawa|shita|bayashi|swamy|murthy|preet|deep|inder|jeet|zai|zadeh|nejad"
    r"|ullah|uddin|chukwu"
    r"|nkwo|wanjiru|ovic|evic|ova|eva|kova|yan|dze|opoulos|aitis|auskas|unas|ienko|yuk|hnik|oghlu"
    r"|rajan|eswari|esh"
    r"|walla|kumar|appa|gowda|anathan|ndlovu|lwa|nyama|tunde|fola|wale|ngozi|berger|hauser|huber"
    r"|meier|meyer)"
)
PLURAL = re.compile(r"(?:ies|es|s|'s)$")
ENDING = re.compile(r"(?:ing|ed|ly|er|ers|est|al|ness|able|ment)$")


def fold(word: str) -> str:
    """Lower case, without accents: as the lists are compared."""
    if word.isascii():
        return word.lower()
    word = word.lower().translate(LETTERS)
    return "".join(
        letter for letter in unicodedata.normalize("NFKD", word) if not unicodedata.combining(letter)
    )


@dataclass(frozen=True)
class Lexicon:
    given: frozenset[str]
    family: frozenset[str]
    names: frozenset[str]
    common: frozenset[str]  # names that are plain words too
    eponyms: frozenset[str]
    drugs: frozenset[str]
    capitals: frozenset[str]
    english: frozenset[str]
    towns: frozenset[str]

    def is_word(self, word: str) -> bool:
        """Whether a word, folded, is plain English or medical, with its usual endings."""
        if word in self.english or (word in self.common and word not in self.given) or MEDICAL.search(word):
            return True
        for ending in (PLURAL, ENDING):
            stem = ending.sub("", word)
            if stem != word and len(stem) > 2 and (stem in self.english or stem + "e" in self.english):
                return True
        return False

    def is_term(self, word: str) -> bool:
        """Whether a capital belongs to the word and not to a person."""
        bare = word.removesuffix("'s")
        if bare in self.eponyms or bare in self.drugs or bare in self.capitals:
            return True
        return bare.endswith("s") and (bare[:-1] in self.capitals or bare[:-1] in self.eponyms)


@cache
def lexicon() -> Lexicon:
    given, family = _read("given_names"), _read("family_names")
    common = _read("common_names")
    return Lexicon(
        given=given,
        family=family,
        names=given | family,
        common=common,
        eponyms=_read("eponyms"),
        drugs=_read("drugs"),
        capitals=_read("capitals"),
        english=_read("english"),
        towns=frozenset(word.replace("-", " ") for word in _read("places", parts=False)),
    )


def _read(name: str, parts: bool = True) -> frozenset[str]:
    """The words of a list; a line that starts with # explains, and joined names count in parts too."""
    lines = (DATA / f"{name}.txt").read_text("utf-8").splitlines()
    words = {fold(word) for line in lines if not line.startswith("#") for word in line.split()}
    if parts:
        words |= {part for word in words if "-" in word for part in word.split("-") if len(part) > 1}
    return frozenset(words)
