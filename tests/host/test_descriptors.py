"""A daemon may open as many files as it bears connections."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

STORY = """
import resource
from pooltrust.host.configuration.descriptors import NEEDED, allow_descriptors
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
assert allow_descriptors({needed}) == {now}
assert resource.getrlimit(resource.RLIMIT_NOFILE) == ({now}, {hard})
"""


@pytest.mark.parametrize(
    ("soft", "hard", "needed", "now"),
    [
        (256, 1024, 1000, 1000),
        (256, 1024, 2000, 1024),
        (512, 1024, 300, 512),
    ],
)
def test_the_soft_limit_is_raised_as_far_as_needed_and_allowed(soft, hard, needed, now) -> None:
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] >= hard
    story = STORY.format(soft=soft, hard=hard, needed=needed, now=now)
    subprocess.run([sys.executable, "-c", story], check=True)
