"""Notifications to the person who has clicked: success is green; failure is red and stays until somebody closes it."""

RELOAD = {'type': 'ir.actions.client', 'tag': 'soft_reload'}


def success(message, next_action=None):
    """Return the client action that shows `message` in green and then does `next_action`.

    :param next_action: by default the view behind is reloaded
    """
    return _notification('success', message, next_action)


def failure(message, next_action=None):
    """Return the client action that shows `message` in red until somebody closes it; see `success`."""
    return _notification('danger', message, next_action)


def _notification(kind, message, next_action):
    return {
        'type': 'ir.actions.client',
        'tag': 'display_notification',
        'params': {'type': kind, 'message': message, 'sticky': kind == 'danger', 'next': next_action or RELOAD},
    }
