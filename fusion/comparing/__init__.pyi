from .compare import compare as compare
from .ranking import CompareResult as CompareResult
