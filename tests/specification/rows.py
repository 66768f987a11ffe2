"""What is asked of certificate verification, a sentence a row, in our words; see test_rows.py.

`@proves(7, 12)` says of a test that it acts, and observes from outside the process, what these rows
claim.  Where a row speaks of what a graphical client shows or clicks, the test is that client: it
makes the call behind it, over TLS, and sees what it would show.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from typing import TypeVar

ROWS = """
What it is.
1. With verification on, no end of a TLS connection between hosts says anything confidential before it has verified the other by its certificate.
2. Whoever a host connects to must show a certificate that proves who it is.
3. That holds for the hosts of the pool,
4. for the graphical client,
5. and for any other program that uses the API.
6. It works with the self-signed certificates that hosts make, and with certificates of an authority that a user installs.
7. How to install one is written down, and that page is referred to.
8. Each host of a pool has two certificates that identify it.
9. The pool identity secures what hosts say to one another.
10. A pool identity is always self-signed.
11. The server identity proves a host to the clients of the pool.
12. It may be self-signed, or a certificate of one's own.
13. The first connection, of a host that joins or of a client, is trusted.
14. In it certificates are exchanged.
15. Every later connection is verified by these certificates.
16. Verification is recommended for every pool: one without it is reminded.
17. A host joins a pool only if verification is on at both or off at both.
18. If it is on at one side and off at the other the join fails.
19. Then whoever joins is told at which side to enable it.
20. When a host leaves a pool, both sides delete the certificates of the other.
21. The Workload Balancing appliance can be verified too.
22. Its self-signed certificate has to be installed first.
23. The Conversion Manager connects to nobody as a server would be connected to, and is exempt: no certificate of its own is checked.

Enabling.
24. A fresh host verifies without being told.
25. A host upgraded from a release without verification does not, until it is told.
26. A graphical client can tell so at its next connection, and ask.
27. Before enabling, no operation may be running in the pool.
28. A graphical client enables it by the API:
29. when it is asked at its first connection,
30. from a menu,
31. or from the page of the pool.
32. At the console of any host of the pool one command enables it.

Managing certificates.
33. Certificates that identify a host can be installed, looked at and reset.
34. A user's own certificate is what a host shows to clients afterwards.
35. How to make and install it is written down.
36. A graphical client shows whether verification is on,
37. and the name, validity and thumbprint of each authority of the pool.
38. The command line shows whether it is on,
39. on the line that is published for it.
40. A graphical client shows thumbprint and validity of both identities of a host.
41. The command line lists the certificates.
42. A pool identity can be refreshed by the command line:
43. the host's UUID is in the list of hosts,
44. and one command with it refreshes the certificate.
45. Any selector of hosts names the host as well.
46. A server identity can be reset by a graphical client or the command line.
47. The certificate is deleted from the host then, and a new self-signed one is in its place.
48. A graphical client finds the host,
49. its certificate,
50. resets that by one call,
51. which ends without further questions,
52. from wherever in its menus it is made.
53. Connections that exist are ended by a reset, that of the graphical client included,
54. and it connects again by itself.
55. For the command line the host's UUID is in the list of hosts,
56. and one command with it resets the certificate.
57. Any selector of hosts names the host there too.
58. Connections that exist are ended then as well,
59. and a client connects again.

Watching, and emergencies.
60. There are alerts when a server identity, a pool identity or an authority of the pool is close to its end.
61. Verification is not meant to be disabled once it is on: there is no call for a pool.
62. For trouble with certificates there are commands that disable it on one host.
63. At that host's console one command disables it for the time being.
64. There is an alert while a host of a pool that verifies does not.
65. When the trouble is over it is enabled again on that host,
66. by one command at its console.
"""

SENTENCES = {
    int(number): words for number, words in re.findall(r"^(\d+)\. (.+)$", ROWS, re.MULTILINE)
}
PROVEN: defaultdict[int, list[str]] = defaultdict(list)
"""The tests of each row, of the modules that were imported."""

F = TypeVar("F", bound=Callable[..., object])


def proves(*numbers: int) -> Callable[[F], F]:
    """The test below proves these rows."""

    def said(test: F) -> F:
        assert numbers and test.__name__.startswith("test_")
        for number in numbers:
            PROVEN[number].append(f"{test.__module__}.{test.__name__}")
        return test

    return said
