"""Names of Odoo's own that its next version changes, each in one place."""

# Fields of `res.partner.bank`: the number as it is written, and without spaces. In 20.0 they are called
# `account_number` and `sanitized_account_number`.
NUMBER = 'acc_number'
SANITIZED_NUMBER = 'sanitized_acc_number'


def get_parameter(env, name, default=''):
    """Return a system parameter as text, whoever asks; `default` when it is not set. In 20.0: `get_str`."""
    return env['ir.config_parameter'].sudo().get_param(name) or default


def set_parameter(env, name, value):
    """Set a system parameter with the rights of `env`. In 20.0: `set_str`."""
    env['ir.config_parameter'].set_param(name, value)
