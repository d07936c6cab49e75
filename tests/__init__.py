from . import test_synchronization
from . import test_balance
from . import test_corrections
from . import test_failures
from . import test_ponto_client
from . import test_ponto_faults
from . import test_ponto_resources
from . import test_ponto_transport
