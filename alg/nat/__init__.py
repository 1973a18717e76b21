"""Network address translation as the ALG needs it: addresses, ports, and doors for media."""
