#!/usr/bin/env python3
"""Writes the performance tables of README.md from results of the peers' bench.py.

    readme_table.py RESULT.json... [--scaling SCALING.json] [--avx2 RESULT.json...] [--readme README.md]

Of a network that stands in several files the last one counts. What a second thread gives comes from
scaling.py beside this file. Results for --avx2 are made with --skiff-args=--isa=avx2 and with peers
that are limited like that. Only what lies between the two marks in the file is replaced; standard
library only.
"""
import argparse
import json
import re
import statistics
from pathlib import Path

import scaling

BEGIN, END = "<!-- performance: made by tests/bench/readme_table.py -->", "<!-- /performance -->"
SUBJECT, TOLERANCE, BAR = "skiff", 1e-3, 1.10


def good(result):
    return "ms" in result and (result.get("error_l2") is None or result["error_l2"] <= TOLERANCE)


def read(paths):
    """{(model, threads): {engine: result}} and {engine: version}."""
    rows, engines = {}, {}
    for path in paths:
        report = json.loads(Path(path).read_text())
        engines |= {name: version for name, version in report["engines"].items() if version != "not installed"}
        rows |= {(row["model"], row["threads"]): row["results"] for row in report["rows"]}
    return rows, engines


def best_peer(results):
    """The fastest right peer's name, or None."""
    peers = {name: r["ms"] for name, r in results.items() if name != SUBJECT and good(r)}
    return min(peers, key=peers.get, default=None)


def ratio(results):
    """Skiff's time over the best peer's, round by round, or None."""
    peer, own = best_peer(results), results.get(SUBJECT, {})
    if peer is None or not good(own):
        return None
    return statistics.median(a / b for a, b in zip(own["round_ms"], results[peer]["round_ms"]))


def scaling_cells(engines, peer):
    """Skiff's, and those of the peer that is the fastest with one thread."""
    return ["{:.2f}, {:.2f}".format(*scaling.summary(engines[name])) if name in engines else "-" for name in (SUBJECT, peer)]


def number(value, form=".3g"):
    return "-" if value is None else format(value, form)


def share(value):
    return "-" if value is None else f"**{value:.2f}**" if value > BAR else f"{value:.2f}"


def times(results):
    peer, own = best_peer(results), results.get(SUBJECT, {})
    theirs = f"{results[peer]['ms']:.3g} ({peer})" if peer else "-"
    return [number(own["ms"]) if good(own) else "-", theirs, share(ratio(results))]


def latency_table(rows, models, scalings):
    text = ["| network | Skiff, ms | best peer | ratio | two threads | best peer | ratio | two over one | best peer's |",
            "|---|---|---|---|---|---|---|---|---|"]
    for model in models:
        cells = times(rows.get((model, 1), {})) + times(rows.get((model, 2), {}))
        cells += scaling_cells(scalings.get(model, {}), best_peer(rows.get((model, 1), {})))
        text.append(f"| {model} | " + " | ".join(cells) + " |")
    return text


def load_table(rows, models):
    """Load to the first output and peak of resident memory, one thread."""
    text = ["| network | Skiff, ms | least of the peers | Skiff, MiB | least of the peers |", "|---|---|---|---|---|"]
    for model in models:
        results, cells = rows.get((model, 1), {}), []
        for key, form in (("cold_ms", ".0f"), ("peak_mib", ".0f")):
            peers = {n: r[key] for n, r in results.items() if n != SUBJECT and r.get(key) is not None}
            least = min(peers, key=peers.get, default=None)
            cells += [number(results.get(SUBJECT, {}).get(key), form),
                      f"{peers[least]:{form}} ({least})" if least else "-"]
        text.append(f"| {model} | " + " | ".join(cells) + " |")
    return text


def summary(rows, what, threads):
    ratios = [r for (_, t), results in rows.items() if t == threads and (r := ratio(results)) is not None]
    return [f"* {what}: geometric mean of Skiff over the best peer of each network "
            f"{statistics.geometric_mean(ratios):.3f} over {len(ratios)} networks, worst {max(ratios):.2f}."] if ratios else []


def region(rows, engines, scalings, limited):
    models = list(dict.fromkeys(model for model, _ in rows))
    machine = next(r[SUBJECT]["environment"] for r in rows.values() if "environment" in r.get(SUBJECT, {}))
    noisy = sorted({m for (m, _), r in rows.items() if any(x.get("clean", 2) < 2 for x in r.values() if "ms" in x)})
    peers = ", ".join(f"{name} {version}" for name, version in engines.items() if name != SUBJECT)
    text = [f"{machine['cpu']}, {machine['cpus']} cores, {machine['compiler']}, {machine['build']}; fp32, batch 1, medians of interleaved "
            f"rounds in ms. Peers: {peers}. Ratios are taken round by round; above {BAR:.2f} they are bold. Two over one: time "
            "with one thread over that with two, from rounds of their own in which each engine runs both in turn; first the "
            "median of the rounds, then the quotient of each side's best one, which a busy host disturbs less.", ""]
    if noisy:
        text += ["Other programs disturbed the rounds of: " + ", ".join(noisy) + ".", ""]
    text += [*latency_table(rows, models, scalings), "", *summary(rows, "1 thread", 1), *summary(rows, "2 threads", 2),
             *summary(limited, "1 thread, with AVX2 at most, as " + " and ".join(sorted({n for r in limited.values() for n in r} - {SUBJECT})), 1), "",
             "Load to first output in a fresh process (file in the page cache, digests checked) and peak of resident memory, one thread:",
             "", *load_table(rows, models)]
    return "\n".join(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="+", metavar="RESULT.json")
    parser.add_argument("--scaling", type=Path, metavar="SCALING.json")
    parser.add_argument("--avx2", nargs="*", default=[], metavar="RESULT.json")
    parser.add_argument("--readme", type=Path, default=Path(__file__).resolve().parents[2] / "README.md")
    args = parser.parse_args()
    text = args.readme.read_text()
    scalings = json.loads(args.scaling.read_text()) if args.scaling else {}
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        parser.error(f"{args.readme}: the marks {BEGIN} and {END} must stand there once each")
    made = f"{BEGIN}\n\n{region(*read(args.results), scalings, read(args.avx2)[0])}\n\n{END}"
    args.readme.write_text(re.sub(re.escape(BEGIN) + ".*" + re.escape(END), lambda _: made, text, flags=re.S))


if __name__ == "__main__":
    main()
