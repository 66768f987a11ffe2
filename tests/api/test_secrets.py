"""What is secret in a call is repeated nowhere, and leaves the host only where it must."""

from __future__ import annotations

import pytest

from api.fake import LOCAL, FakeContext, ask, session_of
from api.samples import arguments_of
from pooltrust.api import classes
from pooltrust.api.classes.access.login import local_superuser
from pooltrust.api.declare.call import CALLS, Where

assert classes
WITH_SECRETS = [name for name, call in CALLS.items() if any(p.secret for p in call.parameters)]
TO_A_HOST = {"host.install_server_certificate", "pooltrust.install_server_certificate"}
"""Whose user gives a key for another host than the one that is asked."""


@pytest.mark.parametrize("name", WITH_SECRETS)
def test_a_secret_that_can_t_be_read_is_not_repeated(name: str):
    context, call = FakeContext(), CALLS[name]
    session = session_of(context)
    for at, parameter in enumerate(call.parameters):
        if parameter.secret:
            arguments = arguments_of(call, context)
            arguments[at] = "hush\x01hush"
            said = ask(context, name, *([session] if call.session else []), *arguments)
            assert said[0] == "INVALID_VALUE"
            assert "hush" not in str(said)
    told = context.sessions.last_failure(session)
    assert told is None or "hush" not in told.words
    assert context.defects == []


@pytest.mark.parametrize("name", [name for name in WITH_SECRETS if name not in TO_A_HOST])
def test_a_secret_is_not_forwarded(name: str):
    call = CALLS[name]

    assert call.runs is Where.HERE or not call.forwarded or not call.session


@pytest.mark.parametrize("name", ["", "root via h2", "a b", "a\n", "a\t", " "])
def test_who_is_root_on_a_host_is_not_called_like_somebody_whom_another_host_names(name: str):
    assert local_superuser(name, LOCAL).user == "root"
    assert local_superuser("mabel", LOCAL).user == "mabel"
