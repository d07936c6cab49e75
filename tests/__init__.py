import logging
from importlib.util import find_spec

from . import test_structure
from . import test_synchronization
from . import test_balance
from . import test_opening
from . import test_existing_books
from . import test_corrections
from . import test_failures
from . import test_faults
from . import test_rules
from . import test_runner
from . import test_screenshots
from . import test_pending
from . import test_turns
from . import test_ponto_client
from . import test_ponto_connect
from . import test_ponto_contract
from . import test_ponto_faults
from . import test_ponto_logo
from . import test_ponto_resources
from . import test_ponto_signature
from . import test_ponto_transport
from . import test_ponto_webhook
from . import test_browser
from . import test_browser_screens
from . import test_connect_wizard
from . import test_identity
from . import test_security
from . import test_attacks
from . import test_hostile_texts
from . import test_consent
from . import test_simulator
from . import test_simulator_connect
from . import test_simulator_faults
from . import test_demo_company
from . import test_fetch
from . import test_catalogue
from . import test_logos
from . import test_js
from . import test_inbox
from . import test_encryption
from . import test_books_cases
from . import test_dates
from . import test_journal_entries
from . import test_labels
from . import test_linear
from . import test_translations
from . import test_partners
from . import test_recordings
from . import test_proposals
from . import test_matching_by_itself
from . import test_reconciliation
from . import test_reconciliation_core
from . import test_reconciliation_grading
from . import test_reconciliation_panel
from . import test_repeated
from . import test_review
from . import test_same_payment
from . import test_suspects
from . import test_processes
from . import test_connect_flow
from . import test_webhooks
from . import test_card
from . import test_cards
from . import test_browser_card
from . import test_browser_connect
from . import test_browser_direct
from . import test_browser_month
from . import test_browser_reconcile
from . import test_browser_review
from . import test_year
from . import test_health
from . import test_public_methods
from . import test_states
from . import test_concerns
from . import test_clock

if find_spec('hypothesis'):
    from . import test_drawn_values
    from . import test_fuzz
    from . import test_properties
    from . import test_reconciliation_properties
else:
    logging.getLogger(__name__).info(
        "Tests that draw values at random are left out. They need the package hypothesis, see test-requirements.txt."
    )
