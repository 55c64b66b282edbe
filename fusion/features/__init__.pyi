from .items import Items as Items
from .matrix import DesignRows as DesignRows
from .matrix import design_matrix as design_matrix
from .matrix import fit_features as fit_features
from .source import Source as Source
from .source import opened_source as opened_source
from .transformer import FunctaFeatures as FunctaFeatures
