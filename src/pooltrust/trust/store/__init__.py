"""The files of the trust floor: the log, the identities, the vote.  The only writer of them.

Blocking: a daemon calls it from a worker thread, one call at a time.  A write is done when it is
on the disk (fsync); a file that is replaced is never seen half written (temporary file, fsync,
rename, fsync of the folder).  What the bytes mean is decided by the pure modules.
"""

from pooltrust.trust.store.contents import Contents, read_log, verify_log
from pooltrust.trust.store.evidence import Evidence
from pooltrust.trust.store.files import replace_file
from pooltrust.trust.store.identities import (
    IdentityFile,
    delete_identity,
    read_identity,
    write_identity,
)
from pooltrust.trust.store.log_file import LogFile, Torn, open_log, torn_file
from pooltrust.trust.store.reserve import RESERVE
from pooltrust.trust.store.votes import (
    NOTHING_NOTED,
    Noted,
    forget_noted,
    read_noted,
    read_settled,
    read_vote,
    settled_file,
    vote_file,
    write_settled,
    write_vote,
)

__all__ = [
    "NOTHING_NOTED",
    "RESERVE",
    "Contents",
    "Evidence",
    "IdentityFile",
    "LogFile",
    "Noted",
    "Torn",
    "delete_identity",
    "forget_noted",
    "open_log",
    "read_identity",
    "read_log",
    "read_noted",
    "read_settled",
    "read_vote",
    "replace_file",
    "settled_file",
    "torn_file",
    "verify_log",
    "vote_file",
    "write_identity",
    "write_settled",
    "write_vote",
]
