"""Hybrid calls: CUCM, both Expressways and Webex, and what each of them and a capture notices."""
