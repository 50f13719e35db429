"""How names are announced and surrounded: the patterns of people.py and titles.py."""

import re

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
    r"|(?i:patient|pt|client|paciente|wristband|id\s+band|bracelet|re|regarding|signed|signature|contact|next\s+of\s+kin|nok"
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
