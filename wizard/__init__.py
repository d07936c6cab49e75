from . import ponto_backfill
from . import ponto_connect
from . import ponto_connect_account
from . import ponto_reauthorize
from . import ponto_settlement
