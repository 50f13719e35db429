"""Names. After a title or a label they must go; of a capital that belongs to no known word the author judges."""

import re
from collections.abc import Iterator
from itertools import islice

from sermo.identifiers.findings import DOUBT, STOP, Finding
from sermo.identifiers.lexicon import MEDICAL, SURNAME, WORDLIKE, fold, lexicon

WORD = re.compile(r"[^\W\d_](?:[^\W_]|['’.-](?=[^\W\d_]))*")
UPPER = "A-ZÀ-ÖØ-ÞĀĂĄĆĈĊČĎĐĒĘĚĜĞĠĢĤĦĨĪĮİĴĶĹĻĽŁŃŅŇŌŐŒŔŘŚŜŞŠŢŤŨŪŬŮŰŲŴŶŸŹŻŽƠƯȘȚẠ-ỹ"
NAME = rf"(?:(?<![\w-])(?<!\w['’])[{UPPER}][\w'’-]{{0,40}}\.?)"
PARTICLE = (
    r"(?:de\s+la|de\s+los|de\s+las|van\s+der|van\s+den|von\s+der|van|von|der|den|de|del|della|di"
    r"|da|dos|das|do|du|la|le|el|al|bin|bint|ibn|ben|abu|y|e|zu|ter|ten|st\.?)"
)
NAMES = rf"(?:{NAME}|{PARTICLE})(?:[ \t]+(?:{PARTICLE}[ \t]+)?{NAME}){{0,3}}"
TITLE = (
    r"(?:Mr|Mrs|Ms|Mx|Miss|Mister|Missus|Dr|Drs|Doctor|Prof|Professor|Sra?|Srta|Se[nñ]or(?:a|ita)?"
    r"|Do[nñ]a|Herr|Frau|Fr[aä]ulein|Monsieur|Madame|Mme|Mlle|Mademoiselle|Signora?|Signore"
    r"|Signorina|Sig\.ra|Senhora?|Meneer|Mevrouw|Gospodin|Gospozha|Shri|Smt|Shrimati|Sheikh|Shaikh"
    r"|Haji|Hajji|Ustadh?|Rev|Reverend|Rabbi|Imam|Capt|Captain|Sgt|Sergeant|Lt|Lieutenant|Maj|Cpl"
    r"|Pvt|Kyrios|Kyria|Khun|Datuk|Tuan|Puan|Encik|Bapak|Ibu|Effendi|Mzee|Alhaji|Alhaja|Chief|Ato"
    r"|Weizero|Woizero|Pani|Doutor|Doktor|Dott|Ing|Maestro|Mstr|Madam|Dame|Sir|Lady)"
)
TITLED = re.compile(
    rf"(?<![\w.-])(?P<title>{TITLE}|(?i:mr|mrs|ms|dr|miss))\.?(?:[ \t]+and[ \t]+(?:Mrs|Mr|Ms"
    rf"|Dr)\.?)?(?:(?<=\.)|[ \t])[ \t]*(?P<name>{NAMES})"
)
TITLED_LOWER = re.compile(
    r"(?<![\w.-])(?P<title>mr|mrs|ms|dr|miss|mister|doctor|sra|señora|herr|frau|Mr|Mrs|Ms|Dr|MR"
    r"|MRS|MS|DR)(?:\.[ \t]*|[ \t]+)(?P<name>[^\W\d_]+(?:['’-][^\W\d_]+)*(?:[ \t]+[^\W\d_]{3,})?)"
)
ROLE = re.compile(
    rf"(?<![\w.-])(?P<title>(?i:baby(?:\s+(?:boy|girl))?|bb|bg|twin\s+[ab]|firefighter|medic|emt"
    rf"|paramedic|dispatcher|agent|warden|nurse|sister|brother|father|pastor|officer|detective"
    rf"|deputy|judge|attorney|coach|aunt(?:ie)?|uncle|grandma|grandpa|t[ií][ao]|abuel[ao]|oma|opa"
    rf"|major|colonel|fr|col|hon|private|principal|sen|don|sri|pan|m|dom|dona|sheriff|counselor"
    rf"|therapist|midwife|social\s+worker|case\s+manager|pharmacist|surgeon|attending|resident"
    rf"|intern|fellow|cardiologist|neurologist|oncologist|pcp|provider|physician|teacher|trooper"
    rf"|lawyer|rn|np|pa|aide))\.?[ \t]+(?P<name>{NAME}(?:[ \t]+(?:{PARTICLE}[ \t]+)?{NAME}){{0,2}})"
)
LABEL = re.compile(
    rf"(?<![\w-])(?:(?i:(?:patient|pt|client|resident|full|first|last|given|family|middle|maiden"
    rf"|legal|preferred|mother['’]?s|father['’]?s|next\s+of\s+kin|kin|emergency\s+contact|guardian"
    rf"|spouse|caregiver|his|her|their|my|the)(?:['’]s)?\s+)?(?i:name|surname|nom|nombre|vorname"
    rf"|nachname|cognome|apellido|imię|imya|nome)s?(?:\s+(?i:of\s+(?:the\s+)?(?:patient"
    rf"|pt)))?(?:\s+(?i:is|was|are))?\s*[:=|-]?"
    r"|(?i:patient|pt|client|paciente|re|regarding|signed|signature|contact|next\s+of\s+kin|nok"
    r"|guardian|attending|ordering(?:\s+(?:provider|physician))?|referring(?:\s+(?:provider"
    r"|physician))?|pcp|provider|surgeon|author|dictated\s+by|electronically\s+signed\s+by|cc"
    r"|caregiver|poa|proxy|emergency\s+contact|spouse|mother|father|informant|insured|subscriber"
    r"|guarantor|from|to|dear|relationship|witness|prepared\s+by|reported\s+by|requested\s+by"
    r"|seen\s+by|read\s+by|tech(?:nician)?|nurse|therapist|interpreter|driver|owner|registrant"
    r"|victim|subject|caller|called\s+by|taken\s+by|released\s+to|sent\s+to|applicant"
    r"|policy\s?holder|responsible\s+party|employer|daughter|son|wife|husband|sister|brother"
    r"|parent|guardian|doctor|md|attn|attention|a/p|member)\s*[:|]"
    r"|(?i:i,|records?\s+of|on\s+behalf\s+of|behalf\s+of|to\s+the\s+attention\s+of"
    r"|release[ds]?\s+(?:\w+\s+)?to|released?\s+by|authorized?\s+by|representative:?"
    r"|witness(?:ed\s+by)?:?|certify\s+that|hx:|hpi:|dictating\s+on|regarding|named|aka|a\.k\.a\."
    r"|n[ée]e|goes\s+by|known\s+as|alias|(?:s?he|patient|i)(?:['’]s|\s+is|\s+was)\s+called"
    r"|is\s+called|answers\s+to|i\s+am|my\s+name\s+is|this\s+is|signed(?:\s+by)?|dear|c/o|nok"
    r"|next\s+of\s+kin|emergency\s+contact|master|poa|regards|sincerely|respectfully|yours\s+truly"
    r"|gratefully|hi|hello),?)(?:(?<=[:|])\s*|\s+)"
    rf"(?P<name>{NAME}(?:,?[ \t]+(?:{PARTICLE}[ \t]+)?{NAME}){{0,3}})"
)
PATIENT = re.compile(
    rf"(?<![\w-])(?i:patients?|pt|client|case\s+of|inmate)['’]?s?,?[ \t]+(?:(?i:is|was|named"
    rf"|called)[ \t]+)?(?P<name>{NAME}(?:,?[ \t]+(?:{PARTICLE}[ \t]+)?{NAME}){{0,3}})"
)
LOWER_LABEL = re.compile(
    r"(?i)\b(?:named|(?:patient|pt|full|first|last|my|his|her|the)?\s*name(?:\s+is|\s+was)?\s*[:="
    r"|-]?|patient|pt|pcp\s*:?|surgeon\s*:|attending\s*:?|nok\s*:?|contact\s*:|signed|c/o"
    r"|re:|doctor|nurse|officer)\s+(?P<name>[a-zà-ÿ'’-]{3,}(?:,?[ \t]+[a-zà-ÿ'’-]{3,})?)"
)
INITIALS = re.compile(
    rf"(?<![\w-])(?i:patient|pt|initials?(?:\s+(?:are|is|of))?|mr|mrs|ms|miss"
    rf"|dr)\.?\s*:?[ \t]+(?P<name>(?:[{UPPER}]\.[ -]?){{2,4}}|[{UPPER}]\.(?=\s|,|$)"
    rf"|[{UPPER}]{{2,3}}(?=\s+(?:is|was|has|had|came|presented|,|\d))"
    rf"|(?<=initials )[{UPPER}]{{2,4}}\b|(?<=[rs.] )[{UPPER}](?=\s+(?:was|is|has|had|came"
    rf"|presented)\b|\s*[,.;\n]|\s*$))"
)
CREDENTIAL = re.compile(
    rf"(?<![\w-])(?P<name>{NAME}(?:[ \t]+{NAME}){{0,2}}[ \t]+{NAME}),?[ \t]+(?:M\.?D|D\.?O|R\.?N"
    rf"|N\.?P|P\.?A(?:-C)?|Ph\.?D|DNP|FNP|APRN|CRNA|LCSW|LPN|MBBS|FRCP|FRCS|FACP|FACS|FACC|DPM|DDS"
    rf"|DMD|PharmD|Jr|Sr|Esq|III)\b\.?"
)
HONORIFIC = re.compile(
    rf"(?<![\w-])(?P<name>{NAME}(?:-(?:san|sama|kun|chan|sensei|ssi|nim|ji|jee|saheb|sahib|bhai|ben"
    rf"|didi))|{NAME}[ \t]+(?:Bey|Hanım|Hanim|Abla|Teyze|Efendi|Sahib|Saheb|Begum|Bai|Bhai|Khanum"
    rf"|Khanom|Agha|ji|san))(?![\w-])"
)
RELATIVE = (
    r"(?:mother|father|mom|mum|dad|wife|husband|son|daughter|brother|sister|uncle|aunt|cousin|twin"
    r"|niece|nephew|grand(?:mother|father|son|daughter|child|ma|pa)|friend|boyfriend|girlfriend"
    r"|fiancée?|partner|neighbou?r|roommate|stepson|stepdaughter|stepfather|stepmother|spouse"
    r"|caregiver|aide|boy|girl|baby|child|toddler|infant|kid|teenager|man|woman|lady|gentleman"
    r"|gentle|guy|sibling|widow|widower|mother-in-law|father-in-law|son-in-law|daughter-in-law"
    r"|sister-in-law|brother-in-law|patient|pt|client|colleague|nurse|coworker|boss|landlord"
    r"|pastor|dog|cat|owner|teacher|farmer|driver|veteran|friend)"
)
LEFT_CUE = re.compile(
    rf"(?i)(?:\b(?:{RELATIVE})(?:\s+is|\s+named)?,?|\b(?:i\s+saw|saw|seeing|met|called|calling|told"
    rf"|asked|admitted|discharged|intubated|named|labs\s+for|consent\s+for|about|worried\s+about"
    rf"|regarding|yesterday|today|tonight|does|did|has|poor|little|old|dear|our|after\s+surgery"
    rf"|and\s+his\s+wife|thank|thanks|hi|hello|per|according\s+to|examined|scanned|consented"
    rf"|met\s+with|spoke\s+(?:to|with)|talked\s+(?:to|with)|follow(?:ing|ed)?|mri\s+of|ct\s+of"
    rf"|echo\s+of|notes?\s+on|update\s+on|case\s+of|chart\s+of|again|cc|for|sent|referred"
    rf"|transferred|of|is|was|by|from|with))\s+[\"“]?$"
)
RELATIVE_CUE = re.compile(
    rf"(?i)\b(?:(?:his|her|their|my|the|a|our|older|younger|twin|late|patient['’]?s"
    rf"|and)\s+)+{RELATIVE}(?:\s+is|\s+named)?,?\s+$|^{RELATIVE},?\s+$|\b(?:mother|father|wife"
    rf"|husband|daughter|son|sister|brother)\s+$"
)
RIGHT_CUE = re.compile(
    r"(?:['’]s\s+(?:\w+\s+)?(?:creatinine|sodium|potassium|labs?|scan|mri|ct|echo|mother|father"
    r"|wife|husband|son|daughter|brother|sister|family|chart|rash|pain|knee|hip|heart|blood|bp"
    r"|pressure|hemoglobin|platelets|a1c|biopsy|surgery|wound|leg|arm|chest|cough|fever|eye|baby"
    r"|house|room|bed|kids|dog)"
    r"|,?\s+(?:has\s+had|had\s+(?:a|an|his|her|been|two|three|no)|has\s+(?:a|an|been|no|type|his"
    r"|her|two|three)|is\s+(?:a\s+\d|an?\s+(?:\w+\s+)?(?:year|man|woman|patient|farmer|teacher"
    r"|nurse|veteran|smoker)|\d|in\s+(?:her|his)|allergic|doing|worried|still|back|now|on|my|our"
    r"|her|his|afraid|pregnant|stable|home|not)|was\s+(?:a|started|seen|admitted|found|discharged"
    r"|intubated|given|told|transferred|brought|born|referred|in|on|not|never|put|diagnosed"
    r"|extubated|switched|scanned)|came\s+(?:in|back|to|with|by)|comes\s+(?:in|back|to)|presented"
    r"|presents|says|said|told|tells|asked|asks|lives|lived|works|worked|wants|wanted|went|goes"
    r"|took|takes|stopped|stops|started\s+(?:her|his|on)|fell|died|passed|denies|denied|refuses"
    r"|refused|reports|reported|complains|complained|thinks|drives|drove|moved|called|calls|feels"
    r"|felt|did\s+not|does\s+not|didn['’]t|doesn['’]t|won['’]t|needs|needed|smokes|drinks|returned"
    r"|woke|developed|underwent|tolerated|here\s+again|here\s+for|again|and\s+(?:her|his|their"
    r"|I)\b|will\s+(?:see|need|come|be\s+seen)|would\s+(?:like|not\s+take)|has|who|whose|never"
    r"|keeps|kept|still\s+(?:has|takes|drives|works|smokes)|swears|insists|hates|loves"
    r"|,?\s*\d{1,3}\s?(?:[MF]\b|yo|y/o|years|,)))"
)
ANIMATE = re.compile(
    r",?\s+(?:has\s+had|says|said|told|tells|asked|asks|lives|works|went|stopped\s+(?:her|his)"
    r"|fell|died|denies|refuses|reports|wants|thinks|did\s+not\s+(?:wake|want|come|take|show)"
    r"|is\s+(?:allergic|my|our|on\s+my|worried|afraid|pregnant|a\s+\d|\d)|came\s+(?:in|back)|who\b"
    r"|came\b|called\b)|['’]s\s+(?:mother|wife|husband|daughter|son|labs|chart|creatinine|brother"
    r"|sister|family)|,\s+\d{1,3}\s?(?:[MF]\b|yo|y/o|,)"
)
LOWER_SEEN = re.compile(r"(?i)\b(?:saw|called|paged|told|met|texted|rang|seen)\s+$")
LOWER_AFTER = re.compile(
    r"\s+(?:again|here|today|back|yesterday|in\s+clinic|this\s+morning)|,|\s*$|\s+(?:about|for)\b"
)
VERB = re.compile(
    r",?\s+(?:has\s+had|had\s+a|was\s+(?:started|admitted|seen|discharged|intubated)|came\s+(?:in"
    r"|back)|presented|says|said|told|asked|lives|works|went|stopped\s+(?:her|his)|fell|died"
    r"|denies|refuses|reports|is\s+(?:allergic|a\s+\d|\d)|did\s+not|wants|called|who\b)"
    r"|['’]s\s+(?:mother|wife|husband|daughter|son|labs|chart|creatinine)|,\s+\d{1,3}\s?(?:[MF]\b"
    r"|yo|y/o|,)"
)
STRONG_NOUN = (
    r"(?:disease|diseases|syndromes?|signs?|tests?|scores?|scales?|criteria|criterion"
    r"|classification|procedure|operation|maneuver|manoeuvre|reflex|palsy|triad|tetrad|pentad|law"
    r"|phenomenon|paradox|reaction|staging|grading|index|formula|equation|rules?|stain|agar"
    r"|catheter|fracture|anomaly|deformity|contracture|position|incision|triangle|ligament|method"
    r"|technique|repair|protocol|regimen|questionnaire|inventory)"
)
STRONG_NEXT = re.compile(rf"[-\s]{{1,2}}(?:[a-z]{{1,20}}[-\s]{{1,2}})?{STRONG_NOUN}\b")
EPONYM_OF_ONE = re.compile(
    r"['’]s?\s+(?:disease|syndrome|sign|test|criteria|law|phenomenon|triad|classification"
    r"|procedure|maneuver|formula|equation)\b"
)
EPONYM_NEXT = re.compile(
    r"(?:['’]s?)?[-\s]{1,2}(?:[a-z]{1,20}[-\s]{1,2})??(?:disease|diseases|syndromes?|sign|signs|tests?|scores?"
    r"|scales?|criteria|criterion|classification|procedure|operation|maneuver|manoeuvre|reflex"
    r"|palsy|lymphoma|sarcoma|tumou?r|cells?|bod(?:y|ies)|lines?|rings?|ducts?|glands?|nodes?"
    r"|grades?|stage|staging|type|types|fracture|fractures|contracture|arthropathy|anemia"
    r"|thyroiditis|disorder|phenomenon|esophagus|oesophagus|ulcers?|nodules?|papules?|purpura"
    r"|catheters?|tubes?|drains?|clamp|retractor|forceps|needle|stain|agar|medium|solution|lactate"
    r"|formula|equation|index|rules?|triad|tetrad|pentad|law|effect|fissure|pouch|triangle"
    r"|ligament|fascia|line|space|angle|canal|foramen|muscle|tendon|nerve|ganglion|artery|vein"
    r"|fistula|shunt|graft|flap|incision|approach|technique|method|repair|resection|bypass"
    r"|anastomosis|fundoplication|sling|block|position|view|tape|filter|valve|balloon|device|pump"
    r"|wire|rod|pin|screw|plate|cast|splint|brace|collar|boot|wrap|bandage|pack|risk|protocol"
    r"|regimen|guidelines?|trial|study|paper|regression|curve|plot|analysis|model|estimator"
    r"|correction|coefficient|distribution|statistic|hypothesis|paradox|pattern|wave|waves|pulse"
    r"|murmur|rhythm|breathing|respirations?|facies|hump|spots?|dots|plaques?|sore|gangrene|angina"
    r"|chorea|ataxia|encephalopathy|dementia|psychosis|delirium|neuropathy|myopathy|dystrophy"
    r"|nephropathy|nephritis|cirrhosis|colitis|vasculitis|arteritis|aneurysm|malformation"
    r"|deformity|hernia|cyst|abscess|mastitis|melanoma|carcinoma|leukemia|anomaly|complex|zone"
    r"|score|coma|outcome|inventory|questionnaire|interview|staging|level|thickness|lamp|chart"
    r"|goggles|gauze|dressing|boots?|paste|laser|microscope|dish|jar|virus|fever|encephalitis"
    r"|spirochete|and\s+\w+\s+criteria|units?|prep|stance|II|III|IV|I\b|[A-D]\b|\d|positive"
    r"|negative|receptor|factor|antigen|antibod(?:y|ies)|islets?|crypts?|patch(?:es)?|tubules?"
    r"|capsule|corpuscles?|fibers?|threads?|membrane|cartilage|bone|process|notch|crest|tubercle"
    r"|spur|joint|knee|elbow|thumb|toe|finger|foot|arch|hand|eye|lens|ear|nose|tongue|tooth|teeth"
    r"|jaw|neck|hip|gait|tremor|tic|seizure|epilepsy|aphasia|area|cortex|nucleus|loop|circle"
    r"|plexus|sinus|aqueduct|cistern|bleed|tear|lesion|web|stricture|polyp|varices|ascites"
    r"|circulation|crisis|reaction|hypersensitivity|response|cytopenia|gammopathy"
    r"|macroglobulinemia|granulomatosis|histiocytosis|amyloid|deficiency|mutation|karyotype"
    r"|chromosome|gene|allele|inheritance|experiment|report|committee|task|working|group|consensus"
    r"|statement|definition|principles?|stool|screen|screening|inhibitors?|vaccines?)",
)
ORGANIZATION_NEXT = re.compile(
    r"\s+(?:Society|Association|Academy|College|Institute|Foundation|Network|Collaboration"
    r"|Consortium|Trial|Study|Group|Registry|Initiative|Council|Committee|Commission|Guidelines?"
    r"|Program|Project|Journal|Review|Reviews|Act|Score|Scale|Index|Criteria|Questionnaire"
    r"|Inventory|Protocol|Syndrome|Disease|Classification|Test|Sign|Rule|Method|Model|Medicine"
    r"|Database|Library|Award|Lecture|Textbook|Manual)\b"
)
DRUG_CUE = re.compile(
    r"(?i)\b(?:on|start(?:ed|ing)?|stop(?:ped|ping)?|hold(?:ing)?|held|switch(?:ed)?\s+to"
    r"|prescribed?|added?|add|titrated?|taking|takes|took|dose\s+of|doses\s+of|using|use|used"
    r"|tried|try|trial\s+of|failed|continue[ds]?|brand|generic|increased?|lowered?|versus|vs\.?|or"
    r"|plus|than|to|of|instead\s+of|resumed?|restarted?|refill(?:ed)?|approved|covers?|like)\s+$"
)
DRUG_STRONG_CUE = re.compile(
    r"(?i)\b(?:on|start(?:ed|ing)?|stop(?:ped|ping)?|hold(?:ing)?|switch(?:ed)?\s+to"
    r"|prescribe[ds]?|titrated?|taking|takes|doses?\s+of|refill(?:ed)?|failed)\s+$"
)
DOSE_NEXT = re.compile(
    r"(?i)(?:®|™)?\s+(?:\d+(?:[.,/]\d+)*\s*(?:mg|mcg|µg|units?|u\b|iu|g\b|ml|%|bid|tid|qd|daily"
    r"|po\b|iv\b|sc\b|weekly|q\d)|bid|tid|daily|weekly|infusion|drip|gtt|tablets?|pens?|injection"
    r"|inhaler|patch|cream|drops|level|trough|\d+\b(?!\s*(?:[MF]\b|yo|y/o|year)))"
)
FULL_RELATIVE = re.compile(
    rf"(?<![\w-])(?i:wife|husband|son|daughter|mother|father|brother|sister|spouse|guardian"
    rf"|caregiver|partner|aunt|uncle|niece|nephew"
    rf"|neighbor)\s+(?P<name>{NAME}[ \t]+(?:{PARTICLE}[ \t]+)?{NAME})"
)
CELL = re.compile(
    rf"(?:(?<=\|)|(?<=\t)|^)[ ]*(?P<name>{NAME}(?:,?[ ]+(?:{PARTICLE}[ ]+)?{NAME}){{1,3}})[ ]*(?=\|"
    rf"|\t)",
    re.MULTILINE,
)
CARET = re.compile(r"(?<![\w-])(?P<name>[^\W\d_]{2,}\^[^\W\d_]{2,}(?:\^[^\W\d_]+)*)")
LISTED = re.compile(
    rf"(?<![\w-])(?P<name>{NAME},[ ]*{NAME}(?:[ ]+[{UPPER}]\.?)?)(?=[,;|]?\s*(?:\d{{4,}}\b"
    rf"|\(?\d{{1,3}}\s?(?:yo|y/o|[MFmf]\b|,)|[MF]\b|\d{{1,2}}[/.-]\d|\d{{4}}-\d|\d{{5,}}|DOB|MRN"
    rf"|mrn|dob|SSN|age\b))"
)
ALPHABETS = (
    r"\u0400-\u058f\u0590-\u06ff\u0900-\u0eff\u0f00-\u109f\u10a0-\u11ff\u1200-\u137f\u1780-\u17ff"
    r"\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
)
SCRIPT = re.compile(
    rf"[{ALPHABETS}]{{2,}}(?:[ \u200c'-]+[{ALPHABETS}]{{2,}})*"
    r"|[\u0370-\u03ff\u1f00-\u1fff]{4,}(?:\s+[\u0370-\u03ff\u1f00-\u1fff]{3,})*"
)
SPELLED_OUT = re.compile(
    rf"(?<![\w-])(?P<name>[{UPPER}]{{3,}}(?:-[{UPPER}]+)?,[ \t]+[{UPPER}]{{3,}}(?:[ \t]+[{UPPER}]\.?)?)(?![\w-])"
)
INNER = re.compile(
    rf"^(?:Mc|Mac|De|Di|Du|La|Le|Van|Von|El|Al|Ab|O['’]|D['’]|L['’]|N['’]|M['’]|Fitz"
    rf"|St)[{UPPER}][^\W\d_{UPPER}]+(?:['’]s)?$"
)
PLAIN = re.compile(rf"^[{UPPER}][^\W\d_{UPPER}]+(?:['’][^\W\d_]+)?(?:-[{UPPER}]?[^\W\d_{UPPER}]+)*$")
GIVEN_ALSO_TERMS = frozenset(
    [
        "carina",
        "vera",
        "alba",
        "aurora",
        "viola",
        "stella",
        "prima",
        "nova",
        "cora",
        "alma",
        "dura",
        "regina",
        "petra",
        "marina",
        "aura",
        "venus",
        "portia",
        "fauna",
        "flora",
        "gloria",
        "delta",
        "rima",
        "tone",
        "lana",
        "nevin",
        "lesion",
        "maura",
        "pia",
        "luna",
        "lima",
        "salmon",
        "virgin",
        "mirena",
        "yasmin",
        "gene",
        "kit",
        "eve",
        "iris",
    ]
)
LOWER_CUE = re.compile(
    r"(?i)(?:^|\b(?:saw|called|for|told|with|about|patient|pt|is|named|wife|husband|mother|father"
    r"|son|daughter|brother|sister|friend|and|does|did|admitted|seen|of|met|by|hi|dear)\s+)$"
)
REASON_TITLE = "Name after a title."
REASON_LABEL = "Name of a person."
REASON_FULL = "Given name and surname."
REASON_NAME = "Looks like a name."
REASON_WORD = "A word with a capital that is not known here. Is it a name or a place?"


class Word:
    """One word of the text and what the lists say of it."""

    __slots__ = ("end", "folded", "opens", "parts", "start", "text")

    def __init__(self, start: int, end: int, text: str, opens: bool):
        self.start, self.end, self.text = start, end, text
        self.opens = opens  # it begins a sentence, a line or a cell, where every word has a capital
        self.folded = fold(text).removesuffix("'s").removesuffix("'").strip(".")
        self.parts = [part for part in self.folded.split("-") if part] or [self.folded]

    @property
    def is_capitalized(self) -> bool:
        if (
            not self.text[0].isupper()
            or len(self.folded) < 2
            or self.folded in {"st", "saint", "mt", "mount", "fort"}
        ):
            return False
        return bool(PLAIN.match(self.text) or INNER.match(self.text))

    @property
    def is_shouted(self) -> bool:
        return len(self.text) > 3 and self.text.isupper()

    @property
    def is_name(self) -> bool:
        names = lexicon().names
        return (
            self.folded in names
            or ("'" in self.folded and self.folded.replace("'", "") in names)
            or (len(self.parts) > 1 and all(part in names for part in self.parts))
        )

    @property
    def is_given(self) -> bool:
        return self.parts[0] in lexicon().given

    @property
    def is_term(self) -> bool:
        """A capital of its own: an eponym, a drug, a country. A joined name of two persons' is none."""
        words = lexicon()
        if words.is_term(self.folded):
            return True
        return len(self.parts) > 1 and any(map(words.is_term, self.parts)) and not self.is_name

    @property
    def is_word(self) -> bool:
        words = lexicon()
        return all(part in words.common or words.is_word(part) for part in self.parts)

    @property
    def is_known(self) -> bool:
        return self.is_term or self.is_word

    @property
    def looks_medical(self) -> bool:
        return any(MEDICAL.search(part) or WORDLIKE.fullmatch(part) for part in self.parts)

    @property
    def looks_like_a_surname(self) -> bool:
        return any(map(SURNAME.fullmatch, self.parts)) and not MEDICAL.search(self.folded)


def find(text: str) -> Iterator[Finding]:
    yield from _labelled(text)
    for match in SCRIPT.finditer(text):
        yield Finding(
            *match.span(), "script", DOUBT, "Words in another script. Is it a name or a place?", None
        )
    words = _words(text)
    yield from _capitals(text, words)
    yield from _lower(text, words)


def _labelled(text: str) -> Iterator[Finding]:
    for match in TITLED.finditer(text):
        if end := _name_end(match["name"], strict=False):
            yield _titled(text, match, match.start("name") + end)
    for match in TITLED_LOWER.finditer(text):
        first, *rest = match["name"].split()
        if _could_be_name(first):
            end = match.start("name") + len(first)
            if rest and _could_be_name(rest[0]) and fold(rest[0]) in lexicon().names:
                end = match.end("name")
            yield _titled(text, match, end)
    for match in ROLE.finditer(text):
        if end := _name_end(match["name"], strict=True):
            weak = match["title"].lower() in {
                "father",
                "brother",
                "sister",
                "m",
                "pa",
                "np",
                "rn",
                "don",
                "dom",
                "pan",
                "private",
                "major",
                "baby",
                "therapist",
                "resident",
                "intern",
                "fellow",
                "provider",
                "physician",
                "teacher",
                "attending",
                "agent",
            }
            start = match.start("name") if weak else match.start()
            yield Finding(start, match.start("name") + end, "name", STOP, REASON_TITLE, "")
    for match in LABEL.finditer(text):
        if end := _name_end(match["name"], strict=True):
            yield Finding(match.start("name"), match.start("name") + end, "name", STOP, REASON_LABEL, "")
    for match in PATIENT.finditer(text):
        if EPONYM_NEXT.match(text, match.end("name")) or ORGANIZATION_NEXT.match(text, match.end("name")):
            continue
        if end := _name_end(match["name"], strict=True):
            yield Finding(match.start("name"), match.start("name") + end, "name", STOP, REASON_LABEL, "")
    for match in LOWER_LABEL.finditer(text):
        if end := _lower_name_end(match["name"]):
            yield Finding(match.start("name"), match.start("name") + end, "name", STOP, REASON_LABEL, "")
    for match in INITIALS.finditer(text):
        if match["name"].strip(". ") not in {
            "X",
            "Y",
            "Z",
            "A",
            "B",
            "C",
            "MD",
            "RN",
            "PT",
            "OT",
            "ED",
            "ER",
            "OR",
            "IV",
            "ICU",
            "HPI",
            "PMH",
            "CT",
            "MRI",
            "AF",
            "CKD",
            "COPD",
        }:
            yield Finding(*match.span("name"), "name", STOP, "Initials of a person.", "")
    for match in CREDENTIAL.finditer(text):
        if _name_end(match["name"], strict=True) == len(match["name"]):
            yield Finding(*match.span("name"), "name", STOP, REASON_TITLE, "a colleague")
    yield from _in_rows(text)
    for match in HONORIFIC.finditer(text):
        if fold(match["name"].split()[0].split("-")[0]) not in lexicon().english:
            yield Finding(*match.span("name"), "name", STOP, REASON_TITLE, "the patient")
    for match in SPELLED_OUT.finditer(text):
        if any(fold(part) in lexicon().names for part in re.findall(r"[^\W\d_]+", match["name"])):
            yield Finding(*match.span("name"), "name", STOP, REASON_LABEL, "")


def _in_rows(text: str) -> Iterator[Finding]:
    """Names in the cells of tables, before an age or a number, and beside a relative: all parts are of the lists."""
    names = lexicon().names
    for pattern in (FULL_RELATIVE, CELL, CARET, LISTED):
        for match in pattern.finditer(text):
            parts = [fold(part) for part in re.findall(r"[^\W\d_]{2,}", match["name"])]
            known = [part for part in parts if part in names or SURNAME.fullmatch(part)]
            plain = [
                part
                for part in parts
                if lexicon().is_word(part) or (part in lexicon().common and part not in lexicon().given)
            ]
            if len(parts) > 1 and len(known) > len(parts) / 2 and len(plain) < len(parts) / 2:
                yield Finding(*match.span("name"), "name", STOP, REASON_LABEL, "")


def _lower_name_end(name: str) -> int:
    """As _name_end, of words without capitals: only what the lists know as names and as nothing else."""
    words, end = lexicon(), 0
    for match in re.finditer(r"[^\s,]+", name):
        folded = fold(match[0]).removesuffix("'s").replace("'", "")
        surname = end and folded in words.family and folded not in NOT_AFTER_A_TITLE
        sure = (
            folded in words.names
            and folded not in words.english
            and (folded not in words.common or len(folded) > 4)
        )
        if not (surname or (sure and not MEDICAL.search(folded))):
            break
        end = match.end()
    return end


def _titled(text: str, match: re.Match, end: int) -> Finding:
    title = match["title"].lower()
    instead = "a colleague" if title in {"dr", "doctor", "prof", "professor", "drs"} else "the patient"
    if (
        match.start() == 0
        or text[max(0, match.start() - 2) : match.start()] in (". ", "? ", "! ")
        or text[match.start() - 1] == "\n"
    ):
        instead = instead[0].upper() + instead[1:]
    if text[end : end + 2] in ("'s", "’s"):
        instead, end = instead + "'s", end + 2
    return Finding(match.start(), end, "name", STOP, REASON_TITLE, instead)


NOT_AFTER_A_TITLE = frozenset(
    [
        "will",
        "may",
        "can",
        "said",
        "has",
        "had",
        "was",
        "is",
        "see",
        "saw",
        "so",
        "to",
        "do",
        "an",
        "in",
        "or",
        "for",
        "and",
        "the",
        "long",
        "who",
        "what",
        "when",
        "why",
        "how",
        "not",
        "then",
        "also",
        "just",
        "she",
        "he",
        "her",
        "his",
        "me",
        "my",
        "you",
        "your",
        "we",
        "our",
        "they",
        "any",
        "all",
        "are",
        "was",
        "has",
        "its",
        "new",
        "old",
        "own",
        "sue",
        "mark",
        "bill",
        "page",
        "call",
        "chase",
        "visit",
        "told",
        "tell",
        "say",
        "says",
        "at",
        "on",
        "by",
        "if",
        "as",
        "it",
        "us",
        "be",
        "go",
        "am",
        "are",
        "no",
    ]
)


def _could_be_name(word: str) -> bool:
    folded, words = fold(word), lexicon()
    if folded in words.names or folded.replace("'", "") in words.names:
        return word[0].isupper() or folded not in NOT_AFTER_A_TITLE
    return (
        not words.is_word(folded)
        and not words.is_term(folded)
        and not WORDLIKE.fullmatch(folded)
        and len(folded) > 2
    )


def _name_end(name: str, strict: bool) -> int:
    """How many letters of what follows a title or label are a name; 0 when none is."""
    end, words = 0, lexicon()
    for number, match in enumerate(re.finditer(r"[^\s,]+", name)):
        word = match[0].rstrip(".")
        folded = fold(word).removesuffix("'s")
        parts = [part for part in folded.split("-") if part]
        if re.fullmatch(PARTICLE, folded) or (len(word) == 1 and word.isupper()):
            if number == 0 and len(word) == 1:
                continue
            end = end if number == 0 else match.end() if len(word) == 1 else end
            continue
        if word.isupper() and (len(word) < 3 or (len(word) == 3 and folded not in words.names)):
            break
        named = any(part in words.names for part in parts)
        plain = all(
            words.is_word(part) or part in words.common or (words.is_term(part) and part not in words.names)
            for part in parts
        )
        if plain and not named and (strict or number or all(words.is_word(part) for part in parts)):
            break
        if (
            strict
            and plain
            and (number == 0 or not end)
            and not (folded in words.given and folded not in words.english)
        ):
            following = name[match.end() :].split()
            if not (following and fold(following[0]).strip(".,") in words.names):
                break
        if not strict and plain and number and folded in words.english and folded not in words.names:
            break
        end = match.end() - (len(match[0]) - len(match[0].rstrip(".'’")))
    if name[:end].endswith(("'s", "’s")):
        end -= 2
    return end


def _words(text: str) -> list[Word]:
    return [
        Word(match.start(), match.end(), match[0], _opens(text, match.start()))
        for match in WORD.finditer(text)
    ]


ABBREVIATION = re.compile(
    r"(?:(?i:\b(?:vs|cf|eg|e\.g|i\.e|approx|dr|mr|mrs|ms|st|pt|prof|resp))|[a-z] [A-Z])\.$"
)


def _opens(text: str, start: int) -> bool:
    before = text[max(0, start - 12) : start]
    if start <= 12 and not before.strip(" \t\"“‘'(*_#>-|"):
        return True
    stripped = before.rstrip(" \t\"“‘'([*_#>~")
    if not stripped:
        return True
    if (
        stripped[-1] in "!?:;|•…\n·/"
        or (stripped[-1] in "-–—" and (len(stripped) < 2 or stripped[-2] in "\n "))
        or before[-1] in "\"“‘'(*_["
    ):
        return True
    if stripped[-1] == ".":
        return not ABBREVIATION.search(stripped)
    return bool(re.search(r"(?:^|\n)\s*\(?\d{1,2}[.)]$", stripped))


def _capitals(text: str, words: list[Word]) -> Iterator[Finding]:
    """Runs of words with a capital, judged together: a given name beside a surname says more than either."""
    titled = _is_headline(words)
    place = 0
    while place < len(words):
        run = _run(text, words, place)
        place += max(1, len(run))
        if run:
            yield from _judge(text, words, run, titled)


def _run(text: str, words: list[Word], place: int) -> list[Word]:
    run: list[Word] = []
    for number, word in enumerate(islice(words, place, None), place):
        if run:
            between = text[run[-1].end : word.start]
            particle = (
                word.text.lower()
                in {
                    "de",
                    "la",
                    "van",
                    "von",
                    "der",
                    "den",
                    "del",
                    "di",
                    "da",
                    "dos",
                    "bin",
                    "al",
                    "el",
                    "du",
                    "of",
                }
                and between == " "
            )
            if particle and word.text.islower() and word.text != "of":
                following = words[number + 1 : number + 3]
                if any(one.is_capitalized for one in following):
                    run.append(word)
                    continue
            if (
                between not in (" ", "  ", ". ", ", ")
                or (between == ". " and len(run[-1].text) > 2)
                or (word.opens and between != " ")
            ):
                break
            listed = (
                run[-1].is_name or run[-1].looks_like_a_surname or (run[-1].opens and not run[-1].is_known)
            )
            if between == ", " and not (listed and word.is_name and not word.is_term):
                break
        if (
            not word.is_capitalized
            and not (run and len(word.text) == 1 and word.text.isupper())
            and not word.is_shouted
        ):
            break
        run.append(word)
    while run and not (run[-1].is_capitalized or run[-1].is_shouted):
        run.pop()
    return run


def _is_headline(words: list[Word]) -> bool:
    """Most words carry a capital, as in a headline; then a capital says nothing."""
    longer = [word for word in words if len(word.text) > 3]
    return len(longer) > 4 and sum(word.text[0].isupper() for word in longer) > 0.7 * len(longer)


def _judge(text: str, words: list[Word], run: list[Word], titled: bool) -> Iterator[Finding]:
    suspects = [word for number, word in enumerate(run) if _is_suspect(text, run, number, titled)]
    if not suspects:
        return
    first, last = run.index(suspects[0]), run.index(suspects[-1])
    while last + 1 < len(run) and run[last + 1].is_name and not EPONYM_NEXT.match(text, run[last + 1].end):
        last += 1
    start, end = run[first].start, run[last].end
    if text[start:end].endswith(("'s", "’s")):
        end -= 2
    named = any(word.is_name for word in suspects)
    before = text[max(0, start - 60) : start]
    instead = None
    if named:
        instead = (
            "" if RELATIVE_CUE.search(before) else ("The patient" if run[first].opens else "the patient")
        )
    if _is_full_name(run[first : last + 1]):
        yield Finding(start, end, "name", STOP, REASON_FULL, instead)
    else:
        kind, reason = ("name", REASON_NAME) if named else ("capitalized", REASON_WORD)
        yield Finding(start, end, kind, DOUBT, reason, instead)


def _is_full_name(run: list[Word]) -> bool:
    """A given name and a surname side by side, neither of them a plain word or an eponym."""
    words = lexicon()
    sure = [word for word in run if word.is_name and not word.is_word and not word.is_term]
    given = [word for word in sure if word.is_given and word.folded not in words.eponyms]
    surname = [
        word
        for word in run
        if word not in given[:1]
        and (word.folded in words.family or (word.is_capitalized and not word.is_known))
    ]
    return bool(given and surname)


def _is_suspect(text: str, run: list[Word], number: int, titled: bool) -> bool:
    word = run[number]
    if not word.is_capitalized and not word.is_shouted:
        return False
    before, beside = run[number - 1] if number else None, run[number + 1] if number + 1 < len(run) else None
    companions = [
        one
        for one in (before, beside)
        if one and one.is_name and not (one.is_word and one.opens and not one.is_given)
    ]
    if not word.is_shouted and not word.is_name and (word.is_known or titled):
        return False
    ahead = text[max(0, word.start - 40) : word.start]
    left, relative = LEFT_CUE.search(ahead), RELATIVE_CUE.search(ahead)
    if word.is_shouted:
        return _is_suspect_shout(word, companions)
    if _is_eponym(text, word):
        return False
    if ORGANIZATION_NEXT.match(text, word.end) or (DOSE_NEXT.match(text, word.end) and not word.is_name):
        return False
    person = RIGHT_CUE.match(text, run[-1].end - 2 if run[-1].text.endswith(("'s", "’s")) else run[-1].end)
    if word.is_name:
        return _is_suspect_name(word, companions, bool(relative), bool(left), bool(person), titled)
    if word.opens:
        end = run[-1].end - 2 if run[-1].text.endswith(("'s", "’s")) else run[-1].end
        cue = (VERB.match(text, end) and not word.looks_medical) or (
            ANIMATE.match(text, end) and not MEDICAL.search(word.folded)
        )
        return bool(companions or cue or word.looks_like_a_surname)
    if len(word.folded) < 3 or (DRUG_CUE.search(ahead) and word.looks_medical):
        return False
    if DRUG_STRONG_CUE.search(ahead) and not word.looks_like_a_surname and not companions:
        return False
    return not MEDICAL.search(word.folded)


def _is_eponym(text: str, word: Word) -> bool:
    """What it names is a disease, a sign, a test: a known eponym before many nouns, any other word before a few."""
    after = word.end - 2 if word.text.endswith(("'s", "’s")) else word.end
    if word.is_term:
        return bool(EPONYM_NEXT.match(text, after))
    return bool(STRONG_NEXT.match(text, after) or (not word.is_name and EPONYM_OF_ONE.match(text, after)))


def _is_suspect_name(
    word: Word, companions: list[Word], relative: bool, left: bool, person: bool, titled: bool
) -> bool:
    """A word of the lists of names. The more it is also a plain word or an eponym, the more must speak for a person."""
    common = word.folded in lexicon().common or word.folded in lexicon().english
    if word.is_term:
        return bool(
            relative
            or any(not one.is_term and not one.is_word for one in companions)
            or (companions and word.is_given)
            or (person and (left or word.is_given) and not word.opens)
        )
    if common:
        if word.folded in NOT_AFTER_A_TITLE or len(word.folded) < 3:
            return False
        if word.opens:
            return bool(
                [one for one in companions if not one.is_word]
                or (companions and word.is_given)
                or (
                    person
                    and word.is_given
                    and len(word.folded) > 3
                    and word.folded
                    not in {"will", "may", "mark", "can", "grant", "chase", "rush", "page", "bill"}
                )
                or relative
            )
        return not titled or bool(relative)
    if titled or (len(word.folded) < 3 and not left):
        return bool(companions)
    return True


def _is_suspect_shout(word: Word, companions: list[Word]) -> bool:
    words = lexicon()
    if not word.is_name or word.is_word or word.is_term:
        return False
    return bool([one for one in companions if one.is_shouted]) or (
        word.folded in words.family and len(word.folded) > 5
    )


def _lower(text: str, words: list[Word]) -> Iterator[Finding]:
    """Names typed without capitals: a given name beside a surname, or alone where a person is spoken of."""
    for number, word in enumerate(words):
        if (
            word.text.islower()
            and len(word.text) > 3
            and LOWER_SEEN.search(text[max(0, word.start - 8) : word.start])
        ):
            yield from _unknown_lower(text, words, number)
        if (
            not word.text.islower()
            or not word.is_name
            or len(word.folded) < 3
            or word.is_word
            or word.is_term
            or word.folded in GIVEN_ALSO_TERMS
            or MEDICAL.search(word.folded)
        ):
            continue
        following = (
            words[number + 1]
            if number + 1 < len(words) and text[word.end : words[number + 1].start] == " "
            else None
        )
        if (
            following
            and following.text.islower()
            and following.is_name
            and word.is_given
            and not following.is_word
            and not following.is_term
        ):
            yield Finding(word.start, following.end, "name", STOP, REASON_FULL, "the patient")
        elif (
            word.is_given
            and len(word.folded) > 3
            and (
                LOWER_CUE.search(text[max(0, word.start - 14) : word.start])
                or RIGHT_CUE.match(text, word.end)
            )
        ):
            yield Finding(word.start, word.end, "name", DOUBT, REASON_NAME, "the patient")


def _unknown_lower(text: str, words: list[Word], number: int) -> Iterator[Finding]:
    """Somebody seen or called whose name stands in no list: a word, or two, that are nothing else."""
    run = []
    for word in words[number : number + 2]:
        if run and text[run[-1].end : word.start] != " ":
            break
        if not word.text.islower() or word.is_known or word.looks_medical or len(word.text) < 3:
            break
        run.append(word)
    if run and (len(run) == 2 or LOWER_AFTER.match(text, run[-1].end)):
        yield Finding(run[0].start, run[-1].end, "name", DOUBT, REASON_NAME, "the patient")
