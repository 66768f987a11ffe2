"""How asking for events and tasks can fail."""

from __future__ import annotations

from pooltrust.errors import Refused, failure


@failure("EVENTS_LOST", cure="Read every object anew, with an empty token.")
class EventsLost(Refused):
    """What changed since that place is not known any more, or never was to this host."""


@failure("EVENT_FROM_TOKEN_PARSE_FAILURE", cure="Give the token of the last answer, or none.")
class EventFromTokenParseFailure(Refused):
    """{token} is no token of event.from."""

    token: str


@failure("EVENT_SUBSCRIPTION_PARSE_FAILURE", cure="Ask for *, for a class, or for class/reference.")
class EventSubscriptionParseFailure(Refused):
    """{subscription} says nothing that events can be asked for by."""

    subscription: str


@failure("SESSION_NOT_REGISTERED", cure="Register for some classes first: event.register")
class SessionNotRegistered(Refused):
    """This session has not registered for any events."""

    handle: str


@failure("TOO_MANY_PENDING_TASKS", cure="Wait until some have ended.")
class TooManyPendingTasks(Refused):
    """This host is at as many tasks as it takes at a time."""


@failure("TASK_CANCELLED")
class TaskCancelled(Refused):
    """The task {task} was given up before it had changed anything."""

    task: str
