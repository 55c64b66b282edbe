"""The exceptions of the store; each carries the exit code that a command should end with."""


class FusionError(Exception):
    """Root of every error this project raises on purpose: what, got, expected, what to do."""

    exit_code = 1


class StoreError(FusionError):
    """Something is wrong with a store or with what was asked of it."""


class IntegrityError(StoreError):
    """What is on disk is not what was written; the message names the place."""

    exit_code = 3


class StoreLockedError(StoreError):
    """Another process is writing to the store."""


class StoreExistsError(StoreError):
    """Somebody else has made the store meanwhile."""


class UnreachableError(StoreError):
    """An object store does not answer; what was asked of it may have been done or not."""


class StoreMismatchError(StoreError):
    """The store was made by another configuration or from another start."""


class StoreFormatError(StoreError):
    """Not a functa store, or one that a newer version wrote."""


class UnknownIDError(StoreError, KeyError):
    """The store holds no usable row of this ID."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class StoreWarning(UserWarning):
    """Something about a store that its user should know, although the work goes on."""
