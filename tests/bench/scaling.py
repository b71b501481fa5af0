#!/usr/bin/env python3
"""Measures what a second thread gives, for Skiff and for other engines.

    scaling.py --peers FOLDER --skiff TOOL --skiff-convert TOOL [--engines NAME...] [--out FILE.json] MODEL...

Every round runs each engine with one thread and then with two, so that both meet the same machine, and
gives one quotient; the result is the median of a network's rounds. bench.py of the peers' folder measures
one number of threads after the other, minutes apart, which on a shared machine can be off by a third.
The peers' folder is the one with bench.py; run it with the Python that has the engines.
"""
import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path


def quotients(bench, model, args, folder):
    """{engine: {"one": [ms], "two": [ms]}}, a number for each round; an engine that fails is left out."""
    import numpy as np

    inputs = folder / "inputs.npz"
    np.savez(inputs, **{f"input{i:02}": value for i, value in enumerate(bench.random_inputs(model))})
    started, running = [], {}
    for name in args.engines:
        pair = []
        for threads in (1, 2):
            place = folder / f"{name}{threads}"
            place.mkdir()
            pair.append(bench.start(name, model, threads, inputs, place, args))
        started += filter(None, pair)
        broken = [peer.facts["error"] for peer in pair if peer and "error" in peer.facts]
        if broken:
            print(f"{model}, {name}: {broken[0]}", file=sys.stderr)
        elif all(pair):
            running[name] = pair
    for _ in range(args.rounds):
        for name, pair in list(running.items()):
            if not all(bench.one_round(peer, args.seconds) for peer in pair):
                print(f"{model}, {name}: {pair[0].rounds[-1]} {pair[1].rounds[-1]}", file=sys.stderr)
                running.pop(name)
    for peer in started:
        peer.close()
    return {name: {key: [r["median"] for r in peer.rounds] for key, peer in zip(("one", "two"), pair)}
            for name, pair in running.items()}


def summary(rounds):
    """Median of the quotients, and the quotient of each side's best round."""
    return statistics.median(a / b for a, b in zip(rounds["one"], rounds["two"])), min(rounds["one"]) / min(rounds["two"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", metavar="MODEL", help="as bench.py takes it")
    parser.add_argument("--peers", type=Path, required=True, help="the folder of bench.py")
    parser.add_argument("--skiff", required=True, help="the skiff tool")
    parser.add_argument("--skiff-convert", required=True, help="the converter")
    parser.add_argument("--skiff-args", default="", help="more flags for skiff bench and run")
    parser.add_argument("--engines", nargs="+", default=["ort", "litert", "openvino", "skiff"])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.5, help="length of one engine's part of a round")
    parser.add_argument("--cache", type=Path, default=Path("peers-cache"), help="where converted models are kept")
    parser.add_argument("--out", type=Path, default=Path("scaling.json"))
    args = parser.parse_args()
    sys.path.insert(0, str(args.peers))
    import bench

    args.cache.mkdir(parents=True, exist_ok=True)
    report = {}
    for model in args.models:
        path = bench.fixed(model, args.cache)
        with tempfile.TemporaryDirectory() as folder:
            report[Path(model.partition("@")[0]).stem] = row = quotients(bench, path, args, Path(folder))
        print(Path(path).stem + ": " + ", ".join("{} {:.2f} (best rounds {:.2f})".format(name, *summary(r)) for name, r in row.items()), flush=True)
        args.out.write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
