from .audio import AudioModality as AudioModality
from .base import Modality as Modality
from .base import coordinate_grid as coordinate_grid
from .base import source_hash as source_hash
from .columns import ColumnsModality as ColumnsModality
from .columns import TableRow as TableRow
from .gridded import ArrayModality as ArrayModality
from .image import ImageModality as ImageModality
from .recording import Recording as Recording
from .recording import read_recording as read_recording
from .registry import (
    MODALITIES as MODALITIES,
)
from .registry import (
    modality_class as modality_class,
)
from .registry import (
    modality_from_dict as modality_from_dict,
)
from .registry import (
    modality_names as modality_names,
)
from .scaling import ChannelStatistics as ChannelStatistics
from .scaling import Scaling as Scaling
from .sensor import SensorModality as SensorModality
from .vectors import VectorsModality as VectorsModality
from .video import VideoModality as VideoModality
