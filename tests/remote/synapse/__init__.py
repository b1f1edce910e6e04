"""Synapse on loopback, for the tests: what a crawl asks of it, as the service answers it.

`service` holds the entities and what happens to them, `view` the file view over them, `answers` the replies,
`web` the two ports that they come through, `faults` what can go wrong. Each reply says what in the service
(Synapse-Repository-Services) it is modelled on.
"""

from tests.remote.synapse.service import Service

__all__ = ["Service"]
