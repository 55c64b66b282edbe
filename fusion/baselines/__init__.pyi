from .lstm import LstmSettings as LstmSettings
from .models import (
    BASELINES as BASELINES,
)
from .models import (
    BaselineResult as BaselineResult,
)
from .models import (
    baseline as baseline,
)
from .models import (
    measure_baseline as measure_baseline,
)
from .prepared import Prepared as Prepared
from .prepared import raw_matrix as raw_matrix
