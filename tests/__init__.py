from . import test_synchronization
