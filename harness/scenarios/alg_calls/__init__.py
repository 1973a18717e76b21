"""Calls through an ALG: two endpoints, the ALG between them, and what each of them and a capture notices."""
