"""The place of each transaction in Ponto's list, kept as a number that falls from the newest to the oldest."""
from itertools import pairwise


def places(ranks):
    """Return the ranks to set so that all ranks fall along a list that is newest first.

    :param ranks: `{id: rank}` in the list's order, ranks above 0, and 0 standing for a row without one
    :return: `{id: rank}` of the rows without a rank and of those that the list has moved; the others keep theirs
    """
    found = {}
    run = []
    below = 0
    for ponto_id, rank in reversed(ranks.items()):
        ranked_run = _spread(run, below, rank) if rank > below else None
        if ranked_run is None:
            run.append(ponto_id)
            continue
        found.update(ranked_run)
        run, below = [], rank
    return {**found, **_spread(run, below, below + len(run) + 1)}


def _spread(run, below, above):
    """Return ranks for `run`, oldest first, between two others; None if no numbers are left between them."""
    step = (above - below) / (len(run) + 1)
    numbers = [below, *(below + step * place for place in range(1, len(run) + 1)), above]
    if any(lower >= upper for lower, upper in pairwise(numbers)):
        return None
    return dict(zip(run, numbers[1:-1], strict=True))
