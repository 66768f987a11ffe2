"""How a call is refused: its session, its parameters, its permissions."""

from __future__ import annotations

from pooltrust.errors.declaring import Defect, Refused, failure


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
