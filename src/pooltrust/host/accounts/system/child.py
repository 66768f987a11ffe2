"""The process that asks PAM and the name services one question, and ends.

It is run as a file by an isolated interpreter, so it imports nothing but the standard library.  The
question comes as JSON on its standard input, the answer goes to its standard output; what the
modules of PAM print goes nowhere.
"""

from __future__ import annotations

import ctypes
import grp
import json
import os
import pwd
import resource
import signal
import sys
from typing import Any

SUCCESS = 0
CONV_ERROR = 19
WRONG = {7, 10}
"""PAM_AUTH_ERR and PAM_USER_UNKNOWN: nothing that an administrator has to know of."""

UNAVAILABLE = {1, 2, 3, 5, 9, 26, 28}
"""What says that PAM itself did not work (Linux-PAM, _pam_types.h).  Whatever else is no success,
some module uses for a wrong password."""

NO_NULL_PASSWORDS = 0x1
USER, REMOTE_HOST = 2, 4
HIDDEN_PROMPT, PROMPT = 1, 2
PARENT_DIED = 1
LONGEST_QUESTION = 64 * 1024


class Message(ctypes.Structure):
    """struct pam_message."""

    _fields_ = [("style", ctypes.c_int), ("text", ctypes.c_char_p)]


class Response(ctypes.Structure):
    """struct pam_response; PAM frees both it and its text."""

    _fields_ = [("text", ctypes.c_void_p), ("code", ctypes.c_int)]


Converse = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.c_int,
    ctypes.POINTER(ctypes.POINTER(Message)),
    ctypes.POINTER(ctypes.POINTER(Response)),
    ctypes.c_void_p,
)


class Conversation(ctypes.Structure):
    """struct pam_conv."""

    _fields_ = [("converse", Converse), ("data", ctypes.c_void_p)]


def main() -> None:
    """Answer the one question."""
    answers = _alone()
    question = json.loads(sys.stdin.buffer.read(LONGEST_QUESTION))
    match question["do"]:
        case "check":
            answer = check(question)
        case "user":
            answer = user(question["name"])
        case _:
            answer = group(question["name"])
    with os.fdopen(answers, "w") as out:
        json.dump(answer, out)


def _alone() -> int:
    """Leave no core dump with a password in it, end with the daemon, and keep stdout for us."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None).prctl(PARENT_DIED, signal.SIGKILL)
    answers = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    return answers


def user(name: str) -> dict[str, Any]:
    """A user as the name services know it, with its groups; empty if they don't."""
    try:
        found = pwd.getpwnam(name)
        numbers = os.getgrouplist(found.pw_name, found.pw_gid)
    except (KeyError, OSError, ValueError):
        return {}
    return {
        "name": found.pw_name,
        "full_name": found.pw_gecos.partition(",")[0],
        "groups": [known for number in numbers for known in _group_names(number)],
    }


def _group_names(number: int) -> list[str]:
    try:
        return [grp.getgrgid(number).gr_name]
    except KeyError:
        return []


def group(name: str) -> dict[str, Any]:
    """A group as the name services know it; empty if they don't."""
    try:
        return {"name": grp.getgrnam(name).gr_name}
    except (KeyError, ValueError):
        return {}


def check(question: dict[str, str]) -> dict[str, Any]:
    """Whether this is the user's password and the user may log in: ``said`` and ``why``."""
    pam = ctypes.CDLL("libpam.so.0")
    pam.pam_strerror.restype = ctypes.c_char_p
    handle = ctypes.c_void_p()
    # Both are kept by PAM as long as the handle.
    converse = Converse(_answering(question["password"].encode()))
    conversation = Conversation(converse, None)
    name = question["username"]
    status = pam.pam_start_confdir(
        question["service"].encode(),
        name.encode(),
        ctypes.byref(conversation),
        question["folder"].encode() or None,
        ctypes.byref(handle),
    )
    proved = False
    if status == SUCCESS:
        if question["origin"]:
            pam.pam_set_item(handle, REMOTE_HOST, question["origin"].encode())
        status = pam.pam_authenticate(handle, NO_NULL_PASSWORDS)
        proved = status == SUCCESS
        if proved:
            status = pam.pam_acct_mgmt(handle, NO_NULL_PASSWORDS)
        if status == SUCCESS and _called(pam, handle) != name:
            return {"said": "refused", "why": f"PAM calls this user {_called(pam, handle)!r}"}
        pam.pam_end(handle, status)
    if status in WRONG and not proved:
        return {"said": "wrong", "why": ""}
    return _judged(status, pam.pam_strerror(handle, status) or b"")


def _judged(status: int, words: bytes) -> dict[str, Any]:
    if status == SUCCESS:
        return {"said": "right", "why": ""}
    said = "unavailable" if status in UNAVAILABLE else "refused"
    return {"said": said, "why": f"{words.decode(errors='replace')} ({status})"}


def _called(pam: ctypes.CDLL, handle: ctypes.c_void_p) -> str:
    """The user as the modules of PAM have decided to call it."""
    name = ctypes.c_char_p()
    pam.pam_get_item(handle, USER, ctypes.byref(name))
    return (name.value or b"").decode(errors="replace")


def _answering(password: bytes) -> Any:
    """What answers the modules: the password to a prompt that hides it, nothing to any other."""
    libc = ctypes.CDLL(None)
    libc.calloc.restype = libc.strdup.restype = ctypes.c_void_p
    libc.calloc.argtypes = [ctypes.c_size_t, ctypes.c_size_t]

    def answer(count: int, messages: Any, responses: Any, _data: object) -> int:
        room = libc.calloc(count, ctypes.sizeof(Response))
        if not room:
            return CONV_ERROR
        responses[0] = ctypes.cast(room, ctypes.POINTER(Response))
        for number in range(count):
            style = messages[number].contents.style
            if style in (HIDDEN_PROMPT, PROMPT):
                text = password if style == HIDDEN_PROMPT else b""
                responses[0][number].text = libc.strdup(text)
        return SUCCESS

    return answer


if __name__ == "__main__":
    main()
