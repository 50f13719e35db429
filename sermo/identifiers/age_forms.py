"""The ways in which ages of 90 and more are written: the patterns of ages.py."""

import re

UNIT = r"(?:one|two|three|four|five|six|seven|eight|nine)"
NINETY = r"(?:nine?ty|nintey|ninetey)"
SPOKEN = (
    rf"(?:{NINETY}(?:[- \u2010-\u2013]?{UNIT}\b)?|(?:a|one)[- ]hundred(?:[- ](?:and[- ]|n[- ])?(?:{UNIT}"
    rf"|ten|eleven|twelve)\b)?|hundred[- ]and[- ]{UNIT}\b)"
)
NUMBER = r"(?:9\d|1[01]\d|12[0-2])"
OLD = rf"(?:{NUMBER}|{SPOKEN})"
EXACT = (
    r"(?<!over )(?<!above )(?<!than )(?<!> )(?<!>)(?<!≥ )(?<!≥)(?<!<)(?<!< )(?<!under )(?<!below )"
    r"(?<!least )(?<!past )(?<!beyond )(?<!until )(?<!before )(?<!after )"
)
CLOSED = (
    r"(?!\s*(?:and\s+(?:older|over|above|up\b)|or\s+(?:older|over|above|more|under|younger)|plus\b|\+"
    r"|to\s+\d|[-\u2013]\s?\d|and\s+\d|or\s+\d))"
)
PERSON = (
    r"(?:(?:wo)?man|lady|gentleman|male|female|patient|(?-i:[Pp]t|PT(?=\s+(?:IS|WAS|TURNED|NOW)\b))"
    r"|person|veteran|vet|widow(?:er)?|nun|priest|farmer|grand(?:mother|father|ma|pa|mom|dad)|mother"
    r"|father|mom|mum|dad|husband|wife|aunt|uncle|resident|sister|brother|neighbor|friend|member|guy"
    r"|fellow|nonagenarian|centenarian|survivor|teacher|rancher|miner|nurse|physician|doctor|spouse"
    r"|client|she|he|they|who|nana?|nanna|granny|gran(?:s|ny|dad|dy)?|grammy|gramps|memaw|mamaw|papaw"
    r"|papa|mama|pops?|gma|gpa|m(?:other|il)-in-law|father-in-law|mommy|daddy|fella|chap|soul|bro|sis"
    r"|cousin|twin|partner|caregiver|proband|mgm|mgf|pgm|pgf|individual|inmate|pensioner|elder)"
)
DASH = r"[-\u2010-\u2014]"
SEX = r"(?:M|F|m|f|W|♀|♂)"
THING = (
    r"(?:hospital|building|institution|drugs?|ideas?|disease|papers?|debate|practice|technique|operation"
    r"|concept|trial|study|test|theory|house|church|school|clinic|society|journal|tradition|procedure"
    r"|question|data|history|vaccine|college|company|guidelines?)"
)
YEAR = r"(?:years?|yrs?\.?|y\.?(?!\w))"
NUMBER_OF_MORE = (
    r"(?!\s*(?:years?\s+(?:of\s+(?!age|life|her|his)|ago|after|later|since)|%|percent|mg|mmhg|bpm|kg"
    r"|degrees|°|systolic|on\s+(?:room|ra\b|\d|nc\b|o2|oxygen|air|bipap|cpap|hfnc|high)|overnight"
    r"|sats?\b|/\d|\.\d|,\d{3}|days?|hours?|minutes?|weeks?|months?|patients?|cases|people|beats|mm\b"
    r"|ml\b|units?|miles|points?|times))"
)
# What follows an age where nothing but its place in the sentence tells that it is one.
AFTER_AGE = (
    r"(?=\s*(?:[.,;:!?)\n\u2013\u2014]|$|&|w/|\(|-\s|(?:and|n|but|with|who|years?|yrs?|now|next|this"
    r"|last|when|yesterday|today|tomorrow|soon|still|from|living|lives?|already|old|young|here|because"
    r"|so|s?he|her|his|my|we|i|they|it|do|does|did|would|what|how|should|not|a|the|has|had|is|was"
    r"|retired|drives|walks|takes|widowed|blind|deaf|strong|sharp|frail|fit|independent|demented|come"
    r"|going|if|while|although|though|after|before|without|despite|than|tonight|at\s+(?:the|that|her|his"
    r"|diagnosis|onset|presentation|surgery|home)|by|all|both|that|then|or\s+(?:so|9\d|1[01]\d|ninety)"
    r"|as\s+(?:of|she|he|if)|in\s+(?:a|the|her|his|may|june|july|two|three|january|february|march|april"
    r"|august|september|october|november|december|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|an?"
    r"|spring|summer|fall|winter|good|great|poor|bed|memory|hospice|assisted|nursing|about|days|weeks)"
    r"|on\s+(?:her|his|the|my|our|warfarin|apixaban|dialysis|hospice|monday|tuesday|wednesday|thursday"
    r"|friday|saturday|sunday))\b))"
)
DECADE = (
    r"(?:(?:early|mid(?:dle)?|late|later|upper|low(?:er)?|high)[- ]*)?(?:['’]?90['’]?s|nineties"
    r"|100['’]?s|(?:tenth|10th|eleventh|11th)\s+decade)"
)
PART_OF_DECADE = r"(?:(?:very\s+)?(?:early|mid(?:dle)?|late|later|upper)[- ]*(?:['’]?90['’]?s|nineties))"
BEGIN = rf"{EXACT}(?<![\w.,/$-])"
RULES = [
    # 93-year-old, 93 yo, ninety-three years of age
    re.compile(
        rf"(?P<article>\ban?\s+)?{BEGIN}(?:{OLD}|hundred)(?:\s?{DASH}?\s?{YEAR}(?:{DASH}"
        rf"|\s){{0,2}}(?:s[- ])?(?:olds?|young|of\s+age|and\s+\w+\s+months?)\b"
        rf"|\s?{DASH}?\s?(?:y\.?\s?[/-]?\s?o(?:ld)?\.?(?:/?[wbha]{{0,2}}/?[mf])?|yr?s?[ /-]?o|y/olds?"
        rf"|yrs?olds?)(?!\w)|[- ]?jährige[rn]?\b){CLOSED}(?:[- ]+(?P<who>{PERSON})\b)?(?![- ]+{THING}\b)",
        re.IGNORECASE,
    ),
    # 93F, 93 y M, 93 lady
    re.compile(
        rf"{BEGIN}(?P<n>{OLD}\s?-?(?:{YEAR}\s?)?-?(?:/\s?)?(?:{SEX}(?![\w°])|(?i:(?:fe)?male|(?:wo)?man"
        rf"|lady|gentleman)\b)){CLOSED}(?!,?\s+(?:and\s+\d|(?:patients|subjects|participants|enrolled"
        rf"|controls)))"
    ),
    # age 93, aged ninety, Age/Sex: 93
    re.compile(
        rf"\b(?:age[ds]?|ageing|edad|alter|âge|âgée?|wiek)(?:\s*[:=|,(/&)\u2013\u2014~?.-]|\s+(?:is|of"
        rf"|was|at|now|exactly|about|around|approx\w*|roughly|nearly|almost|currently|today|listed|given"
        rf"|stated|recorded|reported|as|in|and|sex|gender|the|ripe|grand|old|said|to\s+be|years?|yrs?|y"
        rf"|death|time\s+of|onset|diagnosis|dx|presentation|admission|surgery|consent|enrol+ment|visit"
        rf"|last|only|just|already|sex)\b|(?<=[/&(])\s?(?:sex|gender|years?|yrs?|y|m"
        rf"|f)\b){{0,7}}\s*{EXACT}(?P<n>{OLD})(?![\d%])(?!\.\d)(?![a-xz]\w)(?!\s*[-\u2013]\s*\d){CLOSED}{NUMBER_OF_MORE}",
        re.IGNORECASE,
    ),
    # she is 93, mom (93), the aunt to 104, father died at 96
    re.compile(
        rf"\b(?:i(?=['’ ](?:m|am|ll|will|turn\w*|just|was|be)\b)|{PERSON})(?:['’]?s|['’]m|['’]?ll"
        rf"|['’]d)?(?:(?:\s+(?:is|was|am|are|be|being|been|of|at|to|now|only|just|already|still|about"
        rf"|around|nearly|almost|roughly|aged?|turn(?:ed|s|ing)?|hit|hits|made|makes|reach(?:ed|es)?"
        rf"|(?:has|had|have)(?=\s+(?:\w+\s+)?(?:turned|reached|lived|hit|made|been))|will|would|must|may"
        rf"|going|gonna|(?:got|get|gets)(?=\s+to)|lived|lives|living|alive|died|d\.|dec(?:eased"
        rf"|[’']?d)?\.?|passed|away|well|past|the|an?|all|ripe|grand|old|age|of|every\s+bit|soon|say(?:s"
        rf"|ing)?|(?:s?he|they)(?:\s+is|['’]s)?|would|when|it|until|till|,)|,(?:\s+(?:now|aged?|who\s+is"
        rf"|just|is))?|\s*[:(]|\s*~){{1,6}}|\s)\s*{EXACT}(?P<n>{OLD}){AFTER_AGE}{NUMBER_OF_MORE}",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\b(?:s?he|who|they|mom|mum|dad|pt)s?\s+(?:like\s+|about\s+|almost\s+"
        rf"|nearly\s+)?(?P<n>{OLD})(?=\s*(?:[.,;!?)\n]|$|n\b|and\b|but\b|years?\b|now\b"
        rf"|still\b)){NUMBER_OF_MORE}",
        re.IGNORECASE,
    ),
    # at 93 she still drives
    re.compile(
        rf"\b(?:at|of)\s+(?:age\s+|the\s+age\s+of\s+)?(?P<n>{OLD}),?\s+(?:s?he|they|(?:the|this|our"
        rf"|my)\s+(?:patient|lady|man|woman)|and\s+still|years\s+of\s+age|still\s+(?:\w+ing|drives|lives"
        rf"|works|walks|plays)|and\s+(?:lives|frail|independent))\b",
        re.IGNORECASE,
    ),
    re.compile(
        rf"(?:^|(?<=[.!?\n]\s)|(?<=\n)|(?<=- )){EXACT}(?P<n>{SPOKEN}|{NUMBER}),\s+(?:lives?|living|still"
        rf"|from|with|frail|widow\w*|retired|independent|sharp|alert|doing|was|is|has|had|came|fell"
        rf"|presents|and\s+\w+|nursing|wheelchair|demented|male|female)\b",
        re.IGNORECASE,
    ),
    re.compile(r"\b(?:nonagenarian|centenarian)s?,?\s+(?:of\s+)?(?P<n>\d{2,3})\b", re.IGNORECASE),
    # birthdays
    re.compile(
        r"\b(?:9\d(?:st|nd|rd|th)|1[01]\d(?:st|nd|rd|th)|ninet(?:ieth|y[- ](?:first|second|third|fourth"
        r"|fifth|sixth|seventh|eighth|ninth))|hundredth)\s+(?:birthday|bday|b-day|year\b(?!\s+of\s+the))",
        re.IGNORECASE,
    ),
    re.compile(r"\b(?:super)?centenarian\b", re.IGNORECASE),
    re.compile(
        rf"(?<![\w.,/-]){NUMBER}\s?(?:años|ans\b|anos\b|Jahre|anni\b|jaar\b|lat\b|yaş|лет|歳|岁|세)",
        re.IGNORECASE,
    ),
    re.compile(rf"\b(?:has|had|have)\s+lived\s+(?P<n>{OLD}\s+years)\b", re.IGNORECASE),
    re.compile(
        rf"(?<=[a-z]), (?P<n>{OLD}),? (?=(?:with|who|has|had|is|was|came|fell|lives|presents|from"
        rf"|admitted|living|still|and (?:frail|his|her|lives|still|independent|living))\b)",
        re.IGNORECASE,
    ),
    re.compile(
        rf"(?:^|(?<=[.!?\n] )|(?<=\n)|(?<=- ))(?P<n>{OLD})(?= (?:with|w/|s/p|here|from|who|hx|c/o|p/w"
        rf"|presenting|admitted|dnr|lives|(?:&|and) (?:frail|sharp|still|independent|living|lives|widowed"
        rf"|healthy|active|demented)))",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\b(?:soon\s+to\s+be|about\s+to\s+(?:be|turn)|(?:shy|short)\s+of(?:\s+(?:being|turning|her"
        rf"|his))?|will\s+turn|going\s+to\s+be"
        rf"|oldest\s+\w+(?:\s+\w+){{0,4}},)\s+(?P<n>{OLD})\b{NUMBER_OF_MORE}",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\b(?P<n>{NINETY}[-\u2010-\u2013]{UNIT})\b{CLOSED}(?!\s*-?(?:percent|per\s+cent|%|degrees?"
        rf"|days?|hours?|minutes?|weeks?|months?|milli\w*|micro\w*|mg|over|beats|patients|cases|people"
        rf"|point|dollars|on\s+room))",
        re.IGNORECASE,
    ),
    re.compile(
        rf"(?:^|(?<=[\s(,|/]))(?:M|F|(?i:(?:fe)?male))\s?[ /,]\s?(?P<n>{NUMBER})(?=\s*(?:[,.;:)|\n]|$"
        rf"|with\b|w/|y)){NUMBER_OF_MORE}"
    ),
    re.compile(
        rf"(?<!for )(?<!over )(?<!last )(?<!past )(?<!within )(?<!about )(?<!after )(?<!by )"
        rf"{BEGIN}(?P<n>(?:{NUMBER}|{NINETY}[- ]?{UNIT})\s?(?:yrs?|years))(?=\.?\s*(?:[,.;:)|\n]|$|[fm]\b))",
        re.IGNORECASE,
    ),
    re.compile(
        r"\b(?:her|his|their|my|mother's|father's)\s+(?P<n>(?:9\d|10\d)(?:th|st|nd"
        r"|rd))\b(?=\s*(?:[.,;!?)\n]|$|birthday|bday|year|and|in|this|last|next|on|with|when|at|but|is"
        r"|was|soon|coming|party))",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\b(?:onset|diagnosed|presented|widowed|operated|stroke|fall|died|passed(?:\s+away)?|death"
        rf"|lived\s+(?:until|till|past)|alive\s+until|being|retired"
        rf"|moved)\s+(?:at\s+)?(?P<n>{OLD})(?=\s*(?:[.,;!?)\n]|$|and\b|with\b|after\b|of\b"
        rf"|from\b)){NUMBER_OF_MORE}",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\bAt\s+(?P<n>{OLD}),?\s+(?:I|we|would|should|what|how|do|does|most|you|his|her|my|this|s?he"
        rf"|they)\b(?!\s+mg)|\b(?i:an?)\s+(?P<one>{NUMBER})\s+(?:here|w/|with\s+(?:an?|severe|known|new"
        rf"|prior|advanced))(?!\w)"
    ),
    # 93 years young, 93 and counting, 93 candles
    re.compile(
        rf"{BEGIN}(?P<n>{OLD})\s+(?:years?\s+(?:young|strong|on\s+(?:this|the|god's)\s+(?:earth|planet)"
        rf"|under\s+(?:her|his)|behind\s+(?:her|him)|of\s+life|(?:her|his)\s+junior|and\s+counting)"
        rf"|candles|birthdays|(?:trips|laps)\s+around\s+the\s+sun|(?:summers|winters|springs|christmases)"
        rf"|(?:and|&)\s+(?:counting|change|a\s+half)|going\s+on\s+\w+|if\s+(?:s?he|they)(?:'s"
        rf"|\s+is)\s+a\s+day|(?:at|on|this|last|next|past|coming|her|his|come)\s+(?:\w+\s+)?(?:birthday"
        rf"|bday))\b",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\bbirthday\s*(?:#|no\.?|number)\s*(?P<n>{OLD})\b|\bborn\s+(?P<ago>{OLD}\s+years)\s+ago\b",
        re.IGNORECASE,
    ),
    re.compile(
        r"\b(?:a|one)\s+(?:full\s+|whole\s+)?century\s+(?:old|young|of\s+(?:life|living))\b|\b(?:lived"
        r"|lives|live|living|shy\s+of|short\s+of)\s+(?:for\s+)?(?:a|one)\s+(?:full\s+|whole\s+)?century\b",
        re.IGNORECASE,
    ),
    # her nineties, a man in his late 90s: of one person, for of a group the decade says nothing
    re.compile(
        rf"\b(?:(?:well\s+|deep\s+)?(?:in|into|past|through)\s+)?(?:her|his|their|my"
        rf"|your)\s+(?P<n>(?:(?:very|quite)\s+)?{DECADE})\b",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\b(?:an?|this|that|our|my|the)\s+(?:[\w-]+\s+){{0,3}}{PERSON},?\s+(?:(?:who\s+)?(?:is"
        rf"|was)\s+)?in\s+(?:(?:the|what\s+looks\s+like)\s+)?(?P<n>{PART_OF_DECADE})\b|\b(?:s?he|pt"
        rf"|patient|mom|dad|mother|father)(?:\s+is|\s+was"
        rf"|['’]?s)\s+(?:in\s+(?:the\s+)?)?(?P<his>{PART_OF_DECADE})\b",
        re.IGNORECASE,
    ),
    re.compile(
        rf"(?<![\w.,$-])(?P<n>{PART_OF_DECADE}|(?:90|{NINETY}|100|hundred)[- ]?(?:ish|some(?:thing)?|odd)"
        rf"|90['’]?s)[ -]+(?:{PERSON}|year[- ]?olds?|y/?o|yrs?|years?|M|F|in\s+(?:bed"
        rf"|room))\b(?!\s+(?:ago|later|follow))",
        re.IGNORECASE,
    ),
    re.compile(
        r"\b(?:the|our|my|this|that|her|his|sharp|spry|frail|healthy|fit"
        r"|active)\s+(?P<n>nonagenarian)\b(?!\s+(?:population|cohort|group|age|patients))|\b(?:an?"
        r"|another)\s+(?:\w+\s+){0,2}(?P<one>nonagenarian)\s+(?:who|with|w/|from|on|in\s+(?:bed|room|my"
        r"|our|the)|is|was|came|here|that|fell|lady|man|woman)\b",
        re.IGNORECASE,
    ),
    # shorthand and cells of tables: 93 y, 93wf, 93 | F
    re.compile(
        rf"{BEGIN}(?P<n>{NUMBER})\s?(?:y|wf|wm|bf|bm|aaf|aam|fem|yow?[fm])(?=\s*(?:[,.;:)|\n]|$|w/|with"
        rf"|s/p|hx|h/o|c/o|p/w|from|who|here|old|\d{{1,2}}\s?m|[mf]\b))",
        re.IGNORECASE,
    ),
    re.compile(
        rf"(?<![\w.,/$-])(?P<n>{NUMBER})\s*(?:[|,;\t/]\s*|yrs?\s*)(?:M|F|Male|Female|MALE"
        rf"|FEMALE)(?=\s*(?:[|,;\t/.)\n]|$))"
    ),
    re.compile(
        rf"(?:^|[\s(,|/;])(?:[MF]|[Mm]ale|[Ff]emale|MALE"
        rf"|FEMALE)\s*[|,;\t/:]\s*(?P<n>{NUMBER})(?=\s*(?:[|;\t/)y,.\n]|$)){NUMBER_OF_MORE}"
    ),
    re.compile(rf"\b(?P<n>nine[- ](?:zero|oh|{UNIT}))[- ](?:year|yr|y/?o)", re.IGNORECASE),
    re.compile(
        rf"\b(?:Mrs?|Ms|Miss|Mister|Sr|Sister|Father"
        rf"|Rev)\.?\s+[A-Z][\w'’-]+(?:\s+[A-Z][\w'’-]+)?,?\s+\(?(?P<n>{NUMBER})(?=[),.;]|\s+(?:who|with"
        rf"|is|was|has|had|from)\b)"
    ),
    re.compile(
        rf"\b(?:parents|siblings|sisters|brothers|sibs|twins|grandparents|aunts"
        rf"|uncles)\b[^.\n\d]{{0,20}}(?P<n>{OLD})(?:(?:,|\s+and|\s*&|/)\s*{OLD})*{NUMBER_OF_MORE}",
        re.IGNORECASE,
    ),
]
# Rules that would also hold of what is measured.
WEAK = [
    re.compile(
        rf"\b(?:died\s+(?:at|aged)|dead\s+at|alive\s+at|(?:gone|went|left\s+us)\s+at|lost\s+(?:her|him"
        rf"|mom|dad|them)\s+at|turn(?:ed|s|ing)?|reach(?:ed|es|ing)?|hit(?:s|ting)?|see(?:ing)?"
        rf"|celebrat(?:ed|es|ing)|(?:make|made|making|makes|got"
        rf"|gets)\s+(?:it\s+)?(?:all\s+the\s+way\s+)?to|live[ds]?\s+to(?:\s+(?:be|see))?|(?:has"
        rf"|had)\s+lived|nearly|almost|now|just|going\s+on|close\s+to|pushing|approaching|nearing|rising"
        rf"|knocking\s+on|(?:closing|coming)\s+(?:in|up)\s+on|getting\s+on\s+for|creeping\s+up\s+on"
        rf"|head(?:ed|ing)\s+(?:for|toward)s?|the\s+big|(?:verge|edge|cusp|eve|threshold)\s+of|age\s+of"
        rf"|(?:days?|weeks?|months?|years?)\s+(?:from|off|before|away\s+from|past)|survived\s+(?:to"
        rf"|until)|made\s+it\s+past|hang(?:ing)?\s+on\s+at|(?:a|the)\s+(?:\w+\s+)?(?:spry|sharp|healthy"
        rf"|vigorous|frail|feisty|fit|robust|delightful|lovely|pleasant|young|ripe|tender))\s+(?:about\s+"
        rf"|nearly\s+|almost\s+)?{EXACT}(?P<n>{OLD}){AFTER_AGE}{NUMBER_OF_MORE}",
        re.IGNORECASE,
    ),
    re.compile(rf"{BEGIN}(?P<n>{OLD})\s+now\b", re.IGNORECASE),
]
BORN = re.compile(
    r"(?:\b(?:born|birth\s?(?:year|date|day)?|(?:year|date)\s+of\s+birth|yob|dob|d\.o\.b\.?|b\.?|geb\.?"
    r"|n[ée]e?\s+en|nacid[oa]\s+en|nato\s+nel)|(?<!\w)\*)\s*(?:in|on|:|=|is|was|back|way|around|about"
    r"|circa|ca?\.|early|late|sometime|of|the|year|spring|summer|fall|autumn|winter|[x_*?-]{1,4}[/-]"
    r"|[\s(,-]){0,8}(?:(?P<year>(?:18|19)\d\d)\b(?![/-]\d)|['’](?P<short>\d\d)\b)|\b(?P<before>(?:18"
    r"|19)\d\d)[- ](?:born|birth|baby)\b",
    re.IGNORECASE,
)
# What at least stands there where one of the rules holds.
CANDIDATE = re.compile(
    r"(?<!\d)(?:9\d|1[01]\d|12[0-2])(?!\d|\s?(?:%|mg\b|mcg\b|ml\b|mmhg\b|bpm\b))|nin|hundred|centen|nonagen|century"
    r"|(?:ten|10|eleven|11)th\s+decade",
    re.IGNORECASE,
)
# What is measured in the nineties far more often than anybody is that old.
MEASURED = re.compile(
    r"(?:\b(?i:sp?o2|o2|sats?|satur\w+|oxygen\w*|hr|heart|pulse|rates?|bp|maps?|sbp|dbp|systolic\w*"
    r"|diastolic\w*|pressures?|temp\w*|fever\w*|t\s?max|glucose|sugars?|bg|a1c|levels?|scores?|doses?"
    r"|titers?|counts?|weigh\w*|wt|kg|bmi|sodium|potassium|chloride|creat\w*|platelets?|plts?|trop\w*"
    r"|lactate|ferritin|volume|output|gradient|distance|percent|percentile|mcg|mg|ml|units?|qtc?|gfr"
    r"|egfr|index|range|threshold|target|goal|speed|n|p|ci)\b"
    r"|\b(?=[A-Z0-9/-]*[A-Z][A-Z0-9/-]*[A-Z0-9])(?!PT\b|PATIENT|MOM|DAD|SHE|HE\b|LADY|MAN|WOMAN|FEMALE"
    r"|MALE|AND\b|NOW|IS\b|WAS|TURNED)[A-Za-z0-9/-]{2,7}\W+(?:\w+\s+){0,2}$|%)"
)
WARM = re.compile(
    r"(?:temp\w*|fever\w*|febrile|t\s?max|tm|\bt|\bof|\bto|\bat|\bwas|\bis|above|over|>|hit|spiked"
    r"|spiking|reached|°)\W*$",
    re.IGNORECASE,
)
