"""Tables of Markdown: each part's own, with all clients, and in the end the one with layer against the best of its peers."""

import statistics
import sys


def say(text):
    print(text, file=sys.stderr, flush=True)


def line(cells):
    print(f"| {' | '.join(cells)} |")


def table(title, found, refused, columns):
    """Medians of all clients; `columns` are (name, of a result, format). What was refused stands there with what it said."""
    print(f"\n### {title}\n")
    line(["", *(name for name, _, _ in columns)])
    line(["---"] * (len(columns) + 1))
    for name, results in found.items():
        line([name, *(form.format(statistics.median(map(of, results))) for _, of, form in columns)])
    for name, why in refused.items():
        line([name, f"no figure: {why.replace('|', '/')}", *[""] * (len(columns) - 1)])
    sys.stdout.flush()


def summary(rows):
    """`rows` are (what, results by client, of a result, format, whether more is better, what was set out for). The ratio is above
    one where layer is ahead: the median of those of the rounds, against the peer whose median is the best."""
    print("\n### Against the best of them\n")
    line(["what", "best peer", "layer", "ratio", "at least"])
    line(["---"] * 5)
    for what, found, of, form, more, wanted in rows:
        values = {name: [of(result) for result in results] for name, results in found.items()}
        ours = values.pop("layer", None)
        middles = {name: statistics.median(peer) for name, peer in values.items()}
        if ours is None or not middles:
            line([what, "no figure", "no figure" if ours is None else form.format(statistics.median(ours)), "", wanted])
            continue
        best = (max if more else min)(middles, key=middles.get)
        ratios = [(a / b if more else b / a) if a and b else 0 for a, b in zip(ours, values[best])]
        line([what, f"{form.format(middles[best])} ({best})", form.format(statistics.median(ours)),
              f"{statistics.median(ratios):.2f}×", wanted])
    sys.stdout.flush()
