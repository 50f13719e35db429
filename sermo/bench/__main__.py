"""`python -m sermo.bench`; what it does stands in the package's own words."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

from sermo.bench.clients import percentile
from sermo.bench.clocks import seconds_used
from sermo.bench.stack import Stack
from sermo.runtime.options import CHECKOUT
from sermo.runtime.trouble import Trouble

PAGES = ("floor", "list", "question", "search", "full")
BAR_SCALE = "medium"
HEADS = ("page", "req/s", "p50 ms", "p99 ms", "web ms", "db ms", "first ms", "queries", "bytes", "of floor")


def main() -> None:
    asked = arguments().parse_args()
    var = Path(os.path.abspath(os.environ.get("VAR_DIR") or CHECKOUT / "var"))
    scales = asked.scales.split(",") if asked.scales else [asked.scale]
    pages = asked.pages.split(",")
    try:
        results = {scale: measure_scale(Stack(var, scale), asked, pages) for scale in scales}
    except Trouble as trouble:
        raise SystemExit(f"bench: {trouble}") from trouble
    for scale, figures in results.items():
        write(var, scale, figures)
    if len(results) > 1:
        compare(results)


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench-pages", description=__doc__)
    parser.add_argument("--scale", default=BAR_SCALE, help="small, medium or large (medium)")
    parser.add_argument("--scales", default="", metavar="A,B", help="several, and how they compare")
    parser.add_argument("--pages", default=",".join(PAGES), help=f"some of {','.join(PAGES)}")
    parser.add_argument("--fresh", action="store_true", help="make the data anew")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=5, help="in which pages take turns (5)")
    parser.add_argument("--warm-up", type=float, default=3)
    return parser


def measure_scale(stack: Stack, asked, pages: list[str]) -> dict[str, dict]:
    if asked.fresh:
        stack.forget_data()
    with stack:
        stack.start_servers(durable=False)
        targets = json.loads(stack.run_targets().read_text())
        stack.stop()
        stack.start_servers(durable=True)
        stack.start_web()
        print(f"\n{stack.scale}\n{line(HEADS)}")
        first = {name: warm_up(stack, targets, name, asked) for name in pages}
        rounds = [
            {name: measure(stack, targets, name, asked.seconds / asked.rounds) for name in pages}
            for _ in range(asked.rounds)
        ]
        figures = {
            name: {
                **summed([each[name] for each in rounds]),
                **first[name],
                "queries": targets["pages"][name]["queries"],
                "of_floor": of_floor(rounds, name),
            }
            for name in pages
        }
        for name in pages:
            print(line(row(name, figures[name])), flush=True)
        return figures


def warm_up(stack: Stack, targets: dict, name: str, asked) -> dict:
    """Ask for each address once, which is measured by itself, and then for some time."""
    order = order_of(stack, targets, name)
    first, used = asked_with(stack, {**order, "seconds": 0})
    ask({**order, "seconds": asked.warm_up})
    return {"first_cpu_ms": round(1000 * sum(used.values()) / first["answers"], 2)}


def measure(stack: Stack, targets: dict, name: str, seconds: float) -> dict:
    """One turn of a page."""
    found, used = asked_with(stack, {**order_of(stack, targets, name), "seconds": seconds})
    return {**found, "used": used}


def order_of(stack: Stack, targets: dict, name: str) -> dict:
    addresses = targets["pages"][name]["addresses"]
    return {"port": stack.port, "cookies": targets["cookies"], "addresses": addresses}


def summed(turns: list[dict]) -> dict:
    """The figures of a page over all its turns."""
    answers = sum(turn["answers"] for turn in turns)
    took = [each for turn in turns for each in turn["took_ms"]]
    used = {server: sum(turn["used"][server] for turn in turns) for server in ("web", "postgres")}
    return {
        "rps": round(answers / sum(turn["seconds"] for turn in turns), 1),
        "p50_ms": round(percentile(took, 50), 1),
        "p99_ms": round(percentile(took, 99), 1),
        "web_cpu_ms": round(1000 * used["web"] / answers, 2),
        "db_cpu_ms": round(1000 * used["postgres"] / answers, 2),
        "bytes": round(sum(turn["bytes"] * turn["answers"] for turn in turns) / answers),
    }


def of_floor(rounds: list[dict], name: str) -> float | None:
    """A page's answers a second as a share of the floor's in the same round, at the middle of the rounds.

    The speed of a shared machine changes within minutes, and with it that of both.
    """
    if "floor" not in rounds[0]:
        return None
    shares = [
        (each[name]["answers"] / each[name]["seconds"])
        / (each["floor"]["answers"] / each["floor"]["seconds"])
        for each in rounds
    ]
    return round(median(shares), 3)


def asked_with(stack: Stack, order: dict) -> tuple[dict, dict[str, float]]:
    """What the clients measured, and the seconds of the processor that each server took for it."""
    before = {server: seconds_used(stack.pid(server)) for server in ("web", "postgres")}
    found = ask(order)
    return found, {server: seconds_used(stack.pid(server)) - before[server] for server in before}


def ask(order: dict) -> dict:
    """Let the clients run once, in a process of their own."""
    done = subprocess.run(
        [sys.executable, "-m", "sermo.bench.clients"],
        input=json.dumps(order),
        stdout=subprocess.PIPE,
        text=True,
        cwd=CHECKOUT,
    )
    if done.returncode:
        raise SystemExit("Not every answer was a page; the line above names one that was not.")
    return json.loads(done.stdout)


def row(name: str, found: dict) -> tuple[str, ...]:
    return (
        name,
        f"{found['rps']:.0f}",
        f"{found['p50_ms']:.1f}",
        f"{found['p99_ms']:.1f}",
        f"{found['web_cpu_ms']:.2f}",
        f"{found['db_cpu_ms']:.2f}",
        f"{found['first_cpu_ms']:.2f}",
        str(found["queries"]),
        f"{found['bytes']:,}",
        "" if found["of_floor"] is None else f"{found['of_floor']:.0%}",
    )


def line(cells: tuple[str, ...]) -> str:
    return cells[0].ljust(10) + "".join(cell.rjust(10) for cell in cells[1:])


def write(var: Path, scale: str, figures: dict[str, dict]) -> None:
    """Beside the data, and for the scale of the bars, where all pages were measured, as VAR_DIR/bench.json."""
    text = json.dumps(figures, indent=1) + "\n"
    (var / "bench" / f"{scale}.json").write_text(text)
    if scale == BAR_SCALE and set(figures) == set(PAGES):
        (var / "bench.json").write_text(text)


def compare(results: dict[str, dict[str, dict]]) -> None:
    """How much slower pages got, as measured, and again with the floor of both scales taken for equal: it is the same
    work at every scale, so where it differs, the machine did.
    """
    first, *others = results
    for other in others:
        print(f"\n{other} against {first}: time at the middle, processor time, and both against the floor")
        grown = {name: growth(found, results[first][name]) for name, found in results[other].items()}
        for name, (time, cpu) in grown.items():
            floor_time, floor_cpu = grown.get("floor", (1.0, 1.0))
            print(f"{name:10} {time:6.2f} {cpu:6.2f} {time / floor_time:6.2f} {cpu / floor_cpu:6.2f}")


def growth(found: dict, base: dict) -> tuple[float, float]:
    cpu = (found["web_cpu_ms"] + found["db_cpu_ms"]) / (base["web_cpu_ms"] + base["db_cpu_ms"])
    return found["p50_ms"] / base["p50_ms"], cpu


if __name__ == "__main__":
    main()
