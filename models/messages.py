"""What people are told: success is green; failure is red and stays until somebody closes it."""

RELOAD = {'type': 'ir.actions.client', 'tag': 'soft_reload'}


def success(message, next_action=None):
    """Return the client action that shows `message` in green and then does `next_action`.

    :param next_action: by default the view behind is reloaded
    """
    return _notification('success', message, next_action)


def failure(message, next_action=None):
    """Return the client action that shows `message` in red until somebody closes it; see `success`."""
    return _notification('danger', message, next_action)


def about(env, subject, text):
    """Return `text` after what it is about. French has a space before the colon, so languages write it themselves."""
    return env._("%(subject)s: %(text)s", subject=subject, text=text)


def _notification(kind, message, next_action):
    return {
        'type': 'ir.actions.client',
        'tag': 'display_notification',
        'params': {'type': kind, 'message': message, 'sticky': kind == 'danger', 'next': next_action or RELOAD},
    }
