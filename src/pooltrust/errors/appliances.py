"""How asking the Workload Balancing appliance can fail: published codes and parameters."""

from __future__ import annotations

from pooltrust.errors import Refused, Unreachable, Untrusted, aside, failure

_REACH = "Check the appliance's address and port, and that its service runs."


@failure("WLB_URL_INVALID", cure="Give host:port, without a scheme or a path.")
class WlbUrlInvalid(Refused):
    """{url} is not where an appliance can be."""

    url: str


@failure("WLB_NOT_INITIALIZED", cure="Connect the pool to one: xe pool-initialize-wlb")
class WlbNotInitialized(Refused):
    """This pool has no Workload Balancing appliance."""


@failure("WLB_DISABLED", cure="Have it asked again: xe pool-param-set uuid=<pool> wlb-enabled=true")
class WlbDisabled(Refused):
    """The Workload Balancing appliance is not asked for advice at present."""


@failure("WLB_CONNECTION_REFUSED", cure=_REACH)
class WlbConnectionRefused(Unreachable):
    """Nothing listens at {at}, where the Workload Balancing appliance should be."""

    at: str = aside("that address")


@failure("WLB_UNKNOWN_HOST", cure=_REACH)
class WlbUnknownHost(Unreachable):
    """There is no way to {at}, where the Workload Balancing appliance should be: {why}."""

    at: str = aside("that address")
    why: str = aside("its name is unknown")


@failure("WLB_CONNECTION_RESET", cure="Look at the appliance's log.")
class WlbConnectionReset(Unreachable):
    """The Workload Balancing appliance at {at} did not answer as it should: {why}."""

    at: str = aside("that address")
    why: str = aside("it cut the connection")


@failure(
    "WLB_TIMEOUT",
    cure="Try again, or wait longer: set other-config:wlb_timeout of the pool, in seconds.",
)
class WlbTimeout(Unreachable):
    """The Workload Balancing appliance at {at} did not answer within {configured_timeout} s."""

    configured_timeout: str
    at: str = aside("that address")


@failure("WLB_AUTHENTICATION_FAILED", cure="Check wlb-username and wlb-password.")
class WlbAuthenticationFailed(Refused):
    """The Workload Balancing appliance does not accept this user and password."""


@failure("WLB_MALFORMED_RESPONSE", cure="Check that such an appliance is there, and its release.")
class WlbMalformedResponse(Untrusted):
    """The answer of the Workload Balancing appliance to {method} can't be read: {reason}."""

    method: str
    reason: str
    response: str


@failure("WLB_INTERNAL_ERROR", cure="Look at the appliance's log.")
class WlbInternalError(Refused):
    """The Workload Balancing appliance reports the error {result}: {message}"""

    result: str
    message: str
