from . import test_synchronization
from . import test_balance
from . import test_corrections
from . import test_failures
