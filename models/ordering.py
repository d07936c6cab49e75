"""The place of each transaction in Ponto's list, kept as a number that falls from the newest to the oldest."""

from itertools import pairwise

# Lines of one day are ordered by a sequence that counts down from here as the bank goes on.
FIRST_SEQUENCE = 100_000


def places(ranks, floor=0, ceiling=None):
    """Return the ranks to set so that all ranks fall along a list that is newest first.

    :param ranks: `{id: rank}` in the list's order, ranks above 0, and 0 standing for a row without one
    :param floor: what follows below the list has ranks up to this one
    :param ceiling: what stands above the list has ranks from this one on; None if nothing does
    :return: `{id: rank}` of the rows without a rank and of those that the list has moved; the others keep theirs
    """
    found = {}
    run = []
    below = floor
    for ponto_id, rank in reversed(ranks.items()):
        is_between = below < rank and (ceiling is None or rank < ceiling)
        ranked_run = _spread(run, below, rank) if is_between else None
        if ranked_run is None:
            run.append(ponto_id)
            continue
        found.update(ranked_run)
        run, below = [], rank
    top = _spread(run, below, below + len(run) + 1 if ceiling is None else ceiling)
    if top is None:
        # No numbers are left between: all of the list gets new ones.
        top = _spread(list(reversed(ranks)), floor, ceiling) or places(dict.fromkeys(ranks, 0), floor)
    return {**found, **top}


def _spread(run, below, above):
    """Return ranks for `run`, oldest first, between two others; None if no numbers are left between them."""
    step = (above - below) / (len(run) + 1)
    numbers = [below, *(below + step * place for place in range(1, len(run) + 1)), above]
    if any(lower >= upper for lower, upper in pairwise(numbers)):
        return None
    return dict(zip(run, numbers[1:-1], strict=True))
