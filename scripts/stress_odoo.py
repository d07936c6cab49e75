"""Odoo, for `stress_server`."""

import odoo.cli

odoo.cli.main()
