"""A lab on one machine: endpoints and a router in network namespaces, with no way in or out."""
