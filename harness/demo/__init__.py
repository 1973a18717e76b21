"""A call through the ALG between two built-in endpoints, and the report of what the ALG did to it."""
