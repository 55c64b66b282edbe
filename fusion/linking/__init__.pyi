from .labels import label_maps as label_maps
from .labels import read_label_map as read_label_map
from .linker import link as link
from .streaming import (
    LinkFile as LinkFile,
)
from .streaming import (
    link_to_file as link_to_file,
)
from .summary import (
    LinkedStore as LinkedStore,
)
from .summary import (
    LinkSummary as LinkSummary,
)
from .table import (
    LinkTable as LinkTable,
)
from .table import (
    read_link as read_link,
)
