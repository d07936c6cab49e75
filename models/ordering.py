"""The place of each transaction in Ponto's list, kept as a number that falls from the newest to the oldest."""


def places(ranks):
    """Return the ranks of new rows, so that ranks fall along a list that is newest first.

    :param ranks: `{id: rank}` in the list's order, the rank 0 standing for a new row
    :return: `{id: rank}` of the new rows; known rows keep theirs
    """
    ids = list(ranks)
    found = {}
    run = []
    above = None
    for ponto_id in [*ids, None]:
        rank = ranks.get(ponto_id, 0) if ponto_id else None
        if ponto_id and not rank:
            run.append(ponto_id)
            continue
        found.update(_spread(run, above, rank))
        run, above = [], rank
    return found


def _spread(run, above, below):
    """Return ranks for `run`, newest first, between `above` (None: nothing newer) and `below` (None: nothing older)."""
    if below is None:
        below = above - len(run) - 1 if above is not None else 0
    if above is None or above <= below:
        above = below + len(run) + 1
    step = (above - below) / (len(run) + 1)
    return {ponto_id: above - step * (place + 1) for place, ponto_id in enumerate(run)}
