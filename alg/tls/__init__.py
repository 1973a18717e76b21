"""TLS on its way through the ALG: what can be seen of it without keys, and what a firewall's inspection does to it."""
