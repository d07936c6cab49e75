{
    'name': 'Bank Synchronization with Ponto',
    'version': '19.0.1.0.0',
    'category': 'Accounting/Accounting',
    'summary': 'Every booked bank transaction in Odoo, once, on the right date, with the bank\'s balance as proof',
    'author': 'The account_online_ponto contributors',
    'license': 'LGPL-3',
    'depends': ['account'],
    'external_dependencies': {'python': ['requests', 'python-stdnum']},
    'data': [
        'security/ponto_security.xml',
        'security/ir.model.access.csv',
        'data/ir_cron.xml',
        'wizard/ponto_connect_views.xml',
    ],
    'application': False,
}
