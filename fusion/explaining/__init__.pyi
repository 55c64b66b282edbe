from .deletion import DeletionCheck as DeletionCheck
from .deletion import check_deletion as check_deletion
from .evidence import BranchEvidence as BranchEvidence
from .explanation import Explanation as Explanation
from .explanation import explain as explain
