"""How joining, and operations on the pool, can fail."""

from __future__ import annotations

from pooltrust.errors.declaring import Refused, Suspended, Unreachable, aside, failure


@failure("POOL_JOINING_HOST_TLS_VERIFICATION_MISMATCH")
class TlsVerificationMismatch(Refused):
    """Certificate verification is on at one side and off at the other: it is off at {side}."""

    side: str = aside("one side")
    remedy: str = aside("Enable it there: xe pool-enable-tls-verification")


@failure(
    "JOINING_HOST_CANNOT_BE_MASTER_OF_OTHER_HOSTS",
    cure="Eject its other hosts first: xe pool-eject",
)
class JoiningHostHasMembers(Refused):
    """The joining host is the coordinator of other hosts."""


@failure("JOINING_HOST_CONNECTION_FAILED", cure="Check the address and that its daemon runs.")
class JoiningHostConnectionFailed(Unreachable):
    """No connection to the coordinator at {address}: {why}."""

    address: str = aside("that address")
    why: str = aside("it did not answer")


@failure("JOINING_HOST_SERVICE_FAILED")
class JoiningHostServiceFailed(Unreachable):
    """The peer at {address} does not speak this pool's protocol: {why}."""

    address: str = aside("that address")
    why: str = aside("unexpected answer")


@failure("TLS_VERIFICATION_ENABLE_IN_PROGRESS", cure="Wait until it has ended.")
class TlsVerificationEnableInProgress(Refused):
    """Certificate verification is being enabled right now."""


@failure("OTHER_OPERATION_IN_PROGRESS", cure="Wait until it has ended.")
class OtherOperationInProgress(Refused):
    """{operation} is running on {cls} {object} right now (operation {reference})."""

    cls: str
    object: str
    operation: str
    reference: str


@failure("OPERATION_SUSPENDED")
class OperationSuspended(Suspended):
    """{words}"""

    operation: str
    words: str = aside()


@failure("OPERATION_ABANDONED")
class OperationAbandoned(Refused):
    """{words}"""

    operation: str
    words: str = aside()


@failure("NO_SUCH_OPERATION", cure="List them: xe operation-list")
class NoSuchOperation(Refused):
    """There is no operation {operation} that has not ended."""

    operation: str


@failure("TOO_LATE_TO_ABANDON", cure="Resume it: xe operation-resume uuid={operation}")
class TooLateToAbandon(Refused):
    """The operation {operation} has passed its point of no return and will be finished."""

    operation: str
