"""
moto_server, with what a deployment of htsvault needs and moto 5.2.5 lacks: python deployable.py PORT, and in the
environment NODE, the node that runs functions. What is made here is made for real, on moto's services; what is not is said
where it is left out.
"""

import place  # isort: skip  moto reads the environment that it sets.
import functions  # noqa: F401
import resources  # noqa: F401
import stacks  # noqa: F401
from moto import server

server.main(["-H", "127.0.0.1", "-p", place.PORT])
