"""Wordings the rarity warning looks for beside its word lists: (kind, pattern, coarser words or None).

Coarser words may use the groups of the pattern. Patterns see the text as typed; those of `SAME_CASE` kinds keep to its
capitals, so that "may" and "march" are no months.
"""

import re

DAY = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
MONTH = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December|"
    r"(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.?)"
)
HOLIDAY = (
    r"(?:New Year['’]s(?: Eve| Day)?|Thanksgiving(?: Day)?|Christmas(?: Eve| Day)?|Easter(?: Sunday)?|Ash Wednesday|"
    r"Halloween|(?:the )?Fourth of July|Independence Day|Labor Day|Memorial Day|Super Bowl(?: Sunday)?|Mardi Gras|"
    r"Valentine['’]s Day|Passover|Ramadan|Diwali)"
)
FEW = r"(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\d{1,2})"
SEVERAL = r"(?:three|four|five|six|seven|eight|nine|ten|eleven)"
DAY_OF_MONTH = r"\d{1,2}(?:st|nd|rd|th)?"
ANIMAL = (
    r"(?:alligator|crocodile|bear|grizzly|moose|elk|bison|cougar|(?:mountain |sea )?lion|tiger|wolf|wolves|coyote|"
    r"bull|stallion|ostrich|monkey|shark|stingray|jellyfish|octopus|python|cobra|viper|rattlesnake|elephant|camel|"
    r"llama|owl|eagle|swan|goose|boar|hog|otter|walrus)"
)
HARMED = r"(?:attacked|mauled|gored|charged|trampled|bitten|stung|kicked|crushed|dragged)"
HARM = r"(?:attack|bite|mauling|sting|charged|attacked|bit|gored|mauled)"
HEIGHT = (
    r"(?:balloon|bridge|cliff|crane|ferry|float|glacier|helicopter|ice|mast|plane|roller coaster|ski ?lift|silo|"
    r"steeple|tower|vat|volcano|water ?fall|well|pony|rigging)"
)
CONFINED = (
    r"(?:silo|bin|elevator|mine|cave|well|rubble|tunnel|snow|sea|fence|flagpole|antler|grain|desert|island|hours|"
    r"days|nights)"
)
RESCUER = r"(?:fire (?:brigade|department|crew)s?|firefighters|helicopter|coast guard|wall|roof)"
CLOSED_PLACE = (
    r"(?:village|hamlet|island|reservation|commune|convent|monastery|boarding school|oil rig|ranch|valley)"
)
OURS = r"(?:the|our|this)"
LAND = r"(?:state|country|county|island|city|town|nation|region)"

SAME_CASE = {"recent", "date", "group", "public_event"}
FORMS: list[tuple[str, str, str | None]] = [
    (
        "recent",
        rf"(?:on )?(?:[Ll]ast|this past) (?:night|week(?:end)?|month|{DAY}(?: \w+ing| night)?)",
        "recently",
    ),
    ("recent", r"(?:[Tt]his (?:morning|week)|[Yy]esterday(?: \w+ing)?|[Tt]oday)", "recently"),
    ("recent", rf"(?:[Aa]|{FEW}) (?:day|night|week)s? ago", "recently"),
    ("recent", rf"[Oo]n {DAY}(?: \w+ing| night)?", "recently"),
    ("recent", rf"(?:[Ii]n|[Ss]ince) {MONTH}(?!\w| \d)", None),
    ("date", rf"(?:on )?{MONTH} {DAY_OF_MONTH},? (?P<year>(?:19|20)\d\d)", "in {year}"),
    ("date", rf"(?:(?:in|since) )?{MONTH},? (?:of )?(?P<year>(?:19|20)\d\d)", "in {year}"),
    ("date", rf"(?:on )?{MONTH} {DAY_OF_MONTH}(?! ?(?:mg|%))", "some time ago"),
    ("date", rf"(?:on )?(?:the )?{DAY_OF_MONTH} (?:of )?{MONTH}", "some time ago"),
    ("date", rf"(?:the )?\w+ week (?:of|in) {MONTH}", "some time ago"),
    ("date", r"(?:on )?\d{1,2}/\d{1,2}/(?P<year>20\d\d)", "in {year}"),
    (
        "date",
        rf"(?:(?:on|over|during|at|before|after) )?{HOLIDAY}(?! (?:disease|eye))(?!\w)",
        "some time ago",
    ),
    #
    ("unusual_event", rf"{HARMED} (?:\w+ ){{0,4}}by (?:\w+ ){{0,4}}{ANIMAL}s?", None),
    ("unusual_event", rf"{ANIMAL}(?:['’]s)? {HARM}", None),
    (
        "unusual_event",
        r"(?:struck|hit) by (?:an? )?(?:\w+ )?(?:lightning|train|plane|meteorite|bell|statue)",
        None,
    ),
    ("unusual_event", r"lightning (?:strike|injury|victim)", None),
    ("unusual_event", rf"fell (?:\w+ ){{0,3}}(?:from|off|out of|into|through) (?:\w+ ){{0,3}}{HEIGHT}", None),
    ("unusual_event", rf"(?:trapped|buried|pinned|stranded|adrift|lost) (?:\w+ ){{1,5}}{CONFINED}", None),
    ("unusual_event", rf"(?:extracted|cut|removed|freed|rescued|pulled) (?:\w+ ){{1,5}}{RESCUER}", None),
    (
        "unusual_event",
        r"(?:mass|school|church|stadium) shooting|stabbed (?:\w+ ){0,2}(?:with|on|at|during)",
        None,
    ),
    (
        "unusual_event",
        r"(?:sole|only|lone) survivor|survived (?:the|a) (?:\w+ )?(?:crash|collapse|explosion)",
        None,
    ),
    (
        "unusual_event",
        r"(?:collapsed|arrested|choked|seized|fainted) (?:on|at|during) (?:the |a |an |his |her )?"
        r"(?:\w+ )?(?:stage|television|air|field|altar|camera|game|match|concert|race|wedding|speech|sermon|bee)",
        None,
    ),
    #
    (
        "publicity",
        r"(?:in|on|made|all over) (?:the |our |every )?(?:local |national |evening )?"
        r"(?:news(?:papers?)?|headlines|television|TV|front page|radio|air)(?! of)",
        None,
    ),
    (
        "publicity",
        rf"(?:the )?(?:first|only|second|third|oldest|youngest|last) [^.;,]{{3,50}} (?:in|on|of) {OURS} "
        r"(?:state|country|county|world|island|city|town|nation|region|literature)",
        None,
    ),
    ("publicity", r"(?:the )?first in (?:the|our) (?:state|country|county|world|nation|region|city)", None),
    ("publicity", r"the \d{1,3}(?:st|nd|rd|th) (?:victim|survivor|patient)", None),
    (
        "publicity",
        r"the (?:man|woman|boy|girl|teacher|driver|pilot) who (?:ate|won|saved|survived|rescued|crashed)",
        None,
    ),
    ("publicity", r"first case of (?:\w+ ){1,4}in [A-Z]\w+", None),
    (
        "public_event",
        r"(?:[Tt]he |a |our )?(?:(?:[A-Z]\w+|of) ){0,3}(?:parade|(?:county|state) fair|rodeo|carnival|marathon|"
        r"triathlon|festival|concert|homecoming|(?:football|hockey) game|regatta|air show|powwow|pageant|tournament|"
        r"(?:Easter|Sunday|church) service)",
        "a public event",
    ),
    (
        "trade",
        r"(?:the )?only (?:surgeon|physician|doctor|dentist|teacher|pharmacist|nurse|priest|barber)",
        None,
    ),
    ("trade", r"s?he was the first", None),
    (
        "group",
        r"(?:Amish|Mennonite|Hutterite|Hasidic|Hmong|Inuit|Navajo|Hopi|Zuni|Lakota|Ojibwe|Yazidi|Old Order)",
        None,
    ),
    ("group", r"(?:adopted|refugee|emigrated|immigrated) from [A-Z]\w+", None),
    #
    ("triplets", r"triplets?", "siblings"),
    ("multiples", r"(?:quadruplet|quintuplet|sextuplet|septuplet)s?", "siblings"),
    ("multiples", r"(?:conjoined|craniopagus|Siamese) (?:twins?|pair|girls|boys|sisters|brothers)", None),
    (
        "siblings",
        rf"(?:all )?{SEVERAL} (?:of (?:the|their|her|his) )?(?:\w+ )?"
        r"(?P<who>siblings|brothers|sisters|cousins|daughters|sons|firefighters|classmates|teammates)",
        "several {who}",
    ),
    (
        "siblings",
        r"(?:husband and wife|mother and daughter|father and son|(?:three|four|five) generations)",
        None,
    ),
    ("twins", r"(?:identical |fraternal )?twin (?P<who>brothers?|sisters?)", "{who}"),
    ("twins", r"(?:identical )?twins", "siblings"),
    #
    (
        "small_place",
        r"(?:an? |the |our |my |this )?(?:small|tiny|little) (?:\w+ )?(?:town|village|community|parish|county)",
        "a rural area",
    ),
    (
        "small_place",
        r"(?:an? |the |our |my |this )?(?:town|village|island|community|reservation) "
        r"(?:of|\(population|with) (?:only |about )?[\d,]+(?: (?:people|souls|residents))?\)?",
        "a rural area",
    ),
    ("small_place", r"(?:our |a )?city of \d\d?,?\d\d\d(?!\d)", "a town"),
    ("small_place", rf"(?:our|my|this|the|an|one) {CLOSED_PLACE}(?! of [A-Z])", None),
    ("small_place", r"population (?:of )?\d", None),
    #
    ("measure", r"(?:2[2-9]\d|[3-5]\d\d) ?kg", "more than 200 kg"),
    ("measure", r"BMI (?:of |is |was )?(?:[89]\d|1\d\d)", "BMI above 70"),
    ("measure", r"\d (?:feet|foot|ft)(?: \d\d?)? tall|7 (?:feet|foot) \d", "very tall"),
    ("measure", r"(?:third|fourth|fifth) (?:\w+ )?transplant|[12]\dth (?:child|pregnancy)", None),
]
PATTERNS = [
    (kind, re.compile(rf"\b(?:{form})(?!\w)", 0 if kind in SAME_CASE else re.IGNORECASE), coarser)
    for kind, form, coarser in FORMS
]
