"""`python -m sermo.bench`; what it does stands in the package's own words."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from sermo.bench.clocks import seconds_used
from sermo.bench.stack import Stack
from sermo.runtime.options import CHECKOUT
from sermo.runtime.trouble import Trouble

PAGES = ("floor", "list", "question", "search")
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
    parser.add_argument("--pages", default=",".join(PAGES), help="some of floor,list,question,search")
    parser.add_argument("--fresh", action="store_true", help="make the data anew")
    parser.add_argument("--seconds", type=float, default=10)
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
        figures: dict[str, dict] = {}
        for name in pages:
            figures[name] = measure(stack, targets, name, asked)
            print(line(row(name, figures)), flush=True)
        return figures


def measure(stack: Stack, targets: dict, name: str, asked) -> dict:
    page = targets["pages"][name]
    order = {"port": stack.port, "cookies": targets["cookies"], "addresses": page["addresses"]}
    first, first_used = asked_with(stack, {**order, "seconds": 0})
    ask({**order, "seconds": asked.warm_up})
    found, used = asked_with(stack, {**order, "seconds": asked.seconds})
    return {
        "rps": round(found["answers"] / found["seconds"], 1),
        "p50_ms": round(found["p50_ms"], 1),
        "p99_ms": round(found["p99_ms"], 1),
        "web_cpu_ms": round(1000 * used["web"] / found["answers"], 2),
        "db_cpu_ms": round(1000 * used["postgres"] / found["answers"], 2),
        "first_cpu_ms": round(1000 * sum(first_used.values()) / first["answers"], 2),
        "queries": page["queries"],
        "bytes": found["bytes"],
    }


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


def row(name: str, figures: dict[str, dict]) -> tuple[str, ...]:
    found = figures[name]
    share = f"{found['rps'] / figures['floor']['rps']:.0%}" if "floor" in figures else ""
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
        share,
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
    first, *others = results
    for other in others:
        print(f"\n{other} against {first}: time at the middle, and processor time")
        for name, found in results[other].items():
            base = results[first][name]
            cpu = (found["web_cpu_ms"] + found["db_cpu_ms"]) / (base["web_cpu_ms"] + base["db_cpu_ms"])
            print(f"{name:10} {found['p50_ms'] / base['p50_ms']:6.2f} {cpu:6.2f}")


if __name__ == "__main__":
    main()
