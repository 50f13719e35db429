"""Texts of invented posts: words as often as the demonstration uses them, and a long tail of rare ones.

Nothing in them means anything to Markdown or HTML, so a paragraph is a `<p>` and no parser is needed for a million.
"""

import random
import re
import tomllib
from collections import Counter
from functools import cache
from itertools import accumulate, product
from pathlib import Path

from questions.demo.seeding import FOLDER

DIFFERENT_WORDS = 20_000
PLAIN = re.compile(
    r"[A-Z][A-Za-z0-9 ,;:()%/-]{30,160}[a-z]"
)  # a sentence of the demonstration that is bare text
LONGEST_TITLE = 140

ROOTS = """
    acro adeno adreno angio arterio arthro athero atrio audio auto baro blepharo brachio broncho bursa calci carcino
    cardio cephalo cerebro cervico chemo chole chondro chromo colpo costo cranio cryo cysto cyto dacryo dermato dextro
    diplo duodeno dyna electro encephalo entero erythro esophago fibro gastro gingivo glosso gluco glyco gono granulo
    hemato hepato hidro histo hydro hyper hystero ileo immuno inter intra iso jejuno kerato keto kypho lacto laparo
    laryngo leuko lipo litho lobo lympho macro mammo masto medulo meningo meso meta micro mono muco myelo myo narco
    naso necro nephro neuro nocto normo oculo odonto oligo onco oophoro ophthalmo orchi ortho osteo oto ovario pachy
    palato pancreato para patho peri phago pharyngo phlebo phono photo phreno plasmo pleuro pneumo polio poly procto
    prostato pseudo psycho pyelo pylo pyo radio recto renal reticulo retino rhabdo rhino sacro salpingo sarco sclero
    sebo sialo sino spermo spheno sphygmo spino splanchno spleno spondylo staphylo stereo sterno stomato strepto sub
    supra synovi tachy teno thermo thoraco thrombo thymo thyro tibio tonsillo toxo tracheo trans trichoso tropho
    tympano uretero urethro uro utero vago valvulo varico vaso veno ventriculo vertebro vesico viro viscero xeno xero
""".split()  # noqa: SIM905 - easier to read and add to than a list
ENDINGS = """
    algia blast cele centesis clasis cyte cytosis desis dynia ectasis ectomy edema emia esthesia gen genesis globin
    gram graphy itis kinesis lith logy lysis malacia mania megaly meter metry oma osis ostomy otomy oxia paresis pathy
    penia pexy phagia phasia phobia phonia plasia plasty plegia pnea poiesis ptosis rrhage rrhaphy rrhea rrhexis scopy
    spasm stasis stenosis therapy tomy toxin tripsy trophy uria xolol pril sartan statin mycin cillin floxacin azole
    dipine gliptin gliflozin glutide mab nib vir parin caine pam zepam tidine setron triptan lukast terol
""".split()  # noqa: SIM905

TITLES = (
    "{} and {} after {}: would you still treat?",
    "How do you dose {} in {} with {}?",
    "{} on {}: stop it before the procedure or bridge?",
    "Recurrent {} despite {}, what next?",
    "New {} three weeks into {}: cause or coincidence?",
    "Is {} still first choice for {} with {}?",
    "{} in pregnancy with {}: who follows it?",
    "Unexplained {}, normal {}, what am I missing?",
    "Which {} do you check before {}?",
    "{} at 82 with {} and {}: how far do you go?",
)


class Writer:
    """Writes from the shared vocabulary. What it writes depends on the generator it is handed, and on nothing else."""

    def __init__(self):
        texts = list(_demonstration())
        self.words, weights = _vocabulary(texts)
        self.weights = list(accumulate(weights))
        self.telling = [place for place, word in enumerate(self.words) if len(word) > 6]
        self.telling_weights = list(accumulate(weights[place] for place in self.telling))
        self.sentences = _sentences(texts)

    def title(self, rng: random.Random) -> str:
        form = rng.choice(TITLES)
        places = rng.choices(self.telling, cum_weights=self.telling_weights, k=form.count("{}"))
        written = form.format(*(self.words[place] for place in places))
        return written[0].upper() + written[1:LONGEST_TITLE]

    def paragraphs(self, rng: random.Random, words: int) -> list[str]:
        """About so many words in one to three paragraphs."""
        pieces = []
        while words > 0:
            if rng.random() < 0.3:
                pieces.append(rng.choice(self.sentences))
                words -= 14
            else:
                length = rng.randint(6, 15)
                chosen = rng.choices(self.words, cum_weights=self.weights, k=length)
                pieces.append(" ".join(chosen).capitalize())
                words -= length
        number = min(len(pieces), 1 + len(pieces) // 4, 3)
        return [". ".join(pieces[place::number]) + "." for place in range(number)]


@cache
def writer() -> Writer:
    return Writer()


def source_of(paragraphs: list[str]) -> str:
    return "\n\n".join(paragraphs)


def html_of(paragraphs: list[str]) -> str:
    """What `sermo.text.render_markdown` makes of the same paragraphs."""
    return "".join(f"<p>{paragraph}</p>\n" for paragraph in paragraphs)


def searchable_of(*parts: str) -> str:
    """What `sermo.text.searchable` makes of ASCII with single spaces."""
    return " ".join(parts).lower()


def _demonstration():
    """Every text of the demonstration's discussions."""
    for path in sorted(Path(FOLDER).glob("*.toml")):
        for entry in tomllib.loads(path.read_text()).get("discussion", []):
            yield entry["title"]
            yield entry["body"]
            for answer in entry.get("answer", []):
                yield answer["body"]
                yield from (comment["body"] for comment in answer.get("comment", []))


def _vocabulary(texts: list[str]) -> tuple[list[str], list[float]]:
    """Words with their weights: counted, then invented ones that get ever rarer."""
    counts = Counter(word for text in texts for word in re.findall(r"\b[a-z]{2,20}\b", text.lower()))
    known = sorted(counts, key=lambda word: (-counts[word], word))
    invented = sorted({f"{root}{ending}" for root, ending in product(ROOTS, ENDINGS)} - counts.keys())
    random.Random("words of the load").shuffle(invented)  # noqa: S311 - the same every time is the purpose
    words = [*known, *invented][:DIFFERENT_WORDS]
    half = len(known) / 2
    return words, [counts.get(word) or half / place for place, word in enumerate(words, start=1)]


def _sentences(texts: list[str]) -> list[str]:
    pieces = (piece.strip() for text in texts for piece in re.split(r"[.\n]", text))
    return sorted({piece for piece in pieces if PLAIN.fullmatch(piece) and "  " not in piece})
