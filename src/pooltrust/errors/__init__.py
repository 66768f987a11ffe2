"""Every way a call can fail, declared once.

Class = code, fields = wire parameters, docstring = message.

Five families, by who must act: `Refused` (nothing changed, fix the request), `Untrusted` (nothing
confidential was said, look at the peer), `Unreachable` (try again), `Suspended` (stopped between
two steps, resume or abandon), `Defect` (ours).  A field declared with `aside()` is part of the
message, never of the wire parameters, because published codes keep their exact parameters.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, TypeVar, dataclass_transform

from pooltrust.terms import Thumbprint


class Failure(Exception):
    """A declared failure.  `code` and `parameters()` go on the wire, `str()` to people."""

    code: ClassVar[str] = "INTERNAL_ERROR"
    template: ClassVar[str] = ""
    cure: ClassVar[str] = ""
    also: tuple[Failure, ...] = ()

    def parameters(self) -> list[str]:
        """The wire parameters, in their declared order."""
        return [
            str(getattr(self, f.name))
            for f in fields(self)  # type: ignore[arg-type]
            if f.metadata.get("wire", True)
        ]

    def __str__(self) -> str:
        values = {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]
        cure = str(values.get("remedy") or self.cure.format_map(values))
        also = [f"Also: {other}" for other in self.also]
        return " ".join(part for part in (self.template.format_map(values), cure, *also) if part)


class Refused(Failure):
    """Nothing changed anywhere; fix the request."""


class Untrusted(Failure):
    """The peer did not prove who it is; nothing confidential was said.  Never retried."""


class Unreachable(Failure):
    """Nobody answered; try again."""


class Suspended(Failure):
    """Stopped between two steps; the pool is consistent; resume or abandon."""


class Defect(Failure):
    """A fault of this program."""


FAILURES: dict[str, type[Failure]] = {}
"""Every declared failure by its code."""

F = TypeVar("F", bound=Failure)


@dataclass_transform(eq_default=True, field_specifiers=(field,))
def failure(code: str, *, cure: str = "") -> Callable[[type[F]], type[F]]:
    """Declare one failure.  Raises TypeError for a second one of that code or a missing docstring.

    The docstring is the message; ``{field}`` in it, and in `cure`, is filled from the fields.
    """

    def declare(cls: type[F]) -> type[F]:
        declared = dataclass(eq=True)(cls)
        declared.__hash__ = Exception.__hash__  # type: ignore[method-assign]
        declared.code = code
        declared.template = " ".join((cls.__doc__ or "").split())
        declared.cure = cure
        if not declared.template or declared.template.startswith(f"{cls.__name__}("):
            raise TypeError(f"{cls.__name__} needs a docstring: it is the message")
        if code in FAILURES:
            raise TypeError(f"{code} is declared twice")
        known = {f.name for f in fields(declared)}  # type: ignore[arg-type]
        for text in (declared.template, cure):
            for _, name, _, _ in string.Formatter().parse(text):
                if name is not None and name not in known:
                    raise TypeError(f"{cls.__name__} speaks of {name!r}, which is no field of it")
        FAILURES[code] = declared
        return declared

    return declare


def aside(default: object = "") -> Any:
    """A field of the message that is not a wire parameter."""
    return field(default=default, metadata={"wire": False})


# Peers and connections.


@failure("SSL_VERIFY_ERROR")
class CannotVerify(Untrusted):
    """Expected {expected}, met {met}: {reason}."""

    reason: str
    expected: str = aside("somebody known")
    met: str = aside("nobody")
    remedy: str = aside()
    certificate: Thumbprint | None = aside(None)


class NotAccepted(CannotVerify):
    """It is whom we expected, and it said that it does not accept our certificate."""


@failure("TLS_CONNECTION_FAILED", cure="Check that the host is up: pooltrust host status")
class CannotConnect(Unreachable):
    """No connection to {expected} at {address} port {port}: {why}."""

    address: str
    port: int
    expected: str = aside("a host")
    why: str = aside("it did not answer")


@failure("CANNOT_CONTACT_HOST", cure="Check that the host is up: pooltrust host status")
class CannotContactHost(Unreachable):
    """Host {host} did not answer: {why}."""

    host: str
    why: str = aside("no connection")


# Sessions, names and parameters.


@failure("SESSION_INVALID", cure="Log in again.")
class SessionInvalid(Refused):
    """This session is unknown or has ended."""

    session: str


@failure("SESSION_AUTHENTICATION_FAILED", cure="Check the user name and the password.")
class SessionAuthenticationFailed(Refused):
    """{why}"""

    username: str
    why: str = "The credentials given by the user are incorrect"


@failure(
    "SESSION_AUTHORIZATION_FAILED",
    cure="Let an administrator of the pool give this user a role: xe subject-add, subject-role-add",
)
class SessionAuthorizationFailed(Refused):
    """{username} proved who it is, but {why}."""

    username: str
    why: str = "is not among those who may use this pool"


@failure("HOST_IS_SLAVE", cure="Connect to {address} instead.")
class HostIsSlave(Refused):
    """This host is a supporter; its coordinator is at {address}."""

    address: str


@failure("HANDLE_INVALID")
class HandleInvalid(Refused):
    """There is no {type} with the reference {handle}."""

    type: str
    handle: str


@failure("UUID_INVALID")
class UuidInvalid(Refused):
    """There is no {type} with the UUID {uuid}."""

    type: str
    uuid: str


@failure("MESSAGE_METHOD_UNKNOWN", cure="system.listMethods lists what there is.")
class MessageMethodUnknown(Refused):
    """There is no call named {method}."""

    method: str


@failure("MESSAGE_PARAMETER_COUNT_MISMATCH")
class MessageParameterCountMismatch(Refused):
    """{method} takes {expected} parameters; {received} were given."""

    method: str
    expected: int
    received: int


@failure("FIELD_TYPE_ERROR")
class FieldTypeError(Refused):
    """The value given for {field} has the wrong type."""

    field: str


@failure("INVALID_VALUE")
class InvalidValue(Refused):
    """{value} is not a value that {field} can have."""

    field: str
    value: str


class InvalidText(InvalidValue):
    """The same for a date or a choice: published clients are given the text alone."""

    def parameters(self) -> list[str]:
        """The text."""
        return [self.value]


@failure("Fault")
class NoAsyncForm(Refused):
    """{message}"""

    message: str


@failure("MAP_DUPLICATE_KEY")
class MapDuplicateKey(Refused):
    """{type} {uuid} has the key {key} in {param_name} already."""

    type: str
    param_name: str
    uuid: str
    key: str


@failure("RBAC_PERMISSION_DENIED")
class RbacPermissionDenied(Refused):
    """{message}"""

    permission: str
    message: str


@failure("USER_IS_NOT_LOCAL_SUPERUSER", cure="Call it as root, on the host or by root's password.")
class NotLocalSuperuser(Refused):
    """{why}"""

    why: str


# Users, subjects and roles.


@failure("SUBJECT_CANNOT_BE_RESOLVED", cure="Check the spelling; see who there is: xe user-list")
class SubjectCannotBeResolved(Refused):
    """There is no user or group {name}."""

    name: str = aside("of that name")


@failure("SUBJECT_ALREADY_EXISTS", cure="See its roles: xe subject-list")
class SubjectAlreadyExists(Refused):
    """This user or group is a subject of the pool already."""


@failure(
    "ROLE_NOT_FOUND", cure="xe role-list shows the roles there are, xe subject-list who has them."
)
class RoleNotFound(Refused):
    """The subject does not have this role."""


@failure("ROLE_ALREADY_EXISTS")
class RoleAlreadyExists(Refused):
    """The subject has this role already."""


@failure("AUTH_UNKNOWN_TYPE", cure="Users are the pool's own, or by setting those of PAM.")
class AuthUnknownType(Refused):
    """There is no directory of the type {type} here."""

    type: str


@failure("AUTH_IS_DISABLED", cure="Users are the pool's own, or by setting those of PAM.")
class AuthIsDisabled(Refused):
    """This pool uses no external directory."""


@failure("NOT_IMPLEMENTED")
class NotImplementedHere(Refused):
    """{function} is not done here: a pool of pooltrust has no virtual machines, storage or networks
    of its own, and no updates or licences."""

    function: str


@failure("OPERATION_NOT_ALLOWED")
class OperationNotAllowed(Refused):
    """{reason}"""

    reason: str


@failure("INTERNAL_ERROR", cure="Please report it with the host's log around this time.")
class InternalError(Defect):
    """{what}"""

    what: str


# Joining.


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


# The host itself: configuration, state folder, database, accounts.


@failure("CONFIGURATION_INVALID")
class BadConfig(Refused):
    """The configuration {file} can't be used: {problems}"""

    file: str
    problems: str


@failure("STATE_FOLDER_REFUSED")
class BadStateFolder(Refused):
    """The state folder {folder} can't be used: {why}."""

    folder: str
    why: str
    remedy: str = aside()


@failure("STATE_FOLDER_IN_USE", cure="Stop that daemon first, or give this one its own folder.")
class StateFolderInUse(Refused):
    """The state folder {folder} is in use by process {pid}."""

    folder: str
    pid: str


@failure("DATABASE_CORRUPT")
class CorruptDatabase(Refused):
    """The database {file} can't be used: {why}."""

    file: str
    why: str
    remedy: str = aside(
        "Move the file away: a member is sent the records again by its coordinator; "
        "a coordinator needs the file of one of its members or of a backup."
    )


@failure(
    "DATABASE_WRITE_FAILED",
    cure="Nothing was changed.  Free space in that folder or repair its disk, then try again.",
)
class CannotStore(Refused):
    """The change could not be stored in {file}: {why}."""

    file: str
    why: str
    remedy: str = aside("")
    """Instead of the cure, where something may have changed after all."""


@failure("CHANGE_PASSWORD_REJECTED")
class PasswordRejected(Refused):
    """The system rejected the password change; {why}."""

    why: str


# The trust log.


@failure("TRUST_ENTRY_REFUSED")
class BadEntry(Refused):
    """Entry {number} of the trust log breaks the rule "{rule}": {why}."""

    rule: str
    number: int
    why: str


@failure("TRUST_LOG_TOO_NEW", cure="Upgrade this host: a newer release wrote that entry.")
class UpgradeThisHost(Refused):
    """Entry {number} of the trust log is of the kind {kind}, which this release does not know."""

    number: int
    kind: str


@failure(
    "TAKEOVER_NEEDS_ORDER",
    cure="If it is to be followed, order it on this host: xe pool-emergency-reset-master",
)
class TakeoverNeedsOrder(Refused):
    """Host {host} took over at entry {number} of the trust log without the other members."""

    host: str
    number: int


@failure("TAKEOVER_NOT_ENDORSED")
class MayNotEndorse(Refused):
    """This host does not endorse that takeover: {why}."""

    why: str


@failure(
    "TRUST_LOG_CORRUPT",
    cure="Keep a copy of the file; replace the log with that of another member, or restore it.",
)
class CorruptLog(Refused):
    """The trust log {file} can't be used: line {line}: {why}."""

    file: str
    line: int
    why: str


# The wire between hosts.


@failure("PEER_FRAME_ERROR")
class FrameError(Untrusted):
    """{peer} does not speak the pool's protocol: {why}."""

    why: str
    peer: str = aside("The peer")
    remedy: str = aside("Check that both hosts run the same version of pooltrust.")


@failure("CANNOT_LISTEN", cure="See who has it (ss -ltnp), or choose another in the configuration.")
class CannotListen(Refused):
    """This host can't listen on {address} port {port}: {why}."""

    address: str
    port: int
    why: str
