"""Cases of earlier weeks: from a few words each, who answered, when, and how sure they were."""

import random
import tomllib
from pathlib import Path

WRITTEN = Path(__file__).parent / "past.toml"
FIRST_AGE, LAST_AGE = 74.0, 9.5  # days
CONFIDENCES = (50, 60, 70, 70, 80, 80, 90)


def entries(rng: random.Random) -> list[dict]:
    """As the other file has its cases, the oldest first."""
    written = tomllib.loads(WRITTEN.read_text(encoding="utf-8"))["case"]
    rng.shuffle(written)
    step = (FIRST_AGE - LAST_AGE) / max(len(written) - 1, 1)
    return [_entry(rng, case, FIRST_AGE - place * step) for place, case in enumerate(written)]


def _entry(rng: random.Random, case: dict, age: float) -> dict:
    answers = _answers(rng, case)
    entry = {
        "urgency": "days",
        "asker": case["specialties"][0],
        "age_days": age - rng.random() / 2,
        "pictures": [],
        "importance": 3.5,
        "ratings": rng.randint(3, 12),
        **case,
        "answer": answers,
    }
    if final := case.get("final_diagnosis"):
        named = [number for number, one in enumerate(answers, start=1) if one["diagnosis"] == final]
        entry["solved_after_hours"] = answers[-1]["after_hours"] + rng.lognormvariate(2.6, 0.9)
        entry |= {"credited": named[:2]} if named else {"outcome": "It was found where she was sent on to."}
        if entry.get("outcome") and case["sex"] == "male":
            entry["outcome"] = "It was found where he was sent on to."
    return entry


def _answers(rng: random.Random, case: dict) -> list[dict]:
    """Three to six, most of them right, each from one of the specialties asked."""
    hours, made = 0.0, []
    for place in range(rng.randint(3, 6)):
        hours += rng.lognormvariate(-1.6 if place == 0 else 0.3, 1.1)
        is_right = "final_diagnosis" in case and rng.random() < 0.68
        name = case["final_diagnosis"] if is_right else rng.choice(case["others"])
        made.append(
            {
                "by": case["specialties"][0] if rng.random() < 0.7 else case["specialties"][-1],
                "after_hours": hours,
                "diagnosis": name,
                "code": case["code"] if is_right else "",
                "confidence": rng.choice(CONFIDENCES) if is_right else rng.choice(CONFIDENCES[:4]),
                "next_step": case["next_step"] if is_right and rng.random() < 0.6 else "",
                "after": place > 1 and rng.random() < 0.3,
                "corroborate": rng.randint(2, 14) if is_right else rng.randint(0, 4),
                "body": "",
            }
        )
    return made
