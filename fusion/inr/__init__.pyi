from .architecture import Architecture as Architecture
from .architecture import flatten as flatten
from .architecture import unflatten as unflatten
from .engine import FitResult as FitResult
from .engine import fit as fit
from .metrics import psnr as psnr
from .settings import FitSettings as FitSettings
