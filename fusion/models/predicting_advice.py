"""What readers advise, said to somebody who predicts and can give no reader's options."""

from __future__ import annotations

import re

__all__ = ["for_prediction"]

_INSTEAD = {
    r"Bring all windows to one length with --reader length=\d+": "Resample or cut the file to that length",
    r"Let them be interpolated with --reader resample=true, or": "Resample the file to even steps, or",
    r"Let them be interpolated with the reader's option resample=true": "Resample the file to that rate",
    r"Let them be spread evenly until the next time with the reader's option spread=true": "Give finer times",
    r", or let the readings of one time be spread evenly until the next with --reader spread=true": "",
    r"Take a shorter one, such as --reader window=[\d.e+-]+": "Give a longer recording",
    r"cut it with the reader's option window": "cut the file there",
}
_OPTION = re.compile(r"--reader\b|the reader's option\b")
_ELSEWHERE = "predict takes no such option, functa encode FILE --like STORE does, and functa evaluate what it writes"


def for_prediction(reason: str) -> str:
    """Put what works in prediction in place of advice to give a reader's option.

    Parameters
    ----------
    reason : str
        Why a sample cannot be used, in one line.

    Examples
    --------
    >>> for_prediction("read: no recording fills a window. Take a shorter one, such as --reader window=0.5")
    'read: no recording fills a window. Give a longer recording'
    """
    for advice, instead in _INSTEAD.items():
        reason = re.sub(advice, instead, reason)
    return f"{reason}; {_ELSEWHERE}" if _OPTION.search(reason) else reason
