"""Rename fields, with what Odoo has stored about them, so that no value and no selection is lost."""

from odoo.tools.sql import column_exists, rename_column

RENAMED = [
    ('ponto.integration', 'api', 'connection'),
    ('ponto.account', 'bank_asked_ids', 'pending_synchronization_ids'),
    ('ponto.account', 'bank_not_asked', 'synchronization_refusal'),
    ('ponto.account', 'last_full_walk_at', 'last_full_read_at'),
    ('ponto.account', 'walk_cursor', 'resume_after'),
    ('ponto.account', 'walk_number', 'sweep_number'),
    ('ponto.transaction', 'walk_number', 'sweep_number'),
]


def migrate(cr, version):
    """Rename the columns, the `ir.model.fields` and the external ids of fields and selection values."""
    for model, old, new in RENAMED:
        table = model.replace('.', '_')
        if not column_exists(cr, table, old):
            continue
        rename_column(cr, table, old, new)
        cr.execute("UPDATE ir_model_fields SET name = %s WHERE model = %s AND name = %s", [new, model, old])
        for prefix, suffix in ((f'field_{table}__', ''), (f'selection__{table}__', '__%')):
            cr.execute(
                "UPDATE ir_model_data SET name = overlay(name placing %s from %s for %s)"
                " WHERE module = 'account_online_ponto' AND name LIKE %s",
                [new, len(prefix) + 1, len(old), f'{prefix}{old}{suffix}'.replace('_', r'\_')],
            )
